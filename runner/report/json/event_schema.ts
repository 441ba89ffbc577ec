import {
  type CaseFinished,
  type CaseSkipped,
  type CaseStarted,
  type CaseStatus,
  type EventEntity,
  type EventFailure,
  type EventPlace,
  type FailureKind,
  type Logged,
  type Observed,
  RECIPE_EVENT_VERSION,
  type RecipeEvent,
  type RecipeRunFinished,
  type RecipeRunStarted,
  type RunCounts,
  type StepFinished,
  type StepProgress,
  type StepRetried,
  type StepStarted,
  type StepStatus,
  type Usual,
  type Warned,
} from "../../events/event.ts";
import type { JsonSchema } from "../../language/field.ts";
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
  textOrNumber,
  time,
  type Typed,
  word,
} from "./typed_schema.ts";

/** The schema of {@linkcode EventPlace}. */
export const place: Typed<EventPlace> = record<EventPlace>("A place in a recipe's file.", {
  file: text("The file, named as on the command line."),
  line: integer("The line, from 1; 0 if the place is unknown.", 0),
  column: integer("The column in characters, from 1; 0 if the place is unknown.", 0),
  text: text("The text of the line."),
  length: integer("The number of characters to underline."),
});

/** The schema of {@linkcode EventFailure}. */
export const failure: Typed<EventFailure> = record<EventFailure>(
  "Why a step or case did not pass.",
  {
    kind: word<FailureKind>("The kind of failure.", {
      assertion: true,
      wait: true,
      deadline: true,
      evaluation: true,
      server: true,
      connection: true,
      interrupted: true,
      thrown: true,
    }),
    message: text("The message, in one line."),
    code: optional(textOrNumber("The code of the error: a number from the server, or a word.")),
    lines: list("Details.", text("A value, a line of a difference, or a state.")),
    place: optional(defined("place", "The part of the recipe that failed.", place)),
    step: optional(text("The number of the failed step; absent if no step failed.")),
  },
);

/** The schema of {@linkcode Observed}. */
export const observed: Typed<Observed> = record<Observed>(
  "What a wait has seen, whether it passed or failed.",
  {
    entity: optional(
      record<EventEntity>("The job or run waited for; absent for a wait on a channel.", {
        kind: word<EventEntity["kind"]>("Whether it is a job or a run of a workflow.", {
          job: true,
          run: true,
        }),
        id: text("Its id on the server."),
        name: text("The name of the job or workflow."),
      }),
    ),
    states: list(
      "The states, in the order they were first seen.",
      record<Observed["states"][number]>("A state.", {
        state: text("The name of the state."),
        at: time("When it was first seen, by the clock of the runner."),
      }),
    ),
    timeline: list(
      "The checkpoints of a run, in the order they were first seen.",
      record<Observed["timeline"][number]>("A checkpoint.", {
        step_name: text("The name of the workflow's step."),
        at: time("When it was first seen, by the clock of the runner."),
        created_at: optional(text("When the server recorded it, by its own clock.")),
      }),
    ),
  },
);

/** The schema of {@linkcode Usual}. */
export const usual: Typed<Usual> = record<Usual>(
  "How a step or case did in the earlier runs of the history.",
  {
    runs: integer("The number of earlier runs compared with."),
    failed: integer("How many of them did not pass."),
    flaky: integer("How many of them passed only after a retry."),
    median_ms: optional(
      number("The median duration of those that passed, in milliseconds; absent if none passed."),
    ),
    slower: flag("Whether this run was slower than usual."),
  },
);

/** The schema of {@linkcode RunCounts}. */
export const counts: Typed<RunCounts> = record<RunCounts>("The number of cases by outcome.", {
  passed: integer("Cases that passed, including flaky ones."),
  failed: integer("Cases that failed."),
  errored: integer("Cases that could not run."),
  unchecked: integer("Cases that made no assertion and no wait."),
  interrupted: integer("Cases that were interrupted, or not started because of the interruption."),
  skipped: integer("Cases that were not started because an earlier one did not pass."),
  flaky: integer("Cases that passed only because a step was retried."),
  warnings: integer("The number of warnings."),
});

/** The schema of {@linkcode StepStatus}. */
export const stepStatus: Typed<StepStatus> = word<StepStatus>("The outcome of the step.", {
  passed: true,
  failed: true,
  errored: true,
  skipped: true,
  interrupted: true,
});

/** The statuses of a case. */
export const CASE_STATUSES: Readonly<Record<CaseStatus, true>> = {
  passed: true,
  failed: true,
  errored: true,
  unchecked: true,
  interrupted: true,
};

/** The definitions that both schemas share. */
export const SHARED: Readonly<Record<string, JsonSchema>> = {
  place: place.json,
  failure: failure.json,
  observed: observed.json,
  usual: usual.json,
  counts: counts.json,
};

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
  }),
  "case.started": record<CaseStarted>(
    "A case has started: a recipe with one combination of its matrix.",
    {
      type: constant("case.started", "The type of the event."),
      ...ofCase,
      ...named,
      tags: list("The recipe's tags.", text("A tag.")),
      vars: map("The initial values of its variables."),
      matrix: optional(map("The values of its matrix.")),
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
  "case.finished": record<CaseFinished>("A case has ended.", {
    type: constant("case.finished", "The type of the event."),
    ...ofCase,
    ...named,
    status: word<CaseStatus>(
      "The outcome. An `unchecked` case made no assertion and no wait.",
      CASE_STATUSES,
    ),
    flaky: flag("Whether it passed only because a step was retried."),
    duration_ms: number("How long it took, in milliseconds."),
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
