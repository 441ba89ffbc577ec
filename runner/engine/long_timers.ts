import type { Clock } from "../../runtime/clock.ts";

/** The longest time in milliseconds that runtimes take for a timer; longer ones fire at once. */
const LONGEST = 2 ** 31 - 1;

/** A clock whose timers can be of any length: long ones are set again and again. */
export function withLongTimers(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    setTimeout(callback, ms) {
      const timer: { handle?: unknown } = {};
      const set = (ms: number) => {
        timer.handle = ms > LONGEST
          ? clock.setTimeout(() => set(ms - LONGEST), LONGEST)
          : clock.setTimeout(callback, ms);
      };
      set(ms);
      return timer;
    },
    clearTimeout: (timer) => clock.clearTimeout((timer as { handle?: unknown }).handle),
  };
}
