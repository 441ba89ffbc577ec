import { CASE_STATUSES } from "../report_data.ts";
import { durationText, plural, runSentence, STATUS_LABELS } from "../labels.ts";
import type { ReportContext } from "./context.ts";
import { button, el } from "./dom.ts";
import { openHelp } from "./help.ts";
import { GLYPHS, lineIcon, statusIcon } from "./icons.ts";
import { themeButton } from "./theme.ts";

/** The verdict, where and when, and how many endedAt how. */
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
      fact("Server", server === "" ? "not known" : server),
      fact("Began", times.date(0), times.exact(0)),
      fact(
        "Took",
        finished ? durationText(index.duration) : `${durationText(index.duration)}, unfinished`,
      ),
      exitCode !== undefined && fact("Exit code", String(exitCode)),
      counts.flaky > 0 && fact("Flaky", String(counts.flaky)),
      counts.warnings > 0 && fact("Warnings", String(counts.warnings)),
    ),
    el(
      "div",
      { class: "tools" },
      themeButton(),
      button(
        { class: "tool", title: "Keys (?)", "aria-label": "Keyboard shortcuts" },
        openHelp,
        lineIcon(GLYPHS.help),
      ),
    ),
    interrupted && el(
      "p",
      { class: "notice", role: "status" },
      statusIcon("interrupted"),
      finished
        ? "This run was interrupted. What follows is as far as it came."
        : `This run has no end: what follows is as far as it was told${unheard(context)}.`,
    ),
    summaryBar(context),
  );
}

/** How many cases nothing was heard of. */
function unheard({ index, cases }: ReportContext): string {
  const left = index.plannedCases - cases.length;
  return left > 0 ? `, and of ${plural(left, "case")} nothing was heard` : "";
}

/** One bar, in it as much of each colour as there are cases. */
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
