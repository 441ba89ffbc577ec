import { NEVER_RUN } from "./alert_rules.ts";
import type { CheckBefore } from "./decide.ts";
import type { HealthDatabase } from "./health_database.ts";
import type { Check, CheckKey, CheckRun, RunBar } from "./model.ts";

/** How many bars of a check are kept in memory for its picture. */
export const BARS = 60;

/** The longest `id` of a check without its number, in characters. */
const MAX_ID = 60;

/** What is known about a check. */
export interface CheckStatus extends CheckBefore {
  /** The check. */
  check: Check;
  /** The last run. */
  last?: CheckRun;
  /** The newest runs, oldest first. */
  bars: RunBar[];
}

/** Reads what is recorded about a check, and adds it if it is new. */
export function statusIn(
  database: HealthDatabase,
  key: CheckKey,
  isKnown: (id: string) => boolean,
): CheckStatus {
  const isTaken = (id: string) => isKnown(id) || database.hasSlug(id);
  const check = { ...key, id: database.slugOf(key) ?? freeId(key.name, isTaken) };
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

/**
 * Makes an `id` for addresses from a name: `Order smoke (eu)` becomes `order-smoke-eu`. If it is taken,
 * a number follows.
 */
export function freeId(name: string, isTaken: (id: string) => boolean): string {
  const words = name.normalize("NFKD").toLowerCase().match(/[a-z0-9]+/g) ?? ["check"];
  const base = words.join("-").slice(0, MAX_ID).replace(/-$/, "");
  for (let number = 1;; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!isTaken(id)) return id;
  }
}
