import { formatDuration } from "../../language/duration.ts";
import type { ReportIndex, ReportStatus, Verdict } from "./data.ts";

/** What statuses and verdicts are called. */
export const WORDS: Readonly<Record<ReportStatus | Verdict, string>> = {
  passed: "Passed",
  failed: "Failed",
  errored: "Errored",
  interrupted: "Interrupted",
  unchecked: "Unchecked",
  skipped: "Not run",
};

/** What a status means, for those who ask. */
export const MEANINGS: Readonly<Record<ReportStatus, string>> = {
  passed: "everything that was checked was so",
  failed: "something that was checked was not so",
  errored: "could not be run: the server or the connection failed",
  interrupted: "stopped from outside, or not begun because of that",
  unchecked: "nothing was asserted or waited for",
  skipped: "not begun, because another case did not pass",
};

/** A time for people: `12 ms`, `1.20 s`, `3 m 5 s`, `2 h 10 m`. */
export function duration(ms: number): string {
  if (ms < 3_600_000) return formatDuration(Math.max(0, ms));
  const minutes = Math.round(ms / 60_000);
  return minutes % 60 === 0
    ? `${minutes / 60} h`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

/** `1 case`, `12,000 cases`. */
export function plural(count: number, word: string): string {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

/** The run in a line: `1 of 7 cases failed, 1 errored, 3 passed`. */
export function sentence({ counts, planned, interrupted, finished }: ReportIndex): string {
  const parts: string[] = [];
  for (const status of ["failed", "errored", "interrupted", "unchecked", "skipped"] as const) {
    if (counts[status] > 0) {
      parts.push(`${counts[status].toLocaleString("en")} ${WORDS[status].toLowerCase()}`);
    }
  }
  const passed = counts.passed.toLocaleString("en");
  const rest = parts.length === 0 ? `${passed} passed` : `${parts.join(", ")}, ${passed} passed`;
  const end = interrupted && !finished ? "; the end of the run is not known" : "";
  return `${plural(planned, "case")}: ${rest}${end}`;
}
