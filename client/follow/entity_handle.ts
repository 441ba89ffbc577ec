import { deadlineExceeded } from "../errors.ts";
import type { Transport } from "../connection/transport.ts";
import { withDeadline } from "../connection/with_deadline.ts";
import type { Gap } from "../gap.ts";
import type { CallOptions } from "../options.ts";

/** The fields that jobs and runs have in common. */
export interface Tracked {
  id: string;
  state: string;
}

/** Follows one job or run until it ends. */
export interface Follower<R extends Tracked, E> {
  /** The last state that was seen, if any. */
  readonly state: string | undefined;
  /** Resolves with the record once it has completed. */
  wait(signal: AbortSignal): Promise<R>;
  /** Reads the events from the first to the last. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<E | Gap, undefined>;
}

/** The handle on one job or run. Its follower is created on first use. */
export class EntityHandle<R extends Tracked, E> {
  readonly #transport: Transport;
  readonly #what: string;
  readonly #createFollower: () => Follower<R, E>;
  #follower: Follower<R, E> | undefined;

  /** @param what The entity as an error message names it: `job 'job_…'`. */
  constructor(transport: Transport, what: string, createFollower: () => Follower<R, E>) {
    this.#transport = transport;
    this.#what = what;
    this.#createFollower = createFollower;
  }

  /** The last state that was seen, if any. */
  get state(): string | undefined {
    return this.#follower?.state;
  }

  /** Resolves with the record once it has completed. */
  wait({ signal, timeout }: CallOptions = {}): Promise<R> {
    const what = `wait for ${this.#what}`;
    const deadline = timeout === undefined ? Infinity : this.#transport.deadline(timeout);
    const timeoutError = () => {
      const state = this.state === undefined ? "" : `, it is ${this.state}`;
      return deadlineExceeded(what, `the deadline passed${state}`);
    };
    const limits = { what, deadline, timeoutError, signal };
    return withDeadline(this.#transport, limits, (signal) => this.#getFollower().wait(signal));
  }

  /** Reads the events from the first to the last; readers do not share a position. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<E | Gap, undefined> {
    return this.#getFollower().events(options);
  }

  #getFollower(): Follower<R, E> {
    return this.#follower ??= this.#createFollower();
  }
}
