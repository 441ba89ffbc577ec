// Runs of several cases: their order, their events, the exit code, and errors outside of steps.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Mask } from "../../runner/engine/mask.ts";
import { planCases } from "../../runner/engine/run.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import type { RecipeEvent } from "../../runner/mod.ts";
import { ExitCallError } from "../../runtime/exit_calls.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import {
  type EngineResult,
  ofType,
  readValid,
  runEngine,
  scriptRecipe,
  unhandledErrors,
} from "./_engine.ts";
import { ends } from "./_recipe.ts";

const PASS = "name: Pass\nsteps: [{ assert: true }]\n";
const FAIL = "name: Fail\nsteps: [{ assert: 1 == 2 }]\n";
const UNCHECKED = "name: Unchecked\nsteps: [{ sleep: 1ms }]\n";
const ERRORED = "name: Errored\nsecrets: [NONE]\nsteps: [{ assert: true }]\n";
const FLAKY = `
name: Flaky
vars: { n: 0 }
steps:
  - parallel:
      - set: { n: "\${{ vars.n + 1 }}" }
      - sleep: 1ms
        expect: { vars.n: 2 }
    retry: { attempts: 2, backoff: 1ms }
`;

function last({ events }: EngineResult) {
  const event = events.at(-1);
  assert.ok(event?.type === "run.finished");
  return event;
}

function statuses(result: EngineResult): string[] {
  return ofType(result, "case.finished").map(({ name, status }) => `${name} ${status}`);
}

for (
  const [what, recipes, exitCode] of [
    ["all cases pass", [PASS, FLAKY], 0],
    ["a case fails", [PASS, FAIL, ERRORED, UNCHECKED], 1],
    ["a case could not be run", [PASS, ERRORED, UNCHECKED], 3],
    ["a case checks nothing", [PASS, UNCHECKED], 4],
    ["there is no case", [], 4],
  ] as const
) {
  test(`exits with ${exitCode} when ${what}`, async () => {
    const result = await runEngine(recipes);
    assert.equal(result.exitCode, exitCode);
    assert.equal(last(result).exit_code, exitCode);
  });
}

test("counts the cases by their outcome, and the warnings", async () => {
  const published = "name: Left\nsteps: [{ publish: paid }, { assert: true }]\n";
  const result = await runEngine([PASS, FLAKY, FAIL, ERRORED, UNCHECKED, published], {
    client: { publishEvent: () => Promise.resolve({ event_id: "e1", name: "paid" }) },
  });
  assert.deepEqual(last(result).counts, {
    passed: 3,
    failed: 1,
    errored: 1,
    unchecked: 1,
    interrupted: 0,
    skipped: 0,
    flaky: 1,
    warnings: 1,
  });
});

test("the first and the last event describe the run", async () => {
  const result = await runEngine([UNCHECKED, PASS], { server: "ws://here/" });
  const [first] = result.events;
  assert.deepEqual(first, {
    type: "run.started",
    version: 1,
    cases: 2,
    server: "ws://here/",
    ts: "2026-01-01T00:00:00.000Z",
  });
  const { duration_ms, interrupted, ts } = last(result);
  assert.deepEqual([duration_ms, interrupted, ts], [1, false, "2026-01-01T00:00:00.001Z"]);
});

test("masks the secrets that the caller has added, and those of recipes", async () => {
  const mask = new Mask();
  mask.add("caller's");
  const recipe = "name: x\nsecrets: [KEY]\nsteps: [{ log: caller's recipe's }, { assert: true }]\n";
  for (const [settings, text] of [[{ mask }, "*** ***"], [{}, "caller's ***"]] as const) {
    const result = await runEngine(recipe, { env: () => "recipe's", ...settings });
    assert.equal(ofType(result, "log")[0]!.text, text);
  }
});

