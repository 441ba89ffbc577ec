import { type Child, el } from "./dom.ts";
import { statusIcon } from "./icons.ts";
import type { ReportCase } from "./decode.ts";
import type { ReportStatus } from "../report_data.ts";
import type { Usual } from "../../../events/event.ts";
import { durationText, plural, STATUS_LABELS, STATUS_MEANINGS } from "../labels.ts";

/** Makes a status as icon and word. */
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

/** Makes the status of a case, which also says if it did not start or did not end. */
export function caseStatus(reportCase: ReportCase): HTMLElement {
  const word = reportCase.unfinished
    ? "Not finished"
    : reportCase.notStarted && reportCase.status === "interrupted"
    ? "Interrupted, not started"
    : STATUS_LABELS[reportCase.status];
  return statusText(reportCase.status, word);
}

/** Makes the badges of a case: flaky, slow. */
export function badges(reportCase: ReportCase): Child[] {
  return [
    reportCase.flaky &&
    el("span", { class: "badge flaky", title: "passed only after a retry" }, "flaky"),
    reportCase.quarantined &&
    el("span", { class: "badge", title: "a failure does not fail the run" }, "quarantine"),
    reportCase.slow && el("span", { class: "badge slow", title: "slower than usual" }, "slow"),
  ];
}

/** Describes how a case or step compares with earlier runs. */
export function usualText(usual: Usual, duration: number): string {
  const { median_ms, runs, failed, flaky, slower } = usual;
  const allRuns = plural(runs, "run");
  // The median is that of the runs that passed.
  const passedRuns = plural(runs - failed, "run");
  const parts: string[] = [];
  if (median_ms !== undefined) {
    const median = durationText(median_ms);
    parts.push(
      slower
        ? `slower than usual: ${durationText(duration)}, median of ${passedRuns} ${median}`
        : `usually ${median}, the median of ${passedRuns}`,
    );
  }
  if (failed > 0) parts.push(`failed in ${failed} of the last ${allRuns}`);
  if (flaky > 0) parts.push(`flaky in ${flaky} of the last ${allRuns}`);
  return parts.join("; ") || `passed in all of the last ${allRuns}`;
}

/** Makes a paragraph with {@linkcode usualText}. */
export function usualLine(usual: Usual, duration: number): HTMLElement {
  return el("p", { class: `usual${usual.slower ? " is-slower" : ""}` }, usualText(usual, duration));
}
