// One attempt of a step: its time limit, what it may have written, and the result it keeps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, DispatchError, TimeoutError } from "../../client/errors.ts";
import { StepFailure } from "../../runner/events/failure.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ends } from "./_recipe.ts";
import { type EngineResult, ofType, runEngine, scriptRecipe } from "./_engine.ts";

const RETRY = "retry: { attempts: 2, backoff: 1ms }";

/** A client whose requests never end, or end with what `onAbort` throws once their signal aborts. */
function silentClient(onAbort: (signal: AbortSignal) => unknown = (signal) => signal.reason) {
  const request = (_name: string, _data: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(onAbort(signal)), { once: true })
    );
  return { call: request, enqueue: request, publishEvent: request };
}

function firstEnd({ events }: EngineResult) {
  return ends(events)[0]!;
}

test("names the limit that has ended a step: its own, or the one around it if that is no later", async () => {
  const run = async (timeout: string, within: string) => {
    const result = await runEngine(
      `timeout: ${timeout}\nsteps:\n  - sleep: 1h\n    within: ${within}\n  - assert: true\n`,
    );
    const { kind, message } = firstEnd(result).failure!;
    assert.equal(kind, "deadline");
    return message;
  };
  assert.equal(await run("3s", "2s"), "not done within 2s");
  assert.equal(await run("2s", "2s"), "not done when the recipe's time was over, after 2.00 s");
  assert.equal(await run("2s", "3s"), "not done when the recipe's time was over, after 2.00 s");
});

test("the failure of an inner step names the outer step's `within` that ended it", async () => {
  const result = await runEngine(`
steps:
  - within: \${{ '500ms' }}
    parallel:
      - sleep: 1h
      - sleep: 1h
        within: 100ms
`);
  const messages = ends(result.events).map(({ failure }) => failure!.message);
  assert.deepEqual(messages.slice(0, 2), [
    "not done within 100ms",
    "not done when `within: ${{ '500ms' }}` of the outer step was over, after 500 ms",
  ]);
});

test("a time limit that is not a duration fails the step before it starts, without a retry", async () => {
  const result = await runEngine(
    `vars: { soon: soon }\nsteps:\n  - enqueue: noop\n    within: \${{ vars.soon }}\n    ${RETRY}\n  - assert: true\n`,
  );
  assert.deepEqual(ofType(result, "step.started"), []);
  assert.deepEqual(ofType(result, "step.retried"), []);
  const { attempts, failure } = firstEnd(result);
  assert.equal(attempts, 1);
  assert.equal(failure!.message, "`soon` is not a duration");
  assert.deepEqual(failure!.lines, []);
});

test("a step keeps its own failure even if its time is over", async () => {
  const client = silentClient(() => new StepFailure("wait", "it saw the end"));
  const result = await runEngine("steps:\n  - call: job.list\n    within: 1s\n", { client });
  assert.deepEqual(
    [firstEnd(result).failure!.kind, firstEnd(result).failure!.message],
    ["wait", "it saw the end"],
  );
});

test("an error of the client after the deadline counts as a timeout", async () => {
  const client = silentClient(() => new TimeoutError("no answer"));
  const result = await runEngine("steps:\n  - call: job.list\n    within: 1s\n", { client });
  assert.equal(firstEnd(result).failure!.message, "not done within 1s");
});

test("a step that begins after the time is over sends nothing", async () => {
  let sent = 0;
  const clock = new FakeClock();
  const result = await runEngine(
    "timeout: 1s\nsteps:\n  - parallel:\n      - call: job.list\n  - assert: true\n",
    {
      client: { call: () => Promise.resolve(void sent++) },
      onEvent: (event) => {
        if (event.type === "step.started" && event.step === "1") clock.advance(1_000);
      },
      clock,
    },
  );
  assert.equal(sent, 0);
  assert.equal(firstEnd(result).failure!.kind, "deadline");
});

test("the `within` of a step that uses a recipe limits that recipe's steps", async () => {
  const result = await runEngine("steps:\n  - use: in.yaml\n    within: 1s\n  - assert: true\n", {
    files: { "in.yaml": "steps:\n  - sleep: 10s\n  - assert: true\n" },
  });
  assert.equal(firstEnd(result).status, "failed");
  assert.equal(result.ms, 1_000);
});

for (
  const [what, error, isRepeated] of [
    ["was not sent", new ConnectionError("lost", "connection_lost"), true],
    [
      "may have arrived",
      new ConnectionError("lost", "connection_lost", { delivery: "unknown" }),
      false,
    ],
    ["was refused", new DispatchError("no", 409), true],
    ["could not be made", new TypeError("no"), true],
  ] as const
) {
  test(`${isRepeated ? "repeats" : "does not repeat"} a write whose request ${what}`, async () => {
    let sent = 0;
    const enqueue = () => {
      sent++;
      throw error;
    };
    await runEngine(`steps:\n  - enqueue: noop\n    ${RETRY}\n  - assert: true\n`, {
      client: { enqueue },
    });
    assert.equal(sent, isRepeated ? 2 : 1);
  });
}

