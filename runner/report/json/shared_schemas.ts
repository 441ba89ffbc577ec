import type {
  CaseStatus,
  EventEntity,
  EventFailure,
  EventFrame,
  EventPlace,
  EventQuarantine,
  FailureKind,
  Observed,
  RunCounts,
  StepStatus,
  Usual,
} from "../../events/event.ts";
import type { JsonSchema } from "../../language/field.ts";
import {
  defined,
  flag,
  integer,
  list,
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

/** The schema of the frames of a step. */
export const frames: Typed<EventFrame[]> = list(
  "If it failed and a reporter shows them: the last frames while it ran.",
  record<EventFrame>("A frame that the client and the server have exchanged.", {
    at: time("When."),
    socket: integer("The number of the connection, from 1.", 1),
    direction: word<EventFrame["direction"]>("Whether the client sent or received it.", {
      sent: true,
      received: true,
    }),
    text: text("Its text, cut, and without secrets."),
  }),
);

/** The schema of {@linkcode EventQuarantine}. */
export const quarantine: Typed<EventQuarantine> = record<EventQuarantine>(
  "Why a case may fail without failing the run.",
  {
    until: text("Until when: the last day in UTC, or a time."),
    reason: text("Why."),
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
  flaky: integer("Cases that passed only because a step or the whole case was retried."),
  warnings: integer("The number of warnings."),
  quarantined: optional(
    integer("Cases that failed or could not run, but are in quarantine; absent if there are none."),
  ),
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
  quarantine: quarantine.json,
  counts: counts.json,
};
