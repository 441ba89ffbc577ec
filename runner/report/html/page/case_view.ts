import type { CaseDetails } from "../data.ts";
import { duration, plural } from "../words.ts";
import { badges, caseStatus, usualLine } from "./badges.ts";
import type { ReportContext } from "./context.ts";
import { decodeSteps, type ReportCase, type ReportStep } from "./decode.ts";
import { button, type Child, el } from "./dom.ts";
import { failureCard } from "./failure.ts";
import { GLYPHS, lineIcon } from "./icons.ts";
import { shorten } from "./long_list.ts";
import { logLines, makeSteps, stepId } from "./steps.ts";
import { makeTimeline } from "./timeline.ts";

/** More steps than these are shown when they are asked for, or did not pass. */
const STEPS = 200;

/** Everything about one case. */
export function makeCaseView(
  one: ReportCase,
  context: ReportContext,
  move: (by: number) => void,
): HTMLElement {
  const details = context.details(one);
  const { failure, warnings = [], vars = [], matrix = [], logs, usual } = details;
  const steps = decodeSteps(details, context.index);
  const own = typeof failure === "number" ? steps[failure]?.more.failure : failure;
  const owner = typeof failure === "number" ? steps[failure] : undefined;
  const runs = el("div", { class: "case-steps" });
  fillSteps(runs, one, steps, owner, context, STEPS);
  return el(
    "article",
    { class: "case", tabindex: -1, "aria-label": `Case ${one.name}`, "data-case": one.number },
    header(one, matrix, context, move),
    usual && usualLine(usual, one.duration),
    meaning(one),
    own && section(
      owner
        ? `Why it ${
          one.status === "passed" ? "was not perfect" : "did not pass"
        }: step ${owner.number}, ${owner.label}`
        : "Why it did not pass",
      failureCard(own, one.status),
    ),
    warnings.length > 0 && section(
      plural(warnings.length, "warning"),
      ...warnings.map((text) => el("p", { class: "warning" }, text)),
    ),
    runs,
    logs && section("Log", logLines(logs, { one, times: context.times })),
    vars.length > 0 && section("Variables", valuesTable("Variables", vars)),
    matrix.length > 0 && section("Matrix", valuesTable("Matrix", matrix)),
  );
}

function header(
  one: ReportCase,
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
    el("h2", { tabindex: -1 }, one.name),
    el(
      "p",
      { class: "case-facts" },
      caseStatus(one),
      ...badges(one),
      !one.unbegun && el("span", {}, duration(one.duration)),
      !one.unbegun && el("span", { title: times.exact(one.began) }, times.clock(one.began)),
      el("span", { class: "mono" }, one.file),
      ...one.tags.map((tag) => el("span", { class: "tag" }, tag)),
      ...matrix.map(([name, json]) => el("span", { class: "chip" }, `${name}=${unquoted(json)}`)),
    ),
  );
}

function meaning(one: ReportCase): Child {
  const text = one.unfinished
    ? "The run has no end: this case was still running when the last event was told."
    : one.unbegun && one.status === "interrupted"
    ? "This case was not begun, because the run was interrupted."
    : one.unbegun
    ? "This case was not begun, because another one did not pass."
    : one.status === "unchecked"
    ? "Nothing was asserted or waited for, so this case shows nothing."
    : undefined;
  return text !== undefined && el("p", { class: "notice" }, text);
}

function fillSteps(
  into: HTMLElement,
  one: ReportCase,
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
  const showAll = () => fillSteps(into, one, steps, owner, context, Infinity);
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
    section("Timeline", makeTimeline(stretches, { one, times, open, showAll })),
    section(
      plural(steps.length, "step"),
      makeSteps(stretches, { one, times, shownAbove: owner?.position, showAll }),
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
