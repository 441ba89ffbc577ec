import type { CaseStatus, StepStatus, Usual } from "../events/event.ts";

/** How something went once. */
export interface Outcome {
  /** Whether it passed. */
  passed: boolean;
  /** Whether it passed only on a later attempt. */
  flaky: boolean;
  /** How long it took, in milliseconds. */
  duration_ms: number;
}

/** A case or a step that has ended, as an outcome. */
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

/** With fewer passed runs than this, nothing is called slow. */
const ENOUGH = 5;
/** What is slow takes this many times the median, */
const FACTOR = 1.5;
/** is this many times as far from it as half of the runs are, */
const SPREADS = 3;
/** and takes this much longer: below that nobody waits. */
const LEAST_MS = 100;

/**
 * Compares with earlier runs. Slower than usual is what passed, and took longer than 1.5 times the
 * median of at least five passed runs, longer than the median and three times their median absolute
 * deviation, and at least 100 ms longer than the median. Medians, so that one run on a busy machine
 * moves nothing.
 *
 * @returns Nothing when there were no earlier runs.
 */
export function compare(earlier: readonly Outcome[], now: Outcome): Usual | undefined {
  if (earlier.length === 0) return undefined;
  const usual = tally(earlier);
  const { median_ms } = usual;
  if (median_ms === undefined) return { ...usual, slower: false };
  const passed = earlier.filter((outcome) => outcome.passed);
  const spread = median(passed.map(({ duration_ms }) => Math.abs(duration_ms - median_ms)));
  const ms = now.duration_ms;
  const slower = now.passed && passed.length >= ENOUGH && ms > median_ms * FACTOR &&
    ms > median_ms + SPREADS * spread && ms >= median_ms + LEAST_MS;
  return { ...usual, slower };
}

/** How something went, in a few numbers. */
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

/** The middle of some numbers, of which there is at least one. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
