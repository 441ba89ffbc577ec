import type { CaseDetails } from "../report_data.ts";
import { durationText, plural } from "../labels.ts";
import { badges, caseStatus, usualLine } from "./badges.ts";
import type { ReportContext } from "./context.ts";
import { decodeSteps, type ReportCase, type ReportStep } from "./decode.ts";
import { button, type Child, el } from "./dom.ts";
import { failureCard } from "./failure.ts";
import { GLYPHS, lineIcon } from "./icons.ts";
import { shorten } from "./shorten.ts";
import { logLines, makeSteps, stepId } from "./steps.ts";
import { makeTimeline } from "./timeline.ts";

/** More steps than these are shown when they are asked for, or did not pass. */
const STEPS = 200;

/** Everything about one case. */
export function makeCaseView(
  reportCase: ReportCase,
  context: ReportContext,
  move: (by: number) => void,
): HTMLElement {
  const details = context.details(reportCase);
  const { failure, warnings = [], vars = [], matrix = [], logs, usual } = details;
  const steps = decodeSteps(details, context.index);
  const own = typeof failure === "number" ? steps[failure]?.more.failure : failure;
  const owner = typeof failure === "number" ? steps[failure] : undefined;
  const runs = el("div", { class: "case-steps" });
  fillSteps(runs, reportCase, steps, owner, context, STEPS);
  return el(
    "article",
    {
      class: "case",
      tabindex: -1,
      "aria-label": `Case ${reportCase.name}`,
      "data-case": reportCase.number,
    },
    header(reportCase, matrix, context, move),
    usual && usualLine(usual, reportCase.duration),
    meaning(reportCase),
    own && section(
      owner
        ? `Why it ${
          reportCase.status === "passed" ? "was not perfect" : "did not pass"
        }: step ${owner.number}, ${owner.label}`
        : "Why it did not pass",
      failureCard(own, reportCase.status),
    ),
    warnings.length > 0 && section(
      plural(warnings.length, "warning"),
      ...warnings.map((text) => el("p", { class: "warning" }, text)),
    ),
    runs,
    logs && section("Log", logLines(logs, { reportCase, times: context.times })),
    vars.length > 0 && section("Variables", valuesTable("Variables", vars)),
    matrix.length > 0 && section("Matrix", valuesTable("Matrix", matrix)),
  );
}

function header(
  reportCase: ReportCase,
  matrix: NonNullable<CaseDetails["matrix"]>,
  { change, times }: ReportContext,
  move: (by: number) => void,
): HTMLElement {
  return el(
    "header",
    { class: "case-head" },
    el(
      "nav",
      { class: "case-nav", "aria-label": "Case" },
      button(
        { class: "tool labelled", title: "Close (Esc)" },
        () => change({ open: undefined }),
        lineIcon(GLYPHS.back),
        "All cases",
      ),
      button(
        { class: "tool", title: "Previous case (k)", "aria-label": "Previous case" },
        () => move(-1),
        lineIcon(GLYPHS.back),
      ),
      button(
        { class: "tool", title: "Next case (j)", "aria-label": "Next case" },
        () => move(1),
        lineIcon(GLYPHS.next),
      ),
    ),
    el("h2", { tabindex: -1 }, reportCase.name),
    el(
      "p",
      { class: "case-facts" },
      caseStatus(reportCase),
      ...badges(reportCase),
      !reportCase.notStarted && el("span", {}, durationText(reportCase.duration)),
      !reportCase.notStarted &&
        el("span", { title: times.exact(reportCase.startedAt) }, times.clock(reportCase.startedAt)),
      el("span", { class: "mono" }, reportCase.file),
      ...reportCase.tags.map((tag) => el("span", { class: "tag" }, tag)),
      ...matrix.map(([name, json]) => el("span", { class: "chip" }, `${name}=${unquoted(json)}`)),
    ),
  );
}

function meaning(reportCase: ReportCase): Child {
  const text = reportCase.unfinished
    ? "The run has no end: this case was still running when the last event was told."
    : reportCase.notStarted && reportCase.status === "interrupted"
    ? "This case was not begun, because the run was interrupted."
    : reportCase.notStarted
    ? "This case was not begun, because another one did not pass."
    : reportCase.status === "unchecked"
    ? "Nothing was asserted or waited for, so this case shows nothing."
    : undefined;
  return text !== undefined && el("p", { class: "notice" }, text);
}

function fillSteps(
  into: HTMLElement,
  reportCase: ReportCase,
  steps: readonly ReportStep[],
  owner: ReportStep | undefined,
  context: ReportContext,
  most: number,
): void {
  if (steps.length === 0) return;
  const { times } = context;
  const stretches = shorten(
    steps,
    most,
    ({ status }) => status !== "passed" && status !== "skipped",
  );
  const showAll = () => fillSteps(into, reportCase, steps, owner, context, Infinity);
  const open = (step: ReportStep) => {
    const element = document.getElementById(stepId(step));
    const found = element?.querySelector("details");
    if (!element || !found) return;
    found.open = true;
    const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "start", behavior: smooth ? "smooth" : "auto" });
    found.querySelector("summary")?.focus({ preventScroll: true });
  };
  into.replaceChildren(
    section("Timeline", makeTimeline(stretches, { reportCase, times, open, showAll })),
    section(
      plural(steps.length, "step"),
      makeSteps(stretches, { reportCase, times, shownAbove: owner?.position, showAll }),
    ),
  );
}

function section(title: string, ...children: Child[]): HTMLElement {
  return el("section", {}, el("h3", {}, title), ...children);
}

function valuesTable(label: string, values: readonly [string, string][]): HTMLElement {
  return el(
    "table",
    { class: "values", "aria-label": label },
    el(
      "tbody",
      {},
      ...values.map(([name, json]) =>
        el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, el("pre", {}, json)))
      ),
    ),
  );
}

function unquoted(json: string): string {
  return json.startsWith('"') && json.endsWith('"') ? JSON.parse(json) as string : json;
}
