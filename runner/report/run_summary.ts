import type {
  CaseStatus,
  EventFailure,
  EventPlace,
  Observed,
  RunCounts,
  StepFinished,
  StepStatus,
  Usual,
} from "../events/event.ts";

/** The version of the summary; it changes when a reader of the old one could not read the new. */
export const RUN_SUMMARY_VERSION = 1;

/** A run that has ended, as one value: what its events told, put together. */
export interface RunSummary {
  /** The version of this summary. */
  version: number;
  /** The server's address, or `embedded`. */
  server: string;
  /** When the run began, RFC 3339. */
  started_at: string;
  /** When the last event came, RFC 3339. */
  finished_at: string;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** Whether somebody interrupted it, or its events stopped before it had ended. */
  interrupted: boolean;
  /** What the process exits with; absent when the events stopped before the run had ended. */
  exit_code?: number;
  /** How many cases ended in which way. */
  counts: RunCounts;
  /** The cases, by number. */
  cases: CaseSummary[];
  /** Warnings that are about no case. */
  warnings: string[];
}

/** A case of a {@linkcode RunSummary}. */
export interface CaseSummary {
  /** The number of the case in the run, from 0. */
  case: number;
  /** What people call it: the recipe's name and the values of its matrix. */
  name: string;
  /** The recipe's file, as it was given. */
  file: string;
  /** The recipe's tags. */
  tags: string[];
  /** The values its variables began with. */
  vars: Record<string, unknown>;
  /** The values of its matrix. */
  matrix?: Record<string, unknown>;
  /** How it ended; `skipped` is one that was not begun. */
  status: CaseStatus | "skipped";
  /** Why it was not begun. */
  reason?: "bail" | "interrupted";
  /** Whether it passed only because a step was tried again. */
  flaky: boolean;
  /** When it began, RFC 3339; absent when it was not begun. */
  started_at?: string;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** What failed first. */
  failure?: EventFailure;
  /** The steps, in the order they began. */
  steps: StepSummary[];
  /** The lines that it printed. */
  logs: LogSummary[];
  /** What a reader should know, which fails nothing. */
  warnings: string[];
  /** How long it took before, where a history is kept. */
  usual?: Usual;
}

/** A step of a {@linkcode CaseSummary}. */
export interface StepSummary {
  /** The step's number in its recipe: `3`, `3.1` inside `parallel`, `3[0]` in `for_each`. */
  step: string;
  /** The part of the recipe. */
  phase: StepFinished["phase"];
  /** The step kind, such as `wait`. */
  kind: string;
  /** Its line in reports. */
  label: string;
  /** Its id. */
  id?: string;
  /** Where it stands. */
  place: EventPlace;
  /** How it ended. */
  status: StepStatus;
  /** When it began, RFC 3339; absent when it did not run. */
  started_at?: string;
  /** How long it took, all attempts together, in milliseconds. */
  duration_ms: number;
  /** How often it was tried; 0 when it did not run. */
  attempts: number;
  /** The attempts that failed and were followed by another one. */
  retries: RetrySummary[];
  /** Whether it may fail without failing the case. */
  soft: boolean;
  /** A few words on what it did, or why it was skipped. */
  detail?: string;
  /** Why it did not pass. */
  failure?: EventFailure;
  /** For a wait: what was seen. */
  observed?: Observed;
  /** How long it took before, where a history is kept. */
  usual?: Usual;
}

/** An attempt that failed and was followed by another one. */
export interface RetrySummary {
  /** Which, from 1. */
  attempt: number;
  /** When it had failed, RFC 3339. */
  at: string;
  /** Why. */
  failure: EventFailure;
}

/** A line that a recipe printed. */
export interface LogSummary {
  /** When, RFC 3339. */
  at: string;
  /** The number of the step that printed it. */
  step: string;
  /** The line. */
  text: string;
}
