// What a step sees and can do while it runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TimeoutError } from "../../client/errors.ts";
import { runAttempt } from "../../runner/engine/attempt.ts";
import { CaseState } from "../../runner/engine/case_state.ts";
import { initialScope } from "../../runner/engine/initial_scope.ts";
import { Mask } from "../../runner/engine/mask.ts";
import { AttemptContext } from "../../runner/engine/step_context.ts";
import { StepReport } from "../../runner/engine/step_report.ts";
import type { StepScope } from "../../runner/engine/scopes.ts";
import { Deadline, InterruptedError } from "../../runner/events/deadline.ts";
import type { StepFinished, Unstamped } from "../../runner/events/event.ts";
import { StepFailure } from "../../runner/events/failure.ts";
import { literal } from "../../runner/expression/template.ts";
import type { RunnerClient } from "../../runner/steps/context.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ofType, readValid, runEngine } from "./_engine.ts";
import { ends } from "./_recipe.ts";

/** The state of a case over a recipe, whose events are collected, and the scope of its steps. */
async function stateOf(text: string, client: object = {}, outerNumber?: string) {
  const recipe = await readValid("r.yaml", text);
  const clock = new FakeClock();
  const events: Unstamped[] = [];
  const state = new CaseState(
    recipe,
    {
      index: 3,
      client: client as RunnerClient,
      clock,
      random: () => 0.5,
      emit: (event) => void events.push(event),
      mask: new Mask(),
      env: () => undefined,
      vars: {},
    },
    () => Promise.resolve({}),
    outerNumber,
  );
  state.prepare();
  const deadline = new Deadline(clock, Infinity, new AbortController().signal);
  const scope: StepScope = {
    case: state,
    deadline,
    results: state.results,
    locals: {},
    onWrite() {},
  };
  return { recipe, clock, events, state, scope };
}

/** The context of the first step of a recipe. */
async function contextOf(text: string, client: object = {}) {
  const { recipe, scope, ...rest } = await stateOf(text, client);
  const nested = { parallel: () => Promise.resolve(), use: () => Promise.resolve({}) };
  const step = recipe.steps[0]!;
  const context = new AttemptContext(step, scope, nested);
  return { ...rest, recipe, scope, step, context };
}

test("calls of the client have no limit of their own in a step with `within`", async () => {
  const seen: unknown[] = [];
  const client = {
    call: (_name: string, _data: unknown, { signal, ...options }: { signal: AbortSignal }) => {
      seen.push([options, signal.aborted]);
      return Promise.resolve({});
    },
  };
  await runEngine(
    "steps:\n  - call: job.list\n  - call: job.list\n    within: 1s\n  - assert: true\n",
    { client },
  );
  assert.deepEqual(seen, [[{}, false], [{ timeout: 0 }, false]]);
});

test("`text` accepts only a string that is not empty", async () => {
  const { context } = await contextOf("steps:\n  - log: ${{ 1 + 1 }}\n  - assert: true\n");
  assert.equal(context.text(literal("x")), "x");
  for (
    const [value, message] of [
      ["", "the text is empty"],
      [3, "3 is not text"],
      [{ a: [null] }, '{"a":[null]} is not text'],
      [undefined, "nothing is not text"],
    ] as const
  ) {
    assert.throws(
      () => context.text(literal(value)),
      { name: "StepFailure", kind: "evaluation", message, span: undefined },
    );
  }
});

test("`number` accepts only an exact whole number", async () => {
  const { context } = await contextOf("steps: [{ assert: true }]\n");
  assert.equal(context.number(literal(-3)), -3);
  for (const value of [1.5, 2 ** 53, "3", null]) {
    assert.throws(
      () => context.number(literal(value)),
      { kind: "evaluation", message: `${JSON.stringify(value)} is not a whole number` },
    );
  }
});

