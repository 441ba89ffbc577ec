// One case from its first event to its last: variables, limits, used recipes and clean-up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { uniqueCaseNames } from "../../runner/engine/case_names.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { type EngineResult, ofType, readValid, runEngine, scriptRecipe } from "./_engine.ts";
import { ends } from "./_recipe.ts";

function outcome(result: EngineResult) {
  const { status, failure } = ofType(result, "case.finished")[0]!;
  return [status, failure?.kind, failure?.message];
}

function steps({ events }: EngineResult): string[] {
  return ends(events).map(({ step, status, detail }) =>
    `${step} ${status}${detail === undefined ? "" : `: ${detail}`}`
  );
}

function logs(result: EngineResult): string[] {
  return ofType(result, "log").map(({ text }) => text);
}

function warnings(result: EngineResult): string[] {
  return ofType(result, "warning").map(({ text }) => text);
}

/** A client whose subscriptions are confirmed as `confirm` says. */
function subscribing(confirm: () => Promise<unknown>) {
  return {
    subscribe: () => Object.assign(confirm(), { unsubscribe: () => Promise.resolve() }),
  };
}

test("a case takes the time from its first event to its last, in whole milliseconds", async () => {
  const clock = new FakeClock();
  const { monotonic } = clock;
  clock.monotonic = () => monotonic.call(clock) * 1.0004;
  const result = await runEngine("steps: [{ sleep: 1s }, { assert: true }]\n", { clock });
  assert.equal(ofType(result, "case.finished")[0]!.duration_ms, 1_000);
});

test("the first event shows the variables without secrets", async () => {
  const result = await runEngine(
    `
vars: { a: "\${{ secrets.KEY }}!", b: [1, "\${{ vars.a }}"], c: 2 }
secrets: [KEY]
steps: [{ assert: vars.a == secrets.KEY + "!" }]
`,
    { env: () => "s3cret", plan: ([recipe]) => [{ recipe: recipe!, vars: { c: 3 } }] },
  );
  assert.deepEqual(outcome(result), ["passed", undefined, undefined]);
  assert.deepEqual(ofType(result, "case.started")[0]!.vars, { a: "***!", b: [1, "***!"], c: 3 });
});

test("a case whose values cannot be computed runs its clean-up, but no step", async () => {
  for (
    const [head, kind, message] of [
      ["secrets: [KEY]\n", "thrown", "Cannot find secret KEY in the environment"],
      ["vars: { a: x, b: '${{ int(vars.a) }}' }\n", "evaluation", '"x" is not a whole number'],
    ] as const
  ) {
    const result = await runEngine(
      `${head}steps: [{ assert: true }]\nalways: [{ log: cleaned up }]\n`,
    );
    assert.deepEqual(outcome(result), ["errored", kind, message]);
    assert.deepEqual(steps(result), ["1 passed"]);
    assert.deepEqual(logs(result), ["cleaned up"]);
    assert.equal(result.exitCode, 3);
  }
});

test("warns once of each secret that is too short to be masked, also in used recipes", async () => {
  const env: Record<string, string> = { A: "ab", B: "long enough", C: "c" };
  const result = await runEngine(
    "secrets: [A, B]\nsteps: [{ use: in.yaml }, { assert: true }]\n",
    {
      env: (name) => env[name],
      files: { "in.yaml": "secrets: [A, C]\nsteps: [{ assert: true }]\n" },
    },
  );
  assert.deepEqual(warnings(result), [
    "secret `A` is too short to be masked in the output",
    "secret `C` is too short to be masked in the output",
  ]);
  const missing = await runEngine("secrets: [NONE]\nsteps: [{ assert: true }]\n");
  assert.deepEqual(warnings(missing), []);
});

test("the steps have five minutes, unless the recipe or the run says otherwise", async () => {
  const recipe = (head: string) => `${head}steps: [{ sleep: 100h }, { assert: true }]\n`;
  for (
    const [head, timeout, ms] of [
      ["", undefined, 300_000],
      ["", 1_000, 1_000],
      ["timeout: 10m\n", undefined, 600_000],
      ["timeout: 10m\n", 1_000, 1_000],
      ["timeout: 2s\n", 3_000, 2_000],
      ["vars: { t: 7s }\ntimeout: ${{ vars.t }}\n", undefined, 7_000],
    ] as const
  ) {
    const result = await runEngine(recipe(head), timeout === undefined ? {} : { timeout });
    assert.equal(result.ms, ms);
    assert.equal(outcome(result)[1], "deadline");
  }
});

