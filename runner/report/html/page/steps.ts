import { durationText, plural } from "../labels.ts";
import { statusText, usualLine } from "./badges.ts";
import type { ReportCase, ReportStep } from "./decode.ts";
import { button, type Child, el } from "./dom.ts";
import { failureCard, sourceExcerpt } from "./failure.ts";
import type { Section } from "./shorten.ts";
import type { Times } from "./times.ts";
import type { CaseAttemptRow, FrameRow, LogRow } from "../report_data.ts";

/** What {@linkcode makeSteps} needs besides the steps. */
export interface StepsOptions {
  /** The case. */
  reportCase: ReportCase;
  /** Formats times of the run. */
  times: Times;
  /** The index of the step whose failure is shown above, as the failure of the case. */
  shownAbove: number | undefined;
  /** Shows all steps. */
  showAll: () => void;
  /** The attempts of the case before the last one. */
  attempts: readonly CaseAttemptRow[];
}

/** Makes the list of steps with their details. Steps that failed or were retried are open. */
export function makeSteps(
  sections: readonly Section<ReportStep>[],
  options: StepsOptions,
): HTMLElement {
  const list = el("ol", { class: "steps" });
  let always = false;
  let attempt = 0;
  for (const group of sections) {
    if ("hidden" in group) {
      const count = group.hidden.toLocaleString("en");
      list.append(
        el(
          "li",
          { class: "tl-hidden" },
          `… ${count} more steps, `,
          button({ class: "link" }, options.showAll, "show all"),
        ),
      );
      continue;
    }
    for (const step of group.shown) {
      const current = 1 + options.attempts.filter(({ end }) => end <= step.position).length;
      if (options.attempts.length > 0 && current !== attempt) {
        attempt = current;
        always = false;
        list.append(el("li", { class: "steps-divider" }, `attempt ${attempt}`));
      }
      if (step.always && step.depth === 0 && !always) {
        always = true;
        list.append(el("li", { class: "steps-divider" }, "always"));
      }
      list.append(makeStep(step, options));
    }
  }
  return list;
}

/** The id of the element of a step. */
export function stepId({ position }: ReportStep): string {
  return `step-${position}`;
}

function makeStep(step: ReportStep, options: StepsOptions): HTMLElement {
  const { number, kind, label, status, more } = step;
  const open = more.failure !== undefined || more.attempts !== undefined || more.usual?.slower;
  const summary = el(
    "summary",
    {},
    el("span", { class: "step-number" }, number),
    el("span", { class: "step-label" }, label),
    more.soft &&
      el(
        "span",
        { class: "badge", title: "a failure of this step does not fail the case" },
        "soft",
      ),
    more.attempts && el("span", { class: "badge flaky" }, plural(more.attempts.length, "attempt")),
    more.usual?.slower && el("span", { class: "badge slow" }, "slow"),
    more.detail !== undefined && el("span", { class: "step-detail" }, more.detail),
    statusText(status, status === "skipped" ? "Skipped" : undefined),
    el("span", { class: "step-time" }, status === "skipped" ? "–" : durationText(step.duration)),
  );
  const details = el("details", { open: open === true, "data-kind": kind }, summary);
  // Filled when it opens: there can be thousands of steps, and most are never opened.
  const fill = () => {
    if (details.childElementCount === 1) details.append(bodyOf(step, options));
  };
  if (details.open) fill();
  else details.addEventListener("toggle", fill, { once: true });
  const item = el("li", { class: `step is-${status}`, id: stepId(step) }, details);
  item.style.setProperty("--depth", String(Math.min(step.depth, 6)));
  return item;
}

