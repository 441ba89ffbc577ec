import type { JsonSchema } from "../../language/field.ts";
import {
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
  observed,
  place,
  SHARED,
  stepStatus,
  usual,
} from "./event_schema.ts";
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
  step: text("The step's number: `3`, `3.1` inside `parallel`, `3[0]` in `for_each`."),
  phase: word<"steps" | "always">("The part of the recipe.", { steps: true, always: true }),
  kind: text("The step kind, such as `wait`."),
  label: text("Its line in reports."),
  id: optional(text("Its id.")),
  place: defined("place", "Where it stands.", place),
  status: stepStatus,
  started_at: optional(time("When it began; absent when it did not run.")),
  duration_ms: number("How long it took, all attempts together, in milliseconds."),
  attempts: integer("How often it was tried; 0 when it did not run."),
  retries: list(
    "The attempts that failed and were followed by another one.",
    record<RetrySummary>("An attempt that failed.", {
      attempt: integer("Which, from 1.", 1),
      at: time("When it had failed."),
      failure: defined("failure", "Why.", failure),
    }),
  ),
  soft: flag("Whether it may fail without failing the case."),
  detail: optional(text("A few words on what it did, or why it was skipped.")),
  failure: optional(defined("failure", "Why it did not pass.", failure)),
  observed: optional(defined("observed", "For a wait: what was seen.", observed)),
  usual: optional(defined("usual", "How long it took before.", usual)),
});

const one: Typed<CaseSummary> = record<CaseSummary>(
  "A case: a recipe with one set of its matrix.",
  {
    case: integer("The number of the case in the run, from 0."),
    name: text("What people call it: the recipe's name and the values of its matrix."),
    file: text("The recipe's file, as it was given."),
    tags: list("The recipe's tags.", text("A tag.")),
    vars: map("The values its variables began with."),
    matrix: optional(map("The values of its matrix.")),
    status: word<CaseSummary["status"]>(
      "How it ended; `unchecked` is a case in which nothing was asserted or waited for, `skipped` one that was not begun.",
      { ...CASE_STATUSES, skipped: true },
    ),
    reason: optional(
      word<"bail" | "interrupted">(
        "Why it was not begun: another case failed with `--bail`, or the run was interrupted.",
        { bail: true, interrupted: true },
      ),
    ),
    flaky: flag("Whether it passed only because a step was tried again."),
    started_at: optional(time("When it began; absent when it was not begun.")),
    duration_ms: number("How long it took, in milliseconds."),
    failure: optional(defined("failure", "What failed first.", failure)),
    steps: list("The steps, in the order they began.", defined("step", "A step.", step)),
    logs: list(
      "The lines that it printed.",
      record<LogSummary>("A line.", {
        at: time("When it was printed."),
        step: text("The number of the step that printed it."),
        text: text("The line."),
      }),
    ),
    warnings: list("What a reader should know, which fails nothing.", text("A warning.")),
    usual: optional(defined("usual", "How long it took before.", usual)),
  },
);

const run: Typed<RunSummary> = record<RunSummary>("A run of recipes: the `json` report.", {
  version: constant(RUN_SUMMARY_VERSION as number, "The version of this summary."),
  server: text("The server's address, or `embedded`."),
  started_at: time("When the run began."),
  finished_at: time("When the last event came."),
  duration_ms: number("How long it took, in milliseconds."),
  interrupted: flag("Whether it was interrupted, or its events stopped before it had ended."),
  exit_code: optional(
    integer("What the process exits with; absent when the events stopped before the end."),
  ),
  counts: defined("counts", "How many cases ended in which way.", counts),
  cases: list("The cases, by number.", defined("case", "A case.", one)),
  warnings: list("Warnings that are about no case.", text("A warning.")),
});

/** The JSON Schema of the document that the `json` reporter writes. */
export function summarySchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: `urn:dispatch:run-summary:${RUN_SUMMARY_VERSION}`,
    title: "Dispatch run summary",
    ...run.json,
    definitions: { ...SHARED, step: step.json, case: one.json },
  };
}
