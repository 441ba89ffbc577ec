// Conditions, loops and parallel steps, and the events about a step.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DispatchError } from "../../client/errors.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { Expression } from "../../runner/expression/expression.ts";
import { templateSpan } from "../../runner/expression/template.ts";
import type { StepFinished } from "../../runner/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ends } from "./_recipe.ts";
import { type EngineResult, ofType, readValid, runEngine } from "./_engine.ts";

/** Each step with its status, and its detail or the message of its failure. */
function outcomes({ events }: EngineResult): string[] {
  return ends(events).map(({ step, status, detail, failure }) =>
    `${step} ${status}${detail === undefined ? "" : `: ${detail}`}${
      failure === undefined ? "" : `: ${failure.message}`
    }`
  );
}

async function* noEvents(): AsyncGenerator<never> {}

/** A client whose jobs have the ids `j1`, `j2` and so on, and nothing to tell. */
function jobClient() {
  let jobs = 0;
  return {
    enqueue: (name: string) =>
      name === "refused"
        ? Promise.reject(new DispatchError("refused", 400))
        : Promise.resolve({ job_id: `j${++jobs}`, state: "pending", events: noEvents }),
  };
}

test("a condition that is neither true nor false fails its step, and is evaluated once", async () => {
  const result = await runEngine(`
inputs: { word: { type: any, default: yes } }
steps:
  - if: inputs.word
    assert: true
`);
  assert.deepEqual(outcomes(result), [
    "1 failed: `inputs.word` is neither true nor false",
  ]);
  const [step] = ends(result.events);
  assert.equal(step!.failure!.kind, "evaluation");
  assert.equal(step!.attempts, 1);
  assert.deepEqual(ofType(result, "step.started"), []);
});

test("a condition that cannot be evaluated fails its step", async () => {
  const result = await runEngine(`
vars: { word: x }
steps:
  - if: int(vars.word) == 1
    assert: true
`);
  assert.deepEqual(outcomes(result), ['1 failed: "x" is not a whole number']);
});

test("after the time is over a step fails, even if its condition is false", async () => {
  const clock = new FakeClock();
  const result = await runEngine(
    "timeout: 1s\nvars: { go: false }\nsteps:\n  - call: job.list\n  - if: vars.go\n    assert: true\n",
    { clock, client: { call: () => Promise.resolve({ at: clock.advance(2_000) ?? 1 }) } },
  );
  assert.deepEqual(outcomes(result), [
    "1 passed",
    "2 failed: not done when the recipe's time was over, after 0 ms",
  ]);
  assert.deepEqual(ofType(result, "step.started").map(({ step }) => step), ["1", "2"]);
});

test("skips a step whose condition names a step that did not run, and one that depends on it", async () => {
  const result = await runEngine(
    `
vars: { go: false }
steps:
  - id: first
    if: vars.go
    enqueue: noop
  - id: second
    if: first.state == "pending"
    enqueue: noop
  - if: vars.go || second.state == "pending"
    log: not this
  - id: third
    enqueue: noop
  - if: third.state == "pending"
    assert: true
`,
    { client: jobClient() },
  );
  assert.deepEqual(outcomes(result), [
    "1 skipped: `vars.go` is false",
    "2 skipped: `first` did not run",
    "3 skipped: `second` did not run",
    "4 passed: j1",
    "5 passed",
  ]);
  const { duration_ms, attempts } = ends(result.events)[0]!;
  assert.deepEqual([duration_ms, attempts], [0, 0]);
});

for (
  const [what, condition, count] of [
    ["between steps with much to compute", "vars.l.all(x, vars.l.exists(y, y == 1000))", 1],
    ["between other steps, because it would slow them down", "vars.go", 2],
  ] as const
) {
  test(`${count === 1 ? "gives timers a turn" : "gives timers no turn"} ${what}`, async () => {
    const stop = new AbortController();
    const list = JSON.stringify(Array.from({ length: 1000 }, (_, i) => i + 1));
    const steps = `  - { if: "${condition}", log: x }\n`.repeat(2);
    const result = await runEngine(`vars: { go: true, l: ${list} }\nsteps:\n${steps}`, {
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === "step.finished") setTimeout(() => stop.abort(new InterruptedError()), 0);
      },
    });
    const passed = ends(result.events).filter(({ status }) => status === "passed");
    assert.equal(passed.length, count);
  });
}

