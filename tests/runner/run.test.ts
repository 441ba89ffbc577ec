import assert from "node:assert/strict";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";

test("the recipes of this repository pass on the embedded server", async () => {
  const { code, out } = await runnerCli(["recipes"]);
  assert.equal(code, 0, out);
  assert.match(out, /^Using the embedded server; set --url or DISPATCH_URL to use a real one\n/);
  assert.match(out, /\n3 passed in /);
});

test("reports steps in order, with their place and label", async () => {
  const { code, events } = await runRecipe(`
name: Order
steps:
  - id: email
    enqueue: send-email
    payload: { to: a@example.com, subject: Hi }
  - wait: email
`);
  assert.equal(code, 0);
  assert.deepEqual(events.map((event) => event.type).filter((type) => type !== "step.progress"), [
    "run.started",
    "case.started",
    "step.started",
    "step.finished",
    "step.started",
    "step.finished",
    "case.finished",
    "run.finished",
  ]);
  const [first] = ends(events);
  assert.equal(first?.label, "enqueue send-email");
  assert.deepEqual([first?.place.line, first?.place.column], [5, 5]);
});

test("skips the steps after a failure, but runs `always`", async () => {
  const { code, events } = await runRecipe(`
steps:
  - assert: 1 == 2
  - log: not this
always:
  - log: but this
`);
  assert.equal(code, 1);
  assert.deepEqual(ends(events).map(({ status }) => status), ["failed", "skipped", "passed"]);
  assert.deepEqual(events.flatMap((e) => e.type === "log" ? [e.text] : []), ["but this"]);
});

test("sends nothing if the recipe has an error", async () => {
  const { code, events, err } = await runRecipe(`
steps:
  - enqueue: noop
  - wait: nop
`);
  assert.equal(code, 2);
  assert.deepEqual(events, []);
  assert.match(err, /there is no step with the id `nop`/);
});

test("a recipe that checks nothing is unchecked and exits with 4", async () => {
  const { code, events } = await runRecipe(`
steps:
  - enqueue: noop
  - if: false
    assert: true
`);
  assert.equal(code, 4);
  assert.equal(events.findLast((e) => e.type === "case.finished")?.status, "unchecked");
});

test("exits with 3 when the server refuses a request", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: raw
    call: job.get
    data: { job_id: nonsense }
  - assert: raw.state == "completed"
`);
  assert.equal(code, 3);
  assert.equal(firstFailure(events).kind, "server");
  assert.equal(firstFailure(events).code, 400);
});

test("exits with 3 when it cannot connect", async () => {
  const { code, err } = await runnerCli([
    "recipes/order-smoke.yaml",
    "--url",
    "ws://127.0.0.1:1/dwp",
  ]);
  assert.equal(code, 3);
  assert.match(err, /^error: Cannot connect to 'ws:\/\/127\.0\.0\.1:1\/dwp'/);
});

test("reports the failure of a soft step and goes on", async () => {
  const { code, events } = await runRecipe(`
steps:
  - assert: 1 == 2
    soft: true
  - assert: 2 == 2
`);
  assert.equal(code, 0);
  assert.deepEqual(ends(events).map(({ status }) => status), ["failed", "passed"]);
});

test("`--var` replaces a variable and keeps its type", async () => {
  const recipe = `
vars: { n: 3, who: me, list: [1, 2], order_id: "ORD-\${{ vars.who }}" }
steps:
  - expect:
      vars.n: 4
      vars.who: you
      vars.list: [5]
      vars.order_id: ORD-you
`;
  const args = ["--var", "n=4", "--var", "who=you", "--var", "list=[5]"];
  const { code } = await runRecipe(recipe, args);
  assert.equal(code, 0);
  const wrong = await runRecipe(recipe, ["--var", "n=four"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /Variable n must be a whole number, not 'four'/);
  const unknown = await runRecipe(recipe, ["--var", "whoo=you"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /Unknown variable whoo; did you mean `who`\?/);
});

test("`--var` overrides `--vars`", async () => {
  const { code } = await runRecipe(
    `
vars: { a: 1, b: 1 }
steps:
  - expect: { vars.a: 2, vars.b: 3 }
`,
    ["--vars", "tests/runner/vars.yaml", "--var", "b=3"],
  );
  assert.equal(code, 0);
});

test("an expression keeps its type alone and becomes text inside text", async () => {
  const { code } = await runRecipe(`
vars: { n: 3 }
steps:
  - id: job
    enqueue: noop
    payload: { n: "\${{ vars.n }}", text: "n=\${{ vars.n }}", raw: "$\${{ vars.n }}", list: ["\${{ vars.n > 2 }}"] }
  - wait: job
  - expect:
      job.payload: { n: 3, text: n=3, raw: "$\${{ vars.n }}", list: [true] }
`);
  assert.equal(code, 0);
});

test("`for_each` runs a step for each item, and its result is a list", async () => {
  const { code, events } = await runRecipe(`
vars: { sizes: [1, 2, 3] }
steps:
  - id: jobs
    for_each: \${{ vars.sizes.filter(s, s > 1) }}
    enqueue: noop
    payload: { size: "\${{ item }}" }
  - expect:
      jobs: { length: 2 }
      jobs.map(j, j.payload.size): [2, 3]
`);
  assert.equal(code, 0);
  assert.deepEqual(ends(events).map(({ step }) => step), ["1[0]", "1[1]", "2"]);
});

test("evaluates the `if` of a `for_each` step for each item", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: jobs
    for_each: [1, 2, 3]
    if: item != 2
    enqueue: noop
    payload: \${{ item }}
  - expect: { "jobs.map(j, j.payload)": [1, 3] }
`);
  assert.equal(code, 0);
  assert.deepEqual(ends(events).map(({ status }) => status), [
    "passed",
    "skipped",
    "passed",
    "passed",
  ]);
});

