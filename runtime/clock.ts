/** A timer of a {@linkcode Clock}, to pass to its `clearTimeout`. */
export type TimerHandle = unknown;

/** A source of time. Tests inject a fake one. */
export interface Clock {
  /** Returns the wall-clock time in milliseconds since 1970, to show or to compare with a server's. */
  now(): number;
  /**
   * Returns the milliseconds since some fixed moment. Durations are measured with it, because `now`
   * jumps when somebody sets the machine's clock. On some platforms it stops while the machine
   * sleeps.
   * @default {now}
   */
  monotonic?(): number;
  /** Calls `callback` once after `ms` milliseconds. */
  setTimeout(callback: () => void, ms: number): TimerHandle;
  /** Clears a timer. Does nothing if it has fired or was cleared before. */
  clearTimeout(handle: TimerHandle): void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as number),
};

/**
 * Reads the clock that measures durations, in milliseconds. Only the difference of two readings has
 * a meaning, and it is never negative.
 */
export function monotonicNow(clock: Clock): number {
  return clock.monotonic ? clock.monotonic() : clock.now();
}

/** Settings of {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the delay early: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * The clock.
   * @default {systemClock}
   */
  clock?: Clock;
}

/** Resolves after `ms` milliseconds, and removes its timer and listener. */
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
    signal?.addEventListener("abort", onAbort);
  });
}

/** Like {@linkcode delay}, but resolves when it ends early, too: to whether all of the time passed. */
export async function pause(
  ms: number,
  options: DelayOptions & { signal: AbortSignal },
): Promise<boolean> {
  try {
    await delay(ms, options);
    return true;
  } catch (error) {
    if (options.signal.aborted) return false;
    throw error;
  }
}
