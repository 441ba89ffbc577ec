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
  RUN_EVENT_VERSION,
  type RunCounts,
  type RunEvent,
  type RunFinished,
  type RunStarted,
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

/** A place in a recipe's file. */
export const place: Typed<EventPlace> = record<EventPlace>("A place in a recipe's file.", {
  file: text("The file as it was given."),
  line: integer("The line, from 1; 0 where the place is not known.", 0),
  column: integer("The character in the line, from 1.", 0),
  text: text("The text of that line."),
  length: integer("How many characters are meant."),
});

/** Why a step or a case did not pass. */
export const failure: Typed<EventFailure> = record<EventFailure>(
  "Why a step or a case did not pass.",
  {
    kind: word<FailureKind>("What kind of failure.", {
      assertion: true,
      wait: true,
      deadline: true,
      evaluation: true,
      server: true,
      connection: true,
      interrupted: true,
      thrown: true,
    }),
    message: text("Why, in one line."),
    code: optional(textOrNumber("The error's own code: a server's number, or a word.")),
    lines: list("More lines.", text("A value, a difference, or a state that was seen.")),
    place: optional(defined("place", "What it is about.", place)),
    step: optional(text("The number of the step that failed; absent where no step did.")),
  },
);

/** What a wait has seen. */
export const observed: Typed<Observed> = record<Observed>(
  "What a wait has seen, in a failed one too.",
  {
    entity: optional(record<EventEntity>("What was waited for; absent for events of a channel.", {
      kind: word<EventEntity["kind"]>("Whether it is a job or a workflow's run.", {
        job: true,
        run: true,
      }),
      id: text("Its id on the server."),
      name: text("The job's or workflow's name."),
    })),
    states: list(
      "The states, in the order they were seen.",
      record<Observed["states"][number]>("A state.", {
        state: text("The state."),
        at: time("When it was first seen, by the runner's clock."),
      }),
    ),
    timeline: list(
      "The checkpoints of a workflow's run, in the order they were seen.",
      record<Observed["timeline"][number]>("A checkpoint.", {
        step_name: text("The step's name in the workflow."),
        at: time("When it was first seen, by the runner's clock."),
        created_at: optional(text("When the server kept it, by the server's clock.")),
      }),
    ),
  },
);

/** How long something took before. */
export const usual: Typed<Usual> = record<Usual>(
  "How long it took in the runs that the history holds.",
  {
    runs: integer("How many runs are compared with; this one is not among them."),
    failed: integer("How many of them did not pass."),
    flaky: integer("How many of them passed only on a later attempt."),
    median_ms: optional(
      number("The median of those that passed, in milliseconds; absent when none did."),
    ),
    slower: flag("Whether this run was slower than usual."),
  },
);

/** How many cases ended in which way. */
export const counts: Typed<RunCounts> = record<RunCounts>("How many cases ended in which way.", {
  passed: integer("Cases that passed, flaky ones included."),
  failed: integer("Cases that failed."),
  errored: integer("Cases that could not be run."),
  unchecked: integer("Cases in which nothing was asserted or waited for."),
  interrupted: integer("Cases that were interrupted, or not begun because of that."),
  skipped: integer("Cases that were not begun because another one did not pass."),
  flaky: integer("Cases that passed only on a later attempt of some step."),
  warnings: integer("Warnings."),
});

/** How a step ended. */
export const stepStatus: Typed<StepStatus> = word<StepStatus>("How the step ended.", {
  passed: true,
  failed: true,
  errored: true,
  skipped: true,
  interrupted: true,
});

/** The ways in which a case can end. */
export const CASE_STATUSES: Readonly<Record<CaseStatus, true>> = {
  passed: true,
  failed: true,
  errored: true,
  unchecked: true,
  interrupted: true,
};

/** What more than one schema speaks of; each is found under `definitions`. */
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
  step: text("The step's number: `3`, `3.1` inside `parallel`, `3[0]` in `for_each`."),
  phase: word<"steps" | "always">("The part of the recipe.", { steps: true, always: true }),
};
const aboutStep = {
  kind: text("The step kind, such as `wait`."),
  label: text("Its line in reports."),
  id: optional(text("Its id.")),
  place: defined("place", "Where it stands.", place),
};
const named = {
  name: text("What people call it: the recipe's name and the values of its matrix."),
  file: text("The recipe's file, as it was given."),
};

/** A schema for each type of event. */
type Events = { readonly [T in RunEvent["type"]]: Typed<RunEvent & { type: T }> };

