import {
  type CaseFinished,
  type CaseRetried,
  type CaseSkipped,
  type CaseStarted,
  type CaseStatus,
  type EventShard,
  type Logged,
  RECIPE_EVENT_VERSION,
  type RecipeEvent,
  type RecipeRunFinished,
  type RecipeRunStarted,
  type StepFinished,
  type StepProgress,
  type StepRetried,
  type StepStarted,
  type Warned,
} from "../../events/event.ts";
import type { JsonSchema } from "../../language/field.ts";
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

const ts = time("When it happened.");
const caseNumber = integer("The number of the case in this run, from 0.");
const ofCase = { ts, case: caseNumber };
const ofStep = {
  ...ofCase,
  step: text("The step's number: `3`, or `3.1` inside a `parallel`, or `3[0]` in a `for_each`."),
  phase: word<"steps" | "always">("The part of the recipe that contains the step.", {
    steps: true,
    always: true,
  }),
};
const aboutStep = {
  kind: text("The step kind, such as `wait`."),
  label: text("The line to show for the step."),
  id: optional(text("The step's id.")),
  place: defined("place", "Where the step stands in the recipe.", place),
};
const named = {
  name: text("The name to show: the recipe's name and the values of its matrix."),
  file: text("The recipe's file, named as on the command line."),
};

/** A schema for each type of event. */
type Events = { readonly [T in RecipeEvent["type"]]: Typed<RecipeEvent & { type: T }> };