test("every case has the name and the file of its recipe, also without a connection", async () => {
  const recipe = `
name: Sizes
tags: [slow]
vars: { n: 1 }
matrix: { size: [1, 2] }
steps: [{ assert: true }]
`;
  const about = (i: number) => ({
    case: i,
    name: `Sizes [size=${i + 1}]`,
    file: "r.yaml",
    ts: "2026-01-01T00:00:00.000Z",
  });
  const tags = ["slow"];
  const matrix = (i: number) => ({ size: i + 1 });
  const connected = await runEngine(recipe);
  assert.deepEqual(
    ofType(connected, "case.started"),
    [0, 1].map((i) => ({
      type: "case.started",
      ...about(i),
      tags,
      vars: { n: 1 },
      matrix: matrix(i),
    })),
  );
  assert.deepEqual(
    ofType(connected, "case.finished"),
    [0, 1].map((i) => ({
      type: "case.finished",
      ...about(i),
      status: "passed",
      flaky: false,
      duration_ms: 0,
    })),
  );
  const failure = { kind: "connection", message: "no server", lines: [] };
  const refused = await runEngine(recipe, {
    client: new Error("no server"),
    plan: (recipes) =>
      planCases(recipes).map((one, i) => i === 0 ? one : { ...one, vars: { n: 3 } }),
  });
  assert.equal(refused.exitCode, 3);
  assert.deepEqual(
    refused.events.slice(1, -1),
    [0, 1].flatMap((i) => [
      { type: "case.started", ...about(i), tags, vars: i === 0 ? {} : { n: 3 }, matrix: matrix(i) },
      {
        type: "case.finished",
        ...about(i),
        status: "errored",
        flaky: false,
        failure,
        duration_ms: 0,
      },
    ]) as unknown as RecipeEvent[],
  );
  const single = await runEngine(PASS, { client: new Error("no server") });
  assert.equal("matrix" in single.events[1]!, false);
  assert.equal("matrix" in (await runEngine(PASS)).events[1]!, false);
});

test("a case has the variables and the random numbers planned for it", async () => {
  const recipe = "vars: { n: 1 }\nsteps: [{ log: '${{ vars.n }} ${{ random(10) }}' }]\n";
  const result = await runEngine(recipe, {
    random: () => 0.25,
    plan: ([recipe]) => [
      { recipe: recipe! },
      { recipe: recipe!, vars: { n: 2 }, random: () => 0.75 },
    ],
  });
  assert.deepEqual(ofType(result, "log").map(({ text }) => text), ["1 2", "2 7"]);
});

test("`bail` starts no further case after one that has not passed", async () => {
  for (const first of [FAIL, ERRORED, UNCHECKED]) {
    const result = await runEngine([PASS, first, PASS, FAIL], { bail: true });
    assert.equal(ofType(result, "case.started").length, 2);
    assert.deepEqual(
      ofType(result, "case.skipped"),
      [["Pass", 2], ["Fail", 3]].map(([name, i]) => ({
        type: "case.skipped",
        case: i,
        name,
        file: `r${Number(i) + 1}.yaml`,
        reason: "bail",
        ts: last(result).ts,
      })) as unknown as ReturnType<typeof ofType<"case.skipped">>,
    );
    assert.equal(last(result).counts.skipped, 2);
    assert.equal(last(result).counts.interrupted, 0);
  }
  const all = await runEngine([PASS, FAIL, PASS]);
  assert.equal(ofType(all, "case.started").length, 3);
});

test("an interruption starts no further case, and exits with 130", async () => {
  const stop = new AbortController();
  const result = await runEngine([PASS, "name: Long\nsteps: [{ sleep: 1h }]\n", PASS], {
    bail: true,
    signal: stop.signal,
    onEvent: ({ type }) => void (type === "step.started" && stop.abort(new InterruptedError())),
  });
  assert.equal(result.exitCode, 130);
  assert.equal(last(result).interrupted, true);
  const skipped = ofType(result, "case.skipped");
  assert.deepEqual(skipped.map(({ reason }) => reason), ["interrupted", "interrupted"]);
  assert.deepEqual([last(result).counts.interrupted, last(result).counts.skipped], [3, 0]);
});

test("runs as many cases at a time as `parallel` allows", async () => {
  const recipes = Array(5).fill("steps: [{ sleep: 1s }, { assert: true }]\n");
  for (const [parallel, ms] of [[undefined, 5_000], [0, 5_000], [2, 3_000], [9, 1_000]] as const) {
    const result = await runEngine(recipes, parallel === undefined ? {} : { parallel });
    assert.equal(result.ms, ms);
  }
});