test("a value that cannot be used is shown at the place of its expression", async () => {
  const { context, step } = await contextOf("steps:\n  - log: ${{ 1 + 1 }}\n  - assert: true\n");
  const span = { start: 20, end: 25 };
  assert.throws(() => context.text(step.fields.log), { message: "2 is not text", span });
  assert.throws(() => context.duration(step.fields.log), {
    kind: "evaluation",
    message: "`2` is not a duration",
    span,
  });
  assert.equal(context.number(step.fields.log), 2);
  assert.equal(context.duration(literal("2s")), 2_000);
});

test("a condition must be true or false", async () => {
  const { context, step } = await contextOf(
    "inputs: { v: { type: any, default: x } }\nsteps:\n  - if: inputs.v\n    assert: true\n",
  );
  assert.throws(() => context.holds(step.if!), {
    kind: "evaluation",
    message: "`inputs.v` is neither true nor false",
    span: { start: 56, end: 64 },
  });
});

test("a condition sees the names that are given with it, converted for expressions", async () => {
  const { context, step } = await contextOf(
    "steps:\n  - wait: { channel: jobs, where: event.data.n == 1 }\n",
  );
  const { where } = step.fields.wait;
  assert.equal(context.holds(where, { event: { data: { n: 1 } } }), true);
  assert.equal(context.holds(where, { event: { data: { n: 2 } } }), false);
  assert.deepEqual(Object.keys(context.values({ a: 1 })), ["a"]);
  assert.deepEqual(Object.keys(context.values()), []);
});

test("progress keeps the time at which the same text was first reported", async () => {
  const { context, clock, events } = await contextOf("steps: [{ assert: true }]\n");
  const at = (seconds: number) => `2026-01-01T00:00:0${seconds}.000Z`;
  for (const text of ["pending", "pending", "running", "pending"]) {
    context.reportProgress(text);
    clock.advance(1_000);
  }
  const step = { type: "step.progress", case: 3, step: "1", phase: "steps" };
  assert.deepEqual(events, [
    { ...step, text: "pending", since: at(0) },
    { ...step, text: "pending", since: at(0) },
    { ...step, text: "running", since: at(2) },
    { ...step, text: "pending", since: at(3) },
  ]);
});

test("adds lines, checks and published events to the case", async () => {
  const { context, events, state, recipe } = await contextOf(
    "steps:\n  - log: x\n  - assert:\n      - true\n",
  );
  context.log("a line");
  assert.deepEqual(events, [
    { type: "log", case: 3, step: "1", phase: "steps", text: "a line" },
  ]);
  context.countCheck();
  context.countCheck();
  assert.equal(state.verdict.checks, 2);
  const event = { event_id: "e1", name: "paid" };
  context.addPublished(event);
  assert.deepEqual(context.publishedEvents, [event]);
  assert.deepEqual(state.published, [event]);
  assert.equal(context.lineOf(recipe.steps[1]!.span), 3);
});

test("a step knows whether its time is over, or the run was interrupted", async () => {
  const { step, scope, clock } = await contextOf("steps: [{ assert: true }]\n");
  const nested = { parallel: () => Promise.resolve(), use: () => Promise.resolve({}) };
  const stop = new AbortController();
  const own = new Deadline(clock, clock.now() + 10, stop.signal);
  const context = new AttemptContext(step, { ...scope, deadline: own }, nested);
  assert.equal(context.timedOut, false);
  clock.advance(10);
  assert.equal(context.timedOut, true);
  const late = new Deadline(clock, clock.now() + 10, stop.signal);
  const interrupted = new AttemptContext(step, { ...scope, deadline: late }, nested);
  stop.abort(new InterruptedError());
  assert.deepEqual([interrupted.signal.aborted, interrupted.timedOut], [true, false]);
});

test("events of a job are collected only if an expression uses those of this step", async () => {
  const job = { kind: "job", id: "j1" } as const;
  async function* stream() {
    yield await Promise.resolve({ type: "job.started", ts: "now", topic: "job:j1", data: {} });
  }
  const collected = async (text: string) => {
    const { context } = await contextOf(text);
    const events = context.collectEvents(job, stream);
    await context.lastEvents(job);
    assert.equal(context.eventsOf(job).length, events.length);
    return events.map(({ type }) => type);
  };
  const use = "  - assert: size(job.events) == 0\n";
  assert.deepEqual(await collected(`steps:\n  - id: job\n    enqueue: noop\n${use}`), [
    "job.started",
  ]);
  assert.deepEqual(await collected("steps:\n  - id: job\n    enqueue: noop\n"), []);
  assert.deepEqual(
    await collected(`steps:\n  - enqueue: noop\n  - id: job\n    enqueue: noop\n${use}`),
    [],
  );
});

