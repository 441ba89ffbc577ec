/** A pending timer of a {@linkcode Clock}; only good to be handed back to it. */
export type TimerHandle = unknown;

/** Where time comes from. Tests hand in one they move themselves. */
export interface Clock {
  /** Milliseconds since 1970, on the wall: time a machine slept counts. */
  now(): number;
  /** Calls `callback` once, `ms` milliseconds from now. */
  setTimeout(callback: () => void, ms: number): TimerHandle;
  /** Forgets a timer; one that has fired or was forgotten is let be. */
  clearTimeout(handle: TimerHandle): void;
}

/** The longest time in milliseconds that runtimes take for a timer; longer ones fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A timer that is set again and again, until all of its time is over. */
class LongTimer {
  #timer: unknown;

  constructor(callback: () => void, ms: number) {
    this.#set(callback, ms);
  }

  clear(): void {
    clearTimeout(this.#timer as number);
  }

  #set(callback: () => void, ms: number): void {
    const rest = ms - LONGEST_TIMER;
    this.#timer = rest > 0
      ? setTimeout(() => this.#set(callback, rest), LONGEST_TIMER)
      : setTimeout(callback, ms);
  }
}

/** The machine's own clock. Its timers can be of any length. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) =>
    ms > LONGEST_TIMER ? new LongTimer(callback, ms) : setTimeout(callback, ms),
  clearTimeout: (handle) =>
    handle instanceof LongTimer ? handle.clear() : clearTimeout(handle as number),
};

/** Settings of {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the delay early: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Where time comes from.
   * @default {systemClock}
   */
  clock?: Clock;
}

/** Resolves after `ms` milliseconds; leaves no timer and no listener behind. */
export function delay(ms: number, options: DelayOptions = {}): Promise<void> {
  const { signal, clock = systemClock } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clock.clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
