import { CASE_STATUSES, type CaseAttemptRow, type CaseDetails } from "../report_data.ts";
import { durationText, plural } from "../labels.ts";
import { badges, caseStatus, statusText, usualLine } from "./badges.ts";
import type { ReportContext } from "./context.ts";
import { decodeSteps, type ReportCase, type ReportStep } from "./decode.ts";
import { button, type Child, el } from "./dom.ts";
import { failureCard } from "./failure.ts";
import { GLYPHS, lineIcon } from "./icons.ts";
import { collapse } from "./shorten.ts";
import { logLines, makeSteps, stepId } from "./steps.ts";
import { makeTimeline } from "./timeline.ts";

/** How many steps are shown at first; later ones only if they did not pass, or on request. */
const MAX_STEPS = 200;

/** Makes the pane of one case. */
export function makeCaseView(
  reportCase: ReportCase,
  context: ReportContext,
  move: (by: number) => void,
): HTMLElement {
  const details = context.details(reportCase);
  const { failure, warnings = [], vars = [], matrix = [], logs, usual, attempts = [] } = details;
  const steps = decodeSteps(details, context.index);
  const ownFailure = typeof failure === "number" ? steps[failure]?.more.failure : failure;
  const owner = typeof failure === "number" ? steps[failure] : undefined;
  const stepsElement = el("div", { class: "case-steps" });
  fillSteps(stepsElement, reportCase, steps, owner, context, MAX_STEPS, attempts);
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
    details.quarantine && el(
      "p",
      { class: "notice" },
      `In quarantine until ${details.quarantine.until}: ${details.quarantine.reason}`,
    ),
    statusNote(reportCase),
    ownFailure && section(
      owner ? `Why it did not pass: step ${owner.number}, ${owner.label}` : "Why it did not pass",
      failureCard(ownFailure, reportCase.status),
    ),
    attempts.length > 0 && section(
      "Earlier attempts",
      ...attempts.flatMap(({ failure, status, duration }, i) => [
        el(
          "p",
          { class: "attempt-head" },
          statusText(CASE_STATUSES[status]!),
          ` attempt ${i + 1}, ${durationText(duration)}`,
        ),
        failure && failureCard(failure, CASE_STATUSES[status]!),
      ]),
    ),
    warnings.length > 0 && section(
      plural(warnings.length, "warning"),
      ...warnings.map((text) => el("p", { class: "warning" }, text)),
    ),
    stepsElement,
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

function statusNote(reportCase: ReportCase): Child {
  const text = reportCase.unfinished
    ? "The run did not finish: this case was running at its last event."
    : reportCase.notStarted && reportCase.status === "interrupted"
    ? "This case did not start, because the run was interrupted."
    : reportCase.notStarted
    ? "This case did not start, because another case did not pass."
    : reportCase.status === "unchecked"
    ? "Nothing was asserted or waited for, so this case is not a pass."
    : undefined;
  return text !== undefined && el("p", { class: "notice" }, text);
}

function fillSteps(
  into: HTMLElement,
  reportCase: ReportCase,
  steps: readonly ReportStep[],
  owner: ReportStep | undefined,
  context: ReportContext,
  maxSteps: number,
  attempts: readonly CaseAttemptRow[],
): void {
  if (steps.length === 0) return;
  const { times } = context;
  const sections = collapse(
    steps,
    maxSteps,
    ({ status }) => status !== "passed" && status !== "skipped",
  );
  const showAll = () => fillSteps(into, reportCase, steps, owner, context, Infinity, attempts);
  const open = (step: ReportStep) => {
    const element = document.getElementById(stepId(step));
    const details = element?.querySelector("details");
    if (!element || !details) return;
    details.open = true;
    const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "start", behavior: smooth ? "smooth" : "auto" });
    details.querySelector("summary")?.focus({ preventScroll: true });
  };
  into.replaceChildren(
    section("Timeline", makeTimeline(sections, { reportCase, times, open, showAll })),
    section(
      plural(steps.length, "step"),
      makeSteps(sections, { reportCase, times, shownAbove: owner?.position, showAll, attempts }),
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

/** A string without quotes; other JSON as it is. */
function unquoted(json: string): string {
  return json.startsWith('"') && json.endsWith('"') ? JSON.parse(json) as string : json;
}
