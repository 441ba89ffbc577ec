import { tooLate } from "./connection_errors.ts";
import type { Call, CallPlace } from "./call.ts";
import { ConnectionError } from "../errors.ts";

/** The calls that wait for a connection, in their order and up to a limit. */
export class Waiting implements CallPlace {
  readonly #limit: number;
  readonly #calls = new Set<Call>();
  /** Why there is no connection. */
  why: Error | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many wait. */
  get size(): number {
    return this.#calls.size;
  }

  /** Takes a call in. */
  add(call: Call): void {
    call.place = this;
    if (this.size < this.#limit) this.#calls.add(call);
    else {
      const why = `${this.#limit} requests already wait for a connection`;
      call.reject(new ConnectionError(`Cannot ${call.request.what}: ${why}`, "queue_full"));
    }
  }

  /** Hands each to whoever takes it from here. */
  drain(take: (call: Call) => void): void {
    for (const call of [...this.#calls]) {
      // One that was taken before it may have ended it.
      if (this.#calls.delete(call)) take(call);
    }
  }

  delete(call: Call): void {
    this.#calls.delete(call);
  }

  late({ request }: Call): Error {
    return tooLate(request.what, "no connection before the deadline", "not-sent", this.why);
  }
}
