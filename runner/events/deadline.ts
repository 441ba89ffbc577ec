import { type Clock, delay, monotonicNow } from "../../runtime/clock.ts";

/** The abort reason of a deadline that has passed. */
export class DeadlineError extends Error {
  /** Always `"deadline"`. */
  readonly code = "deadline";

  /** Creates the error with its message. */
  constructor(message: string) {
    super(message);
    this.name = "DeadlineError";
  }
}

/** The abort reason of a run that somebody has interrupted. */
export class InterruptedError extends Error {
  /** Always `"interrupted"`. */
  readonly code = "interrupted";

  /** Creates the error; `by` names what interrupted the run, such as `SIGINT`. */
  constructor(by = "a signal") {
    super(`Interrupted by ${by}`);
    this.name = "InterruptedError";
  }
}

/** A signal and the time at which it aborts. */
export interface Limit {
  /** Aborts at that time, or earlier. */
  readonly signal: AbortSignal;
  /** The time, by the monotonic clock. */
  readonly at: number;
  /** Its name in messages: `the recipe's time`. */
  readonly name: string;
  /** Makes it later by some milliseconds. */
  postpone(ms: number): void;
}

/** A signal that aborts at a given time, or as soon as an outer signal aborts. */
export class Deadline implements Limit, Disposable {
  /** Its name in messages: `the recipe's time`. */
  readonly name: string;
  #controller = new AbortController();
  #clock: Clock;
  #timer: unknown;
  #at: number;
  /** The outer limit, if it ends no later. */
  #limit: Limit | undefined;
  #outer: AbortSignal | Limit;
  #signal: AbortSignal;
  #onAbort = () => this.#controller.abort(this.#signal.reason);

  /** Starts the deadline. If `outer` ends no later, its time and name apply here too. */
  constructor(clock: Clock, at: number, outer: AbortSignal | Limit, name = "the time") {
    const signal = outer instanceof AbortSignal ? outer : outer.signal;
    this.#limit = !(outer instanceof AbortSignal) && outer.at <= at ? outer : undefined;
    this.#at = at;
    this.name = this.#limit?.name ?? name;
    this.#clock = clock;
    this.#outer = outer;
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#setTimer();
  }

  /** The time, by the monotonic clock. */
  get at(): number {
    return this.#limit?.at ?? this.#at;
  }

  /** Aborts when the time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the signal aborted because the time is over. */
  get passed(): boolean {
    return this.signal.aborted && this.signal.reason instanceof DeadlineError;
  }

  /** Makes it later by some milliseconds, and the limit around it as well. */
  postpone(ms: number): void {
    if (!(this.#outer instanceof AbortSignal)) this.#outer.postpone(ms);
    this.#clearTimer();
    this.#at += ms;
    this.#setTimer();
  }

  /** Clears the timer and stops listening to the outer signal. */
  [Symbol.dispose](): void {
    this.#clearTimer();
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  #setTimer(): void {
    // If the outer limit ends first, its own timer aborts this signal. A second timer for the same
    // moment could fire first.
    if (this.#limit || !Number.isFinite(this.#at)) return;
    this.#timer = this.#clock.setTimeout(
      () => this.#controller.abort(new DeadlineError(`${this.name} is over`)),
      Math.max(0, this.#at - monotonicNow(this.#clock)),
    );
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
  }
}

/** Returns the limit of a deadline, with a signal that may abort earlier than that of the deadline. */
export function limitBy(deadline: Limit, signal: AbortSignal): Limit {
  return {
    signal,
    get at() {
      return deadline.at;
    },
    name: deadline.name,
    postpone: (ms) => deadline.postpone(ms),
  };
}

/** Waits for a promise, for at most `ms` milliseconds or until the signal aborts. */
export async function waitAtMost(
  ms: number,
  promise: Promise<unknown>,
  { clock, signal }: { clock: Clock; signal?: AbortSignal },
): Promise<void> {
  const done = new AbortController();
  const stop = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const timeout = delay(ms, { signal: stop, clock }).catch((error) => {
    if (!stop.aborted) throw error;
  });
  try {
    await Promise.race([promise, timeout]);
  } finally {
    done.abort();
  }
}

/**
 * Starts to measure a time. Returns a function that returns how long it has been, in whole
 * milliseconds; setting the machine's clock does not change it.
 *
 * Reports and histories hold whole milliseconds, and expressions compare them as whole numbers.
 */
export function startStopwatch(clock: Clock): () => number {
  const began = monotonicNow(clock);
  return () => wholeMilliseconds(monotonicNow(clock) - began);
}

/** Rounds a duration to whole milliseconds; 0 if the clock ran backwards. */
export function wholeMilliseconds(ms: number): number {
  return Math.max(0, Math.round(ms));
}

/** Returns the time `ms` milliseconds from now on the monotonic clock, for deadlines. */
export function momentIn(clock: Clock, ms: number): number {
  return monotonicNow(clock) + ms;
}
