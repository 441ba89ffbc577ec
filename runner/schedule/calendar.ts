import { Cron } from "croner";

/**
 * Makes a function that finds the times of a cron pattern.
 *
 * @param timezone An IANA name such as `Europe/Berlin`.
 * @returns A function that returns the first time after another one, both in milliseconds since
 * 1970, or `undefined` if there is none.
 */
export function cronTimes(
  cron: string,
  timezone: string,
): (after: number) => number | undefined {
  const pattern = new Cron(cron, { timezone });
  return (after) => pattern.nextRun(new Date(after))?.getTime();
}

/** A period of time, in milliseconds since 1970. */
export interface MaintenanceWindow {
  /** Its start, which belongs to it. */
  from: number;
  /** Its end, which does not. */
  to: number;
}

/** Finds the maintenance window that contains a time. */
export type WindowAt = (at: number) => MaintenanceWindow | undefined;

/** A single window. */
export function fixedWindow(window: MaintenanceWindow): WindowAt {
  return (at) => window.from <= at && at < window.to ? window : undefined;
}

/** Windows that start at the times of a cron pattern and have the same length. */
export function cronWindows(next: (after: number) => number | undefined, ms: number): WindowAt {
  return (at) => {
    // The window that contains `at` started at most its length earlier.
    const from = next(at - ms);
    return from !== undefined && from <= at ? { from, to: from + ms } : undefined;
  };
}
