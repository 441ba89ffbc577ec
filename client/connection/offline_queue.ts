import { ConnectionError } from "../errors.ts";
import type { Call, CallOwner } from "./call.ts";

/** Calls that wait until they can be sent, in order and up to a limit. */
export class OfflineQueue implements CallOwner {
  readonly #limit: number;
  /** The queued calls. */
  protected readonly calls: Set<Call> = new Set();
  declare readonly awaited: string;
  /** The reason why there is no connection. */
  declare disconnectCause: Error | undefined;

  /** @param awaited What the calls wait for. */
  constructor(limit: number, awaited = "connection") {
    this.#limit = limit;
    this.awaited = awaited;
  }

  /** The number of queued calls. */
  get size(): number {
    return this.calls.size;
  }

  /** Adds a call; rejects it if the queue is full. */
  add(call: Call): void {
    call.owner = this;
    if (this.size < this.#limit) this.calls.add(call);
    else {
      const why = `${this.#limit} requests wait for a connection`;
      call.fail(new ConnectionError(why, "queue_full"));
    }
  }

  /** Removes each call from the queue and passes it to `take`. */
  drain(take: (call: Call) => void): void {
    for (const call of [...this.calls]) {
      // Taking an earlier call may have settled this one.
      if (this.calls.delete(call)) take(call);
    }
  }

  delete(call: Call): void {
    this.calls.delete(call);
  }
}
