import type { CaseFinished, CaseSkipped, EventQuarantine, RunCounts } from "./event.ts";
import { isExcused } from "./failure.ts";

/** Returns the counts of a run in which nothing has happened. */
export function noCounts(): RunCounts {
  return {
    passed: 0,
    failed: 0,
    errored: 0,
    unchecked: 0,
    interrupted: 0,
    skipped: 0,
    flaky: 0,
    warnings: 0,
  };
}

/** Counts a case that has ended; one that failed in quarantine counts apart. */
export function countCase(
  counts: RunCounts,
  end: Pick<CaseFinished, "status" | "flaky"> & { quarantine?: EventQuarantine | undefined },
): void {
  if (isExcused(end)) counts.quarantined = (counts.quarantined ?? 0) + 1;
  else counts[end.status]++;
  if (end.flaky) counts.flaky++;
}

/** Counts a case that was not started. */
export function countSkipped(counts: RunCounts, { reason }: Pick<CaseSkipped, "reason">): void {
  counts[reason === "bail" ? "skipped" : "interrupted"]++;
}
