import { CASE_STATUSES } from "../report_data.ts";
import { durationText, plural, STATUS_LABELS } from "../labels.ts";
import { badges } from "./badges.ts";
import type { ReportContext } from "./context.ts";
import type { ReportCase } from "./decode.ts";
import { button, type Child, el } from "./dom.ts";
import { statusIcon } from "./icons.ts";

/** How many cases of a group, and how many of the slowest cases, are listed. */
const MAX_CASES = 5;
/** How many groups of failures are listed. */
const MAX_GROUPS = 30;

/** Makes the pane for when no case is open: the failures, and the slowest cases. */
export function makeOverview(context: ReportContext): HTMLElement {
  const { cases, index } = context;
  const notPassed = cases.filter(({ status }) => status !== "passed" && status !== "skipped")
    .sort((a, b) => CASE_STATUSES.indexOf(a.status) - CASE_STATUSES.indexOf(b.status));
  return el(
    "article",
    { class: "overview", tabindex: -1, "aria-label": "Overview" },
    index.warnings.length > 0 && section(
      plural(index.warnings.length, "warning"),
      ...index.warnings.map((text) => el("p", { class: "warning" }, text)),
    ),
    notPassed.length > 0
      ? section("Not passed", ...groupsOf(notPassed, context))
      : section("Everything passed", el("p", { class: "quiet" }, "No case failed.")),
    section("Slowest cases", slowest(context)),
    el(
      "p",
      { class: "hint" },
      ...["j", "k"].flatMap((key): Child[] => [el("kbd", {}, key), " "]),
      "move in the list, ",
      el("kbd", {}, "Enter"),
      " opens a case, ",
      el("kbd", {}, "?"),
      " shows all shortcuts.",
    ),
  );
}

function section(title: string, ...children: Child[]): HTMLElement {
  return el("section", {}, el("h2", {}, title), ...children);
}

/** Groups the cases with the same status and message. */
function groupsOf(notPassed: readonly ReportCase[], context: ReportContext): Child[] {
  const groups = new Map<string, ReportCase[]>();
  for (const reportCase of notPassed) {
    const message = messageOf(reportCase, context);
    const key = `${reportCase.status} ${message}`;
    const group = groups.get(key);
    if (group) group.push(reportCase);
    else groups.set(key, [reportCase]);
  }
  const shown = [...groups.values()].slice(0, MAX_GROUPS).map((group) => {
    const [first] = group as [ReportCase];
    const message = messageOf(first, context);
    return el(
      "div",
      { class: `group is-${first.status}` },
      statusIcon(first.status),
      el(
        "div",
        {},
        el("p", { class: "group-text" }, message || meaningOf(first)),
        el(
          "ul",
          { class: "group-cases" },
          ...group.slice(0, MAX_CASES).map((reportCase) =>
            el("li", {}, caseButton(reportCase, context))
          ),
          group.length > MAX_CASES &&
            el("li", { class: "quiet" }, `and ${plural(group.length - MAX_CASES, "more case")}`),
        ),
      ),
    );
  });
  const left = groups.size - shown.length;
  return [
    ...shown,
    left > 0 && el("p", { class: "quiet" }, `${left} more failures are in the list.`),
  ];
}

function messageOf({ position }: ReportCase, { index }: ReportContext): string {
  return index.cases[position]![9].split("\n", 1)[0]!;
}

function meaningOf(reportCase: ReportCase): string {
  if (reportCase.unfinished) return "The run stopped before this case ended.";
  if (reportCase.notStarted) return "Not started, because the run was interrupted.";
  if (reportCase.status === "unchecked") return "Nothing was asserted or waited for.";
  return STATUS_LABELS[reportCase.status];
}

function slowest(context: ReportContext): HTMLElement {
  const started = context.cases.filter(({ notStarted }) => !notStarted);
  const top = started.sort((a, b) => b.duration - a.duration).slice(0, MAX_CASES);
  const most = Math.max(1, top[0]?.duration ?? 1);
  return el(
    "ul",
    { class: "slowest" },
    ...top.map((reportCase) => {
      const bar = el("span", { class: `slow-bar is-${reportCase.status}` });
      bar.style.setProperty("--share", String(reportCase.duration / most));
      return el(
        "li",
        {},
        caseButton(reportCase, context),
        ...badges(reportCase),
        el("span", { class: "slow-track", "aria-hidden": "true" }, bar),
        el("span", { class: "slow-time" }, durationText(reportCase.duration)),
      );
    }),
  );
}

function caseButton(reportCase: ReportCase, { change }: ReportContext): HTMLElement {
  return button({ class: "link" }, () => change({ open: reportCase.number }), reportCase.name);
}