function bodyOf(step: ReportStep, options: StepsOptions): HTMLElement {
  const { more, kind, id, position } = step;
  const { times, reportCase } = options;
  const { failure } = more;
  const above = position === options.shownAbove;
  const facts: Child[] = [
    fact("Kind", kind),
    id !== "" && fact("Id", id),
    more.detail !== undefined && fact(step.status === "skipped" ? "Reason" : "Result", more.detail),
    more.entity &&
    fact(more.entity.kind === "job" ? "Job" : "Run", `${more.entity.name} ${more.entity.id}`),
    step.status !== "skipped" && fact(
      "Time",
      `${times.clock(step.startedAt)} – ${times.clock(step.endedAt)}, +${
        durationText(step.startedAt - reportCase.startedAt)
      }`,
    ),
    more.unfinished !== undefined && fact("Last seen", more.unfinished || "nothing"),
  ];
  return el(
    "div",
    { class: "step-body" },
    el("dl", { class: "facts-grid" }, ...facts),
    more.usual && usualLine(more.usual, step.duration),
    more.attempts && section("Attempts", ...attemptsOf(step)),
    failure && above &&
      el(
        "p",
        { class: "quiet" },
        `${failure.message.split("\n", 1)[0]!.slice(0, 200)} (in full above)`,
      ),
    failure && !above && failureCard(failure, step.status),
    observedTable(step, options),
    more.frames && framesOf(more.frames, options),
    more.logs && section("Log", logLines(more.logs, options)),
    !(failure?.place) && sourceExcerpt(step),
  );
}

/** Makes the list of frames, which is closed: most readers do not need it. */
function framesOf(frames: readonly FrameRow[], { times, reportCase }: StepsOptions): HTMLElement {
  return el(
    "details",
    {},
    el("summary", {}, plural(frames.length, "frame")),
    el(
      "div",
      { class: "logs", tabindex: 0, role: "group", "aria-label": "Frames" },
      ...frames.map(([at, socket, sent, text]) =>
        el(
          "div",
          { class: "log" },
          el("time", { title: times.exact(at) }, `+${durationText(at - reportCase.startedAt)}`),
          el("span", {}, `#${socket} ${sent === 1 ? "→" : "←"} ${text}`),
        )
      ),
    ),
  );
}

function fact(name: string, value: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function section(title: string, ...children: Child[]): HTMLElement {
  return el("section", {}, el("h4", {}, title), ...children);
}

function attemptsOf({ more, status }: ReportStep): HTMLElement[] {
  const attempts = more.attempts ?? [];
  return attempts.map(({ startedAt, endedAt, failure }, i) => {
    const last = i === attempts.length - 1;
    return el(
      "div",
      { class: "attempt" },
      el(
        "p",
        { class: "attempt-head" },
        statusText(last ? status : "failed"),
        ` attempt ${i + 1}, ${durationText(endedAt - startedAt)}`,
      ),
      failure && failureCard(failure, "failed"),
    );
  });
}

/** Makes the table of the states and checkpoints that a wait saw. */
function observedTable(
  step: ReportStep,
  { reportCase, times }: StepsOptions,
): HTMLElement | undefined {
  const { states = [], checkpoints = [] } = step.more;
  if (states.length + checkpoints.length === 0) return undefined;
  const row = (type: string, name: string, at: number, created?: number | null) =>
    el(
      "tr",
      {},
      el("td", {}, type),
      el("td", { class: "mono" }, name),
      el("td", {}, `${times.clock(at)} (+${durationText(at - reportCase.startedAt)})`),
      el("td", {}, created == null ? "" : times.clock(created)),
    );
  return el(
    "table",
    { class: "observed" },
    el("caption", {}, "States and checkpoints"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...["", "Name", "First seen", "Created on the server"].map((name) =>
          name === "" ? el("td") : el("th", { scope: "col" }, name)
        ),
      ),
    ),
    el(
      "tbody",
      {},
      ...states.map(([state, at]) => row("state", state, at)),
      ...checkpoints.map(([name, at, created]) => row("checkpoint", name, at, created)),
    ),
  );
}

/** Makes the lines of a log, with their times. */
export function logLines(
  logs: readonly LogRow[],
  { reportCase, times }: Pick<StepsOptions, "reportCase" | "times">,
): HTMLElement {
  return el(
    "div",
    { class: "logs" },
    ...logs.map(([at, text]) =>
      el(
        "div",
        { class: "log" },
        el("time", { title: times.clock(at) }, `+${durationText(at - reportCase.startedAt)}`),
        el("span", {}, text),
      )
    ),
  );
}
