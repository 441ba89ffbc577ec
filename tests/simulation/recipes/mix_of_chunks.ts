import fc from "fast-check";
import { rarely } from "../program.ts";
import { is, isById, output, parallel, pick, planned, side, tells, use } from "./mix_of_steps.ts";
import { SAYS, type StepPlan } from "./plan.ts";

/** A job that is read in another recipe until it has ended, so that the recipe passes, and is flaky. */
const flakyUse = planned(fc.record({
  do: is("use"),
  gives: fc.boolean(),
  steps: fc.tuple(
    planned(fc.record({ do: is("enqueue"), name: is("work"), tells }))
      .map((step) => ({ ...step, items: undefined, condition: undefined, soft: false })),
    planned(fc.record({ do: is("get"), pick: fc.constant(0), wants: is("completed"), isById }))
      .map((step) => ({
        ...step,
        retry: { attempts: 6, backoff: 5, repeats: false, isPicky: false },
        ...{ within: undefined, soft: false, condition: undefined, expects: undefined },
      })),
  ).map((steps) => [...steps]),
  always: fc.array(side, { maxLength: 0 }),
})).map((step) => ({ ...step, within: undefined, condition: undefined, expects: undefined }));

function assertion(holds: boolean): fc.Arbitrary<StepPlan> {
  return planned(fc.record({
    do: is("assert"),
    holds: fc.constant(holds),
    tells,
    conditions: fc.integer({ min: 1, max: 3 }),
    lines: fc.nat({ max: 2 }),
    wrong: fc.nat({ max: 5 }),
  })).map((step) => ({ ...step, condition: undefined, soft: false }));
}

/** A run that waits for an event which another case may have published, too. */
const gate = planned(fc.record({ do: is("start"), name: is("gate"), tells }))
  .map((step) => ({ ...step, items: undefined, condition: undefined }));
const gateInside = planned(fc.record({
  do: is("use"),
  gives: fc.boolean(),
  steps: fc.tuple(gate).map((steps) => [...steps]),
  always: fc.constant<StepPlan[]>([]),
})).map((step) => ({ ...step, condition: undefined }));
const opening = planned(fc.record({ do: is("publish"), name: is("go"), tells }))
  .map((step) => ({ ...step, condition: undefined }));

/** Jobs of which all are waited for. */
const listed = fc.tuple(
  planned(fc.record({ do: is("enqueue"), name: is("noop", "work", "fails"), tells })),
  fc.integer({ min: 0, max: 4 }),
).map(([step, items]) => ({ ...step, items, condition: undefined, soft: false }));
const list = planned(
  fc.record({
    do: is("list"),
    pick: fc.nat({ max: 1 }),
    of: is("states", "order"),
    state: is("pending", "completed", "completed"),
  }),
);
const soften = (step: StepPlan): StepPlan => ({ ...step, soft: true });
const waitForList = planned(
  fc.record({ do: is("wait"), pick: fc.constant(0), isById, isExpression: fc.boolean() }),
);
/** Another recipe beside other steps. */
const useInside = planned(fc.record({
  do: is("parallel"),
  steps: fc.tuple(use, fc.array(side, { maxLength: 2 }), fc.boolean())
    .map(([one, more, isFirst]) => isFirst ? [one, ...more] : [...more, one]),
}));
const marked = planned(fc.record({ do: is("enqueue"), name: is("noop", "work"), tells }))
  .map((step) => ({ ...step, marks: true, items: undefined }))
  // What a soft step has left is there although its `expect` does not hold.
  .map((step) => step.expectation % 5 === 0 ? { ...step, soft: true, expects: false } : step);
const mark = planned(fc.record({ do: is("mark"), pick: fc.constant(0), state: is("pending") }));

/** A job that is read until it has ended. */
const awaited = planned(
  fc.record({ do: is("get"), pick: fc.constant(0), wants: is("completed", "failed"), isById }),
).map((step) => ({
  ...step,
  retry: { attempts: 4, backoff: 30, repeats: false, isPicky: false },
}));

/** Steps that are repeated together until a job has ended; some write each time. */
const again = fc.record({
  attempts: fc.integer({ min: 2, max: 4 }),
  backoff: fc.nat({ max: 60 }),
  repeats: fc.boolean(),
  isPicky: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
});
const read = planned(
  fc.record({ do: is("get"), pick: fc.constant(0), wants: is("completed", "failed"), isById }),
).map((step) => ({ ...step, retry: undefined, soft: false, condition: undefined }));
const repeated = fc.tuple(
  planned(fc.record({
    do: is("parallel"),
    steps: fc.tuple(read, fc.array(side, { maxLength: 2 })).map(([one, more]) => [one, ...more]),
  })),
  again,
).map(([step, retry]) => ({ ...step, retry, within: undefined, condition: undefined }));
const fresh = planned(fc.record({ do: is("enqueue"), name: is("noop"), tells }))
  .map((step) => ({ ...step, items: undefined, condition: undefined, soft: false }));
const reused = fc.tuple(
  planned(fc.record({
    do: is("use"),
    level: rarely(fc.integer({ min: 1, max: 9 }), 2),
    gives: fc.boolean(),
    steps: fc.tuple(fresh, read).map((steps) => [...steps]),
    always: fc.array(side, { maxLength: 2 }),
  })),
  again,
).map(([step, retry]) => ({ ...step, retry, within: undefined, condition: undefined }));

