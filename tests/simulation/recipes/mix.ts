import fc from "fast-check";
import type { WorldFaultAction } from "../../../testing/mod.ts";
import { rarely } from "../program.ts";
import { chunks, longWait, shortSteps } from "./mix_of_chunks.ts";
import { output, parallel, side, use } from "./mix_of_steps.ts";
import { ROWS, type RunPlan, SECRETS } from "./plan.ts";

const is = <T extends string>(...names: T[]) => fc.constantFrom<T>(...names);

/** A moment near the beginning of the run, or far from it. */
const quarantine = fc.oneof(
  fc.constantFrom(-86_400_000, 86_400_000, 86_400_000),
  fc.integer({ min: -5, max: 60 }),
);

function recipe(most: number) {
  return fc.record({
    isScript: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    matrix: rarely(fc.constantFrom(["eu", "us"], ["eu", "us", "ap"]), 5),
    numbers: rarely(fc.constantFrom([1, 2], [3]), 3),
    rows: rarely(fc.constantFrom(...Object.keys(ROWS) as (keyof typeof ROWS)[]), 6),
    quarantine: rarely(quarantine, 6),
    timeout: rarely(fc.integer({ min: 1, max: 5_000 }), 4),
    steps: fc.oneof(
      {
        weight: 7,
        arbitrary: fc.array(chunks, { minLength: 1, maxLength: most, size: "max" })
          .map((it) => it.flat()),
      },
      { weight: 1, arbitrary: shortSteps },
    ),
    always: fc.array(
      fc.oneof(
        { weight: 18, arbitrary: side },
        { weight: 2, arbitrary: parallel },
        { weight: 1, arbitrary: use },
        { weight: 2, arbitrary: longWait },
        { weight: 1, arbitrary: output },
      ),
      { maxLength: 3 },
    ),
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
  isUnreachable: rarely(fc.constant(true), 60),
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
