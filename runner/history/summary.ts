import type { CaseStatus } from "../events/event.ts";
import { outcomeOf, tally } from "./compare.ts";
import type { CaseKey } from "./identity.ts";
import type { KeptRun } from "./store.ts";

/** A case's runs in a few numbers. */
export interface CaseSummary extends CaseKey {
  /** How many runs are kept. */
  runs: number;
  /** How many of them passed, flaky ones included. */
  passed: number;
  /** How many did not. */
  failed: number;
  /** How many passed only on a later attempt. */
  flaky: number;
  /** The median of those that passed, in milliseconds; absent when none did. */
  median_ms?: number;
  /** The latest one. */
  last: {
    /** How it ended. */
    status: CaseStatus;
    /** When it began, RFC 3339. */
    at: string;
    /** How long it took, in milliseconds. */
    duration_ms: number;
  };
}

/** Sums a case's runs up; the latest one comes first, and there is at least one. */
export function summarize(key: CaseKey, runs: readonly KeptRun[]): CaseSummary {
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

/** Runs as bars as high as they took long, the latest one at the right; `✗` did not pass. */
export function sparkline(runs: readonly KeptRun[]): string {
  const longest = Math.max(1, ...runs.map(({ duration_ms }) => duration_ms));
  return runs.map(({ status, duration_ms }) => {
    if (status !== "passed") return "✗";
    return BARS[Math.min(BARS.length - 1, Math.floor(duration_ms / longest * BARS.length))]!;
  }).toReversed().join("");
}
