import type { FailureKind } from "./failure.ts";

/** The version of the stream; it changes when a reader of the old one could not read the new. */
export const RUN_EVENT_VERSION = 1;

/** How a step ended. */
export type StepStatus = "passed" | "failed" | "errored" | "skipped" | "interrupted";

/** How a case ended; `unchecked` is one in which nothing was asserted or waited for. */
export type CaseStatus = "passed" | "failed" | "errored" | "unchecked" | "interrupted";

/** A job or a run on the server. */
export interface EventEntity {
  /** Which of the two. */
  kind: "job" | "run";
  /** Its id on the server. */
  id: string;
  /** The job's or workflow's name. */
  name: string;
}

/** What a wait has seen; in a failed one too. */
export interface Observed {
  /** What was waited for; absent for events of a channel. */
  entity?: EventEntity;
  /** The states, each with the time at which it was first seen here, RFC 3339. */
  states: { state: string; at: string }[];
  /** The checkpoints of a workflow's run, in the order they were first seen. */
  timeline: {
    /** The step's name in the workflow. */
    step_name: string;
    /** When it was first seen here, RFC 3339. */
    at: string;
    /** When the server kept it, by the server's clock. */
    created_at?: string;
  }[];
}

/** How long something took in the runs that the history holds. */
export interface Usual {
  /** How many runs are compared with; this one is not among them. */
  runs: number;
  /** How many of them did not pass. */
  failed: number;
  /** How many of them passed only on a later attempt. */
  flaky: number;
  /** The median of those that passed, in milliseconds; absent when none did. */
  median_ms?: number;
  /** Whether this run was slower than usual. */
  slower: boolean;
}

/** A place in a recipe's file, counted from 1. */
export interface EventPlace {
  /** The file as it was given. */
  file: string;
  /** The line. */
  line: number;
  /** The character in the line. */
  column: number;
  /** The text of that line. */
  text: string;
  /** How many characters are meant. */
  length: number;
}

/** Why a step or a case did not pass. */
export interface EventFailure {
  /** What kind of failure. */
  kind: FailureKind;
  /** One line. */
  message: string;
  /** The error's own code, where it had one: a server's number, or a word. */
  code?: string | number;
  /** More lines: values, states that were seen. */
  lines: string[];
  /** What it is about. */
  place?: EventPlace;
  /** The number of the step that failed; absent where no step did. */
  step?: string;
}

/** What every event has. */
export interface EventBase {
  /** When, RFC 3339. */
  ts: string;
}

/** An event of one case. */
export interface CaseEvent extends EventBase {
  /** The number of the case in this run, from 0. */
  case: number;
}

/** An event of one step. */
export interface StepEvent extends CaseEvent {
  /** The step's number in its recipe: `3`, `3.1` inside `parallel`, `3[0]` in `for_each`. */
  step: string;
  /** The part of the recipe. */
  phase: "steps" | "always";
}

/** A run of one or more cases begins. */
export interface RunStarted extends EventBase {
  /** Tells the events apart. */
  type: "run.started";
  /** The version of this stream. */
  version: number;
  /** How many cases there are. */
  cases: number;
  /** The server's address, or `embedded`. */
  server: string;
}

/** A case begins: a recipe with one combination of its matrix. */
export interface CaseStarted extends CaseEvent {
  /** Tells the events apart. */
  type: "case.started";
  /** What people call it. */
  name: string;
  /** The recipe's file. */
  file: string;
  /** The recipe's tags. */
  tags: string[];
  /** The values of its variables. */
  vars: Record<string, unknown>;
  /** The values of its matrix. */
  matrix?: Record<string, unknown>;
}

/** A step begins; once more for each attempt. */
export interface StepStarted extends StepEvent {
  /** Tells the events apart. */
  type: "step.started";
  /** The step kind, such as `wait`. */
  kind: string;
  /** Its line in reports. */
  label: string;
  /** Its id. */
  id?: string;
  /** Where it stands. */
  place: EventPlace;
  /** The attempt, from 1. */
  attempt: number;
}

