import { formatDuration } from "../../language/duration.ts";
import type { ReportIndex, ReportStatus, Verdict } from "./report_data.ts";

/** The word for each status and verdict. */
export const STATUS_LABELS: Readonly<Record<ReportStatus | Verdict, string>> = {
  passed: "Passed",
  failed: "Failed",
  errored: "Errored",
  interrupted: "Interrupted",
  unchecked: "Unchecked",
  skipped: "Not run",
};

/** The explanation of each status, for tooltips. */
export const STATUS_MEANINGS: Readonly<Record<ReportStatus, string>> = {
  passed: "all assertions and waits succeeded",
  failed: "an assertion or a wait failed",
  errored: "could not run: the server or the connection failed",
  interrupted: "interrupted while it ran or before it started",
  unchecked: "nothing was asserted or waited for",
  skipped: "not started, because another case did not pass",
};

/** Formats a duration: `12 ms`, `1.20 s`, `3 m 5 s`, `2 h 10 m`, `30 d`. */
export function durationText(ms: number): string {
  return formatDuration(Math.max(0, ms));
}

/** The duration of a run: `2.10 s`, or `30 d of virtual time, 0.21 s of real time`. */
export function runDuration({ duration, virtual, realDuration, finished }: ReportIndex): string {
  const text = durationText(duration);
  const real = realDuration === undefined ? "" : `, ${durationText(realDuration)} of real time`;
  return `${text}${virtual ? " of virtual time" : ""}${real}${finished ? "" : ", unfinished"}`;
}

/** Formats a count with its noun: `1 case`, `12,000 cases`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The result of a run in one sentence: `7 cases: 1 failed, 1 errored, 5 passed`. */
export function runSentence(
  { counts, plannedCases, interrupted, finished, failedBy }: ReportIndex,
): string {
  const statuses = ["failed", "errored", "interrupted", "unchecked", "skipped"] as const;
  const parts = statuses.filter((status) => counts[status] > 0).map((status) =>
    `${counts[status].toLocaleString("en")} ${STATUS_LABELS[status].toLowerCase()}`
  );
  if (counts.quarantined) parts.push(`${counts.quarantined} failed in quarantine`);
  parts.push(`${counts.passed.toLocaleString("en")} passed`);
  const flaky = failedBy === "flaky" ? `; ${counts.flaky} flaky, which fails the run` : "";
  const end = interrupted && !finished ? "; the run did not finish" : flaky;
  return `${plural(plannedCases, "case")}: ${parts.join(", ")}${end}`;
}
