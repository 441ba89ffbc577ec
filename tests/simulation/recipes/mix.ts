import fc from "fast-check";
import type { WorldFaultAction } from "../../../testing/mod.ts";
import { rarely } from "../program.ts";
import { EXPECTATIONS } from "./recipe_text.ts";
import {
  type Action,
  CHANNELS,
  JOB_STATES,
  JOBS,
  ROWS,
  type RunPlan,
  SECRETS,
  type StepPlan,
  WORKFLOWS,
} from "./plan.ts";

const pick = fc.nat({ max: 5 });
const tells = fc.boolean();
const isById = fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true));
const mostly = fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false));
const state = fc.constantFrom<string>(...JOB_STATES);
const is = <T extends string>(...names: T[]) => fc.constantFrom<T>(...names);

const leaf: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: is("enqueue"),
      name: fc.constantFrom(...JOBS),
      tells,
      queue: rarely(is("other"), 4),
      priority: rarely(fc.integer({ min: 0, max: 9 }), 4),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: is("start"), name: fc.constantFrom(...WORKFLOWS), tells }),
  },
  { weight: 2, arbitrary: fc.record({ do: is("publish"), name: is("go", "stop"), tells }) },
  { weight: 2, arbitrary: fc.record({ do: is("call"), name: fc.constantFrom(...JOBS), tells }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: is("wait"),
      pick,
      isById,
      until: rarely(fc.uniqueArray(state, { minLength: 1, maxLength: 2 }), 2),
      isExpression: fc.boolean(),
      untilStep: rarely(is("one", "before", "reserve", "wait:go"), 4),
      failOn: rarely(state, 5),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: is("events"),
      pick,
      channel: fc.constantFrom(...CHANNELS),
      where: rarely(is("type", "own", "attempt"), 2),
      type: is("job.enqueued", "job.completed", "workflow.started", "workflow.step_completed"),
      count: rarely(fc.integer({ min: 1, max: 4 }), 2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: is("get"), pick, wants: rarely(state, 2), isById }) },
  { weight: 1, arbitrary: fc.record({ do: is("cancel"), pick, isById }) },
  { weight: 2, arbitrary: fc.record({ do: is("compare"), pick, state }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: is("assert"),
      holds: mostly,
      tells,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: is("log") }) },
  { weight: 3, arbitrary: fc.record({ do: is("set"), pick, tells }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: is("recall"), state: is("pending", "running", "completed") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: is("mark"), pick, state: is("pending", "running", "completed") }),
  },
  { weight: 2, arbitrary: fc.record({ do: is("sleep"), ms: fc.nat({ max: 500 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: is("advance"),
      ms: fc.constantFrom(1, 100, 2_000, 20_000, 3_600_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: is("stats") }) },
) as fc.Arbitrary<Action>;

function planned(action: fc.Arbitrary<Action>): fc.Arbitrary<StepPlan> {
  return fc.record({
    action,
    within: rarely(
      fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 9_000 })),
      3,
    ),
    soft: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    retry: rarely(
      fc.record({
        attempts: fc.integer({ min: 1, max: 4 }),
        backoff: fc.nat({ max: 300 }),
        repeats: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
        isPicky: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
      }),
      2,
    ),
    expects: rarely(mostly, 6),
    expectation: fc.nat({ max: EXPECTATIONS.length - 1 }),
    items: rarely(fc.integer({ min: 0, max: 5 }), 6),
    side: fc.integer({ min: 1, max: 3 }),
    marks: rarely(fc.constant(true), 3).map((marks) => marks ?? false),
    condition: rarely(fc.record({ pick, state }), 8),
  }) as fc.Arbitrary<StepPlan>;
}

const side = planned(leaf);
const use = planned(fc.record({
  do: is("use"),
  level: rarely(fc.integer({ min: 1, max: 9 }), 2),
  gives: fc.boolean(),
  steps: fc.array(side, { minLength: 1, maxLength: 4 }),
  always: fc.array(side, { maxLength: 2 }),
}));
const output = planned(fc.record({
  do: is("output"),
  pick,
  of: is("level", "level", "state", "made"),
  state: is("none", "pending", "running", "completed"),
}));
const parallel = planned(fc.record({
  do: is("parallel"),
  steps: fc.array(side, { minLength: 1, maxLength: 3 }),
}));
const marked = planned(fc.record({ do: is("enqueue"), name: is("noop", "work"), tells }))
  .map((step) => ({ ...step, marks: true, items: undefined }));
const mark = planned(fc.record({ do: is("mark"), pick: fc.constant(0), state: is("pending") }));

