import type { EventFailure, StepFinished } from "../../events/event.ts";

/** A failure to print in full at the end of the run. */
export interface FailureToPrint {
  /** The label of the step; empty for a failure of the case itself. */
  label: string;
  /** The failure. */
  failure: EventFailure;
  /** Whether it fails nothing. */
  soft: boolean;
  /** Whether the step around it was retried, so that it is not printed. */
  isRetried?: boolean;
}

/** A case that is still running. */
export interface RunningCase {
  /** Its name. */
  name: string;
  /** The lines of its steps, or the event that a line is made of, printed if it does not pass. */
  steps: (string | StepFinished)[];
  /** The lines that say why a step was retried, which are also printed if the case is flaky. */
  retries: string[];
  /** Its warnings, always printed. */
  notes: string[];
  /** Its failures so far. */
  failures: FailureToPrint[];
  /** The labels of the running steps, by phase and number. */
  labels: Map<string, string>;
  /** How many failures there were when the attempt of a running step began, by the same key. */
  failuresBefore: Map<string, number>;
  /** The running steps whose line is printed, because steps inside them have ended. */
  opened: Set<string>;
}

/** Returns a case that has just started. */
export function newCase(name: string): RunningCase {
  return {
    name,
    steps: [],
    retries: [],
    notes: [],
    failures: [],
    labels: new Map(),
    failuresBefore: new Map(),
    opened: new Set(),
  };
}

/** Returns the failures of the steps inside another one, in its current attempt, that will be printed. */
export function failuresInside(
  { phase, step }: Pick<StepFinished, "phase" | "step">,
  { failures, failuresBefore }: RunningCase,
): FailureToPrint[] {
  return failures.slice(failuresBefore.get(`${phase} ${step}`))
    .filter((one) => !one.isRetried && one.failure.step?.startsWith(`${step}.`));
}

/** Forgets the failures of the steps inside another one: its next attempt runs them again. */
export function dropFailuresInside(
  event: Pick<StepFinished, "phase" | "step">,
  running: RunningCase,
): void {
  for (const one of failuresInside(event, running)) one.isRetried = true;
}
