import type { StepStatus } from "../../../events/event.ts";
import type { ReportStep } from "./decode.ts";
import { makeTicks } from "./ticks.ts";

/** The smallest width of a bar, in pixels, so that the shortest step is visible. */
export const MIN_BAR_WIDTH = 3;
/** The most lines of labels; a label that does not fit is only in the tooltip. */
const MAX_LABEL_LINES = 4;
/** The space between labels and bars, in pixels. */
const GAP = 8;

/** A time axis. */
export interface Axis {
  /** The start, in milliseconds after the start of the run. */
  from: number;
  /** The end, in milliseconds after the start of the run. */
  to: number;
  /** The width, in pixels. */
  width: number;
}

/**
 * A bar of a row. Positions are in pixels, times in milliseconds after the start of the run.
 */
export interface Bar {
  /** What it shows: a step, an attempt, the pause after an attempt, or the time in a state. */
  part: "step" | "attempt" | "pause" | "state";
  /** The status of the step or attempt; absent for a pause and a state. */
  status?: StepStatus;
  /** The name of the state, or the attempt with its number. */
  name: string;
  from: number;
  to: number;
  x: number;
  width: number;
  /** Whether the name fits into the bar. */
  nameFits: boolean;
}

/** A checkpoint of a workflow, which is a mark below the bar of its wait. */
export interface Mark {
  name: string;
  /** The time, in milliseconds after the start of the run. */
  at: number;
  /** Whether the time is the server's; otherwise it is when the runner first saw the checkpoint. */
  exact: boolean;
  x: number;
  /** The start and the line of its label; absent if it does not fit. */
  label?: { x: number; line: number };
}

/** The row of a step. */
export interface TimelineRow {
  step: ReportStep;
  bars: Bar[];
  /** The names that do not fit into their bars, shown beside the bars or in a wider one. */
  caption?: { text: string; x: number; inside: boolean };
  marks: Mark[];
  /** The number of lines that the labels of the marks take. */
  markLines: number;
}

/** The layout of a timeline. */
export interface Timeline {
  ticks: { x: number; label: string }[];
  rows: TimelineRow[];
}

/** The range of the axis: a case with all its steps. */
export function axisOf(
  steps: readonly ReportStep[],
  { startedAt, endedAt }: { startedAt: number; endedAt: number },
): { from: number; to: number } {
  let [from, to] = [startedAt, endedAt];
  for (const step of steps) {
    from = Math.min(from, step.startedAt);
    to = Math.max(to, step.endedAt);
  }
  return { from, to: Math.max(to, from + 1) };
}

/**
 * Computes the layout of a timeline.
 *
 * @param measure Returns the width of a text, in pixels.
 */
export function layoutTimeline(
  steps: readonly ReportStep[],
  axis: Axis,
  measure: (text: string) => number,
): Timeline {
  const length = axis.to - axis.from;
  const ticks = makeTicks(length, Math.max(2, Math.floor(axis.width / 80)));
  return {
    ticks: ticks.map(({ at, label }) => {
      const x = at / length * axis.width;
      return { x, label: x + measure(label) + GAP <= axis.width ? label : "" };
    }),
    rows: steps.map((step) => {
      const bars = step.status === "skipped" && step.endedAt === step.startedAt
        ? []
        : barsOf(step, axis, measure);
      const caption = captionOf(bars, axis, measure);
      const marks = marksOf(step, axis, measure);
      const markLines = Math.max(0, ...marks.map(({ label }) => (label?.line ?? 0) + 1));
      return { step, bars, ...(caption ? { caption } : {}), marks, markLines };
    }),
  };
}

function positionOf(from: number, to: number, axis: Axis): { x: number; width: number } {
  const scale = axis.width / (axis.to - axis.from);
  const width = Math.max(MIN_BAR_WIDTH, (to - from) * scale);
  const x = Math.min(axis.width - width, Math.max(0, (from - axis.from) * scale));
  return { x, width };
}

function barsOf(step: ReportStep, axis: Axis, measure: (text: string) => number): Bar[] {
  const make = (part: Bar["part"], name: string, from: number, to: number, status?: StepStatus) => {
    const at = positionOf(from, to, axis);
    const nameFits = name !== "" && measure(name) + 2 * GAP <= at.width;
    const bar: Bar = { part, name, from, to, ...at, nameFits };
    return status ? { ...bar, status } : bar;
  };
  const { startedAt, endedAt, status, more } = step;
  const bars: Bar[] = [];
  if (more.attempts) {
    for (const [i, attempt] of more.attempts.entries()) {
      const next = more.attempts[i + 1];
      const attemptStatus = next ? "failed" : status;
      bars.push(
        make("attempt", `attempt ${i + 1}`, attempt.startedAt, attempt.endedAt, attemptStatus),
      );
      if (next) bars.push(make("pause", "pause", attempt.endedAt, next.startedAt));
    }
  } else {
    bars.push(make("step", "", startedAt, endedAt, status));
  }
  const states = more.states ?? [];
  for (const [i, [state, at]] of states.entries()) {
    // The states have times of other clocks, which can lie outside of the step.
    const from = clamp(at, startedAt, endedAt);
    bars.push(make("state", state, from, clamp(states[i + 1]?.[1] ?? endedAt, from, endedAt)));
  }
  return bars;
}

function captionOf(
  bars: readonly Bar[],
  { width }: Axis,
  measure: (text: string) => number,
): TimelineRow["caption"] {
  const names = bars.filter(({ part, nameFits }) =>
    !nameFits && (part === "state" || part === "attempt")
  );
  if (names.length === 0) return undefined;
  const text = names.length > 6
    ? `${names[0]!.name} → … → ${names.at(-1)!.name}`
    : names.map(({ name }) => name).join(" → ");
  const needed = measure(text) + GAP;
  const right = Math.max(...bars.map((bar) => bar.x + bar.width));
  if (right + needed <= width) return { text, x: right + GAP, inside: false };
  const inner = bars.findLast((bar) =>
    bar.nameFits && bar.part !== "pause" && measure(bar.name) + 2 * GAP + needed <= bar.width
  );
  if (inner) return { text, x: inner.x + inner.width - needed, inside: true };
  const left = Math.min(...bars.map((bar) => bar.x));
  return left >= needed ? { text, x: left - needed, inside: false } : undefined;
}

function marksOf(step: ReportStep, axis: Axis, measure: (text: string) => number): Mark[] {
  const marks = (step.more.checkpoints ?? []).map(([name, seen, created]): Mark => {
    const exact = created !== null && created >= step.startedAt && created <= step.endedAt;
    const at = exact ? created : clamp(seen, step.startedAt, step.endedAt);
    return { name, at, exact, x: positionOf(at, at, axis).x };
  }).sort((a, b) => a.x - b.x);
  // For each line, the end of its last mark or label.
  const ends: number[] = [];
  for (const mark of marks) {
    const needed = measure(mark.name);
    const right = mark.x + GAP + 4;
    const x = right + needed <= axis.width ? right : mark.x - GAP - needed;
    if (x < 0) continue;
    const line = firstFreeLine(ends, Math.min(x, mark.x - GAP));
    if (line === -1) continue;
    ends[line] = Math.max(x + needed, mark.x) + GAP;
    mark.label = { x, line };
  }
  return marks;
}

/** The first line that is free from a position on; -1 if there is none. */
function firstFreeLine(ends: readonly number[], x: number): number {
  for (let line = 0; line < MAX_LABEL_LINES; line++) {
    if ((ends[line] ?? -Infinity) <= x) return line;
  }
  return -1;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
