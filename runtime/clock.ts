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

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as number),
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