test("a time limit that is not a duration fails the case before its steps", async () => {
  const result = await runEngine(
    "vars: { t: soon }\ntimeout: ${{ vars.t }}\nsteps: [{ assert: true }]\nalways: [{ log: x }]\n",
  );
  assert.deepEqual(outcome(result), ["failed", "evaluation", "`soon` is not a duration"]);
  assert.deepEqual([result.exitCode, steps(result)], [1, ["1 passed"]]);
});

test("runs the steps that are selected, until one fails", async () => {
  const result = await runEngine(
    `
steps:
  - log: a
  - log: b
  - use: in.yaml
  - assert: 1 == 2
  - log: c
  - log: d
always:
  - log: e
`,
    {
      select: ({ number }) => number !== "1" && number !== "6",
      files: { "in.yaml": "steps: [{ log: inner }, { assert: true }]\n" },
    },
  );
  assert.deepEqual(steps(result), [
    "1 skipped: not selected",
    "2 passed",
    "3.1 passed",
    "3.2 passed",
    "3 passed",
    "4 failed",
    "5 skipped: not reached",
    "6 skipped: not reached",
    "1 passed",
  ]);
});

test("`always` has ten seconds, and its failures do not replace the first", async () => {
  const result = await runEngine(`
steps:
  - assert: 1 == 2
always:
  - assert: 3 == 4
  - sleep: 1h
`);
  assert.match(String(outcome(result)[2]), /1 == 2/);
  assert.equal(result.ms, 10_000);
  assert.equal(
    ends(result.events).at(-1)!.failure!.message,
    "not done when the time of `always` was over, after 10.0 s",
  );
  const alone = await runEngine("steps: [{ assert: true }]\nalways: [{ assert: 3 == 4 }]\n");
  assert.deepEqual(outcome(alone).slice(0, 2), ["failed", "assertion"]);
});

test("the clean-up of a used recipe shares the time of an outer one that was stopped", async () => {
  const result = await runEngine(
    "timeout: 1s\nsteps: [{ use: in.yaml }]\nalways: [{ sleep: 1h }]\n",
    {
      files: {
        "in.yaml": "steps: [{ sleep: 1h }, { assert: true }]\nalways: [{ sleep: 6s }]\n",
      },
    },
  );
  assert.equal(result.ms, 11_000);
});

test("expressions know the time of the clock", async () => {
  const result = await runEngine(`
steps:
  - sleep: 1s
  - assert: now() == timestamp("2026-01-01T00:00:01Z")
`);
  assert.deepEqual(outcome(result), ["passed", undefined, undefined]);
});

test("a variable without a value has none until something sets it", async () => {
  const seen: unknown[] = [];
  const span = { start: 0, end: 1 };
  const recipe = scriptRecipe(async (t) => {
    seen.push(t.vars);
    await t.step("set", { set: { later: 1, undeclared: 2 } });
    seen.push(t.vars);
    t.assert(true);
  }, { vars: [{ name: "later", span, value: undefined, type: "dyn" }] });
  const result = await runEngine([recipe]);
  assert.deepEqual(outcome(result), ["passed", undefined, undefined]);
  assert.deepEqual(seen, [{}, { later: 1, undeclared: 2 }]);
});

test("an interruption ends the steps, but not `always`", async () => {
  const stop = new AbortController();
  const result = await runEngine(
    "steps: [{ sleep: 1h }, { assert: true }]\nalways: [{ sleep: 1s }]\n",
    {
      signal: stop.signal,
      onEvent: ({ type }) => void (type === "step.started" && stop.abort(new InterruptedError())),
    },
  );
  assert.deepEqual(steps(result), ["1 interrupted", "2 skipped: not reached", "1 passed: 1.00 s"]);
  assert.equal(outcome(result)[0], "interrupted");
});

test("a case fails if its channels cannot be subscribed to", async () => {
  const recipe =
    "steps:\n  - assert: true\n  - wait: { channel: jobs }\nalways: [{ log: cleaned up }]\n";
  const client = subscribing(() => Promise.reject(new Error("no such channel")));
  const result = await runEngine(recipe, { client });
  assert.deepEqual(outcome(result), ["failed", "thrown", "no such channel"]);
  assert.deepEqual(steps(result), ["1 skipped: not reached", "2 skipped: not reached", "1 passed"]);
});

test("a server that confirms no subscription uses up the time of the recipe", async () => {
  const client = subscribing(() => new Promise(() => {}));
  const result = await runEngine(
    "timeout: 3s\nsteps: [{ wait: { channel: jobs } }]\n",
    { client },
  );
  assert.deepEqual(outcome(result), [
    "failed",
    "deadline",
    "the recipe's time was over before the server had confirmed its subscriptions",
  ]);
  const stop = new AbortController();
  const interrupted = await runEngine("timeout: 300h\nsteps: [{ wait: { channel: jobs } }]\n", {
    client: subscribing(() => new Promise(() => stop.abort(new InterruptedError()))),
    signal: stop.signal,
  });
  assert.equal(outcome(interrupted)[0], "interrupted");
});