/** A step that takes long tells what it last saw. */
export interface StepProgress extends StepEvent {
  /** Tells the events apart. */
  type: "step.progress";
  /** What it saw: `running, reserve done`. */
  text: string;
  /** When it saw that first, RFC 3339; the same text can be told again. */
  since: string;
}

/** An attempt of a step failed, and another will follow. */
export interface StepRetried extends StepEvent {
  /** Tells the events apart. */
  type: "step.retried";
  /** The attempt that failed, from 1. */
  attempt: number;
  /** Why it failed. */
  failure: EventFailure;
}

/** A step has ended. */
export interface StepFinished extends StepEvent {
  /** Tells the events apart. */
  type: "step.finished";
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
  /** How long it took. */
  duration_ms: number;
  /** How often it was tried; a pass on a later attempt is flaky. */
  attempts: number;
  /** Whether its failure fails the recipe. */
  soft: boolean;
  /** A few words on what it did, or why it was skipped. */
  detail?: string;
  /** Why it did not pass. */
  failure?: EventFailure;
  /** For a wait: what was seen, by the last attempt. */
  observed?: Observed;
  /** How long it took before, where a history is kept. */
  usual?: Usual;
}

/** A recipe prints a line. */
export interface Logged extends StepEvent {
  /** Tells the events apart. */
  type: "log";
  /** The line. */
  text: string;
}

/** Something a reader should know, which fails nothing. */
export interface Warned extends EventBase {
  /** Tells the events apart. */
  type: "warning";
  /** The case, where it is about one. */
  case?: number;
  /** What. */
  text: string;
}

/** A case has ended. */
export interface CaseFinished extends CaseEvent {
  /** Tells the events apart. */
  type: "case.finished";
  /** What people call it. */
  name: string;
  /** The recipe's file. */
  file: string;
  /** How it ended. */
  status: CaseStatus;
  /** Whether it passed only because a step was tried again. */
  flaky: boolean;
  /** How long it took. */
  duration_ms: number;
  /** What failed first; a failing clean-up never hides it. */
  failure?: EventFailure;
  /** How long it took before, where a history is kept. */
  usual?: Usual;
}

/** A case that was not begun: another one failed with `--bail`, or the run was interrupted. */
export interface CaseSkipped extends CaseEvent {
  /** Tells the events apart. */
  type: "case.skipped";
  /** What people call it. */
  name: string;
  /** The recipe's file. */
  file: string;
  /** Why. */
  reason: "bail" | "interrupted";
}

/** How many there were of what. */
export interface RunCounts {
  /** Cases that passed, flaky ones included. */
  passed: number;
  /** Cases that failed. */
  failed: number;
  /** Cases that could not be run. */
  errored: number;
  /** Cases in which nothing was checked. */
  unchecked: number;
  /** Cases that were interrupted, or not begun because of that. */
  interrupted: number;
  /** Cases that were not begun because another one did not pass. */
  skipped: number;
  /** Cases that passed only on a later attempt of some step. */
  flaky: number;
  /** Warnings. */
  warnings: number;
}

/** The run has ended. */
export interface RunFinished extends EventBase {
  /** Tells the events apart. */
  type: "run.finished";
  /** What the process will exit with. */
  exit_code: number;
  /** Whether somebody interrupted it. */
  interrupted: boolean;
  /** How long it took. */
  duration_ms: number;
  /** The counts. */
  counts: RunCounts;
}

/** Everything a reporter is told, in order. JSON values only. */
export type RunEvent =
  | RunStarted
  | CaseStarted
  | StepStarted
  | StepProgress
  | StepRetried
  | StepFinished
  | Logged
  | Warned
  | CaseFinished
  | CaseSkipped
  | RunFinished;

/** An event before its time is put on. */
export type Unstamped = RunEvent extends infer E ? E extends RunEvent ? Omit<E, "ts"> : never
  : never;

/** Takes the events of a run. */
export type Emit = (event: Unstamped) => void;