test("`matrix` makes a case of each combination, and `--parallel` runs them side by side", async () => {
  const { code, events } = await runRecipe(
    `
name: Cases
matrix:
  region: [eu, us]
  size: [1, 2]
steps:
  - id: job
    enqueue: noop
    payload: { region: "\${{ matrix.region }}" }
  - wait: job
  - expect: { job.payload.region: "\${{ matrix.region }}" }
`,
    ["--parallel", "4"],
  );
  assert.equal(code, 0);
  const names = events.flatMap((e) => e.type === "case.started" ? [e.name] : []);
  assert.deepEqual(names.toSorted(), [
    "Cases [region=eu, size=1]",
    "Cases [region=eu, size=2]",
    "Cases [region=us, size=1]",
    "Cases [region=us, size=2]",
  ]);
});

test("`parallel` runs all its steps and fails if one fails", async () => {
  const { code, events } = await runRecipe(`
steps:
  - parallel:
      - id: a
        enqueue: noop
      - id: b
        enqueue: noop
  - assert: a.job_id != b.job_id
  - parallel:
      - assert: 1 == 2
      - assert: 1 == 1
`);
  assert.equal(code, 1);
  const outcomes = ends(events).map(({ step, status }) => `${step} ${status}`);
  assert.equal(outcomes.at(-1), "3 failed");
  assert.deepEqual(outcomes.toSorted(), [
    "1 passed",
    "1.1 passed",
    "1.2 passed",
    "2 passed",
    "3 failed",
    "3.1 failed",
    "3.2 passed",
  ]);
});

test("`use` passes inputs to another recipe and returns its outputs", async () => {
  const { code, events } = await runRecipe(
    `
steps:
  - id: paid
    use: pay.yaml
    inputs: { order_id: ORD-9 }
  - expect: { paid.state: completed, paid.steps: 3, paid.order_id: ORD-9-1 }
`,
    [],
    {
      files: {
        "pay.yaml": `
inputs:
  order_id: { type: text }
  amount: { type: integer, default: 1 }
outputs: { state: order.state, steps: size(order.steps), order_id: order.input.order_id }
steps:
  - id: order
    start: order-payment
    input: { order_id: "\${{ inputs.order_id }}-\${{ inputs.amount }}" }
  - publish: payment-received
  - wait: order
`,
      },
    },
  );
  assert.equal(code, 0);
  assert.deepEqual(ends(events).map(({ step }) => step), ["1.1", "1.2", "1.3", "1", "2"]);
});