const EVENTS: Events = {
  "run.started": record<RecipeRunStarted>("The run has started.", {
    type: constant("run.started", "The type of the event."),
    ts,
    version: constant(RECIPE_EVENT_VERSION as number, "The version of the event stream."),
    cases: integer("The number of cases."),
    server: text("The server's address, or `embedded`."),
    clock: optional(
      word<"virtual">("Present if waiting took no time; all times are then of that clock.", {
        virtual: true,
      }),
    ),
    runner: optional(text("The version of the runner.")),
    plan: optional(text("The digest of the plan: runs with the same one run parts of one plan.")),
    shard: optional(
      record<EventShard>("The part of the plan, with `--shard`.", {
        index: integer("The number of the part, from 1.", 1),
        total: integer("The number of parts.", 1),
        cases: list("The run's cases.", integer("The position in the whole plan, from 0.")),
        planned: integer("The number of cases of the whole plan."),
      }),
    ),
    attempt: optional(integer("The attempt of the service that runs the process, from 1.", 1)),
    seed: optional(integer("The number of `--seed`.", 1)),
  }),
  "case.started": record<CaseStarted>(
    "A case has started: a recipe with one combination of its matrix.",
    {
      type: constant("case.started", "The type of the event."),
      ...ofCase,
      ...named,
      repeats: optional(
        text("The name that it shares with other cases of its file, if `name` numbers them."),
      ),
      tags: list("The recipe's tags.", text("A tag.")),
      vars: map("The initial values of its variables."),
      matrix: optional(map("The values of its matrix.")),
      attempt: optional(
        integer("The attempt, from 2: its steps begin anew. Absent for the first.", 1),
      ),
      quarantine: optional(defined("quarantine", "Present if it is in quarantine.", quarantine)),
    },
  ),
  "step.started": record<StepStarted>("A step has started. It is sent again for each retry.", {
    type: constant("step.started", "The type of the event."),
    ...ofStep,
    ...aboutStep,
    attempt: integer("The attempt, from 1.", 1),
  }),
  "step.progress": record<StepProgress>("A long step reports what it last saw.", {
    type: constant("step.progress", "The type of the event."),
    ...ofStep,
    text: text("What it saw."),
    since: time("When it first saw that. A step may report the same text again."),
  }),
  "step.retried": record<StepRetried>("An attempt has failed and another one follows.", {
    type: constant("step.retried", "The type of the event."),
    ...ofStep,
    attempt: integer("The failed attempt, from 1.", 1),
    failure: defined("failure", "Why it failed.", failure),
  }),
  "step.finished": record<StepFinished>("A step has ended.", {
    type: constant("step.finished", "The type of the event."),
    ...ofStep,
    ...aboutStep,
    status: stepStatus,
    duration_ms: number("How long it took with all attempts, in milliseconds."),
    attempts: integer("The number of attempts. A step that passed after a retry is flaky."),
    soft: flag("Whether the recipe goes on after this step has failed."),
    detail: optional(text("A few words about the result, or why the step was skipped.")),
    failure: optional(defined("failure", "Why it did not pass.", failure)),
    frames: optional(frames),
    observed: optional(defined("observed", "For a wait: what its last attempt saw.", observed)),
    usual: optional(
      defined("usual", "How long it took in earlier runs, if a history is kept.", usual),
    ),
  }),
  log: record<Logged>("A recipe has printed a line.", {
    type: constant("log", "The type of the event."),
    ...ofStep,
    text: text("The line."),
  }),
  warning: record<Warned>("A problem that fails nothing but that a reader should know about.", {
    type: constant("warning", "The type of the event."),
    ts,
    case: optional(integer("The number of the case; absent for a warning about the whole run.")),
    text: text("The warning."),
  }),
  "case.retried": record<CaseRetried>("An attempt of a case did not pass, and another follows.", {
    type: constant("case.retried", "The type of the event."),
    ...ofCase,
    ...named,
    attempt: integer("The attempt that has ended, from 1.", 1),
    status: word<CaseStatus>("How it ended.", CASE_STATUSES),
    duration_ms: number("How long it took, in milliseconds."),
    failure: optional(defined("failure", "Its first failure.", failure)),
  }),
  "case.finished": record<CaseFinished>("A case has ended.", {
    type: constant("case.finished", "The type of the event."),
    ...ofCase,
    ...named,
    status: word<CaseStatus>(
      "The outcome. An `unchecked` case made no assertion and no wait.",
      CASE_STATUSES,
    ),
    flaky: flag("Whether it passed only because a step or the whole case was retried."),
    duration_ms: number("How long it took with all attempts, in milliseconds."),
    attempts: optional(integer("The number of attempts; absent if there was one.", 1)),
    quarantine: optional(
      defined(
        "quarantine",
        "Present if it is in quarantine: if it failed or could not run, that does not fail the run.",
        quarantine,
      ),
    ),
    failure: optional(defined("failure", "The first failure.", failure)),
    usual: optional(
      defined("usual", "How long it took in earlier runs, if a history is kept.", usual),
    ),
  }),
  "case.skipped": record<CaseSkipped>("A case was not started.", {
    type: constant("case.skipped", "The type of the event."),
    ...ofCase,
    ...named,
    reason: word<CaseSkipped["reason"]>(
      "`bail` if an earlier case failed under `--bail`, or `interrupted`.",
      { bail: true, interrupted: true },
    ),
  }),
  "run.finished": record<RecipeRunFinished>("The run has ended.", {
    type: constant("run.finished", "The type of the event."),
    ts,
    exit_code: integer("The exit code of the process."),
    interrupted: flag("Whether the run was interrupted."),
    duration_ms: number("How long it took, in milliseconds."),
    real_ms: optional(
      number("How long it took in real time, in milliseconds, if its clock was virtual."),
    ),
    counts: defined("counts", "The number of cases by outcome.", counts),
    failed_by: optional(
      word<"flaky">(
        "Present if nothing but flaky cases fails the run, as `--fail-on-flaky` asks.",
        {
          flaky: true,
        },
      ),
    ),
  }),
};

/** Makes the JSON Schema of an event: a line of the `jsonl` report. */
export function eventSchema(): JsonSchema {
  const events = Object.entries(EVENTS).map(([type, { json }]) => [type, json] as const);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: `urn:dispatch:run-event:${RECIPE_EVENT_VERSION}`,
    title: "Dispatch run event",
    description: "An event of a run of recipes: a line of the `jsonl` report.",
    oneOf: events.map(([type]) => ({ $ref: `#/definitions/${type}` })),
    definitions: { ...SHARED, ...Object.fromEntries(events) },
  };
}