test("a `for_each` stops at the item that fails, and keeps the jobs before it", async () => {
  const result = await runEngine(
    `
steps:
  - id: jobs
    for_each: [noop, refused, noop]
    enqueue: \${{ item }}
  - assert: true
always:
  - if: size(jobs) == 1
    expect: { "jobs[0].job_id": j1 }
`,
    { client: jobClient() },
  );
  assert.deepEqual(outcomes(result), [
    "1[0] passed: j1",
    "1[1] errored: refused",
    "2 skipped: not reached",
    "1 passed",
  ]);
  assert.equal(ofType(result, "case.finished")[0]!.failure!.step, "1[1]");
});

test("the steps after a soft item of a `for_each` run", async () => {
  const result = await runEngine(
    `
steps:
  - id: jobs
    for_each: [noop, refused, noop]
    soft: true
    enqueue: \${{ item }}
  - expect: { "jobs.map(j, j.job_id)": [j1, j2] }
`,
    { client: jobClient() },
  );
  assert.deepEqual(outcomes(result), [
    "1[0] passed: j1",
    "1[1] errored: refused",
    "1[2] passed: j2",
    "2 passed",
  ]);
});

test("a `for_each` without items is reported as skipped, and its result is an empty list", async () => {
  const result = await runEngine(`
vars: { none: [] }
steps:
  - id: jobs
    for_each: \${{ vars.none }}
    enqueue: noop
  - expect: { jobs: { length: 0 } }
  - for_each: [1]
    sleep: 1ms
`);
  assert.deepEqual(outcomes(result), [
    "1 skipped: `for_each` has no items",
    "2 passed",
    "3[0] passed: 1 ms",
  ]);
});

test("a wait for the jobs of a `for_each` waits for those that were enqueued", async () => {
  const asked: string[] = [];
  const result = await runEngine(
    `
steps:
  - id: jobs
    for_each: [none, noop, noop]
    if: item != "none"
    enqueue: \${{ item }}
  - wait: jobs
`,
    {
      client: {
        ...jobClient(),
        watch: noEvents,
        getJob(id: string) {
          asked.push(id);
          return Promise.resolve({ id, name: "noop", state: "completed" });
        },
      },
    },
  );
  assert.equal(result.exitCode, 0, outcomes(result).join("\n"));
  assert.deepEqual(new Set(asked), new Set(["j1", "j2"]));
});

test("inner steps see the item of their step, and no other item sees their results", async () => {
  const result = await runEngine(
    `
steps:
  - for_each: [1, 2]
    parallel:
      - id: inner
        call: job.list
        data: \${{ item }}
        expect: { result: "\${{ item }}" }
      - sleep: 1ms
        expect: { item: { lt: 3 } }
  - for_each: [1]
    log: \${{ item }}
`,
    { client: { call: (_name: string, data: unknown) => Promise.resolve(data) } },
  );
  assert.equal(result.exitCode, 0, outcomes(result).join("\n"));
  assert.deepEqual(
    ends(result.events).map(({ step }) => step).filter((step) => !step.includes(".")),
    ["1[0]", "1[1]", "2[0]"],
  );
});

test("a value of `for_each` that is not a list is shown without secrets, in 60 characters", async () => {
  const result = await runEngine(
    `
inputs: { v: { type: any, default: "${"s3cret-key ".repeat(30)}" } }
secrets: [KEY]
steps:
  - for_each: inputs.v
    assert: true
`,
    { env: () => "s3cret-key" },
  );
  const { kind, message, place } = ends(result.events)[0]!.failure!;
  assert.equal(kind, "evaluation");
  assert.match(
    message,
    /^`for_each` needs a list, not "(\*\*\* )+.*… \(120 characters\) \(text\)$/,
  );
  assert.ok(message.length < 120, message);
  assert.deepEqual([place!.line, place!.column], [5, 15]);
});

test("an error in the list of `for_each` fails the step", async () => {
  const result = await runEngine(
    "vars: { n: 0 }\nsteps:\n  - for_each: '[1 / vars.n]'\n    assert: true\n",
  );
  assert.deepEqual(outcomes(result), ["1 failed: division by zero"]);
  assert.equal(ends(result.events)[0]!.attempts, 1);
});

test("`parallel` fails with the kind and message of its first step that failed", async () => {
  const result = await runEngine(
    `
steps:
  - parallel:
      - sleep: 1s
      - enqueue: refused
      - assert: 1 == 2
  - assert: true
`,
    { client: jobClient() },
  );
  assert.equal(outcomes(result).at(-2), "1 errored: 2 of 3 steps failed: refused");
  const { kind, place } = ends(result.events).at(-2)!.failure!;
  assert.equal(kind, "server");
  assert.deepEqual([place!.line, place!.text], [3, "  - parallel:"]);
  assert.equal(result.ms, 1_000);
});

