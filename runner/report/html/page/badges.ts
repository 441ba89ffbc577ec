import { type Child, el } from "./dom.ts";
import { statusIcon } from "./icons.ts";
import type { ReportCase } from "./decode.ts";
import type { ReportStatus } from "../report_data.ts";
import type { Usual } from "../../../events/event.ts";
import { durationText, plural, STATUS_LABELS, STATUS_MEANINGS } from "../labels.ts";

/** A status as its icon and its word. */
export function statusText(
  status: ReportStatus,
  word: string = STATUS_LABELS[status],
): HTMLElement {
  return el(
    "span",
    { class: `status is-${status}`, title: STATUS_MEANINGS[status] },
    statusIcon(status),
    el("span", {}, word),
  );
}

/** The status of a case; one that endedAt before its time says so. */
export function caseStatus(reportCase: ReportCase): HTMLElement {
  const word = reportCase.unfinished
    ? "Not finished"
    : reportCase.notStarted && reportCase.status === "interrupted"
    ? "Interrupted, not begun"
    : STATUS_LABELS[reportCase.status];
  return statusText(reportCase.status, word);
}

/** What is to be said of a case besides its status. */
export function badges(reportCase: ReportCase): Child[] {
  return [
    reportCase.flaky &&
    el("span", { class: "badge flaky", title: "passed only on a later attempt" }, "flaky"),
    reportCase.slow && el("span", { class: "badge slow", title: "slower than usual" }, "slow"),
  ];
}

/** How long something took and how often it passed in the runs before. */
export function usualText(usual: Usual, took: number): string {
  const { median_ms, runs, failed, flaky, slower } = usual;
  const of = plural(runs, "run");
  // Only those that passed have a median.
  const passed = plural(runs - failed, "run");
  const parts: string[] = [];
  if (median_ms !== undefined) {
    const median = durationText(median_ms);
    parts.push(
      slower
        ? `slower than usual: ${durationText(took)}, median of ${passed} ${median}`
        : `usually ${median}, the median of ${passed}`,
    );
  }
  if (failed > 0) parts.push(`failed in ${failed} of the last ${of}`);
  if (flaky > 0) parts.push(`flaky in ${flaky} of the last ${of}`);
  return parts.join("; ") || `passed in all of the last ${of}`;
}

/** The history of something, as a line of its own. */
export function usualLine(usual: Usual, took: number): HTMLElement {
  return el("p", { class: `usual${usual.slower ? " is-slower" : ""}` }, usualText(usual, took));
}