test("the failure of a step whose time is over keeps the error of the client", async () => {
  const error = new TimeoutError("no answer");
  const client = {
    call: (_name: string, _data: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(error))),
  };
  const { step, scope, clock } = await contextOf(
    "steps:\n  - call: job.list\n    within: 1s\n",
    client,
  );
  const attempt = runAttempt(
    1,
    step,
    scope,
    new StepReport(step, scope),
    () => Promise.resolve(),
  );
  await Promise.resolve();
  clock.advance(1_000);
  const result = await attempt;
  assert.ok(!result.passed);
  assert.equal((result.error as Error).message, "not done within 1s");
  assert.equal((result.error as Error).cause, error);
});

test("the end of a step says what its wait has seen, whether it passed or failed", async () => {
  const { step, scope, events } = await contextOf("steps:\n  - assert: true\n");
  const report = new StepReport(step, scope);
  const observed = { states: [{ state: "running", at: "now" }], timeline: [] };
  report.passed(1, { observed });
  report.passed(1);
  report.failed(1, new StepFailure("wait", "no", { observed }));
  report.failed(1, new StepFailure("wait", "no"));
  const finished = events as StepFinished[];
  assert.deepEqual(finished.map((event) => event.observed), [
    ...[observed, undefined, observed, undefined],
  ]);
  assert.deepEqual(finished.map((event) => "observed" in event), [true, false, true, false]);
  assert.deepEqual(finished.map(({ failure }) => failure?.lines), [undefined, undefined, [], []]);
});

test("variables get their values in order, keep their types, and can be set by the user", async () => {
  const result = await runEngine(
    `
vars: { a: 1, b: "\${{ vars.a + 1 }}", c: "\${{ vars.b + 1 }}", price: 1.5, must: { type: integer } }
steps:
  - assert: vars.b == 11 && vars.c == 12 && vars.price * 2.0 == 4.0
  - set: { price: 3 }
  - assert: vars.price * 2.0 == 6.0
`,
    { plan: ([recipe]) => [{ recipe: recipe!, vars: { a: 10, price: 2 } }] },
  );
  assert.equal(result.exitCode, 0, JSON.stringify(ends(result.events)));
});

test("the number of a step in a used recipe begins with that of the step that uses it", async () => {
  const inner = await stateOf("steps: [{ assert: true }]\n", {}, "2.1");
  assert.equal(inner.state.stepNumber(inner.recipe.steps[0]!), "2.1.1");
  const outer = await stateOf("steps: [{ assert: true }]\n");
  assert.equal(outer.state.stepNumber(outer.recipe.steps[0]!), "1");
});

test("the end of a case unsubscribes from its channels and stops collecting events", async () => {
  let unsubscribed = 0;
  let eventsSignal: AbortSignal | undefined;
  const subscription = () =>
    Object.assign(Promise.resolve((async function* () {})()), {
      unsubscribe: () => Promise.resolve(void unsubscribed++),
    });
  const client = {
    subscribe: subscription,
    enqueue: () =>
      Promise.resolve({
        job_id: "j1",
        events({ signal }: { signal: AbortSignal }) {
          eventsSignal = signal;
          return (async function* () {})();
        },
      }),
  };
  const files = {
    "in.yaml":
      "steps:\n  - id: job\n    enqueue: noop\n  - assert: size(job.events) == 0\n  - if: false\n    wait: { channel: jobs }\n",
  };
  await runEngine("steps: [{ use: in.yaml }]\n", {
    client,
    files,
    onEvent: (event) => {
      // The used recipe has ended, the case has not.
      if (event.type !== "step.finished" || event.step !== "1") return;
      assert.deepEqual([unsubscribed, eventsSignal!.aborted], [1, true]);
    },
  });
  await runEngine(files["in.yaml"], { client });
  assert.deepEqual([unsubscribed, eventsSignal!.aborted], [2, true]);
});

