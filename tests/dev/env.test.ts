import assert from "node:assert/strict";
import { test } from "node:test";
import { defineJob, defineWorkflow } from "../../dev/mod.ts";
import { createTestDispatch, type TestDispatchOptions } from "../../testing/mod.ts";

const WORKLOAD: TestDispatchOptions = {
  jobs: [
    defineJob("greet", (name: string, { log }) => log(`hello ${name}`)),
    defineJob("bad", { maxRetries: 1 }, () => {
      throw new Error("no");
    }),
  ],
  workflows: [
    defineWorkflow("reminder", async (wf) => {
      await wf.sleep("a day", "24h");
      await wf.step("remind", () => {});
    }),
    defineWorkflow("order", async (wf, input: { id: string }) => {
      await wf.step("reserve", () => {});
      const paid = await wf.waitForEvent("paid", "1h");
      if (!paid) throw new Error(`${input.id} was not paid`);
      await wf.step("ship", () => {});
    }),
  ],
};

for (const transport of ["socket", "memory"] as const) {
  test(`${transport}: the virtual clock skips a workflow's sleep`, async () => {
    await using env = await createTestDispatch({ ...WORKLOAD, transport });
    const run = await env.client.startWorkflow("reminder", {});
    const { state, started_at, completed_at } = await env.completed(run);
    assert.equal(state, "completed");
    assert.ok(Date.parse(completed_at!) - Date.parse(started_at) >= 86_400_000);
    assert.deepEqual(env.events.map(({ type }) => type), [
      "workflow.started",
      "workflow.step_completed",
      "workflow.completed",
    ]);
  });

  test(`${transport}: a run receives a published event, and \`advance\` makes a wait time out`, async () => {
    await using env = await createTestDispatch({ ...WORKLOAD, transport });
    const run = await env.client.startWorkflow("order", { id: "1" });
    await env.event("workflow.step_completed", ({ data }) => data.step_name === "reserve");
    const published = env.published<{ amount: number }>("paid");
    await env.client.publishEvent("paid", { amount: 5 });
    assert.deepEqual((await published).payload, { amount: 5 });
    await env.completed(run);
    assert.equal((await env.published("paid")).name, "paid", "an event published earlier counts");

    const late = await env.client.startWorkflow("order", { id: "2" });
    await env.event("workflow.step_completed", ({ data }) => data.run_id === late.run_id);
    await env.advance("59m");
    assert.equal(env.server.store.run(late.run_id)!.state, "running");
    await env.advance("1m");
    assert.equal((await env.failed(late)).error, "2 was not paid");
  });

  test(`${transport}: completed and failed accept a job's handle or id`, async () => {
    const lines: string[] = [];
    await using env = await createTestDispatch({
      ...WORKLOAD,
      transport,
      log: (line) => lines.push(line),
    });
    const job = await env.client.enqueue("greet", "you");
    await env.completed(job);
    assert.deepEqual(lines, [`greet ${job.job_id}: hello you`]);
    const bad = await env.client.enqueue("bad", null);
    await env.failed(bad.job_id);
    await assert.rejects(env.completed(bad), {
      code: "unexpected_end",
      message: `Expected bad '${bad.job_id}' to be completed, but it is failed: no`,
    });
    const idle = await env.client.enqueue("greet", "x", { queue: "unread" });
    const ended = assert.rejects(env.completed(idle), {
      code: "unexpected_end",
      message: /but it is cancelled$/,
    });
    await env.client.cancelJob(idle.job_id);
    await ended;
  });
}

test("memory: the server does not listen, and the transport records every frame", async () => {
  await using env = await createTestDispatch({ ...WORKLOAD, transport: "memory" });
  assert.equal(env.server.port, 0);
  const job = await env.client.enqueue("greet", "you");
  const { frames, methods } = env.transport!;
  assert.equal(methods[0], "auth");
  assert.ok(methods.includes("job.enqueue"));
  assert.ok(
    frames.some(({ direction, frame }) =>
      direction === "received" && frame.data?.job_id === job.job_id
    ),
  );
});

test("memory: the client sees a rejected token, and reconnects after a restart", async () => {
  await assert.rejects(
    createTestDispatch({ transport: "memory", token: "nobody" }),
    { name: "AuthError" },
  );
  await using env = await createTestDispatch({
    ...WORKLOAD,
    transport: "memory",
    client: { backoff: { base: 1, cap: 5 } },
  });
  await env.server.restart();
  const job = await env.client.enqueue("greet", "again");
  await env.completed(job);
});
