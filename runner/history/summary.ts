import type { CaseStatus } from "../events/event.ts";
import { outcomeOf, tally } from "./compare.ts";
import type { CaseKey } from "./case_key.ts";
import type { StoredRun } from "./store.ts";

/** A summary of the recorded runs of a case. */
export interface CaseHistory extends CaseKey {
  /** The number of runs. */
  runs: number;
  /** The number that passed, flaky ones included. */
  passed: number;
  /** The number that did not pass. */
  failed: number;
  /** The number that passed only on a later attempt. */
  flaky: number;
  /** The median duration of those that passed, in milliseconds; absent if none did. */
  median_ms?: number;
  /** The newest run. */
  last: {
    /** Its result. */
    status: CaseStatus;
    /** When it started, RFC 3339. */
    at: string;
    /** How long it took, in milliseconds. */
    duration_ms: number;
  };
}

/** Summarizes the runs of a case: at least one, newest first. */
export function summarize(key: CaseKey, runs: readonly StoredRun[]): CaseHistory {
  const { status, at, duration_ms } = runs[0]!;
  const { runs: count, failed, ...rest } = tally(runs.map(outcomeOf));
  return {
    ...key,
    runs: count,
    passed: count - failed,
    failed,
    ...rest,
    last: { status, at: new Date(at).toISOString(), duration_ms },
  };
}

const BARS = "▁▂▃▄▅▆▇█";

/** Draws runs as bars, newest on the right: the height is the duration, `✗` did not pass. */
export function sparkline(
  runs: readonly Pick<StoredRun, "status" | "duration_ms">[],
): string {
  const longest = Math.max(1, ...runs.map(({ duration_ms }) => duration_ms));
  return runs.map(({ status, duration_ms }) => {
    if (status !== "passed") return "✗";
    return BARS[Math.min(BARS.length - 1, Math.floor(duration_ms / longest * BARS.length))]!;
  }).toReversed().join("");
}