for (
  const [what, onAbort, isRepeated] of [
    ["has no answer", (signal: AbortSignal) => signal.reason, false],
    ["is refused", () => new DispatchError("no", 409), true],
    ["is not sent", () => new ConnectionError("lost", "connection_lost"), true],
    ["is ended by an error without a code", () => new Error("aborted"), false],
  ] as const
) {
  test(`${isRepeated ? "repeats" : "does not repeat"} a write that ${what} when its time is over`, async () => {
    const result = await runEngine(
      `steps:\n  - enqueue: noop\n    within: 1s\n    ${RETRY}\n  - assert: true\n`,
      { client: silentClient(onAbort) },
    );
    assert.equal(firstEnd(result).attempts, isRepeated ? 2 : 1);
  });
}

test("a request that only reads is repeated whatever became of it", async () => {
  let sent = 0;
  const call = () => {
    sent++;
    throw new ConnectionError("lost", "connection_lost", { delivery: "unknown" });
  };
  await runEngine(`steps:\n  - call: job.list\n    ${RETRY}\n  - assert: true\n`, {
    client: { call },
  });
  assert.equal(sent, 2);
});

test("a step is not repeated if it contains a write two levels down", async () => {
  let sent = 0;
  const call = () => Promise.resolve({ sent: ++sent });
  for (
    const [step, files] of [
      [`parallel: [{ call: job.retry }, { assert: 1 == 2 }]\n    ${RETRY}`, {}],
      [`parallel: [{ parallel: [{ call: job.retry }] }, { assert: 1 == 2 }]\n    ${RETRY}`, {}],
      [`parallel: [{ use: in.yaml }]\n    ${RETRY}`, {
        "in.yaml": "steps:\n  - call: job.retry\n  - assert: 1 == 2\n",
      }],
    ] as const
  ) {
    sent = 0;
    await runEngine(`steps:\n  - ${step}\n  - assert: true\n`, { client: { call }, files });
    assert.equal(sent, 1, step);
  }
});

test("`outputs` alone are the result of a step that has none", async () => {
  const result = await runEngine(`
steps:
  - id: slept
    sleep: 1ms
    outputs: { n: 1 + 1 }
  - sleep: 1ms
    outputs: { n: 2 + 1 }
    expect: { result.n: 3 }
  - assert: slept.n == 2
`);
  assert.equal(result.exitCode, 0, JSON.stringify(result.events.at(-2)));
});

test("`outputs` can read the result, add fields to it, and replace its fields", async () => {
  const call = () => Promise.resolve({ a: 1, b: 2 });
  const result = await runEngine(
    `
steps:
  - id: one
    call: job.list
    outputs: { b: result.a + result.b, c: '"x"', d: result.b }
    expect: { result.c: x }
  - expect: { one: { equals: { a: 1, b: 3, c: x, d: 2 } } }
`,
    { client: { call } },
  );
  assert.equal(result.exitCode, 0, JSON.stringify(result.events.at(-2)));
});

test("null is a result like any other", async () => {
  const result = await runEngine(
    `
steps:
  - id: one
    call: workflow.timeline
    expect: { result: null }
  - if: one == null
    log: it is null
  - id: both
    for_each: [1, 2]
    call: workflow.timeline
  - expect: { both: { equals: [null, null] } }
`,
    { client: { call: () => Promise.resolve(null) } },
  );
  assert.deepEqual(ends(result.events).map(({ status }) => status), Array(5).fill("passed"));
});

test("a recipe in TypeScript gets an answer that is null", async () => {
  const answers: unknown[] = [];
  const recipe = scriptRecipe(async (t) => {
    answers.push(await t.call("workflow.timeline"));
    t.assert(true);
  });
  await runEngine([recipe], { client: { call: () => Promise.resolve(null) } });
  assert.deepEqual(answers, [null]);
});

test("a step without a result leaves its id without a value", async () => {
  const result = await runEngine(
    `
steps:
  - id: one
    call: job.list
  - if: one == 1
    log: not this
  - id: both
    for_each: [1, 2]
    call: job.list
  - expect: { both: { length: 0 } }
`,
    { client: { call: () => Promise.resolve(undefined) } },
  );
  assert.deepEqual(ends(result.events).map(({ detail }) => detail), [
    undefined,
    "`one` did not run",
    undefined,
    undefined,
    undefined,
  ]);
});

test("`expect` sees the result that a step has stored itself", async () => {
  const job = { job_id: "j1", state: "pending" };
  const enqueue = () => Promise.resolve({ ...job });
  const result = await runEngine(
    "steps:\n  - id: job\n    enqueue: noop\n    expect: { result.job_id: j1, job.job_id: j1 }\n",
    { client: { enqueue } },
  );
  assert.equal(result.exitCode, 0, JSON.stringify(result.events.at(-2)));
});
