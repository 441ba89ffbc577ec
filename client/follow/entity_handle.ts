import type { DispatchEvent } from "../../protocol/event.ts";
import { tooLate } from "../connection/connection_errors.ts";
import { lateIterator } from "../_late_iterator.ts";
import { limited } from "../connection/with_deadline.ts";
import { part } from "../_load.ts";
import type { Transport } from "../connection/transport.ts";
import type { Gap } from "../gap.ts";
import type { CallOptions } from "../options.ts";
import type { Tracked, Tracker } from "./tracker.ts";

/** What follows jobs and runs; it is loaded with the first that is followed. */
type Following = typeof import("./trackers.ts");

/** One job or run that can be followed. Its tracker is made when it is. */
export class Followed<R extends Tracked, E extends DispatchEvent> {
  readonly #session: Transport;
  readonly #what: string;
  readonly #track: (following: Following) => Tracker<R, E>;
  #tracker: Tracker<R, E> | undefined;

  /** @param what Names it in an error. */
  constructor(session: Transport, what: string, track: (following: Following) => Tracker<R, E>) {
    this.#session = session;
    this.#what = what;
    this.#track = track;
  }

  /** The last state that was seen. */
  get state(): string | undefined {
    return this.#tracker?.state;
  }

  /** Resolves with the record once it has completed. */
  async wait({ signal, timeout }: CallOptions = {}): Promise<R> {
    const session = this.#session;
    const what = `wait for ${this.#what}`;
    const at = timeout === undefined ? Infinity : session.deadline(timeout);
    const late = () => {
      const state = this.state === undefined ? "" : `, it is ${this.state}`;
      return tooLate(what, `the deadline passed${state}`);
    };
    return await limited(
      session,
      { what, at, late, signal },
      async (signal) => (await this.#follow(what, signal)).wait(signal),
    );
  }

  /** The events from the first on, ended by the last; each reader has its own place. */
  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<E | Gap, undefined> {
    return lateIterator(
      this.#follow(`follow ${this.#what}`, options.signal).then((it) => it.events(options)),
    );
  }

  async #follow(what: string, signal?: AbortSignal): Promise<Tracker<R, E>> {
    // Loaded by an earlier call, it is there without a wait.
    if (this.#tracker) return this.#tracker;
    const following = await part(what, import("./trackers.ts"), signal);
    return this.#tracker ??= this.#track(following);
  }
}
