import { type Clock, delay } from "../../runtime/clock.ts";

/** The reason of a signal that was aborted because time was over; its code is `"deadline"`. */
export class DeadlineError extends Error {
  /** Always `"deadline"`. */
  readonly code = "deadline";

  /** Says whose time is over. */
  constructor(message: string) {
    super(message);
    this.name = "DeadlineError";
  }
}

/** The reason of a signal that was aborted by a person; its code is `"interrupted"`. */
export class InterruptedError extends Error {
  /** Always `"interrupted"`. */
  readonly code = "interrupted";

  /** Says by what. */
  constructor(by = "a signal") {
    super(`Interrupted by ${by}`);
    this.name = "InterruptedError";
  }
}

/** A signal with the time at which it is aborted. */
export interface Limit {
  /** Aborted when the time is over, or before. */
  readonly signal: AbortSignal;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Whose time it is, for messages: `the recipe's time`. */
  readonly whose: string;
}

/** A signal that is aborted at a time, or with an outer signal, whichever is first. */
export class Deadline implements Limit, Disposable {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Whose time it is, for messages: `the recipe's time`. */
  readonly whose: string;
  #controller = new AbortController();
  #clock: Clock;
  #timer: unknown;
  #outer: AbortSignal;
  #onAbort = () => this.#controller.abort(this.#outer.reason);

  /** Starts the time. Where an outer limit is not later, that one's time is this one's as well. */
  constructor(clock: Clock, at: number, outer: AbortSignal | Limit, whose = "the time") {
    const signal = outer instanceof AbortSignal ? outer : outer.signal;
    const limit = !(outer instanceof AbortSignal) && outer.at <= at ? outer : undefined;
    this.at = limit?.at ?? at;
    this.whose = limit?.whose ?? whose;
    this.#clock = clock;
    this.#outer = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
    // Two timers for one moment could fire in either order.
    if (!limit && Number.isFinite(at)) {
      const ms = Math.max(0, at - clock.now());
      this.#timer = clock.setTimeout(
        () => this.#controller.abort(new DeadlineError(`${this.whose} is over`)),
        ms,
      );
    }
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was time that aborted the signal. */
  get passed(): boolean {
    return this.signal.aborted && this.signal.reason instanceof DeadlineError;
  }

  /** Forgets the timer and the outer signal. */
  [Symbol.dispose](): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#onAbort);
  }
}

/** Waits for a promise, but no longer than some milliseconds and not beyond an abort. */
export async function waitAtMost(
  ms: number,
  promise: Promise<unknown>,
  { clock, signal }: { clock: Clock; signal?: AbortSignal },
): Promise<void> {
  const done = new AbortController();
  const either = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const late = delay(ms, { signal: either, clock }).catch((error) => {
    if (!either.aborted) throw error;
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    done.abort();
  }
}