test("the events of a step have its number, phase, kind, label, id and place", async () => {
  const result = await runEngine(
    `
steps:
  - id: job
    name: for \${{ item }}
    for_each: [x]
    enqueue: noop
  - enqueue: refused
    soft: true
    retry: { attempts: 2, backoff: 1s }
always:
  - assert: true
`,
    { client: jobClient() },
  );
  const [first] = ofType(result, "step.started");
  const place = { file: "r.yaml", line: 6, column: 5, text: "    enqueue: noop", length: 7 };
  assert.deepEqual(first, {
    type: "step.started",
    case: 0,
    step: "1[0]",
    phase: "steps",
    kind: "enqueue",
    label: "for x",
    id: "job",
    place,
    attempt: 1,
    ts: first!.ts,
  });
  const [passed, soft, always] = ends(result.events);
  assert.deepEqual(passed, {
    type: "step.finished",
    case: 0,
    step: "1[0]",
    phase: "steps",
    kind: "enqueue",
    label: "for x",
    id: "job",
    place,
    status: "passed",
    duration_ms: 0,
    attempts: 1,
    soft: false,
    detail: "j1",
    ts: passed!.ts,
  });
  const failure = {
    kind: "server",
    message: "refused",
    code: 400,
    lines: [],
    place: { file: "r.yaml", line: 7, column: 5, text: "  - enqueue: refused", length: 7 },
  };
  assert.deepEqual(soft, {
    type: "step.finished",
    case: 0,
    step: "2",
    phase: "steps",
    kind: "enqueue",
    label: "enqueue refused",
    place: failure.place,
    status: "errored",
    duration_ms: 1_000,
    attempts: 2,
    soft: true,
    failure: { ...failure, step: "2" },
    ts: soft!.ts,
  });
  const [retried] = ofType(result, "step.retried");
  assert.deepEqual(retried, {
    type: "step.retried",
    case: 0,
    step: "2",
    phase: "steps",
    attempt: 1,
    failure,
    ts: retried!.ts,
  });
  assert.deepEqual([always!.phase, always!.step, always!.label], ["always", "1", "assert true"]);
  assert.equal("detail" in always!, false);
  assert.equal("observed" in always!, false);
});

test("a name that uses a missing result is shown as written", async () => {
  const result = await runEngine(`
vars: { go: false }
steps:
  - id: one
    if: vars.go
    call: job.list
  - name: see \${{ one.x }}
    if: one.x == 1
    assert: true
  - assert: true
`);
  assert.equal(ends(result.events)[1]!.label, "see ${{ one.x }}");
});

test("an internal error in a name does not count as a missing result", async () => {
  const recipe = await readValid("r.yaml", "steps:\n  - name: one\n    assert: true\n");
  const expression = new Expression("unchecked", (start, end) => ({ start, end }));
  recipe.steps[0]!.name = { kind: "expression", expression };
  await assert.rejects(runEngine([recipe]), /^Error: Cannot evaluate 'unchecked'/);
});

test("an interruption ends a soft step, and the recipe with it", async () => {
  const stop = new AbortController();
  const result = await runEngine(
    "steps:\n  - sleep: 1h\n    soft: true\n  - assert: true\n",
    {
      signal: stop.signal,
      onEvent: ({ type }) => void (type === "step.started" && stop.abort(new InterruptedError())),
    },
  );
  assert.deepEqual(outcomes(result), [
    "1 interrupted: Interrupted by a signal",
    "2 skipped: not reached",
  ]);
  assert.equal(ends(result.events)[0]!.soft, true);
  assert.equal(ofType(result, "case.finished")[0]!.status, "interrupted");
});

for (
  const [kind, status] of [
    ["a refused request", "errored"],
    ["a failed assertion", "failed"],
  ] as const
) {
  test(`${kind} makes a step ${status}`, async () => {
    const step = status === "errored" ? "enqueue: refused" : "assert: 1 == 2";
    const result = await runEngine(`steps:\n  - ${step}\n  - assert: true\n`, {
      client: jobClient(),
    });
    const [first] = ends(result.events) as [StepFinished];
    assert.equal(first.status, status);
    assert.equal("detail" in first, false);
  });
}

test("an error shows the place of a template only if it is one expression", async () => {
  const { steps } = await readValid(
    "r.yaml",
    "steps:\n  - log: ${{ 1 + 1 }}\n  - log: ${{ 1 }} and more\n  - assert: true\n",
  );
  assert.deepEqual(templateSpan(steps[0]!.fields.log), { start: 20, end: 25 });
  assert.equal(templateSpan(steps[1]!.fields.log), undefined);
});
