import type { EventEntity, EventFailure, RunCounts, Usual } from "../../events/event.ts";

/** How a case can have ended, the worst first; `skipped` is one that `--bail` did not begin. */
export const CASE_STATUSES = [
  "failed",
  "errored",
  "interrupted",
  "unchecked",
  "skipped",
  "passed",
] as const;

/** How a case ended. */
export type ReportStatus = (typeof CASE_STATUSES)[number];

/** How a step can have ended. */
export const STEP_STATUSES = ["passed", "failed", "errored", "skipped", "interrupted"] as const;

/** How a run ended, by what its process exits with. */
export type Verdict = "passed" | "failed" | "errored" | "unchecked" | "interrupted";

/** What the page reads when it opens: the run, and a row for each case. Times are in milliseconds. */
export interface ReportIndex {
  /** The server's address, or `embedded`. */
  server: string;
  /** When the run began, since 1970. */
  began: number;
  /** How long it took; up to the last event where it did not end. */
  duration: number;
  /** How it ended. */
  verdict: Verdict;
  /** Whether somebody interrupted it, or its end is not known. */
  interrupted: boolean;
  /** Whether it told that it has ended. */
  finished: boolean;
  /** What the process exits with; absent when the run did not end. */
  exitCode?: number;
  /** The counts. */
  counts: RunCounts;
  /** How many cases there should have been. */
  planned: number;
  /** Warnings about no case. */
  warnings: string[];
  /** The files that cases name by their position. */
  files: string[];
  /** The tags that cases name by their position. */
  tags: string[];
  /** What is the same in each run of a step; steps name them by their position. */
  shapes: StepShape[];
  /** The cases by their number. */
  cases: CaseRow[];
}

/** A case in the list. Times are in milliseconds after the run's begin. */
export type CaseRow = [
  number: number,
  name: string,
  file: number,
  /** A position in {@linkcode CASE_STATUSES}. */
  status: number,
  began: number,
  ended: number,
  duration: number,
  /** The sum of some {@linkcode CASE_MARKS}. */
  marks: number,
  tags: number[],
  /** What its failures say, for the search. */
  failures: string,
];

/** What is to be said of a case besides its status. */
export const CASE_MARKS = {
  /** It passed only on a later attempt of a step. */
  flaky: 1,
  /** It was slower than usual. */
  slow: 2,
  /** It was not begun. */
  unbegun: 4,
  /** The stream ended before it did. */
  unfinished: 8,
} as const;

/** What a step's place in a recipe tells; the same in every case of it. */
export type StepShape = [
  number: string,
  phase: 0 | 1,
  kind: string,
  label: string,
  id: string,
  /** A position in {@linkcode ReportIndex.files}. */
  file: number,
  line: number,
  column: number,
  length: number,
  text: string,
];

/** What the page reads when a case is opened. */
export interface CaseDetails {
  /** The steps, in the order in which they began. */
  steps: StepRow[];
  /** Names of variables and their values as JSON. */
  vars?: [name: string, json: string][];
  /** Names of the matrix and their values as JSON. */
  matrix?: [name: string, json: string][];
  /** Why it did not pass; a number is the position of the step that has this failure. */
  failure?: EventFailure | number;
  /** How long it took before. */
  usual?: Usual;
  /** Warnings about it. */
  warnings?: string[];
  /** Lines that belong to no step that is known. */
  logs?: LogRow[];
}

/** A step of a case. Times are in milliseconds after the run's begin. */
export type StepRow = [
  /** A position in {@linkcode ReportIndex.shapes}. */
  shape: number,
  /** A position in {@linkcode STEP_STATUSES}. */
  status: number,
  began: number,
  ended: number,
  duration: number,
  more?: StepMore,
];

/** A line that a recipe printed. */
export type LogRow = [at: number, text: string];

/** What most steps do not have. */
export interface StepMore {
  /** Whether its failure fails nothing. */
  soft?: true;
  /** A few words on what it did, or why it was skipped. */
  detail?: string;
  /** Why it did not pass. */
  failure?: EventFailure;
  /** The attempts, where there was more than one. */
  attempts?: AttemptRow[];
  /** What was printed. */
  logs?: LogRow[];
  /** What a wait was for. */
  entity?: EventEntity;
  /** The states that a wait saw. */
  states?: [state: string, at: number][];
  /** The checkpoints that a wait saw; `created` is by the server's clock. */
  checkpoints?: [name: string, at: number, created: number | null][];
  /** How long it took before. */
  usual?: Usual;
  /** What it last saw, where the stream ended before it did. */
  unfinished?: string;
}

/** One attempt of a step that was tried again. */
export interface AttemptRow {
  /** When it began. */
  began: number;
  /** When it ended. */
  ended: number;
  /** Why it failed. */
  failure?: EventFailure;
}
