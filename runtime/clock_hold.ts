/** A clock that can be kept from skipping. */
export interface HoldableClock {
  /** Keeps the clock from skipping while other work runs; returns a release function. */
  hold(): () => void;
}

/**
 * Keeps a virtual clock from skipping while some work runs, such as a handler that calls another
 * service. While the work waits for the clock itself, once or several times at once, it may skip.
 */
export class ClockHold {
  readonly #clock: HoldableClock;
  #release: () => void;
  #waits = 0;
  #hasEnded = false;

  /** Starts the work. */
  constructor(clock: HoldableClock) {
    this.#clock = clock;
    this.#release = clock.hold();
  }

  /** Begins a wait; returns a function that ends it. */
  wait(): () => void {
    if (this.#waits++ === 0) this.#release();
    let isWaiting = true;
    return () => {
      if (!isWaiting) return;
      isWaiting = false;
      if (--this.#waits === 0 && !this.#hasEnded) this.#release = this.#clock.hold();
    };
  }

  /** Waits for a promise. */
  async during<T>(promise: Promise<T>): Promise<T> {
    const done = this.wait();
    try {
      return await promise;
    } finally {
      done();
    }
  }

  /** Ends the work. */
  end(): void {
    this.#hasEnded = true;
    this.#release();
  }
}
