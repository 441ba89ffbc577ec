import type { JobRecord } from "../protocol/entity.ts";
import type { JobEvent } from "../protocol/event.ts";
import { Followed } from "./follow/entity_handle.ts";
import {
  answerWith,
  cancelJob,
  enqueueing,
  type EnqueueOptions,
  getJob,
} from "./connection/requests.ts";
import type { Transport } from "./connection/transport.ts";
import type { Gap } from "./gap.ts";
import type { CallOptions, WriteOptions } from "./options.ts";

/** A job on its way, as `enqueue` gives it back. */
export class Job {
  readonly #session: Transport;
  #followed: Followed<JobRecord, JobEvent> | undefined;
  readonly #state: string;
  /** The job's id. */
  readonly job_id: string;
  /** The queue it waits in; empty on a handle made from an id alone. */
  readonly queue: string;

  /** Made by `enqueue` and `client.job(id)`. */
  constructor(session: Transport, id: string, queue: string, state: string) {
    this.#session = session;
    this.job_id = id;
    this.queue = queue;
    this.#state = state;
  }

  /** Most jobs are enqueued and never followed. */
  get #following(): Followed<JobRecord, JobEvent> {
    const { job_id } = this;
    return this.#followed ??= new Followed(
      this.#session,
      `job '${job_id}'`,
      (part) => part.trackJob(this.#session, job_id),
    );
  }

  /** The last state that was seen: `pending` at first. */
  get state(): string {
    return this.#followed?.state ?? this.#state;
  }

  /** Reads the job as it is now. */
  get(options?: CallOptions): Promise<JobRecord> {
    return getJob(this.#session, this.job_id, options);
  }

  /**
   * Cancels the job. One that runs is not stopped: its end overwrites the state `cancelled`.
   */
  cancel(options?: WriteOptions): Promise<void> {
    return cancelJob(this.#session, this.job_id, options);
  }

  /**
   * Resolves with the job once it has completed. A job whose name no worker knows never does: give
   * a `timeout` or a `signal`.
   *
   * @throws {JobFailedError} When it failed for good or was cancelled.
   * @throws {TimeoutError} When `timeout` milliseconds have passed; without it there is no deadline.
   */
  wait(options?: CallOptions): Promise<JobRecord> {
    return this.#following.wait(options);
  }

  /** The job's events from the first on, ended by `job.completed` or `job.dlq`. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<JobEvent | Gap, undefined> {
    return this.#following.events(options);
  }
}

/** Enqueues a job. */
export async function enqueue(
  session: Transport,
  name: string,
  payload: unknown,
  options?: EnqueueOptions,
): Promise<Job> {
  const request = enqueueing(name, options)(payload);
  return jobOf(session, request.what, await session.request(request));
}

/** The job that the answer to an enqueue names. */
export function jobOf(session: Transport, what: string, answer: unknown): Job {
  const { job_id, queue, state } = answerWith(what, answer, "job_id", "queue", "state");
  return new Job(session, job_id, queue, state);
}
