import { NEVER_RUN } from "./alert_rules.ts";
import type { CheckBefore } from "./decide.ts";
import type { HealthDatabase } from "./health_database.ts";
import { type Check, type CheckKey, type CheckRun, freeId, type RunBar } from "./model.ts";

/** How many bars of a check are kept in memory for its picture. */
const BARS = 60;

/** What is known about a check. */
export interface CheckStatus extends CheckBefore {
  /** The check. */
  check: Check;
  /** The last run. */
  last?: CheckRun;
  /** The newest runs, oldest first. */
  bars: RunBar[];
}

/** Reads what is recorded about a check. */
export function statusIn(
  database: HealthDatabase,
  key: CheckKey,
  isKnown: (id: string) => boolean,
): CheckStatus {
  const isTaken = (id: string) => isKnown(id) || database.hasSlug(id);
  const slug = database.slugOf(key);
  const check = { ...key, id: slug ?? freeId(key.name, isTaken) };
  if (slug === undefined) return { check, alert: NEVER_RUN, bars: [] };
  const incident = database.incident(check);
  const [last] = database.runs(check, 1);
  return {
    check,
    alert: database.alert(check) ?? NEVER_RUN,
    bars: database.bars(check, BARS),
    ...(incident ? { incident } : {}),
    ...(last ? { last } : {}),
  };
}

/** Adds a run. */
export function addRun(status: CheckStatus, run: CheckRun): void {
  const { at, verdict, duration_ms } = run;
  status.last = run;
  status.bars.push({ at, verdict, duration_ms });
  if (status.bars.length > BARS) status.bars.shift();
}

/**
 * Writes the state of checks into a new file, except those that another process has written. Returns the
 * ids of those that it has written.
 */
export function copyStatuses(
  statuses: readonly CheckStatus[],
  database: HealthDatabase,
): Set<string> {
  const copied = statuses.filter(({ check, alert }) =>
    alert !== NEVER_RUN && !database.alert(check)
  );
  for (const { check, alert, incident } of copied) {
    database.write({ check, alert, targets: [], ...(incident ? { incident } : {}) });
  }
  return new Set(copied.map(({ check }) => check.id));
}

/** Reads the state of a check again from a file that has more than memory had. */
export function readStatusAgain(status: CheckStatus, database: HealthDatabase): void {
  const { check } = status;
  const incident = database.incident(check);
  const bars = database.bars(check, BARS);
  const [last] = status.last ? [] : database.runs(check, 1);
  Object.assign(status, {
    alert: database.alert(check) ?? status.alert,
    ...(incident ? { incident } : {}),
    ...(bars.length > 0 ? { bars } : {}),
    ...(last ? { last } : {}),
  });
}