test("inputs have their defaults when the recipe is run directly", async () => {
  const { code } = await runRecipe(`
inputs: { n: { type: integer, default: 3 }, price: { type: number, default: 2 } }
steps:
  - assert: inputs.n == 3 && inputs.price * 1.5 == 3.0
`);
  assert.equal(code, 0);
});

test("`expect` sees the result of its step as `result`", async () => {
  const { code } = await runRecipe(`
steps:
  - enqueue: noop
    id: job
    expect: { result.name: noop, job.state: pending }
  - stats:
    expect: { result.connections: 0 }
`);
  assert.equal(code, 0);
});

test("`outputs` adds fields to the result of a step", async () => {
  const { code } = await runRecipe(`
steps:
  - id: job
    enqueue: noop
    outputs: { shout: 'result.name + "!"' }
  - expect: { job.shout: noop!, job.name: noop }
`);
  assert.equal(code, 0);
});

test("skips a step whose `if` names a step that did not run", async () => {
  const { code, events } = await runRecipe(`
vars: { go: false }
steps:
  - id: job
    if: vars.go
    enqueue: noop
  - if: job.state == "pending"
    log: not this
  - assert: true
`);
  assert.equal(code, 0);
  assert.deepEqual(ends(events).map(({ detail }) => detail), [
    "`vars.go` is false",
    "`job` did not run",
    undefined,
  ]);
});

test("retries a step, and reports a pass after a retry as flaky", async () => {
  const { code, events } = await runRecipe(`
vars: { n: 0 }
steps:
  - id: job
    enqueue: flaky
    payload: { key: retried }
  - id: read
    get: job
    expect: { read.state: completed }
    retry: { attempts: 50, backoff: 5ms }
`);
  assert.equal(code, 0);
  const [, get] = ends(events);
  assert.ok(get!.attempts > 1, "it passed at once");
  assert.equal(events.findLast((e) => e.type === "case.finished")?.flaky, true);
  assert.ok(events.some((e) => e.type === "step.retried"));
});

test("does not retry when `only_if` is false", async () => {
  const { code, events } = await runRecipe(`
steps:
  - call: job.get
    data: { job_id: nonsense }
    retry: { attempts: 5, backoff: 1ms, only_if: error.code != 400 }
  - assert: true
`);
  assert.equal(code, 3);
  assert.equal(ends(events)[0]?.attempts, 1);
});

test("a wait on a channel sees the events since the recipe began", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: job
    enqueue: noop
  - wait: job
  - id: seen
    wait: { channel: jobs, where: 'event.data.job_id == job.job_id', count: 3 }
    within: 10s
  - expect:
      seen.events.map(e, e.type): { length: 3, contains: job.completed }
`);
  assert.equal(code, 0, JSON.stringify(events.at(-2)));
});

test("collects the events of a run when an expression uses them", async () => {
  const { code } = await runRecipe(`
steps:
  - id: order
    start: order-payment
    input: { order_id: ORD-1 }
  - publish: payment-received
  - wait: order
  - wait: order
    until: \${{ order.events.exists(e, e.type == "workflow.step_completed") }}
    within: 10s
`);
  assert.equal(code, 0);
});

test("warns about an event that no run has consumed", async () => {
  const { code, events } = await runRecipe(`
steps:
  - publish: \${{ "nobody-waits" }}
  - assert: true
`);
  assert.equal(code, 0);
  const warnings = events.flatMap((e) => e.type === "warning" ? [e.text] : []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /event `nobody-waits` \(\w+\) was not consumed by this recipe's runs/);
});

test("does not warn about an event that a run has consumed", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: order
    start: order-payment
    input: { order_id: ORD-1 }
  - publish: payment-received
  - wait: order
`);
  assert.equal(code, 0);
  assert.deepEqual(events.filter((e) => e.type === "warning"), []);
});