/** A job that is read until it has ended. */
const awaited = planned(
  fc.record({ do: is("get"), pick: fc.constant(0), wants: is("completed", "failed"), isById }),
).map((step) => ({
  ...step,
  retry: { attempts: 4, backoff: 30, repeats: false, isPicky: false },
}));

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

/** Steps that belong together. */
const chunk: fc.Arbitrary<StepPlan[]> = fc.oneof(
  { weight: 36, arbitrary: fc.tuple(side) },
  { weight: 1, arbitrary: fc.tuple(use) },
  { weight: 2, arbitrary: fc.tuple(use, output) },
  { weight: 1, arbitrary: fc.tuple(output) },
  { weight: 4, arbitrary: fc.tuple(parallel) },
  { weight: 2, arbitrary: fc.tuple(marked, side, mark) },
  { weight: 2, arbitrary: fc.tuple(marked, awaited) },
  { weight: 1, arbitrary: fc.tuple(busy, busy, listening) },
);

/** A moment near the beginning of the run, or far from it. */
const quarantine = fc.oneof(
  fc.constantFrom(-86_400_000, 86_400_000, 86_400_000),
  fc.integer({ min: -5, max: 60 }),
);

function recipe(most: number) {
  return fc.record({
    isScript: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    matrix: rarely(fc.constantFrom(["eu", "us"], ["eu", "us", "ap"]), 5),
    rows: rarely(fc.constantFrom(...Object.keys(ROWS) as (keyof typeof ROWS)[]), 6),
    quarantine: rarely(quarantine, 6),
    timeout: rarely(fc.integer({ min: 1, max: 5_000 }), 4),
    steps: fc.array(chunk, { minLength: 1, maxLength: most, size: "max" }).map((it) => it.flat()),
    always: fc.array(side, { maxLength: 3 }),
  });
}

/** The time of recipes in virtual time that have none: by default it is two months. */
const VIRTUAL_TIMEOUT = 30_000;

/** Generates runs of recipes and what happens to them. */
export const runPlans: fc.Arbitrary<RunPlan> = fc.record({
  isCalm: rarely(fc.constant(true), 3),
  seed: fc.nat({ max: 1_000_000 }),
  nodes: fc.integer({ min: 1, max: 2 }),
  latency: fc.constantFrom([1, 1], [1, 5], [0, 40]),
  recipes: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(recipe(8)) },
    { weight: 1, arbitrary: fc.array(recipe(4), { minLength: 2, maxLength: 3 }) },
  ),
  parallel: fc.constantFrom(1, 1, 2, 3),
  bail: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  retries: fc.constantFrom(0, 0, 0, 0, 1, 2),
  failOnFlaky: fc.boolean(),
  limit: rarely(fc.integer({ min: 1, max: 5_000 }), 10),
  left: rarely(fc.integer({ min: 1, max: 4 }), 10),
  isVirtual: rarely(fc.constant(true), 4).map((isVirtual) => isVirtual ?? false),
  place: rarely(fc.constant("here"), 2),
  secrets: fc.tuple(
    fc.constantFrom(...Object.keys(SECRETS)),
    fc.constantFrom(...Object.keys(SECRETS)),
  ),
  interrupt: rarely(fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 3_000 })), 3),
  callTimeout: fc.constantFrom(30_000, 2_000),
  faults: fc.array(
    fc.record({
      frame: fc.integer({ min: 1, max: 50 }),
      do: fc.constantFrom<WorldFaultAction>("cut", "cut", "delay", "drop", "half-open", "refuse"),
      ms: fc.nat({ max: 2_000 }),
    }),
    { maxLength: 3, size: "max" },
  ),
  writeFaults: fc.array(
    fc.record({
      write: fc.integer({ min: 1, max: 4 }),
      of: is("request", "answer"),
      do: fc.constantFrom<WorldFaultAction>("cut", "cut", "drop", "half-open"),
    }),
    { maxLength: 1 },
  ),
  disturbances: fc.array(
    fc.oneof(
      fc.record({ at: fc.nat({ max: 1_000 }), do: is("cut", "half-open") }),
      fc.record({
        at: fc.nat({ max: 1_000 }),
        do: is("restart"),
        ms: fc.constantFrom(0, 300, 8_000),
      }),
    ),
    { maxLength: 1 },
  ),
}).map(({ isCalm, recipes, ...rest }) => {
  const timed = recipes.map((one) => ({ ...one, timeout: one.timeout ?? VIRTUAL_TIMEOUT }));
  const plan = { ...rest, recipes: rest.isVirtual ? timed : recipes };
  if (!isCalm) return plan;
  const { interrupt: _, ...calm } = plan;
  return { ...calm, faults: [], writeFaults: [], disturbances: [] };
}) as fc.Arbitrary<RunPlan>;