test("a used recipe has its own variables, inputs and limits", async () => {
  const result = await runEngine(
    `
vars: { n: 1, who: outer }
matrix: { m: [x] }
steps:
  - id: inner
    use: in.yaml
    inputs: { n: 2 }
  - expect: { inner.sum: 5, inner.who: inner, vars.n: 1 }
`,
    {
      plan: ([recipe]) => [{ recipe: recipe!, matrix: { m: "x" }, vars: { who: "given" } }],
      files: {
        "in.yaml": `
vars: { n: 3, who: inner }
inputs: { n: { type: integer }, other: { type: text, default: d } }
outputs: { sum: vars.n + inputs.n, who: vars.who, other: inputs.other }
steps: [{ assert: inputs.other == "d" }]
`,
      },
    },
  );
  assert.deepEqual(outcome(result), ["passed", undefined, undefined]);
  assert.deepEqual(steps(result), ["1.1 passed", "1 passed", "2 passed"]);
  assert.equal(ofType(result, "case.started").length, 1);
});

test("the limit of the run for a case does not shorten that of a used recipe in `always`", async () => {
  const result = await runEngine(
    "steps: [{ assert: true }]\nalways: [{ use: in.yaml }]\n",
    { timeout: 1_000, files: { "in.yaml": "steps: [{ sleep: 3s }, { assert: true }]\n" } },
  );
  assert.equal(outcome(result)[0], "passed");
  assert.equal(result.ms, 3_000);
});

