import type { Timers } from "./timers.ts";

/**
 * Keeps a virtual clock from skipping while a workflow's handler does something that the clock does
 * not know, such as a request to another service. While the handler waits for one of the methods of
 * its context, the clock may skip.
 */
export class HandlerHold {
  readonly #timers: Timers;
  #release: () => void;
  #waits = 0;
  #hasEnded = false;

  constructor(timers: Timers) {
    this.#timers = timers;
    this.#release = timers.hold();
  }

  /** The handler begins to wait; returns a function to call when the wait ends. */
  wait(): () => void {
    if (this.#waits++ === 0) this.#release();
    return () => {
      if (--this.#waits === 0 && !this.#hasEnded) this.#release = this.#timers.hold();
    };
  }

  /** The handler has returned. */
  end(): void {
    this.#hasEnded = true;
    this.#release();
  }
}