test("`set` changes a variable", async () => {
  const { code } = await runRecipe(`
vars: { n: 1 }
steps:
  - set: { n: "\${{ vars.n + 1 }}" }
  - expect: { vars.n: 2 }
`);
  assert.equal(code, 0);
});

test("`--seed` repeats the values of `uuid` and `random`", async () => {
  const recipe = `
vars: { id: "\${{ uuid() }}", n: "\${{ random(1000000) }}" }
steps:
  - assert: vars.id.matches("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]") && vars.n >= 0
`;
  const vars = async (seed: string) => {
    const { code, events } = await runRecipe(recipe, ["--seed", seed]);
    assert.equal(code, 0);
    return events.find((e) => e.type === "case.started")!.vars;
  };
  const first = await vars("7");
  assert.deepEqual(await vars("7"), first);
  assert.notDeepEqual(await vars("8"), first);
});

test("`timeout` stops the steps, and `always` still runs", async () => {
  const { code, events } = await runRecipe(`
timeout: 30ms
steps:
  - sleep: 1h
  - assert: true
always:
  - log: cleaned up
`);
  assert.equal(code, 1);
  assert.equal(firstFailure(events).kind, "deadline");
  assert.ok(events.some((e) => e.type === "log" && e.text === "cleaned up"));
});

test("a step without an id can use `expect`", async () => {
  const { code, out } = await runRecipe(`steps:
  - enqueue: noop
    expect: { result.state: pending }
  - start: order-payment
    expect: { result.state: running }
`);
  assert.equal(code, 0, out);
});

test("does not warn about an event that a run without an id has consumed", async () => {
  const { code, events } = await runRecipe(`steps:
  - start: order-payment
  - publish: payment-received
  - wait: { channel: workflows, where: event.type == "workflow.completed" }
    within: 5s
`);
  assert.equal(code, 0);
  assert.deepEqual(events.filter(({ type }) => type === "warning"), []);
});

test("`random(0)` fails", async () => {
  const { events } = await runRecipe("vars: { n: 0 }\nsteps:\n  - assert: random(vars.n) == 0\n");
  assert.equal(firstFailure(events).message, "random(n) needs an n of at least 1, not 0");
});

test("`for_each` fails for a value that is not a list, and shows it", async () => {
  const { events } = await runRecipe(
    "vars: { m: { n: { a: 1 } } }\nsteps:\n  - for_each: vars.m.n\n    assert: true\n",
  );
  assert.equal(firstFailure(events).message, '`for_each` needs a list, not {"a":1} (map)');
});

test("checks computed values while the recipe runs, and names their place", async () => {
  for (
    const [step, message, column] of [
      [
        'retry: { attempts: "${{ vars.no - 1 }}" }',
        "`attempts` must be a whole number of at least 1, not -1",
        29,
      ],
      ["within: ${{ vars.when }}", "`soon` is not a duration", 17],
      ["queue: ${{ '' }}", "the text is empty", 16],
    ] as const
  ) {
    const { events } = await runRecipe(
      `vars: { no: 0, when: soon }\nsteps:\n  - enqueue: noop\n    ${step}\n  - assert: true\n`,
    );
    const failure = firstFailure(events);
    assert.equal(failure.message, message);
    assert.deepEqual([failure.place?.line, failure.place?.column], [4, column]);
  }
  const wait = "wait: { channel: jobs, count: '${{ vars.no }}' }";
  const { events } = await runRecipe(`vars: { no: 0 }\nsteps:\n  - ${wait}\n`);
  assert.equal(firstFailure(events).message, "`count` must be at least 1, not 0");
});

test("fails for a computed pattern that is not a regular expression", async () => {
  const { events } = await runRecipe(
    'vars: { re: "(" }\nsteps:\n  - expect: { vars.re: { matches: "${{ vars.re }}" } }\n',
  );
  assert.equal(
    firstFailure(events).message,
    '`vars.re` cannot be matched with "(": missing ")"',
  );
});