test("warns when the events of a job cannot be read, or are too many to keep", async () => {
  const run = async (events: () => AsyncIterable<unknown>) => {
    const result = await runEngine(
      "steps:\n  - id: job\n    enqueue: noop\n  - sleep: 1s\n  - assert: size(job.events) >= 0\n",
      { client: { enqueue: () => Promise.resolve({ job_id: "j1", events }) } },
    );
    return ofType(result, "warning").map((warning) => [warning.case, warning.text]);
  };
  assert.deepEqual(
    await run(async function* () {
      yield await Promise.reject(new Error("connection lost"));
    }),
    [[0, "cannot read further events of a job or run: connection lost"]],
  );
  const [[index, text] = [], ...more] = await run(async function* () {
    for (let i = 0; i < 10_001; i++) yield { type: "x", ts: "", topic: "", data: {} };
  });
  assert.deepEqual([index, more], [0, []]);
  assert.match(String(text), /^job j1 has had too many events to keep/);
});

test("warns when the events of a channel are too many to keep", async () => {
  const client = {
    subscribe: () =>
      Object.assign(
        Promise.resolve((async function* () {
          for (let i = 0; i < 10_001; i++) yield { type: "x", ts: "", topic: "", data: {} };
        })()),
        { unsubscribe: () => Promise.resolve() },
      ),
  };
  const result = await runEngine(
    "steps:\n  - sleep: 1s\n  - wait: { channel: jobs }\n",
    { client },
  );
  assert.equal(result.exitCode, 0);
  assert.match(ofType(result, "warning")[0]!.text, /^channel `jobs` has had too many events/);
});

test("an expression sees new events of a job as they arrive", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = {
    enqueue: () =>
      Promise.resolve({
        job_id: "j1",
        events: async function* () {
          await promise;
          yield { type: "job.started", ts: "", topic: "", data: {} };
        },
      }),
    call: () => Promise.resolve(resolve()),
  };
  const result = await runEngine(
    `
steps:
  - id: job
    enqueue: noop
  - assert: size(job.events) == 0
  - call: job.list
  - sleep: 1s
  - assert: size(job.events) == 1
`,
    { client },
  );
  assert.equal(result.exitCode, 0, JSON.stringify(ends(result.events).at(-1)));
});

test("expressions see declared environment variables, secrets, the matrix and inputs", async () => {
  const recipe = await readValid(
    "r.yaml",
    `
secrets: [KEY]
env: { HOME: , CITY: Bonn, NONE: }
matrix: { size: [1] }
inputs: { price: { type: number, default: 2 }, n: { type: any, default: 1 }, given: { type: text, default: x } }
steps: [{ assert: true }]
`,
  );
  const environment: Record<string, string> = { KEY: "s3cret", HOME: "/root", OTHER: "x" };
  const mask = new Mask();
  const options = { env: (name: string) => environment[name], mask };
  const { env, secrets, matrix, inputs, vars } = initialScope(recipe, {
    ...options,
    matrix: { size: 1 },
    inputs: { n: null, given: "y", unknown: 1 },
  });
  assert.deepEqual(env, { HOME: "/root", CITY: "Bonn" });
  assert.deepEqual(secrets, { KEY: "s3cret" });
  assert.equal(mask.text("a s3cret"), "a ***");
  assert.deepEqual(matrix, { size: 1n });
  assert.deepEqual(inputs, { price: 2, n: null, given: "y" });
  assert.deepEqual(vars, {});
  const bare = initialScope(recipe, options);
  assert.deepEqual([bare.matrix, bare.inputs], [{}, { price: 2, n: 1n, given: "x" }]);
  delete environment.KEY;
  assert.throws(
    () => initialScope(recipe, options),
    /^Error: Cannot find secret KEY in the environment$/,
  );
});
