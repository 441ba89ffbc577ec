import fc from "fast-check";
import type { WorldFaultAction } from "../../../testing/mod.ts";
import { rarely } from "../program.ts";

const JOBS = ["noop", "work", "fails", "flaky", "nobody", "tells"] as const;
const WORKFLOWS = ["quick", "nap", "gate", "broken", "tells", "hour", "missing"] as const;
const JOB_STATES = ["completed", "failed", "running", "retrying", "cancelled"] as const;

const CHANNELS = ["jobs", "workflows", "firehose", "queue", "job", "workflow"] as const;

/** The secrets that a recipe can have, by what is special about them. */
export const SECRETS: Readonly<Record<string, string>> = {
  plain: "kR7wQz2mXv9tLb4n",
  special: "p\"a\\s's/<w>&ö r|d`@%$+{x}=",
  lines: "-----BEGIN KEY-----\nQm9vZ2llV29vZ2ll\nVGFuZ29DaGFybGll\n-----END KEY-----",
  digits: "90210445566778",
  address: "https://adalovelace:hunter2hunter2@db.example.com:5432/x?y=1",
};

/** What a step does. A `pick` chooses among the jobs and runs of earlier steps. */
export type Action =
  | { do: "enqueue"; name: typeof JOBS[number]; tells: boolean }
  | { do: "start"; name: typeof WORKFLOWS[number]; tells: boolean }
  | { do: "publish"; name: "go" | "stop"; tells: boolean }
  | { do: "call"; name: typeof JOBS[number]; tells: boolean }
  | {
    do: "wait";
    pick: number;
    until?: string[];
    /** Whether `until` is written as an expression. */
    isExpression: boolean;
    /** The checkpoint that a wait for a run waits for instead. */
    untilStep?: string;
    failOn?: string;
  }
  | {
    do: "events";
    pick: number;
    /** `job` and `workflow` mean the channel of the job or run of an earlier step. */
    channel: typeof CHANNELS[number];
    /** Which events count; `own` means those of the job or run of an earlier step. */
    where?: "type" | "own" | "attempt";
    type: string;
    count?: number;
  }
  | { do: "get" | "cancel"; pick: number }
  | { do: "compare"; pick: number; state: string }
  | { do: "assert"; holds: boolean; tells: boolean }
  | { do: "log" }
  /** Sets the recipe's variable to the state of a job or run, or to a text with a secret. */
  | { do: "set"; pick: number; tells: boolean }
  /** Asserts that the variable is a state. */
  | { do: "recall"; state: string }
  | { do: "sleep"; ms: number }
  | { do: "stats" }
  | { do: "parallel"; steps: StepPlan[] }
  | { do: "use"; steps: StepPlan[]; always: StepPlan[] };

/** A step, before its targets are chosen. Times are in milliseconds. */
export interface StepPlan {
  action: Action;
  within?: number;
  soft: boolean;
  retry?: {
    attempts: number;
    backoff: number;
    repeats: boolean;
    /** Whether only failures of the connection are retried. */
    isPicky: boolean;
  };
  /** Whether an `expect` of the step holds, if it has one. */
  expects?: boolean;
  /** How many items its `for_each` has. */
  items?: number;
  /** Skips the step unless the job or run of an earlier step has a state. */
  condition?: { pick: number; state: string };
}

/** What happens to the recipe from outside, so many milliseconds after its start. */
export type Disturbance =
  | { at: number; do: "cut" | "half-open" }
  | { at: number; do: "restart"; ms: number };

/** Everything that a simulation of a recipe does. */
export interface RecipePlan {
  seed: number;
  nodes: number;
  latency: readonly [number, number];
  /** Whether the recipe is in TypeScript. */
  isScript: boolean;
  /** The values of its matrix, and how many of its cases run at a time. */
  matrix?: { values: readonly string[]; parallel: number; bail: boolean };
  /** The names of its secrets' values. */
  secrets: readonly [string, string];
  timeout?: number;
  /** When the run is interrupted. */
  interrupt?: number;
  /** The timeout of the client's calls. */
  callTimeout: number;
  steps: readonly StepPlan[];
  always: readonly StepPlan[];
  faults: readonly { frame: number; do: WorldFaultAction; ms: number }[];
  /** Faults of the requests that change something, counted from 1, or of their answers. */
  writeFaults: readonly { write: number; of: "request" | "answer"; do: WorldFaultAction }[];
  disturbances: readonly Disturbance[];
}

const pick = fc.nat({ max: 5 });
const tells = fc.boolean();
const mostly = fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false));
const state = fc.constantFrom<string>(...JOB_STATES);
const is = <T extends string>(...names: T[]) => fc.constantFrom<T>(...names);

const leaf: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: is("enqueue"), name: fc.constantFrom(...JOBS), tells }),
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
  { weight: 2, arbitrary: fc.record({ do: is("get", "cancel"), pick }) },
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
  { weight: 2, arbitrary: fc.record({ do: is("sleep"), ms: fc.nat({ max: 500 }) }) },
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
    items: rarely(fc.integer({ min: 1, max: 3 }), 6),
    condition: rarely(fc.record({ pick, state }), 8),
  }) as fc.Arbitrary<StepPlan>;
}

const side = planned(leaf);
const step = fc.oneof(
  { weight: 18, arbitrary: side },
  {
    weight: 1,
    arbitrary: planned(fc.record({
      do: is("use"),
      steps: fc.array(side, { minLength: 1, maxLength: 4 }),
      always: fc.array(side, { maxLength: 2 }),
    })),
  },
  {
    weight: 2,
    arbitrary: planned(fc.record({
      do: is("parallel"),
      steps: fc.array(side, { minLength: 1, maxLength: 3 }),
    })),
  },
);

/** Generates recipes and what happens to them. */
export const recipePlans: fc.Arbitrary<RecipePlan> = fc.record({
  seed: fc.nat({ max: 1_000_000 }),
  nodes: fc.integer({ min: 1, max: 2 }),
  latency: fc.constantFrom([1, 1], [1, 5], [0, 40]),
  isScript: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  matrix: rarely(
    fc.record({
      values: fc.constantFrom(["eu", "us"], ["eu", "us", "ap"]),
      parallel: fc.integer({ min: 1, max: 3 }),
      bail: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
    4,
  ),
  secrets: fc.tuple(
    fc.constantFrom(...Object.keys(SECRETS)),
    fc.constantFrom(...Object.keys(SECRETS)),
  ),
  timeout: rarely(fc.integer({ min: 1, max: 5_000 }), 4),
  interrupt: rarely(fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 3_000 })), 2),
  callTimeout: fc.constantFrom(30_000, 2_000),
  steps: fc.array(step, { minLength: 1, maxLength: 8, size: "max" }),
  always: fc.array(side, { maxLength: 3 }),
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
}) as fc.Arbitrary<RecipePlan>;
