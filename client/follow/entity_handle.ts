import type { DispatchEvent } from "../../protocol/event.ts";
import type { Transport } from "../connection/transport.ts";
import { withDeadline } from "../connection/with_deadline.ts";
import type { Gap } from "../gap.ts";
import { CALL, type CallOptions, checkOptions, SIGNAL } from "../options.ts";

/** The fields that jobs and runs have in common. */
export interface Tracked {
  id: string;
  state: string;
}

/** How to follow one kind of entity. */
export interface TrackerSpec<R extends Tracked, E extends DispatchEvent> {
  /** The entity as an error message names it: `job 'job_…'`. */
  what: string;
  /** The channel of its events. */
  channel: string;
  read(options: CallOptions): Promise<R>;
  /**
   * Creates the events that the server's records prove, with a gap where neither the records nor
   * the known events say what happened.
   */
  synthesize(
    record: R,
    known: readonly (E | Gap)[],
    options: CallOptions,
  ): (E | Gap)[] | Promise<(E | Gap)[]>;
  /** Creates the error for an entity that did not complete. */
  failure(record: R): Error;
  /** Called when the entity has ended. */
  onEnd?(): void;
}

/** Follows one job or run until it ends. */
export interface Follower<R, E> {
  /** The last state that was seen, if any. */
  readonly state: string | undefined;
  /** Functions to call with each state that is seen. */
  readonly onState: Set<(state: string) => void>;
  /** Resolves with the record once it has completed. */
  wait(signal: AbortSignal): Promise<R>;
  /** Reads the events from the first to the last. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<E | Gap, undefined>;
}

/**
 * What the handles on jobs and runs have in common.
 *
 * @example
 * ```ts
 * import type { EntityHandle } from "@dispatch/sdk";
 *
 * async function isOver(handle: EntityHandle): Promise<boolean> {
 *   await handle.wait({ timeout: 60_000 });
 *   return handle.state === "completed";
 * }
 * ```
 */
export abstract class EntityHandle<R = unknown, E = unknown> {
  readonly #transport: Transport;
  readonly #what: string;
  readonly #createFollower: () => Follower<R, E>;
  #follower: Follower<R, E> | undefined;

  /**
   * Called by the constructors of the handles.
   * @param what The entity as an error message names it: `job 'job_…'`.
   */
  constructor(transport: Transport, what: string, createFollower: () => Follower<R, E>) {
    this.#transport = transport;
    this.#what = what;
    this.#createFollower = createFollower;
  }

  /** The last state that was seen. */
  abstract readonly state: string;

  /**
   * Resolves with the record once the job or run has completed. A job whose name no worker knows
   * never does, so pass a `timeout` or a `signal`.
   *
   * @throws {JobFailedError} If the job failed for good or was cancelled.
   * @throws {RunFailedError} If the run failed.
   * @throws {TimeoutError} If `timeout` milliseconds have passed. The default is no timeout.
   */
  async wait(options: CallOptions = {}): Promise<R> {
    const what = `wait for ${this.#what}`;
    checkOptions(what, options, CALL);
    const { signal, timeout = 0 } = options;
    const follower = this.#getFollower();
    const limits = {
      what,
      timeout,
      signal,
      get awaited() {
        const { state } = follower;
        return `end${state ? ` (it is ${state})` : ""}`;
      },
    };
    return await withDeadline(this.#transport, limits, (signal) => follower.wait(signal));
  }

  /**
   * Reads the events from the first to the last: `job.completed` or `job.dlq`, `workflow.completed`
   * or `workflow.failed`. Each call reads all of them.
   */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<E | Gap, undefined> {
    checkOptions(`follow ${this.#what}`, options, SIGNAL);
    return this.#getFollower().events(options);
  }

  /** Creates the follower on first use: most jobs are enqueued and never followed. */
  #getFollower(): Follower<R, E> {
    if (this.#follower) return this.#follower;
    const follower = this.#follower = this.#createFollower();
    // `state` is an ordinary property, so that `console.log` and `JSON.stringify` show it.
    const setState = (state: string) => void ((this as { state: string }).state = state);
    if (follower.state) setState(follower.state);
    follower.onState.add(setState);
    return follower;
  }
}
