/** The version of the event stream. It rises when old readers could no longer read the stream. */
export const RECIPE_EVENT_VERSION = 1;

/** The outcome of a step. */
export type StepStatus = "passed" | "failed" | "errored" | "skipped" | "interrupted";

/** The outcome of a case. An `unchecked` case made no assertion and no wait. */
export type CaseStatus = "passed" | "failed" | "errored" | "unchecked" | "interrupted";

/** Why a step did not pass. */
export type FailureKind =
  /** An assertion does not hold. */
  | "assertion"
  /** The job or run ended in a state other than the one waited for. */
  | "wait"
  /** A deadline passed. */
  | "deadline"
  /** A value could not be computed. */
  | "evaluation"
  /** The server refused a request. */
  | "server"
  /** The connection failed or was lost. */
  | "connection"
  /** The run was interrupted. */
  | "interrupted"
  /** The recipe's own code threw. */
  | "thrown";

/** A job or run on the server. */
export interface EventEntity {
  /** Whether it is a job or a run. */
  kind: "job" | "run";
  /** Its id on the server. */
  id: string;
  /** The name of the job or workflow. */
  name: string;
}

/** What a wait has seen, whether it passed or failed. */
export interface Observed {
  /** The job or run waited for; absent for a wait on a channel. */
  entity?: EventEntity;
  /** The states, each with the time this runner first saw it, RFC 3339. */
  states: { state: string; at: string }[];
  /** The checkpoints of a run, in the order this runner first saw them. */
  timeline: {
    /** The name of the workflow's step. */
    step_name: string;
    /** When this runner first saw it, RFC 3339. */
    at: string;
    /** When the server recorded it, by the server's clock. */
    created_at?: string;
  }[];
}

/** Statistics about the earlier runs of a step or case, from the history. */
export interface Usual {
  /** The number of earlier runs compared with. */
  runs: number;
  /** How many of them did not pass. */
  failed: number;
  /** How many of them passed only after a retry. */
  flaky: number;
  /** The median duration of those that passed, in milliseconds; absent if none passed. */
  median_ms?: number;
  /** Whether this run was slower than usual. */
  slower: boolean;
}

/** A place in a recipe's file. Lines and columns count from 1. */
export interface EventPlace {
  /** The file, named as on the command line. */
  file: string;
  /** The line number. */
  line: number;
  /** The column, in characters. */
  column: number;
  /** The text of the line. */
  text: string;
  /** The number of characters to underline. */
  length: number;
}

/** Why a step or case did not pass. */
export interface EventFailure {
  /** The kind of failure. */
  kind: FailureKind;
  /** One line. */
  message: string;
  /** The code of the error, if it has one: a number from the server, or a word. */
  code?: string | number;
  /** Details, such as the values of an assertion or the states seen. */
  lines: string[];
  /** The part of the recipe that failed. */
  place?: EventPlace;
  /** The number of the failed step; absent if no step failed. */
  step?: string;
}

/** A frame that the client and the server have exchanged. */
export interface EventFrame {
  /** When, RFC 3339. */
  at: string;
  /** The number of the connection, from 1. */
  socket: number;
  /** Whether the client sent or received it. */
  direction: "sent" | "received";
  /** Its text, cut, and without secrets. */
  text: string;
}

/** Why a case may fail without failing the run. */
export interface EventQuarantine {
  /** Until when: the last day in UTC, or a time. */
  until: string;
  /** Why. */
  reason: string;
}

/** The fields of every event. */
export interface EventBase {
  /** When it happened, RFC 3339. */
  ts: string;
}

/** An event of one case. */
export interface CaseEvent extends EventBase {
  /** The number of the case in this run, from 0. */
  case: number;
}

/** An event of one step. */
export interface StepEvent extends CaseEvent {
  /** The step's number: `3`, or `3.1` inside a `parallel`, or `3[0]` in a `for_each`. */
  step: string;
  /** The part of the recipe that contains the step. */
  phase: "steps" | "always";
}