test("a used recipe is stopped by its own limit, or that of its step, whichever ends first", async () => {
  const message = async (within: string, timeout: string) => {
    const result = await runEngine(
      `steps:\n  - use: in.yaml\n    within: ${within}\n  - assert: true\n`,
      {
        files: {
          "in.yaml": `name: In\ntimeout: ${timeout}\nsteps: [{ sleep: 1h }, { assert: true }]\n`,
        },
      },
    );
    return ends(result.events)[0]!.failure!.message;
  };
  assert.match(await message("2s", "3s"), /^not done when `within: 2s` of the outer step was over/);
  assert.match(await message("3s", "2s"), /^not done when the recipe's time was over/);
});

test("a failure of a used recipe fails its step, with the recipe's name and status", async () => {
  const use = async (inner: string) => {
    const result = await runEngine("steps:\n  - use: in.yaml\n  - assert: true\n", {
      files: { "in.yaml": inner },
      client: { call: () => Promise.reject(Object.assign(new Error("refused"), { code: 404 })) },
    });
    const { kind, message, place } = ends(result.events).find(({ step }) => step === "1")!.failure!;
    assert.deepEqual([place!.file, place!.line], ["r.yaml", 2]);
    return [kind, message];
  };
  assert.deepEqual(await use("name: In\nsteps: [{ call: job.list }, { assert: true }]\n"), [
    "server",
    "'In' errored: refused",
  ]);
  const [kind, message] = await use("name: In\nsteps: [{ assert: 1 == 2 }]\n");
  assert.equal(kind, "assertion");
  assert.match(message!, /^'In' failed: /);
});

test("the checks of a used recipe count for the case, and so do its retries", async () => {
  const inner = (step: string) => ({
    files: { "in.yaml": `vars: { n: 0 }\nsteps:\n${step}` },
  });
  const checked = await runEngine("steps: [{ use: in.yaml }]\n", inner("  - assert: true\n"));
  assert.deepEqual(outcome(checked)[0], "passed");
  const flaky = await runEngine(
    "steps: [{ use: in.yaml }]\n",
    inner(`  - parallel:
      - set: { n: "\${{ vars.n + 1 }}" }
      - sleep: 1ms
        expect: { vars.n: 2 }
    retry: { attempts: 2 }
`),
  );
  assert.equal(ofType(flaky, "case.finished")[0]!.flaky, true);
});

test("events and runs of used recipes count when looking for events that nobody consumed", async () => {
  const client = (consumed: string[]) => ({
    publishEvent: (name: string) => Promise.resolve({ event_id: `id-${name}`, name }),
    startWorkflow: () => Promise.resolve({ run_id: "run-1", state: "running" }),
    workflowTimeline: () =>
      Promise.resolve(consumed.map((id) => ({ step_name: "event", data: { id } }))),
  });
  const files = {
    "in.yaml": "steps: [{ publish: inner }, { start: flow }, { assert: true }]\n",
  };
  const recipe = "steps: [{ publish: outer }, { use: in.yaml }]\n";
  const left = await runEngine(recipe, { client: client([]), files });
  assert.deepEqual(warnings(left).map((text) => /`(\w+)`/.exec(text)![1]), ["outer", "inner"]);
  const taken = await runEngine(recipe, { client: client(["id-outer", "id-inner"]), files });
  assert.deepEqual(warnings(taken), []);
});

test("says why it cannot tell which events were consumed", async () => {
  const client = {
    publishEvent: (name: string) => Promise.resolve({ event_id: "e1", name }),
    startWorkflow: () => Promise.resolve({ run_id: "run-1", state: "running" }),
    workflowTimeline: () => Promise.reject(new Error("connection lost")),
  };
  const recipe = "steps: [{ publish: paid }, { start: flow }, { assert: true }]\n";
  const result = await runEngine(recipe, { client });
  assert.deepEqual(warnings(result), ["Cannot check for unconsumed events: connection lost"]);
  assert.equal(outcome(result)[0], "passed");
});

test("the search for unconsumed events ends after ten seconds, or with the clean-up", async () => {
  const silent = (stop?: AbortController) => ({
    publishEvent: (name: string) => Promise.resolve({ event_id: "e1", name }),
    startWorkflow: () => Promise.resolve({ run_id: "run-1", state: "running" }),
    call: () => Promise.resolve(stop?.abort(new InterruptedError())),
    workflowTimeline: (_id: string, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      ),
  });
  const recipe =
    "steps: [{ publish: paid }, { start: flow }, { call: job.list }, { assert: true }]\nalways: [{ sleep: 4s }]\n";
  const result = await runEngine(recipe, { client: silent() });
  assert.equal(result.ms, 14_000);
  assert.match(warnings(result)[0]!, /^Cannot check for unconsumed events: /);
  const stop = new AbortController();
  const stopped = await runEngine(recipe, { client: silent(stop), signal: stop.signal });
  assert.equal(stopped.ms, 10_000);
});

test("an output without a value names the recipe, and shows the place of the mistake", async () => {
  const use = async (output: string) => {
    const result = await runEngine("steps:\n  - use: in.yaml\n", {
      files: {
        "in.yaml":
          `name: In\nvars: { n: 0, text: x }\noutputs:\n  sum: ${output}\nsteps: [{ assert: true }]\n`,
      },
    });
    const { kind, message, place } = ends(result.events).at(-1)!.failure!;
    assert.deepEqual([kind, place!.file, place!.line], ["evaluation", "in.yaml", 4]);
    return [message, place!.column];
  };
  assert.deepEqual(await use("1 + int(vars.text)"), [
    "output `sum` of 'In': \"x\" is not a whole number",
    12,
  ]);
});

test("the signals of a case do not outlive it", async () => {
  const stop = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = stop.signal;
  stop.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(stop.signal, args);
  };
  stop.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(stop.signal, args);
  };
  const clock = new FakeClock();
  const recipe = scriptRecipe(async (t) => {
    t.always(() => t.sleep("1ms"));
    await t.sleep("1ms");
    t.assert(true);
  });
  const yaml = "steps: [{ sleep: 1ms }, { assert: true }]\nalways: [{ sleep: 1ms }]\n";
  await runEngine([recipe, yaml], { signal: stop.signal, clock });
  assert.deepEqual([listeners, clock.pending], [0, 0]);
});

test("a case is named after its recipe and the values of its matrix", async () => {
  const recipe = await readValid("r.yaml", "name: R\nsteps: [{ assert: true }]\n");
  const other = await readValid("other.yaml", "name: R\nsteps: [{ assert: true }]\n");
  const named = (...matrices: (Record<string, unknown> | undefined)[]) =>
    uniqueCaseNames(matrices.map((matrix) => matrix ? { recipe, matrix } : { recipe }));
  assert.deepEqual(named(undefined), ["R"]);
  assert.deepEqual(
    named({ a: 1, b: "x" }, { a: "1" }, { a: null }, { a: "null" }, { a: [1, "y"] }, { a: "" }),
    ["R [a=1, b=x]", 'R [a="1"]', "R [a=null]", 'R [a="null"]', 'R [a=[1,"y"]]', "R [a=]"],
  );
  assert.deepEqual(named(undefined, undefined, { a: 1 }, undefined, { a: 1 }), [
    "R (1)",
    "R (2)",
    "R [a=1] (1)",
    "R (3)",
    "R [a=1] (2)",
  ]);
  assert.deepEqual(uniqueCaseNames([{ recipe }, { recipe: other }]), ["R", "R"]);
  const numbered = await readValid("r.yaml", "name: R (1)\nsteps: [{ assert: true }]\n");
  assert.deepEqual(uniqueCaseNames([{ recipe }, { recipe: numbered }, { recipe }]), [
    "R (2)",
    "R (1)",
    "R (3)",
  ]);
});
