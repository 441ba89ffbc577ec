import { isTerminal, type JobRecord, type WorkflowRun } from "../../protocol/entity.ts";
import { getJob, getRun, send } from "../connection/requests.ts";
import type { Transport } from "../connection/transport.ts";
import { DispatchError, JobFailedError, RunFailedError, TimeoutError } from "../errors.ts";
import type { CallOptions } from "../options.ts";
import type { Follower, Tracked } from "./entity_handle.ts";
import { pause } from "../connection/with_deadline.ts";
import { FIRST_PAUSE } from "../limits.ts";
import { lengthen } from "./poll_timer.ts";

/** How to poll one kind of entity. */
interface PollerSpec<R extends Tracked> {
  /** The entity as an error message names it. */
  what: string;
  read(options: CallOptions): Promise<R>;
  /** The error for an entity that did not complete. */
  Failure: new (record: R) => Error;
}

/** Follows one job or run by reading it repeatedly, for transports without events. */
class Poller<R extends Tracked> implements Follower<R, never> {
  readonly #transport: Transport;
  readonly #spec: PollerSpec<R>;
  #record: R | undefined;
  /** The record, once its state is terminal. */
  #final: R | undefined;
  readonly onState: Set<(state: string) => void> = new Set();

  constructor(transport: Transport, spec: PollerSpec<R>) {
    this.#transport = transport;
    this.#spec = spec;
  }

  get state(): string | undefined {
    return this.#record?.state;
  }

  async wait(signal: AbortSignal): Promise<R> {
    const { onCancel } = this.#transport;
    let cancelled: AbortController;
    const onCancelled = (jobId: string) =>
      this.#spec.what === `job '${jobId}'` && cancelled.abort();
    onCancel.add(onCancelled);
    try {
      for (let ms = FIRST_PAUSE; !this.#final; ms = lengthen(ms)) {
        cancelled = new AbortController();
        await this.#read(signal);
        if (this.#final) break;
        const either = AbortSignal.any([signal, cancelled.signal]);
        await pause(this.#transport, ms, either).catch(() => signal.throwIfAborted());
      }
    } finally {
      onCancel.delete(onCancelled);
    }
    const record = this.#final;
    if (record.state !== "completed") throw new this.#spec.Failure(record);
    return record;
  }

  async #read(signal: AbortSignal): Promise<void> {
    try {
      const record = await this.#spec.read({ signal });
      // Another wait may have read later, and have its answer already.
      if (this.#final) return;
      this.#record = record;
      if (isTerminal(record.state)) this.#final = record;
      for (const listener of this.onState) listener(record.state);
    } catch (error) {
      // A single slow read does not end the wait.
      if (!(error instanceof TimeoutError)) throw error;
    }
  }

  events(): never {
    const text = `Cannot follow ${this.#spec.what}: this transport has no events`;
    throw new DispatchError(text, "not_possible");
  }
}

/** Creates the poller of a job. */
export function pollJob(transport: Transport, id: string): Follower<JobRecord, never> {
  return new Poller<JobRecord>(transport, {
    what: `job '${id}'`,
    read: (options) => send(transport, getJob(id, options)),
    Failure: JobFailedError,
  });
}

/** Creates the poller of a run. */
export function pollRun(transport: Transport, id: string): Follower<WorkflowRun, never> {
  return new Poller<WorkflowRun>(transport, {
    what: `workflow run '${id}'`,
    read: (options) => send(transport, getRun(id, options)),
    Failure: RunFailedError,
  });
}
