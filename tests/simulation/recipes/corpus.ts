import type { Action, RecipePlan, RunPlan, StepPlan } from "./plan.ts";

/** A recipe that once contradicted a rule, made small. */
export interface FoundRecipe {
  readonly what: string;
  readonly plan: RunPlan;
}

function step(action: Action, more: Partial<StepPlan> = {}): StepPlan {
  return { action, soft: false, side: 1, marks: false, expectation: 0, ...more };
}

function plan(
  steps: readonly StepPlan[],
  recipe: Partial<RecipePlan> = {},
  run: Partial<RunPlan> = {},
): RunPlan {
  return {
    seed: 0,
    nodes: 1,
    latency: [1, 1],
    recipes: [{ isScript: false, steps, always: [], ...recipe }],
    parallel: 1,
    bail: false,
    retries: 0,
    failOnFlaky: false,
    isVirtual: false,
    secrets: ["plain", "special"],
    callTimeout: 30_000,
    faults: [],
    writeFaults: [],
    disturbances: [],
    ...run,
  };
}

const assertion = (holds: boolean) =>
  step({ do: "assert", holds, tells: false, conditions: 1, lines: 0, wrong: 0 });
const nobody = step({ do: "enqueue", name: "nobody", tells: false });
const start = step({ do: "start", name: "quick", tells: false });
const wait = step({ do: "wait", pick: 0, isById: false, isExpression: false });

/** Every recipe that the simulation has found. */
export const CORPUS: readonly FoundRecipe[] = [
  {
    what: "readers of TAP do not fail a build because of the steps of a case in quarantine",
    plan: plan([
      assertion(false),
    ], { quarantine: 86_400_000 }),
  },
  {
    what: "a script whose time is over while the server is silent is errored, as in YAML",
    plan: plan([nobody, wait], {
      isScript: true,
      timeout: 3_007,
    }, { disturbances: [{ at: 5, do: "half-open" }] }),
  },
  {
    what: "a script whose `always` waits for a silent server is errored, as in YAML",
    plan: plan([nobody], {
      isScript: true,
      always: [wait],
    }, { disturbances: [{ at: 5, do: "half-open" }] }),
  },
  {
    what: "a soft step that is interrupted before its time is over is still soft",
    plan: plan(
      [
        step({ do: "use", gives: false, steps: [nobody], always: [start] }, { soft: true }),
      ],
      { timeout: 1 },
      { interrupt: 0 },
    ),
  },
  {
    what: "a cancel without a job has sent nothing, so that it is retried",
    plan: plan([
      nobody,
      step({ do: "enqueue", name: "nobody", tells: false }, {
        condition: { pick: 0, state: "completed" },
      }),
      step({
        do: "parallel",
        steps: [
          step({ do: "cancel", pick: 0, isById: false }, {
            retry: { attempts: 2, backoff: 0, repeats: false, isPicky: false },
          }),
        ],
      }),
    ]),
  },
  {
    what: "no time passes between a script in virtual time and its clean-up, in later attempts",
    plan: plan([
      step({ do: "start", name: "hour", tells: false }),
      wait,
    ], {
      isScript: true,
      timeout: 30_000,
      always: [step({ do: "sleep", ms: 20 })],
    }, { retries: 2, isVirtual: true }),
  },
  {
    what: "what `advance` skips in `always` takes no time from the `always` of a used recipe",
    plan: plan([nobody], {
      timeout: 30_000,
      always: [
        step({ do: "advance", ms: 3_600_000 }),
        step({ do: "use", gives: false, steps: [nobody], always: [nobody] }),
      ],
    }, { isVirtual: true }),
  },
  {
    what: "the console says why a step failed that has the number of a soft `parallel`",
    plan: plan([
      nobody,
      step({ do: "parallel", steps: [assertion(false)] }, { soft: true }),
    ], { always: [assertion(true), { ...wait, within: 10 }] }),
  },
  {
    what: "a check that a script makes beside a job that was not created is to run",
    plan: plan([
      { ...nobody, within: 1, expectation: 3 },
      step({
        do: "parallel",
        steps: [
          step({ do: "get", pick: 0, isById: false }),
          step({ do: "events", pick: 0, channel: "job", type: "job.completed" }),
        ],
      }),
    ], { isScript: true }),
  },
  {
    what: "GitHub shows a failure in quarantine before ten remarks about other cases",
    plan: plan([], {}, {
      recipes: [
        { isScript: false, steps: Array(11).fill({ ...assertion(false), soft: true }), always: [] },
        {
          isScript: false,
          steps: [nobody, { ...wait, within: 10 }],
          always: [],
          quarantine: 86_400_000,
        },
      ],
    }),
  },
  {
    what: "GitHub has no room for a failure after ten cases that checked nothing",
    plan: plan([], {}, {
      recipes: [
        ...Array(10).fill({ isScript: false, steps: [nobody], always: [] }),
        { isScript: false, steps: [nobody, { ...wait, within: 10 }], always: [] },
      ],
    }),
  },
  {
    what: "a case may begin at the very time at which another one fails",
    plan: plan([], {}, {
      recipes: [assertion(false), assertion(false), assertion(true), assertion(true)]
        .map((one) => ({ isScript: false, steps: [one], always: [] })),
      parallel: 3,
      bail: true,
    }),
  },
];
