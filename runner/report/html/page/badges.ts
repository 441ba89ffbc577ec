import { type Child, el } from "./dom.ts";
import { statusIcon } from "./icons.ts";
import type { ReportCase } from "./decode.ts";
import type { ReportStatus } from "../data.ts";
import type { Usual } from "../../../events/event.ts";
import { duration, MEANINGS, plural, WORDS } from "../words.ts";

/** A status as its icon and its word. */
export function statusText(status: ReportStatus, word: string = WORDS[status]): HTMLElement {
  return el(
    "span",
    { class: `status is-${status}`, title: MEANINGS[status] },
    statusIcon(status),
    el("span", {}, word),
  );
}

/** The status of a case; one that ended before its time says so. */
export function caseStatus(one: ReportCase): HTMLElement {
  const word = one.unfinished
    ? "Not finished"
    : one.unbegun && one.status === "interrupted"
    ? "Interrupted, not begun"
    : WORDS[one.status];
  return statusText(one.status, word);
}

/** What is to be said of a case besides its status. */
export function badges(one: ReportCase): Child[] {
  return [
    one.flaky &&
    el("span", { class: "badge flaky", title: "passed only on a later attempt" }, "flaky"),
    one.slow && el("span", { class: "badge slow", title: "slower than usual" }, "slow"),
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
    const median = duration(median_ms);
    parts.push(
      slower
        ? `slower than usual: ${duration(took)}, median of ${passed} ${median}`
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
