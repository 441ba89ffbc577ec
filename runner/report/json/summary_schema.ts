import type { CaseStatus } from "../../events/event.ts";
import type { JsonSchema } from "../../language/field.ts";
import {
  type CaseAttempt,
  type CaseSummary,
  type LogSummary,
  type RetrySummary,
  RUN_SUMMARY_VERSION,
  type RunSummary,
  type StepSummary,
} from "../run_summary.ts";
import {
  CASE_STATUSES,
  counts,
  failure,
  frames,
  observed,
  place,
  quarantine,
  SHARED,
  stepStatus,
  usual,
} from "./shared_schemas.ts";
import {
  constant,
  defined,
  flag,
  integer,
  list,
  map,
  number,
  optional,
  record,
  text,
  time,
  type Typed,
  word,
} from "./typed_schema.ts";

const step: Typed<StepSummary> = record<StepSummary>("A step.", {
  step: text("The step's number: `3`, or `3.1` inside a `parallel`, or `3[0]` in a `for_each`."),
  phase: word<"steps" | "always">("The part of the recipe that contains the step.", {
    steps: true,
    always: true,
  }),
  kind: text("The step kind, such as `wait`."),
  label: text("The line to show for the step."),
  id: optional(text("The step's id.")),
  place: defined("place", "Where the step stands in the recipe.", place),
  status: stepStatus,
  started_at: optional(time("When it started; absent if it did not run.")),
  duration_ms: number("How long it took with all attempts, in milliseconds."),
  attempts: integer("The number of attempts; 0 if it did not run."),
  retries: list(
    "The failed attempts before the last one.",
    record<RetrySummary>("A failed attempt.", {
      attempt: integer("The attempt, from 1.", 1),
      at: time("When it failed."),
      failure: defined("failure", "Why it failed.", failure),
    }),
  ),
  soft: flag("Whether the recipe goes on after this step has failed."),
  detail: optional(text("A few words about the result, or why the step was skipped.")),
  failure: optional(defined("failure", "Why it did not pass.", failure)),
  frames: optional(frames),
  observed: optional(defined("observed", "For a wait: what its last attempt saw.", observed)),
  usual: optional(
    defined("usual", "How long it took in earlier runs, if a history is kept.", usual),
  ),
});

const line: Typed<LogSummary> = record<LogSummary>("A line.", {
  at: time("When it was printed."),
  step: text("The number of the step that printed it."),
  text: text("The line."),
});

const attempt: Typed<CaseAttempt> = record<CaseAttempt>("An attempt that did not pass.", {
  attempt: integer("The attempt, from 1.", 1),
  status: word<CaseStatus>("How it ended.", CASE_STATUSES),
  started_at: time("When it started."),
  duration_ms: number("How long it took, in milliseconds."),
  failure: optional(defined("failure", "Its first failure.", failure)),
  steps: list("Its steps, in the order they started.", defined("step", "A step.", step)),
  logs: list("The lines it printed.", line),
  warnings: list("Its warnings.", text("A warning.")),
});

const caseSummary: Typed<CaseSummary> = record<CaseSummary>(
  "A case: a recipe with one combination of its matrix.",
  {
    case: integer("The number of the case in this run, from 0."),
    name: text("The name to show: the recipe's name and the values of its matrix."),
    file: text("The recipe's file, named as on the command line."),
    tags: list("The recipe's tags.", text("A tag.")),
    vars: map("The initial values of its variables."),
    matrix: optional(map("The values of its matrix.")),
    status: word<CaseSummary["status"]>(
      "The outcome. An `unchecked` case made no assertion and no wait; a `skipped` one was not started.",
      { ...CASE_STATUSES, skipped: true },
    ),
    reason: optional(
      word<"bail" | "interrupted">(
        "Why it was not started: `bail` if an earlier case failed under `--bail`, or `interrupted`.",
        { bail: true, interrupted: true },
      ),
    ),
    flaky: flag("Whether it passed only because a step or the whole case was retried."),
    started_at: optional(time("When it started; absent if it was not started.")),
    duration_ms: number("How long it took with all attempts, in milliseconds."),
    attempts: optional(integer("The number of attempts; absent if there was one.", 1)),
    quarantine: optional(
      defined(
        "quarantine",
        "Present if it is in quarantine: if it failed or could not run, that does not fail the run.",
        quarantine,
      ),
    ),
    retries: optional(
      list("The attempts before the last one; absent if there were none.", attempt),
    ),
    failure: optional(defined("failure", "The first failure.", failure)),
    steps: list("The steps, in the order they started.", defined("step", "A step.", step)),
    logs: list("The lines it printed.", line),
    warnings: list(
      "Problems that fail nothing but that a reader should know about.",
      text("A warning."),
    ),
    usual: optional(
      defined("usual", "How long it took in earlier runs, if a history is kept.", usual),
    ),
  },
);

const run: Typed<RunSummary> = record<RunSummary>("A run of recipes: the `json` report.", {
  version: constant(RUN_SUMMARY_VERSION as number, "The version of this summary."),
  server: text("The server's address, or `embedded`."),
  started_at: time("When the run started."),
  finished_at: time("When the last event happened."),
  duration_ms: number("How long it took, in milliseconds."),
  clock: optional(
    word<"virtual">("Present if waiting took no time; all times are then of that clock.", {
      virtual: true,
    }),
  ),
  real_ms: optional(
    number("How long it took in real time, in milliseconds, if its clock was virtual."),
  ),
  interrupted: flag("Whether the run was interrupted, or its events stopped before it ended."),
  exit_code: optional(
    integer("The exit code of the process; absent if the events stopped before the run ended."),
  ),
  counts: defined("counts", "The number of cases by outcome.", counts),
  cases: list("The cases, by number.", defined("case", "A case.", caseSummary)),
  warnings: list("The warnings about the whole run.", text("A warning.")),
  failed_by: optional(
    word<"flaky">("Present if nothing but flaky cases fails the run, as `--fail-on-flaky` asks.", {
      flaky: true,
    }),
  ),
});

/** Makes the JSON Schema of the `json` report. */
export function summarySchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: `urn:dispatch:run-summary:${RUN_SUMMARY_VERSION}`,
    title: "Dispatch run summary",
    ...run.json,
    definitions: { ...SHARED, step: step.json, case: caseSummary.json },
  };
}