/** The most parts that a plan can have. */
export const MAX_SHARDS = 10_000;

/** The part of a plan that a run with `--shard` runs. */
export interface EventShard {
  /** The number of the part, from 1. */
  index: number;
  /** The number of parts. */
  total: number;
  /** The positions of the run's cases in the whole plan, from 0, in their order. */
  cases: number[];
  /** The number of cases of the whole plan. */
  planned: number;
}

/** What says which run this is, and of which plan. */
export interface RunIdentity {
  /** The version of the runner. */
  runner?: string;
  /**
   * The digest of the plan, of its recipes and their cases. Runs with the same digest run the same
   * plan, or parts of it.
   */
  plan?: string;
  /** The part of the plan, with `--shard`. */
  shard?: EventShard;
  /** The attempt of the service that runs the process, from 1, if a variable says it. */
  attempt?: number;
  /** The number of `--seed`. */
  seed?: number;
}

/** The run has started. */
export interface RecipeRunStarted extends EventBase, RunIdentity {
  /** The type of the event. */
  type: "run.started";
  /** The version of the event stream. */
  version: number;
  /** The number of cases. */
  cases: number;
  /** The server's address, or `embedded`. */
  server: string;
  /** `virtual` if waiting took no time; all other times of the events are then of that clock. */
  clock?: "virtual";
}

/** A case has started: a recipe with one combination of its matrix. */
export interface CaseStarted extends CaseEvent {
  /** The type of the event. */
  type: "case.started";
  /** The name to show. */
  name: string;
  /** The recipe's file. */
  file: string;
  /** The name that it shares with other cases of its file, if `name` numbers them. */
  repeats?: string;
  /** The recipe's tags. */
  tags: string[];
  /** The initial values of its variables. */
  vars: Record<string, unknown>;
  /** The values of its matrix. */
  matrix?: Record<string, unknown>;
  /** The attempt, from 2: its steps begin anew. Absent for the first. */
  attempt?: number;
  /** Present if it is in quarantine. */
  quarantine?: EventQuarantine;
}

/** A step has started. It is sent again for each retry. */
export interface StepStarted extends StepEvent {
  /** The type of the event. */
  type: "step.started";
  /** The step kind, such as `wait`. */
  kind: string;
  /** The line to show for the step. */
  label: string;
  /** The step's id. */
  id?: string;
  /** The place of the step in the recipe. */
  place: EventPlace;
  /** The attempt, from 1. */
  attempt: number;
}

/** A long step reports what it last saw. */
export interface StepProgress extends StepEvent {
  /** The type of the event. */
  type: "step.progress";
  /** What it saw, such as `running, reserve done`. */
  text: string;
  /** When it first saw that, RFC 3339. A step may report the same text again. */
  since: string;
}

/** An attempt has failed and another one follows. */
export interface StepRetried extends StepEvent {
  /** The type of the event. */
  type: "step.retried";
  /** The failed attempt, from 1. */
  attempt: number;
  /** Why it failed. */
  failure: EventFailure;
}

/** A step has ended. */
export interface StepFinished extends StepEvent {
  /** The type of the event. */
  type: "step.finished";
  /** The step kind, such as `wait`. */
  kind: string;
  /** The line to show for the step. */
  label: string;
  /** The step's id. */
  id?: string;
  /** The place of the step in the recipe. */
  place: EventPlace;
  /** How it ended. */
  status: StepStatus;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** The number of attempts. A step that passed after a retry is flaky. */
  attempts: number;
  /** Whether the recipe goes on after this step has failed. */
  soft: boolean;
  /** A few words about the result, or why the step was skipped. */
  detail?: string;
  /** Why it did not pass. */
  failure?: EventFailure;
  /**
   * If it failed and a reporter shows them: the last frames while it ran, of all cases that ran at
   * that time, or a few from before if there were none.
   */
  frames?: EventFrame[];
  /** For a wait: what its last attempt saw. */
  observed?: Observed;
  /** How long it took in earlier runs, if a history is kept. */
  usual?: Usual;
}

