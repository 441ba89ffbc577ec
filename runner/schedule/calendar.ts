import { Cron } from "croner";

/**
 * Returns the first time of a schedule after another one, both in milliseconds since 1970, or
 * `undefined` if there is none.
 */
export type NextTime = (after: number) => number | undefined;

/**
 * Finds the times of a cron pattern.
 *
 * @param timezone An IANA name such as `Europe/Berlin`.
 */
export function cronTimes(cron: string, timezone: string): NextTime {
  const pattern = new Cron(cron, { timezone });
  return (after) => pattern.nextRun(new Date(after))?.getTime();
}

/**
 * Finds times at equal distances. They do not depend on when a process starts, and different names
 * have different ones, so that not all checks run at the same moment.
 *
 * @param ms The distance in milliseconds.
 * @param name What the times belong to.
 */
export function intervalTimes(ms: number, name: string): NextTime {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) % 2 ** 31;
  const offset = hash % ms;
  return (after) => Math.floor((after - offset) / ms + 1) * ms + offset;
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
export function cronWindows(next: NextTime, ms: number): WindowAt {
  return (at) => {
    // The window that contains `at` started at most its length earlier.
    const from = next(at - ms);
    return from !== undefined && from <= at ? { from, to: from + ms } : undefined;
  };
}

/** Returns the first of several windows that contains a time. */
export function windowAt(windows: readonly WindowAt[], at: number): MaintenanceWindow | undefined {
  for (const find of windows) {
    const window = find(at);
    if (window) return window;
  }
  return undefined;
}
