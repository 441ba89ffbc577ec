import type { EventFailure, StepFinished } from "../../events/event.ts";

/** A failure to print in full at the end of the run. */
export interface FailureToPrint {
  /** The label of the step; empty for a failure of the case itself. */
  label: string;
  /** The failure. */
  failure: EventFailure;
  /** Whether it fails nothing. */
  soft: boolean;
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
    opened: new Set(),
  };
}
