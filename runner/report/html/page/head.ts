import { CASE_STATUSES } from "../report_data.ts";
import { plural, runDuration, runSentence, STATUS_LABELS } from "../labels.ts";
import type { ReportContext } from "./context.ts";
import { button, el } from "./dom.ts";
import { openHelp } from "./help.ts";
import { GLYPHS, lineIcon, statusIcon } from "./icons.ts";
import { themeButton } from "./theme.ts";

/** Makes the header of the page: the verdict, the facts of the run, and a bar of its statuses. */
export function makeHead(context: ReportContext): HTMLElement {
  const { index, times } = context;
  const { verdict, interrupted, finished, exitCode, server, counts } = index;
  const fact = (name: string, value: string, title?: string) =>
    el("div", {}, el("dt", {}, name), el("dd", { title }, value));
  return el(
    "header",
    { class: "head" },
    el(
      "div",
      { class: "verdict" },
      statusIcon(verdict),
      el(
        "div",
        {},
        el("h1", { class: `is-${verdict}` }, STATUS_LABELS[verdict]),
        el("p", { class: "sentence" }, runSentence(index)),
      ),
    ),
    el(
      "dl",
      { class: "facts" },
      fact("Server", server === "" ? "unknown" : server),
      fact("Started", times.date(0), times.exact(0)),
      fact("Duration", runDuration(index)),
      exitCode !== undefined && fact("Exit code", String(exitCode)),
      counts.flaky > 0 && fact("Flaky", String(counts.flaky)),
      counts.warnings > 0 && fact("Warnings", String(counts.warnings)),
    ),
    el(
      "div",
      { class: "tools" },
      themeButton(),
      button(
        { class: "tool", title: "Keyboard shortcuts (?)", "aria-label": "Keyboard shortcuts" },
        openHelp,
        lineIcon(GLYPHS.help),
      ),
    ),
    interrupted && el(
      "p",
      { class: "notice", role: "status" },
      statusIcon("interrupted"),
      finished
        ? "This run was interrupted, so the report is incomplete."
        : `This run did not finish, so the report is incomplete${missingCases(context)}.`,
    ),
    summaryBar(context),
  );
}

/** A note about planned cases without any event. */
function missingCases({ index, cases }: ReportContext): string {
  const missing = index.plannedCases - cases.length;
  return missing > 0 ? `: ${plural(missing, "case")} did not start` : "";
}

/** Makes a bar with a part for each status, as wide as its share of the cases. */
function summaryBar({ index, cases, change }: ReportContext): HTMLElement {
  const { counts } = index;
  const total = CASE_STATUSES.reduce((sum, status) => sum + counts[status], 0);
  const label = `${plural(total, "case")}: ` +
    CASE_STATUSES.map((status) => `${counts[status]} ${STATUS_LABELS[status].toLowerCase()}`).join(
      ", ",
    );
  const bar = el("div", { class: "summary", role: "img", "aria-label": label });
  for (const status of [...CASE_STATUSES].reverse()) {
    if (counts[status] === 0) continue;
    const part = el("span", {
      class: `part is-${status}`,
      title: `${plural(counts[status], "case")} ${STATUS_LABELS[status].toLowerCase()}`,
    });
    part.style.flexGrow = String(counts[status]);
    if (cases.some((reportCase) => reportCase.status === status)) {
      part.addEventListener("click", () => change({ filters: [status], open: undefined }));
    }
    bar.append(part);
  }
  return bar;
}
