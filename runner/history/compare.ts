import type { CaseStatus, StepStatus, Usual } from "../events/event.ts";

/** The result of one run of a case or a step. */
export interface Outcome {
  /** Whether it passed. */
  passed: boolean;
  /** Whether it passed only on a later attempt. */
  flaky: boolean;
  /** How long it took, in milliseconds. */
  duration_ms: number;
}

/** Reduces a finished case or step to its outcome. */
export function outcomeOf(
  { status, flaky, duration_ms }: {
    status: CaseStatus | StepStatus;
    flaky: boolean;
    duration_ms: number;
  },
): Outcome {
  const passed = status === "passed";
  return { passed, flaky: passed && flaky, duration_ms };
}

/** How many earlier runs a run is compared with. */
export const COMPARED_RUNS = 20;
/** With fewer passed runs than this, no run counts as slower. */
const MIN_RUNS = 5;
/** A slower run takes more than this many times the median. */
const MIN_FACTOR = 1.5;
/** A slower run is more than this many median absolute deviations above the median. */
const MIN_DEVIATIONS = 3;
/** A slower run takes at least this much longer than the median, in milliseconds. */
const MIN_DIFFERENCE_MS = 100;

/**
 * Compares a run with earlier ones. A run is slower than usual if it passed and took longer than 1.5
 * times the median of at least five passed runs, longer than that median plus three times the median
 * absolute deviation, and at least 100 ms longer than the median. Medians are used so that a single
 * run on a busy machine has no effect.
 *
 * @returns `undefined` when there are no earlier runs.
 */
export function compare(earlier: readonly Outcome[], now: Outcome): Usual | undefined {
  if (earlier.length === 0) return undefined;
  const usual = tally(earlier);
  const { median_ms } = usual;
  if (median_ms === undefined) return { ...usual, slower: false };
  const passed = earlier.filter((outcome) => outcome.passed);
  const deviation = median(passed.map(({ duration_ms }) => Math.abs(duration_ms - median_ms)));
  const ms = now.duration_ms;
  const slower = now.passed && passed.length >= MIN_RUNS && ms > median_ms * MIN_FACTOR &&
    ms > median_ms + MIN_DEVIATIONS * deviation && ms >= median_ms + MIN_DIFFERENCE_MS;
  return { ...usual, slower };
}

/** Counts outcomes, and takes the median duration of those that passed. */
export function tally(outcomes: readonly Outcome[]): Omit<Usual, "slower"> {
  const passed = outcomes.filter((outcome) => outcome.passed);
  return {
    runs: outcomes.length,
    failed: outcomes.length - passed.length,
    flaky: passed.filter(({ flaky }) => flaky).length,
    ...(passed.length === 0
      ? {}
      : { median_ms: median(passed.map(({ duration_ms }) => duration_ms)) }),
  };
}

/** The median of a list that is not empty. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
