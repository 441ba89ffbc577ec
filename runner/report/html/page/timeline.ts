import { durationText, STATUS_LABELS } from "../labels.ts";
import { el, place, textMeasurer } from "./dom.ts";
import type { ReportCase, ReportStep } from "./decode.ts";
import { statusIcon } from "./icons.ts";
import type { Section } from "./shorten.ts";
import type { Times } from "./times.ts";
import {
  axisOf,
  type Bar,
  layoutTimeline,
  type Mark,
  type TimelineRow,
} from "./timeline_layout.ts";
import { addTooltip } from "./tooltip.ts";

/** The height of a line of checkpoints, in pixels. */
const MARK_HEIGHT = 20;

/** What {@linkcode makeTimeline} needs besides the steps. */
export interface TimelineOptions {
  /** The case. */
  reportCase: ReportCase;
  /** Formats times of the run. */
  times: Times;
  /** Opens a step in the list below. */
  open: (step: ReportStep) => void;
  /** Shows all steps. */
  showAll: () => void;
}

/** Makes the timeline of a case: a row for each step on one time axis. */
export function makeTimeline(
  sections: readonly Section<ReportStep>[],
  options: TimelineOptions,
): HTMLElement {
  const { reportCase, times } = options;
  const steps = sections.flatMap((section) => "shown" in section ? section.shown : []);
  const range = axisOf(steps, reportCase);
  const ticks = el("div", { class: "ticks", "aria-hidden": "true" });
  const grid = el("div", { class: "grid", "aria-hidden": "true" });
  const tracks = new Map<ReportStep, HTMLElement>();
  const rows = el("ol", { class: "tl-rows" });
  let always = false;
  for (const section of sections) {
    if ("hidden" in section) {
      rows.append(hiddenRow(section.hidden, options.showAll));
      continue;
    }
    for (const step of section.shown) {
      if (step.always && step.depth === 0 && !always) {
        always = true;
        rows.append(el("li", { class: "tl-divider" }, el("span", {}, "always")));
      }
      const track = el("div", { class: "track" });
      tracks.set(step, track);
      rows.append(makeRow(step, track, options));
    }
  }
  const element = el(
    "div",
    { class: "timeline" },
    el(
      "div",
      { class: "tl-head" },
      el("span", { class: "tl-corner" }, times.clock(range.from)),
      ticks,
    ),
    el("div", { class: "tl-body" }, el("div", { class: "grid-frame" }, grid), rows),
  );
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.floor(ticks.clientWidth);
    if (now === width || now === 0) return;
    width = now;
    const layout = layoutTimeline(steps, { ...range, width }, textMeasurer(ticks));
    ticks.replaceChildren(
      ...layout.ticks.map(({ x, label }) =>
        place(el("span", { class: "tick" }, label), { left: x })
      ),
    );
    grid.replaceChildren(...layout.ticks.map(({ x }) => place(el("i"), { left: x })));
    for (const row of layout.rows) fillTrack(tracks.get(row.step)!, row, reportCase, times);
  }).observe(ticks);
  return element;
}

function makeRow(step: ReportStep, track: HTMLElement, options: TimelineOptions): HTMLElement {
  const { entity } = step.more;
  const checkpoints = step.more.checkpoints ?? [];
  const label = el(
    "button",
    { type: "button", class: "tl-label", "data-step": step.number },
    statusIcon(step.status),
    el("span", { class: "tl-number" }, step.number),
    el("span", { class: "tl-name" }, step.label),
    el("span", { class: "tl-time" }, step.status === "skipped" ? "–" : durationText(step.duration)),
    el("span", { class: "unseen" }, descriptionOf(step)),
  );
  label.style.setProperty("--depth", String(Math.min(step.depth, 6)));
  label.addEventListener("click", () => options.open(step));
  addTooltip(label, () => [`${step.number} ${step.label}`, ...stepTimes(step, options)]);
  return el(
    "li",
    { class: `tl-row is-${step.status}` },
    label,
    checkpoints.length > 0 && entity && el(
      "span",
      { class: "tl-entity", title: entity.id },
      `↳ ${entity.name || entity.id}`,
    ),
    track,
  );
}

