import type { StepStatus } from "../../../events/event.ts";
import type { ReportStep } from "./decode.ts";
import { makeTicks } from "./ticks.ts";

/** A bar is at least so wide, in pixels: one that is there can be seen. */
export const LEAST_BAR = 3;
/** Marks are labelled in so many lines; a label for which there is no room is in the tooltip only. */
const MARK_LINES = 4;
const GAP = 8;

/** A time axis of some width. */
export interface Axis {
  /** Where it begins, in milliseconds after the run's begin. */
  from: number;
  /** Where it ends. */
  to: number;
  /** How wide it is, in pixels. */
  width: number;
}

/** A part of a row. Places are in pixels, times in milliseconds after the run's begin. */
export interface Bar {
  /** A whole step, one attempt of it, the pause after one, or the time in a state. */
  part: "step" | "attempt" | "pause" | "state";
  /** How it endedAt; absent for a pause and a state. */
  status?: StepStatus;
  /** The state, or the attempt's number. */
  name: string;
  from: number;
  to: number;
  x: number;
  width: number;
  /** Whether the name has room in it. */
  named: boolean;
}

/** A checkpoint of a workflow. */
export interface Mark {
  name: string;
  /** When, in milliseconds after the run's begin. */
  at: number;
  /** Whether that is the server's time, and not when it was seen. */
  exact: boolean;
  x: number;
  /** Where its label begins, and in which line; absent where there is no room. */
  label?: { x: number; line: number };
}

/** A step in the picture. */
export interface TimelineRow {
  step: ReportStep;
  bars: Bar[];
  /** Names that had no room in their own bars, beside them or in a wider one. */
  caption?: { text: string; x: number; inside: boolean };
  marks: Mark[];
  /** How many lines of labels the marks need. */
  markLines: number;
}

/** The picture of a case. */
export interface Timeline {
  ticks: { x: number; label: string }[];
  rows: TimelineRow[];
}

/** The time from the first to the last step of a case. */
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
 * Where everything goes.
 * @param measure How wide a text is, in pixels.
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

function place(from: number, to: number, axis: Axis): { x: number; width: number } {
  const scale = axis.width / (axis.to - axis.from);
  const width = Math.max(LEAST_BAR, (to - from) * scale);
  const x = Math.min(axis.width - width, Math.max(0, (from - axis.from) * scale));
  return { x, width };
}

function barsOf(step: ReportStep, axis: Axis, measure: (text: string) => number): Bar[] {
  const make = (part: Bar["part"], name: string, from: number, to: number, status?: StepStatus) => {
    const at = place(from, to, axis);
    const named = name !== "" && measure(name) + 2 * GAP <= at.width;
    const bar: Bar = { part, name, from, to, ...at, named };
    return status ? { ...bar, status } : bar;
  };
  const { startedAt, endedAt, status, more } = step;
  const bars: Bar[] = [];
  if (more.attempts) {
    for (const [i, attempt] of more.attempts.entries()) {
      const next = more.attempts[i + 1];
      const kept = next ? "failed" : status;
      bars.push(make("attempt", `attempt ${i + 1}`, attempt.startedAt, attempt.endedAt, kept));
      if (next) bars.push(make("pause", "pause", attempt.endedAt, next.startedAt));
    }
  } else {
    bars.push(make("step", "", startedAt, endedAt, status));
  }
  const states = more.states ?? [];
  for (const [i, [state, at]] of states.entries()) {
    // What was seen is told by other clocks than the step's own ends.
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
  const names = bars.filter(({ part, named }) =>
    !named && (part === "state" || part === "attempt")
  );
  if (names.length === 0) return undefined;
  const text = names.length > 6
    ? `${names[0]!.name} → … → ${names.at(-1)!.name}`
    : names.map(({ name }) => name).join(" → ");
  const needed = measure(text) + GAP;
  const right = Math.max(...bars.map((bar) => bar.x + bar.width));
  if (right + needed <= width) return { text, x: right + GAP, inside: false };
  const inner = bars.findLast((bar) =>
    bar.named && bar.part !== "pause" && measure(bar.name) + 2 * GAP + needed <= bar.width
  );
  if (inner) return { text, x: inner.x + inner.width - needed, inside: true };
  const left = Math.min(...bars.map((bar) => bar.x));
  return left >= needed ? { text, x: left - needed, inside: false } : undefined;
}

function marksOf(step: ReportStep, axis: Axis, measure: (text: string) => number): Mark[] {
  const marks = (step.more.checkpoints ?? []).map(([name, seen, created]): Mark => {
    const exact = created !== null && created >= step.startedAt && created <= step.endedAt;
    const at = exact ? created : clamp(seen, step.startedAt, step.endedAt);
    return { name, at, exact, x: place(at, at, axis).x };
  }).sort((a, b) => a.x - b.x);
  // Where the marks and labels of a line end so far.
  const ends: number[] = [];
  for (const mark of marks) {
    const needed = measure(mark.name);
    const right = mark.x + GAP + 4;
    const x = right + needed <= axis.width ? right : mark.x - GAP - needed;
    if (x < 0) continue;
    const line = firstLine(ends, Math.min(x, mark.x - GAP));
    if (line === -1) continue;
    ends[line] = Math.max(x + needed, mark.x) + GAP;
    mark.label = { x, line };
  }
  return marks;
}

/** The first line in which what begins there touches nothing else. */
function firstLine(ends: readonly number[], x: number): number {
  for (let line = 0; line < MARK_LINES; line++) {
    if ((ends[line] ?? -Infinity) <= x) return line;
  }
  return -1;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