const EVENTS: Events = {
  "run.started": record<RunStarted>("A run of one or more cases begins.", {
    type: constant("run.started", "Tells the events apart."),
    ts,
    version: constant(RUN_EVENT_VERSION as number, "The version of this stream."),
    cases: integer("How many cases there are."),
    server: text("The server's address, or `embedded`."),
  }),
  "case.started": record<CaseStarted>("A case begins: a recipe with one set of its matrix.", {
    type: constant("case.started", "Tells the events apart."),
    ...ofCase,
    ...named,
    tags: list("The recipe's tags.", text("A tag.")),
    vars: map("The values of its variables."),
    matrix: optional(map("The values of its matrix.")),
  }),
  "step.started": record<StepStarted>("A step begins; once more for each attempt.", {
    type: constant("step.started", "Tells the events apart."),
    ...ofStep,
    ...aboutStep,
    attempt: integer("The attempt, from 1.", 1),
  }),
  "step.progress": record<StepProgress>("A step that takes long tells what it last saw.", {
    type: constant("step.progress", "Tells the events apart."),
    ...ofStep,
    text: text("What it saw."),
    since: time("When it saw that first; the same text can be told again."),
  }),
  "step.retried": record<StepRetried>("An attempt of a step failed, and another will follow.", {
    type: constant("step.retried", "Tells the events apart."),
    ...ofStep,
    attempt: integer("The attempt that failed, from 1.", 1),
    failure: defined("failure", "Why it failed.", failure),
  }),
  "step.finished": record<StepFinished>("A step has ended.", {
    type: constant("step.finished", "Tells the events apart."),
    ...ofStep,
    ...aboutStep,
    status: stepStatus,
    duration_ms: number("How long it took, all attempts together, in milliseconds."),
    attempts: integer("How often it was tried; a pass on a later attempt is flaky."),
    soft: flag("Whether it may fail without failing the case."),
    detail: optional(text("A few words on what it did, or why it was skipped.")),
    failure: optional(defined("failure", "Why it did not pass.", failure)),
    observed: optional(defined("observed", "For a wait: what its last attempt saw.", observed)),
    usual: optional(defined("usual", "How long it took before.", usual)),
  }),
  log: record<Logged>("A recipe prints a line.", {
    type: constant("log", "Tells the events apart."),
    ...ofStep,
    text: text("The line."),
  }),
  warning: record<Warned>("Something a reader should know, which fails nothing.", {
    type: constant("warning", "Tells the events apart."),
    ts,
    case: optional(integer("The number of the case, where it is about one.")),
    text: text("What."),
  }),
  "case.finished": record<CaseFinished>("A case has ended.", {
    type: constant("case.finished", "Tells the events apart."),
    ...ofCase,
    ...named,
    status: word<CaseStatus>(
      "How it ended; `unchecked` is a case in which nothing was asserted or waited for.",
      CASE_STATUSES,
    ),
    flaky: flag("Whether it passed only because a step was tried again."),
    duration_ms: number("How long it took, in milliseconds."),
    failure: optional(defined("failure", "What failed first.", failure)),
    usual: optional(defined("usual", "How long it took before.", usual)),
  }),
  "case.skipped": record<CaseSkipped>("A case was not begun.", {
    type: constant("case.skipped", "Tells the events apart."),
    ...ofCase,
    ...named,
    reason: word<CaseSkipped["reason"]>(
      "Why: another case failed with `--bail`, or the run was interrupted.",
      { bail: true, interrupted: true },
    ),
  }),
  "run.finished": record<RunFinished>("The run has ended.", {
    type: constant("run.finished", "Tells the events apart."),
    ts,
    exit_code: integer("What the process exits with."),
    interrupted: flag("Whether somebody interrupted it."),
    duration_ms: number("How long it took, in milliseconds."),
    counts: defined("counts", "How many cases ended in which way.", counts),
  }),
};

/** The JSON Schema of one event: of one line that the `jsonl` reporter writes. */
export function eventSchema(): JsonSchema {
  const events = Object.entries(EVENTS).map(([type, { json }]) => [type, json] as const);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: `urn:dispatch:run-event:${RUN_EVENT_VERSION}`,
    title: "Dispatch run event",
    description: "One event of a run of recipes: one line of the `jsonl` report.",
    oneOf: events.map(([type]) => ({ $ref: `#/definitions/${type}` })),
    definitions: { ...SHARED, ...Object.fromEntries(events) },
  };
}
