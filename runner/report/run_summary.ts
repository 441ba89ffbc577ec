import type {
  CaseStatus,
  EventFailure,
  EventFrame,
  EventPlace,
  EventQuarantine,
  Observed,
  RunCounts,
  StepFinished,
  StepStatus,
  Usual,
} from "../events/event.ts";

/** The version of the summary. It rises when old readers could no longer read the summary. */
export const RUN_SUMMARY_VERSION = 1;

/** A finished run as one value, collected from its events. */
export interface RunSummary {
  /** The version of this summary. */
  version: number;
  /** The server's address, or `embedded`. */
  server: string;
  /** When the run started, RFC 3339. */
  started_at: string;
  /** When the last event happened, RFC 3339. */
  finished_at: string;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** `virtual` if waiting took no time; all times and durations are then of that clock. */
  clock?: "virtual";
  /** How long it took in real time, in milliseconds, if its clock was virtual. */
  real_ms?: number;
  /** Whether the run was interrupted, or its events stopped before it ended. */
  interrupted: boolean;
  /** The exit code of the process; absent if the events stopped before the run ended. */
  exit_code?: number;
  /** The number of cases by outcome. */
  counts: RunCounts;
  /** The cases, by number. */
  cases: CaseSummary[];
  /** The warnings about the whole run. */
  warnings: string[];
  /** Present if nothing but flaky cases fails the run, as `--fail-on-flaky` asks. */
  failed_by?: "flaky";
}

/** A case of a {@linkcode RunSummary}. */
export interface CaseSummary {
  /** The number of the case in this run, from 0. */
  case: number;
  /** The name to show: the recipe's name and the values of its matrix. */
  name: string;
  /** The recipe's file, named as on the command line. */
  file: string;
  /** The recipe's tags. */
  tags: string[];
  /** The initial values of its variables. */
  vars: Record<string, unknown>;
  /** The values of its matrix. */
  matrix?: Record<string, unknown>;
  /** The outcome; a `skipped` case was not started. */
  status: CaseStatus | "skipped";
  /** Why it was not started: `bail` if an earlier case failed under `--bail`, or `interrupted`. */
  reason?: "bail" | "interrupted";
  /** Whether it passed only because a step or the whole case was retried. */
  flaky: boolean;
  /** When it started, RFC 3339; absent if it was not started. */
  started_at?: string;
  /** How long it took with all attempts, in milliseconds. */
  duration_ms: number;
  /** The number of attempts; absent if there was one. */
  attempts?: number;
  /** Present if it is in quarantine: if it failed or could not run, that does not fail the run. */
  quarantine?: EventQuarantine;
  /** The attempts before the last one; absent if there were none. */
  retries?: CaseAttempt[];
  /** The first failure. */
  failure?: EventFailure;
  /** The steps, in the order they started. */
  steps: StepSummary[];
  /** The lines it printed. */
  logs: LogSummary[];
  /** Problems that fail nothing but that a reader should know about. */
  warnings: string[];
  /** How long it took in earlier runs, if a history is kept. */
  usual?: Usual;
}

/** An attempt of a case that did not pass, and that another one followed. */
export interface CaseAttempt {
  /** The attempt, from 1. */
  attempt: number;
  /** How it ended. */
  status: CaseStatus;
  /** When it started, RFC 3339. */
  started_at: string;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** Its first failure. */
  failure?: EventFailure;
  /** Its steps, in the order they started. */
  steps: StepSummary[];
  /** The lines it printed. */
  logs: LogSummary[];
  /** Its warnings. */
  warnings: string[];
}

/** A step of a {@linkcode CaseSummary}. */
export interface StepSummary {
  /** The step's number: `3`, or `3.1` inside a `parallel`, or `3[0]` in a `for_each`. */
  step: string;
  /** The part of the recipe that contains the step. */
  phase: StepFinished["phase"];
  /** The step kind, such as `wait`. */
  kind: string;
  /** The line to show for the step. */
  label: string;
  /** The step's id. */
  id?: string;
  /** Where the step stands in the recipe. */
  place: EventPlace;
  /** The outcome. */
  status: StepStatus;
  /** When it started, RFC 3339; absent if it did not run. */
  started_at?: string;
  /** How long it took with all attempts, in milliseconds. */
  duration_ms: number;
  /** The number of attempts; 0 if it did not run. */
  attempts: number;
  /** The failed attempts before the last one. */
  retries: RetrySummary[];
  /** Whether the recipe goes on after this step has failed. */
  soft: boolean;
  /** A few words about the result, or why the step was skipped. */
  detail?: string;
  /** Why it did not pass. */
  failure?: EventFailure;
  /** If it failed and a reporter shows them: the last frames while it ran. */
  frames?: EventFrame[];
  /** For a wait: what its last attempt saw. */
  observed?: Observed;
  /** How long it took in earlier runs, if a history is kept. */
  usual?: Usual;
}

/** A failed attempt that another one followed. */
export interface RetrySummary {
  /** The attempt, from 1. */
  attempt: number;
  /** When it failed, RFC 3339. */
  at: string;
  /** Why it failed. */
  failure: EventFailure;
}

/** A line that a recipe printed. */
export interface LogSummary {
  /** When it was printed, RFC 3339. */
  at: string;
  /** The number of the step that printed it. */
  step: string;
  /** The line. */
  text: string;
}