/** A recipe has printed a line. */
export interface Logged extends StepEvent {
  /** The type of the event. */
  type: "log";
  /** The line. */
  text: string;
}

/** A warning. It fails nothing. */
export interface Warned extends EventBase {
  /** The type of the event. */
  type: "warning";
  /** The number of the case; absent for a warning about the whole run. */
  case?: number;
  /** The warning. */
  text: string;
}

/** An attempt of a case did not pass, and another one follows. */
export interface CaseRetried extends CaseEvent {
  /** The type of the event. */
  type: "case.retried";
  /** The name to show. */
  name: string;
  /** The recipe's file. */
  file: string;
  /** The attempt that has ended, from 1. */
  attempt: number;
  /** How it ended. */
  status: CaseStatus;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** Its first failure. */
  failure?: EventFailure;
}

/** A case has ended. */
export interface CaseFinished extends CaseEvent {
  /** The type of the event. */
  type: "case.finished";
  /** The name to show. */
  name: string;
  /** The recipe's file. */
  file: string;
  /** How it ended. */
  status: CaseStatus;
  /** Whether it passed only because a step or the whole case was retried. */
  flaky: boolean;
  /** How long it took with all attempts, in milliseconds. */
  duration_ms: number;
  /** The number of attempts; absent if there was one. */
  attempts?: number;
  /** Present if it is in quarantine: if it failed or could not run, that does not fail the run. */
  quarantine?: EventQuarantine;
  /** The first failure. A failure in `always` never replaces it. */
  failure?: EventFailure;
  /** How long it took in earlier runs, if a history is kept. */
  usual?: Usual;
}

/** A case was not started. */
export interface CaseSkipped extends CaseEvent {
  /** The type of the event. */
  type: "case.skipped";
  /** The name to show. */
  name: string;
  /** The recipe's file. */
  file: string;
  /** `bail` if an earlier case failed under `--bail`, or `interrupted`. */
  reason: "bail" | "interrupted";
}

/** The number of cases by outcome. */
export interface RunCounts {
  /** Cases that passed, including flaky ones. */
  passed: number;
  /** Cases that failed. */
  failed: number;
  /** Cases that could not be run. */
  errored: number;
  /** Cases that checked nothing. */
  unchecked: number;
  /** Cases that were interrupted, or not started because of the interruption. */
  interrupted: number;
  /** Cases that were not started because an earlier one did not pass. */
  skipped: number;
  /** Cases that passed only because a step or the whole case was retried. */
  flaky: number;
  /** The number of warnings. */
  warnings: number;
  /** Cases that failed or could not run, but are in quarantine; absent if there are none. */
  quarantined?: number;
}

/** The run has ended. */
export interface RecipeRunFinished extends EventBase {
  /** The type of the event. */
  type: "run.finished";
  /** The exit code of the process. */
  exit_code: number;
  /** Whether the run was interrupted. */
  interrupted: boolean;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** How long it took in real time, in milliseconds, if its clock was virtual. */
  real_ms?: number;
  /** The number of cases by outcome. */
  counts: RunCounts;
  /** Present if nothing but flaky cases fails the run, as `--fail-on-flaky` asks. */
  failed_by?: "flaky";
}

/** An event of a run, as reporters receive them in order. It holds JSON values only. */
export type RecipeEvent =
  | RecipeRunStarted
  | CaseStarted
  | StepStarted
  | StepProgress
  | StepRetried
  | StepFinished
  | Logged
  | Warned
  | CaseRetried
  | CaseFinished
  | CaseSkipped
  | RecipeRunFinished;

/** A run event without its time, which the engine adds. */
export type Unstamped = RecipeEvent extends infer E ? E extends RecipeEvent ? Omit<E, "ts"> : never
  : never;

/** Sends an event of the run to its reporters. */
export type Emit = (event: Unstamped) => void;
