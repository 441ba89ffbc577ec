import fc from "fast-check";
import { rarely } from "../program.ts";
import { EXPECTATIONS } from "./assertions.ts";
import {
  type Action,
  CHANNELS,
  JOB_STATES,
  JOBS,
  LACKING,
  NO_VALUE,
  SAYS,
  type StepPlan,
  WORKFLOWS,
} from "./plan.ts";

export const pick = fc.nat({ max: 5 });
export const tells = fc.boolean();
export const isById = fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true));
const mostly = fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false));
const state = fc.constantFrom<string>(...JOB_STATES);
const conditional = fc.oneof({ weight: 8, arbitrary: state }, fc.constant(NO_VALUE));
export const is = <T extends string>(...names: T[]): fc.Arbitrary<T> =>
  fc.constantFrom<T>(...names);

const leaf: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: is("enqueue"),
      name: fc.constantFrom(...JOBS),
      tells,
      queue: rarely(is("other"), 4),
      priority: rarely(fc.integer({ min: 0, max: 9 }), 4),
      lacks: rarely(fc.nat({ max: LACKING.length - 1 }), 16),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: is("start"), name: fc.constantFrom(...WORKFLOWS), tells }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: is("publish"),
      name: is("go", "stop"),
      tells,
      lacks: rarely(fc.nat({ max: LACKING.length - 1 }), 8),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: is("call"),
      name: fc.constantFrom(...JOBS),
      event: rarely(is("go", "stop"), 3),
      tells,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: is("ask"), pick }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: is("wait"),
      pick,
      isById,
      until: rarely(fc.uniqueArray(state, { minLength: 1, maxLength: 2 }), 2),
      isExpression: fc.boolean(),
      asks: rarely(is("retries", "error", "steps"), 6),
      untilStep: rarely(is("one", "before", "reserve", "wait:go", SAYS), 4),
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
  {
    weight: 2,
    arbitrary: fc.record({ do: is("compare"), pick, of: is("state", "name", "tag"), state }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: is("assert"),
      holds: mostly,
      tells,
      conditions: fc.nat({ max: 3 }),
      lines: fc.nat({ max: 3 }),
      wrong: fc.nat({ max: 5 }),
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

/** Generates steps that do something. */
export function planned(action: fc.Arbitrary<Action>): fc.Arbitrary<StepPlan> {
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
    condition: rarely(fc.record({ pick, state: conditional }), 8),
  }) as fc.Arbitrary<StepPlan>;
}

/** Generates steps that can be inside others. */
export const side = planned(leaf);
/** Generates assertions about recipes that were used; scripts throw instead. */
export const output = planned(fc.record({
  do: is("output"),
  pick,
  of: is("level", "level", "state", "made"),
  state: is("none", "pending", "running", "completed"),
}));
/** Generates steps that run others side by side. */
export const parallel = planned(fc.record({
  do: is("parallel"),
  steps: fc.array(side, { minLength: 1, maxLength: 3 }),
}));
const sideOrParallel = fc.oneof({ weight: 8, arbitrary: side }, { weight: 1, arbitrary: parallel });
/** Generates steps that use another recipe. */
export const use = planned(fc.record({
  do: is("use"),
  level: rarely(fc.integer({ min: 1, max: 9 }), 2),
  gives: fc.boolean(),
  steps: fc.array(sideOrParallel, { minLength: 1, maxLength: 4 }),
  always: fc.array(sideOrParallel, { maxLength: 2 }),
}));