test("warns of unconsumed events of parallel cases once all cases have ended", async () => {
  const recipe = (name: string) =>
    `name: ${name}\nsteps: [{ publish: "${name}-paid" }, { start: flow }, { assert: true }]\n`;
  let runs = 0;
  const client = {
    publishEvent: (name: string) => Promise.resolve({ event_id: `event-of-${name}`, name }),
    startWorkflow: () => Promise.resolve({ run_id: `run-${++runs}`, state: "running" }),
    // A run of the second case has consumed the event of the first.
    workflowTimeline: (id: string) =>
      Promise.resolve(id === "run-2" ? [{ step_name: "e", data: { id: "event-of-A-paid" } }] : []),
  };
  const together = await runEngine([recipe("A"), recipe("B")], { client, parallel: 2 });
  const [warning, ...more] = ofType(together, "warning");
  assert.deepEqual(more, []);
  assert.equal("case" in warning!, false);
  assert.match(warning!.text, /^B: event `B-paid` \(event-of-B-paid\) was not consumed/);
  assert.equal(together.events.at(-2), warning);
  runs = 0;
  const alone = await runEngine([recipe("A")], { client, parallel: 2 });
  assert.match(ofType(alone, "warning")[0]!.text, /^event `A-paid`/);
  assert.equal(ofType(alone, "warning")[0]!.case, 0);
});

const HERE = fileURLToPath(import.meta.url);

/** An error whose stack has the module of a recipe. */
function errorIn(module: string, message: string): Error {
  const error = new Error(message);
  error.stack = `Error: ${message}\n    at Object.run (${module}:1:8)`;
  return error;
}

/** Runs three cases at a time, and lets an error happen outside of their steps. */
async function withUnhandled(error: unknown, withScripts: boolean): Promise<EngineResult> {
  using unhandled = unhandledErrors();
  let started = 0;
  const body = async (t: { sleep(duration: string): Promise<void>; assert(ok: unknown): void }) => {
    t.assert(true);
    await t.sleep("1m");
  };
  const recipes = withScripts
    ? [
      scriptRecipe(body, { name: "A", module: "/recipes/a.recipe.ts" }),
      scriptRecipe(body, { name: "B", module: "/recipes/b.recipe.ts" }),
    ]
    : ["name: A\nsteps: [{ sleep: 1m }, { assert: true }]\n"];
  return await runEngine([...recipes, "name: Y\nsteps: [{ sleep: 1m }, { assert: true }]\n"], {
    parallel: 3,
    onEvent: ({ type }) => {
      if (type === "case.started" && ++started === recipes.length + 1) {
        setTimeout(() => unhandled.report(error), 0);
      }
    },
  });
}

test("an unhandled error fails the recipe whose module is in its stack", async () => {
  const result = await withUnhandled(errorIn("/recipes/b.recipe.ts", "boom"), true);
  assert.deepEqual(statuses(result).toSorted(), ["A passed", "B failed", "Y passed"]);
  const { failure } = ofType(result, "case.finished").find(({ name }) => name === "B")!;
  assert.equal(failure!.message, "boom");
  assert.deepEqual([failure!.place!.line, failure!.place!.column], [1, 8]);
  assert.deepEqual(ofType(result, "warning"), []);
  const step = ends(result.events).find(({ status }) => status === "interrupted")!;
  assert.deepEqual([step.case, step.failure!.message], [1, "the recipe has already failed"]);
});

test("an unhandled error from elsewhere fails all recipes in TypeScript that run", async () => {
  const result = await withUnhandled(errorIn("/lib/other.ts", "boom"), true);
  assert.deepEqual(statuses(result).toSorted(), ["A failed", "B failed", "Y passed"]);
});

test("an unhandled error fails all cases if none is in TypeScript", async () => {
  const result = await withUnhandled("text", false);
  assert.deepEqual(statuses(result).toSorted(), ["A failed", "Y failed"]);
  const { failure } = ofType(result, "case.finished")[0]!;
  assert.equal(failure!.message, "the recipe threw text");
});

test("the error of a call that would end the process is reported once", async () => {
  const result = await withUnhandled(new ExitCallError("process.exit(0)"), true);
  assert.deepEqual(new Set(statuses(result)), new Set(["A passed", "B passed", "Y passed"]));
  assert.deepEqual(ofType(result, "warning"), []);
});

test("an unhandled error while no case runs is a warning, and the run removes its listener", async () => {
  using unhandled = unhandledErrors();
  let asked = 0;
  const recipe = "steps: [{ publish: paid }, { start: flow }, { assert: true }]\n";
  const client = {
    publishEvent: (name: string) => Promise.resolve({ event_id: "e1", name }),
    startWorkflow: () => Promise.resolve({ run_id: "run", state: "running" }),
    workflowTimeline: () => {
      if (++asked === 3) unhandled.report(new Error("boom"));
      return Promise.resolve([]);
    },
  };
  const result = await runEngine([recipe, recipe], { client, parallel: 2 });
  assert.equal(result.exitCode, 0);
  assert.equal(ofType(result, "warning")[0]!.text, "unhandled error: boom");
  assert.equal(unhandled.listeners, 0);
});

