import { Cron } from "croner";

/**
 * The times of a cron pattern.
 * @param timezone Such as `Europe/Berlin`.
 * @returns The first time after another one, both in milliseconds since 1970; `undefined` where the
 * pattern never comes again.
 */
export function cronTimes(
  cron: string,
  timezone: string,
): (after: number) => number | undefined {
  const pattern = new Cron(cron, { paused: true, timezone });
  return (after) => pattern.nextRun(new Date(after))?.getTime();
}

/** A stretch of time; what it is over at is not in it. */
export interface Window {
  /** When it begins, in milliseconds since 1970. */
  from: number;
  /** When it is over. */
  to: number;
}

/** Windows in which nothing runs: gives the one that a time is in. */
export type Windows = (at: number) => Window | undefined;

/** One window. */
export function fixedWindow(window: Window): Windows {
  return (at) => window.from <= at && at < window.to ? window : undefined;
}

/** Windows that begin at the times of a pattern and last as long each. */
export function cronWindows(next: (after: number) => number | undefined, ms: number): Windows {
  return (at) => {
    // A window that holds the time began less than its length before it.
    const from = next(at - ms);
    return from !== undefined && from <= at ? { from, to: from + ms } : undefined;
  };
}
