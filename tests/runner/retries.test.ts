import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "../../dev/mod.ts";
import { ends, firstFailure, type RecipeResult, runRecipe } from "./_recipe.ts";

/** Loses the answer to an enqueue together with the connection. */
const CUT: Fault = { do: "cut", when: { direction: "out", method: "job.enqueue" } };
const NOT_RETRIED =
  "not retried, because its request may have reached the server; `repeat_writes: true` retries it anyway";

/** Runs a recipe and counts the writes that reach the server. */
async function counted(
  text: string,
  faults: readonly Fault[] = [],
  files: Record<string, string> = {},
): Promise<RecipeResult & { writes: number }> {
  const { createDevServer, defineJob, defineWorkflow } = await import("../../dev/mod.ts");
  let writes = 0;
  await using server = await createDevServer({
    faults,
    jobs: [defineJob("noop", () => {})],
    workflows: [defineWorkflow("flow", () => Promise.resolve(null))],
  });
  server.observe({
    event: ({ type }) => void (/^job\.enqueued$|^workflow\.started$/.test(type) && writes++),
    published: () => void writes++,
  });
  const result = await runRecipe(text, ["--url", server.url], { files });
  return { ...result, writes };
}

test("does not repeat a write that may have reached the server", async () => {
  const retry = "retry: { attempts: 3, backoff: 10ms }";
  const late = (what: object): Fault => ({
    do: "delay",
    when: { direction: "out", ...what },
    ms: 400,
  });
  const cases: [string, Fault][] = [
    [`enqueue: noop\n    within: 200ms\n    ${retry}`, late({ method: "job.enqueue" })],
    [`start: flow\n    within: 200ms\n    ${retry}`, late({ event: "workflow.started" })],
    [`enqueue: noop\n    ${retry}`, CUT],
    [`call: job.enqueue\n    data: { name: noop }\n    ${retry}`, CUT],
    [`parallel: [{ enqueue: noop }]\n    ${retry}`, CUT],
    [`use: inner.yaml\n    ${retry}`, CUT],
  ];
  for (const [step, fault] of cases) {
    const { writes, events } = await counted(`steps:\n  - ${step}\n  - assert: true\n`, [fault], {
      "inner.yaml": "steps:\n  - enqueue: noop\n  - assert: true\n",
    });
    assert.equal(writes, 1, step);
    const last = ends(events).findLast(({ failure }) => failure);
    assert.deepEqual(last?.failure?.lines.at(-1), NOT_RETRIED, step);
  }
});

test("does not repeat a write whose answer fails an expectation", async () => {
  for (
    const step of [
      "enqueue: noop\n    expect: { result.name: other }",
      "enqueue: noop\n    outputs: { x: 'result.payload.y' }",
      "start: flow\n    expect: { result.name: other }",
      "publish: paid\n    expect: { result.name: other }",
      "call: job.enqueue\n    data: { name: noop }\n    expect: { result.name: other }",
      "parallel: [{ enqueue: noop }, { assert: 1 == 2 }]",
      "use: inner.yaml",
    ]
  ) {
    const { writes, events } = await counted(
      `steps:\n  - ${step}\n    retry: { attempts: 3, backoff: 1ms }\n  - assert: true\n`,
      [],
      { "inner.yaml": "steps:\n  - enqueue: noop\n  - assert: 1 == 2\n" },
    );
    assert.equal(writes, 1, step);
    const last = ends(events).findLast(({ failure }) => failure);
    assert.deepEqual(last?.failure?.lines.at(-1), NOT_RETRIED, step);
  }
});

test("retries a step that only reads, also inside `parallel`", async () => {
  const retry = "retry: { attempts: 3, backoff: 1ms }";
  for (const step of ["call: job.list", "parallel: [{ stats: }, { assert: 1 == 2 }]"]) {
    const { events } = await counted(`steps:\n  - ${step}\n    ${retry}\n`);
    assert.equal(ends(events).at(-1)?.attempts, 3, step);
  }
});

test("repeats a write with `repeat_writes`, and reports the case as flaky", async () => {
  const { code, writes, events } = await counted(
    `steps:
  - enqueue: noop
    retry: { attempts: 3, backoff: 1ms, repeat_writes: true }
  - assert: true
`,
    [{ ...CUT, times: 1 }],
  );
  assert.equal(code, 0);
  assert.equal(writes, 2);
  assert.equal(ends(events)[0]?.attempts, 2);
  assert.equal(events.findLast((e) => e.type === "case.finished")?.flaky, true);
});

test("keeps the failure of the last attempt when the time is over before the next one", async () => {
  for (
    const [step, kind, message] of [
      ["call: job.list", "server", /405|not supported|method/i],
      ["stats:\n    expect: { result.connections: 77 }", "assertion", /should be 77/],
    ] as const
  ) {
    const { events } = await runRecipe(
      `timeout: 150ms\nsteps:\n  - ${step}\n    retry: { attempts: 50, backoff: 1h }\n  - assert: true\n`,
    );
    const failure = firstFailure(events);
    assert.equal(failure.kind, kind);
    assert.match(failure.message, message);
    assert.equal(failure.lines.at(-1), "the recipe's time was over before the next attempt");
  }
});