function hiddenRow(count: number, showAll: () => void): HTMLElement {
  const more = el("button", { type: "button", class: "link" }, "show all");
  more.addEventListener("click", showAll);
  return el(
    "li",
    { class: "tl-hidden" },
    `… ${count.toLocaleString("en")} more steps, `,
    more,
  );
}

function fillTrack(
  track: HTMLElement,
  row: TimelineRow,
  reportCase: ReportCase,
  times: Times,
): void {
  const { step, bars, caption, marks, markLines } = row;
  const line = el("div", { class: "bars" });
  for (const bar of bars) line.append(makeBar(step, bar, reportCase, times));
  if (caption) {
    const { text, x, inside } = caption;
    line.append(
      place(el("span", { class: inside ? "caption is-inside" : "caption" }, text), { left: x }),
    );
  }
  track.replaceChildren(line);
  if (marks.length === 0) return;
  const below = place(el("div", { class: "marks" }), {
    height: Math.max(1, markLines) * MARK_HEIGHT,
  });
  for (const mark of marks) below.append(...makeMark(mark, reportCase, times));
  track.append(below);
}

function makeBar(step: ReportStep, bar: Bar, reportCase: ReportCase, times: Times): HTMLElement {
  const { part, name, status, from, to } = bar;
  const group = step.isGroup ? " is-group" : "";
  const kind = part === "state" ? ` state-${stateClass(name)}` : status ? ` is-${status}` : "";
  const made = el(
    "div",
    {
      class: `bar is-part-${part}${kind}${part === "step" ? group : ""}`,
      "data-part": part,
      "data-name": name === "" ? undefined : name,
    },
    bar.nameFits && part !== "pause" && el("span", {}, name),
  );
  place(made, { left: bar.x, width: bar.width });
  const title = part === "state" ? name : name === "" ? step.label : `${name} of ${step.label}`;
  return addTooltip(made, () => [title, ...span(from, to, reportCase, times)]);
}

function makeMark(mark: Mark, reportCase: ReportCase, times: Times): HTMLElement[] {
  const top = (mark.label?.line ?? 0) * MARK_HEIGHT;
  const made = place(el("div", { class: "mark", "data-name": mark.name }), { left: mark.x, top });
  const lines = () => [
    mark.name,
    `${times.clock(mark.at)}, +${durationText(mark.at - reportCase.startedAt)}`,
    mark.exact ? "by the clock of the server" : "when it was first seen",
  ];
  addTooltip(made, lines);
  if (!mark.label) return [made];
  const label = el("span", { class: "mark-label" }, mark.name);
  place(label, { left: mark.label.x, top });
  return [made, addTooltip(label, lines)];
}

/** The states with their own colour in the style sheet. */
const COLORED_STATES = new Set([
  "pending",
  "scheduled",
  "running",
  "retrying",
  "completed",
  "failed",
  "cancelled",
]);

function stateClass(state: string): string {
  return COLORED_STATES.has(state) ? state : "other";
}

function span(from: number, to: number, { startedAt }: ReportCase, times: Times): string[] {
  return [
    `${times.clock(from)} – ${times.clock(to)}`,
    `+${durationText(from - startedAt)}, for ${durationText(to - from)}`,
  ];
}

function stepTimes(step: ReportStep, { reportCase, times }: TimelineOptions): string[] {
  if (step.status === "skipped") return [`skipped: ${step.more.detail ?? ""}`];
  const { attempts, states } = step.more;
  return [
    `${STATUS_LABELS[step.status]} in ${durationText(step.duration)}`,
    ...span(step.startedAt, step.endedAt, reportCase, times),
    ...(attempts ? [`${attempts.length} attempts`] : []),
    ...(states ?? []).map(([state, at]) =>
      `${state} at +${durationText(at - reportCase.startedAt)}`
    ),
  ];
}

/** Describes the row of a step for screen readers. */
function descriptionOf(step: ReportStep): string {
  const { attempts, states, checkpoints } = step.more;
  return [
    `, ${STATUS_LABELS[step.status].toLowerCase()}`,
    attempts ? `, ${attempts.length} attempts` : "",
    states ? `, states ${states.map(([state]) => state).join(", ")}` : "",
    checkpoints ? `, checkpoints ${checkpoints.map(([name]) => name).join(", ")}` : "",
  ].join("");
}