test("a second unhandled error, or one after a failure, is a warning", async () => {
  using unhandled = unhandledErrors();
  const recipe = scriptRecipe((t) => {
    t.always(async () => {
      unhandled.report(errorIn(HERE, "first"));
      unhandled.report(errorIn(HERE, "second"));
      await t.sleep("1ms");
    });
    t.assert(false, "no");
  }, { module: HERE });
  const result = await runEngine([recipe]);
  assert.deepEqual(ofType(result, "warning").map(({ text }) => text), ["unhandled error: first"]);
  assert.equal(ofType(result, "case.finished")[0]!.failure!.message, "the assertion failed: no");
});

/** Replaces `process.exit`, so that a run that does not catch a call cannot end the tests. */
function withoutExit(): Disposable {
  const { exit } = process;
  const replaced = (): never => {
    throw new Error("the run has not caught the call");
  };
  process.exit = replaced;
  return {
    [Symbol.dispose]: () => {
      process.exit = exit;
    },
  };
}

test("a call of `process.exit` fails its recipe, and the run exits with 3", async () => {
  using _exit = withoutExit();
  const exits = scriptRecipe((t) => {
    t.assert(true);
    process.exit(0);
  }, { name: "Exits" });
  const result = await runEngine([exits, PASS, FAIL]);
  assert.equal(result.exitCode, 3);
  assert.deepEqual(statuses(result), ["Exits errored", "Pass passed", "Fail failed"]);
  assert.equal(ofType(result, "case.finished")[0]!.failure!.code, "exit_call");
});

test("a call of `process.exit` while no recipe runs is a warning", async () => {
  using _exit = withoutExit();
  const recipe = scriptRecipe(async (t) => {
    await t.publish("paid");
    await t.start("flow");
    t.assert(true);
  });
  let asked = 0;
  const client = {
    publishEvent: (name: string) => Promise.resolve({ event_id: "e1", name }),
    startWorkflow: () => Promise.resolve({ run_id: "run", state: "running" }),
    workflowTimeline: () => {
      if (++asked === 3) assert.throws(() => process.exit(2), ExitCallError);
      return Promise.resolve([]);
    },
  };
  const result = await runEngine([recipe, recipe], { client, parallel: 2 });
  assert.equal(result.exitCode, 3);
  assert.match(
    ofType(result, "warning")[0]!.text,
    /^`process\.exit\(2\)` was called: .*; the recipe had ended before$/,
  );
  assert.throws(() => process.exit(0), /the run has not caught the call/);
});

test("runs without a recipe in TypeScript leave `process.exit` alone", async () => {
  using _exit = withoutExit();
  const { exit } = process;
  let seen: unknown;
  await runEngine(PASS, { onEvent: () => void (seen = process.exit) });
  assert.equal(seen, exit);
});

test("a recipe in TypeScript cannot run without `openScript`", async () => {
  using unhandled = unhandledErrors();
  await assert.rejects(
    runEngine([scriptRecipe(() => {})], { openScript: undefined as never }),
    /^Error: Cannot run a recipe in TypeScript without openScript$/,
  );
  assert.equal(unhandled.listeners, 0);
});

test("recipes in YAML run without `openScript`", async () => {
  const result = await runEngine("steps: [{ assert: true }]\nalways: [{ log: x }]\n", {
    openScript: undefined as never,
  });
  assert.equal(result.exitCode, 0);
});

test("times are split for clocks whose timers have a limit", async () => {
  const clock = new FakeClock();
  const longest = 2 ** 31 - 1;
  const { setTimeout } = clock;
  clock.setTimeout = (callback, ms) => {
    assert.ok(ms <= longest, `a timer of ${ms} ms`);
    return setTimeout.call(clock, callback, ms);
  };
  const recipe = await readValid(
    "r.yaml",
    "timeout: 2000h\nsteps: [{ sleep: 1000h }, { assert: true }]\n",
  );
  const result = await runEngine([recipe], { clock });
  assert.equal(result.exitCode, 0);
  assert.equal(ends(result.events)[0]!.duration_ms, 3_600_000_000);
});
