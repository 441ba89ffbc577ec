import type { Clock } from "../../runtime/clock.ts";

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

/** A signal that is aborted at a time, or with an outer signal, whichever is first. */
export class Deadline implements Disposable {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Whose time it is, for messages: `the recipe's time`. */
  readonly whose: string;
  #controller = new AbortController();
  #clock: Clock;
  #timer: unknown;
  #outer: AbortSignal;
  #onAbort = () => this.#controller.abort(this.#outer.reason);

  /** Starts the time. */
  constructor(clock: Clock, at: number, outer: AbortSignal, whose = "the time") {
    this.at = at;
    this.whose = whose;
    this.#clock = clock;
    this.#outer = outer;
    if (outer.aborted) this.#onAbort();
    else outer.addEventListener("abort", this.#onAbort, { once: true });
    if (Number.isFinite(at)) {
      const ms = Math.max(0, at - clock.now());
      this.#timer = clock.setTimeout(
        () => this.#controller.abort(new DeadlineError(`${this.whose} is over`)),
        // A timer cannot be set further than this; the recipe's own limit is nearer.
        Math.min(ms, 2 ** 31 - 1),
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

/** Rejects with a signal's reason when it is aborted. */
export function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