/** A job that is asked for again, because it is not as expected. */
const asked = planned(fc.record({ do: is("ask"), pick: fc.constant(0) })).map((step) => ({
  ...step,
  retry: { attempts: 2, backoff: 5, repeats: false, isPicky: false },
  expects: false,
  condition: undefined,
}));

/** A run whose checkpoint and failure have secrets in them, and a wait for it. */
const saying = fc.tuple(
  planned(fc.record({ do: is("start"), name: is("tells"), tells: fc.constant(true) })),
  planned(fc.record({
    do: is("wait"),
    pick: fc.constant(0),
    isById,
    isExpression: fc.constant(false),
    untilStep: fc.constantFrom(SAYS, SAYS, undefined),
    failOn: fc.constant(undefined),
  })),
  planned(fc.record({ do: is("parallel"), steps: fc.constant<StepPlan[]>([]) })),
  again,
  fc.boolean(),
).map(([start, wait, { action: _, ...around }, retry, isInside]) => {
  const waiting: StepPlan = { ...wait, within: undefined };
  const inside: StepPlan = { ...around, action: { do: "parallel", steps: [waiting] }, retry };
  return [
    { ...start, items: undefined, condition: undefined, within: undefined },
    isInside ? { ...inside, within: undefined } : waiting,
  ];
});

/** A recipe that is likely to be stopped, and takes some time to clean up. */
const slow = fc.integer({ min: 100, max: 2_000 }).map((ms): StepPlan => ({
  action: { do: "sleep", ms },
  ...{ soft: false, expectation: 0, side: 1, marks: false },
}));
const stopped = planned(fc.record({
  do: is("use"),
  gives: fc.constant(false),
  steps: fc.tuple(slow).map((steps) => [...steps]),
  always: fc.tuple(slow, side).map((steps) => [...steps]),
})).map((step) => ({ ...step, condition: undefined }));

/** A job that nobody takes. */
const untaken = planned(fc.record({ do: is("enqueue"), name: is("nobody"), tells }))
  .map((step) => ({ ...step, items: undefined, condition: undefined }));

/** Generates waits that may last until the time of `always` is over. */
export const longWait = planned(
  fc.record({ do: is("wait"), pick, isById, isExpression: fc.constant(false) }),
).map((step) => ({ ...step, within: undefined }));

/** A job whose events come among those of another one. */
const busy = planned(fc.record({ do: is("enqueue"), name: is("work", "flaky", "fails"), tells }))
  .map((step) => ({ ...step, items: undefined, condition: undefined }));
const listening = planned(fc.record({
  do: is("events"),
  pick: fc.nat({ max: 1 }),
  channel: is("job", "queue"),
  type: is("job.completed"),
  count: fc.integer({ min: 2, max: 4 }),
}));

/** Generates steps that belong together. */
export const chunks: fc.Arbitrary<StepPlan[]> = fc.oneof(
  { weight: 36, arbitrary: fc.tuple(side) },
  { weight: 1, arbitrary: fc.tuple(use) },
  { weight: 2, arbitrary: fc.tuple(use, output) },
  { weight: 1, arbitrary: fc.tuple(output) },
  { weight: 4, arbitrary: fc.tuple(parallel) },
  { weight: 2, arbitrary: fc.tuple(marked, side, mark) },
  { weight: 2, arbitrary: fc.tuple(marked, awaited) },
  { weight: 1, arbitrary: fc.tuple(busy, busy, listening) },
  { weight: 3, arbitrary: fc.tuple(marked, repeated) },
  { weight: 1, arbitrary: fc.tuple(reused, output) },
  { weight: 1, arbitrary: fc.tuple(marked, asked) },
  { weight: 2, arbitrary: fc.tuple(untaken, stopped) },
  { weight: 1, arbitrary: saying },
  { weight: 1, arbitrary: fc.tuple(gate, side, opening) },
  { weight: 1, arbitrary: fc.tuple(gateInside, opening, side) },
  { weight: 1, arbitrary: fc.tuple(flakyUse) },
  { weight: 2, arbitrary: fc.tuple(useInside) },
  { weight: 1, arbitrary: fc.tuple(useInside, output) },
  { weight: 1, arbitrary: fc.tuple(listed, list.map(soften), waitForList, list) },
  { weight: 1, arbitrary: fc.tuple(listed, list) },
);

/** Another recipe that fails after it has checked something. */
const failingUse = planned(fc.record({
  do: is("use"),
  gives: fc.constant(false),
  steps: fc.tuple(assertion(true), assertion(false)).map((steps) => [...steps]),
  always: fc.constant<StepPlan[]>([]),
})).map((step) => ({ ...step, soft: true, condition: undefined, expects: undefined }));

/** Generates a recipe's steps that are so few that most of them pass. */
export const shortSteps: fc.Arbitrary<StepPlan[]> = fc.tuple(
  fc.oneof(
    fc.tuple(flakyUse),
    fc.tuple(listed, waitForList),
    fc.tuple(failingUse),
    chunks,
    chunks,
  ),
  fc.array(chunks, { maxLength: 1 }),
).map(([some, more]) => [...some, ...more.flat()]);
