import { type Clock, monotonicNow, type TimerHandle } from "./clock.ts";

/** The longest timer that runtimes support, in milliseconds; a longer one fires at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** A timer of any length; `handle` is the clock timer that is running for it now. */
export interface LongTimer {
  /** Changes whenever the next part of the timer starts. */
  handle: TimerHandle;
}

/**
 * Sets a timer of any length by setting several in a row, none longer than {@linkcode
 * MAX_TIMER_MS}.
 */
export function setLongTimeout(
  setTimeout: Clock["setTimeout"],
  callback: () => void,
  ms: number,
): LongTimer {
  const timer: LongTimer = { handle: undefined };
  const set = (left: number) => {
    timer.handle = left > MAX_TIMER_MS
      ? setTimeout(() => set(left - MAX_TIMER_MS), MAX_TIMER_MS)
      : setTimeout(callback, left);
  };
  set(ms);
  return timer;
}

/** Wraps a clock so that its timers can have any length. */
export function withLongTimers(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => monotonicNow(clock),
    setTimeout: (callback, ms) =>
      setLongTimeout((part, partMs) => clock.setTimeout(part, partMs), callback, ms),
    clearTimeout: (timer) => clock.clearTimeout((timer as LongTimer).handle),
  };
}
