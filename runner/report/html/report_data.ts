import type {
  EventEntity,
  EventFailure,
  EventQuarantine,
  RunCounts,
  Usual,
} from "../../events/event.ts";

/** The statuses of a case, the worst first; `skipped` is a case that `--bail` did not start. */
export const CASE_STATUSES = [
  "failed",
  "errored",
  "interrupted",
  "unchecked",
  "skipped",
  "passed",
] as const;

/** The status of a case. */
export type ReportStatus = (typeof CASE_STATUSES)[number];

/** The statuses of a step. */
export const STEP_STATUSES = ["passed", "failed", "errored", "skipped", "interrupted"] as const;

/** The result of a run, which also decides the exit code of its process. */
export type Verdict = "passed" | "failed" | "errored" | "unchecked" | "interrupted";

/**
 * What the page reads when it opens: the run, and a row for each case. Times of cases and steps are
 * in milliseconds after the start of the run.
 */
export interface ReportIndex {
  /** The server's address, or `embedded`. */
  server: string;
  /** When the run started, in milliseconds since 1970. */
  startedAt: number;
  /** The duration of the run, in milliseconds; up to the last event if it did not finish. */
  duration: number;
  /** Whether waiting took no time; all times are then of a virtual clock. */
  virtual?: boolean;
  /** The duration in real time, in milliseconds, if the clock was virtual. */
  realDuration?: number;
  /** The result of the run. */
  verdict: Verdict;
  /** Whether the run was interrupted, or its events stopped before it finished. */
  interrupted: boolean;
  /** Whether the run finished. */
  finished: boolean;
  /** The exit code of the process; absent if the run did not finish. */
  exitCode?: number;
  /** The counts of the cases. */
  counts: RunCounts;
  /** Present if nothing but flaky cases fails the run. */
  failedBy?: "flaky";
  /** The number of cases that should run. */
  plannedCases: number;
  /** The warnings that belong to no case. */
  warnings: string[];
  /** The files, which cases and steps refer to by index. */
  files: string[];
  /** The tags, which cases refer to by index. */
  tags: string[];
  /** The step shapes, which steps refer to by index. */
  shapes: StepShape[];
  /** The cases by number. */
  cases: CaseRow[];
}

/** A case in the list. */
export type CaseRow = [
  number: number,
  name: string,
  /** An index of {@linkcode ReportIndex.files}. */
  file: number,
  /** An index of {@linkcode CASE_STATUSES}. */
  status: number,
  startedAt: number,
  endedAt: number,
  duration: number,
  /** A sum of {@linkcode CASE_FLAGS}. */
  flags: number,
  /** Indexes of {@linkcode ReportIndex.tags}. */
  tags: number[],
  /** The text of its failures, for the search. */
  failures: string,
];

/** Properties of a case besides its status, as bits. */
export const CASE_FLAGS = {
  /** It passed only after a retry of a step or of the whole case. */
  flaky: 1,
  /** It was slower than usual. */
  slow: 2,
  /** It did not start. */
  notStarted: 4,
  /** The events stopped before it ended. */
  unfinished: 8,
  /** It is in quarantine: a failure does not fail the run. */
  quarantined: 16,
} as const;

/** The part of a step that is the same in all cases of a recipe. */
export type StepShape = [
  number: string,
  /** 0 for `steps`, 1 for `always`. */
  phase: 0 | 1,
  kind: string,
  label: string,
  id: string,
  /** An index of {@linkcode ReportIndex.files}. */
  file: number,
  line: number,
  column: number,
  length: number,
  text: string,
];

/** What the page reads when it shows a case. */
export interface CaseDetails {
  /** The steps, in the order they started. */
  steps: StepRow[];
  /** The variables, with their values as JSON. */
  vars?: [name: string, json: string][];
  /** The combination of the matrix, with its values as JSON. */
  matrix?: [name: string, json: string][];
  /** Why it did not pass; a number is the index of the step that has this failure. */
  failure?: EventFailure | number;
  /** Its duration and results in earlier runs. */
  usual?: Usual;
  /** Its warnings. */
  warnings?: string[];
  /** Why it may fail, if it is in quarantine. */
  quarantine?: EventQuarantine;
  /** The attempts before the last one, whose steps come first. */
  attempts?: CaseAttemptRow[];
  /** Its log lines that belong to no known step. */
  logs?: LogRow[];
}

/** An attempt of a case that another one followed. */
export interface CaseAttemptRow {
  /** The index of the first step of the next attempt. */
  end: number;
  /** An index of {@linkcode CASE_STATUSES}. */
  status: number;
  /** How long it took, in milliseconds. */
  duration: number;
  /** Why it did not pass. */
  failure?: EventFailure;
}

/** A step of a case. */
export type StepRow = [
  /** An index of {@linkcode ReportIndex.shapes}. */
  shape: number,
  /** An index of {@linkcode STEP_STATUSES}. */
  status: number,
  startedAt: number,
  endedAt: number,
  duration: number,
  more?: StepMore,
];

/** A frame that the client and the server have exchanged. */
export type FrameRow = [at: number, socket: number, sent: 0 | 1, text: string];

/** A line that a recipe logged. */
export type LogRow = [at: number, text: string];

/** The properties that most steps do not have. */
export interface StepMore {
  /** Set if a failure of the step does not fail the case. */
  soft?: true;
  /** A short result, or why it was skipped. */
  detail?: string;
  /** Why it did not pass. */
  failure?: EventFailure;
  /** The attempts, if there was more than one. */
  attempts?: AttemptRow[];
  /** The lines it logged. */
  logs?: LogRow[];
  /** The frames while it ran, if it failed. */
  frames?: FrameRow[];
  /** The job or run that it waited for. */
  entity?: EventEntity;
  /** The states that it saw while waiting. */
  states?: [state: string, at: number][];
  /** The checkpoints that it saw while waiting; `created` is by the clock of the server. */
  checkpoints?: [name: string, at: number, created: number | null][];
  /** Its duration in earlier runs. */
  usual?: Usual;
  /** The text of its last progress, if the events stopped before it ended. */
  unfinished?: string;
}

/** One attempt of a step that was retried. */
export interface AttemptRow {
  /** When it started. */
  startedAt: number;
  /** When it ended. */
  endedAt: number;
  /** Why it failed. */
  failure?: EventFailure;
}
