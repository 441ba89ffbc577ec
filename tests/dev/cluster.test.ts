import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDevServer,
  createStore,
  createVirtualClock,
  defineJob,
  defineWorkflow,
} from "../../dev/mod.ts";
import { Wire } from "./wire.ts";

const WORKLOAD = {
  workflows: [
    defineWorkflow("order", async (wf) => {
      await wf.step("reserve", () => {});
      await wf.waitForEvent("paid", "1h");
      await wf.step("ship", () => {});
    }),
  ],
};

async function cluster() {
  const store = createStore();
  const clock = createVirtualClock({ autoSkip: false });
  const workers: string[] = [];
  const node = (name: string) =>
    createDevServer({
      ...WORKLOAD,
      store,
      clock,
      concurrency: 1,
      jobs: [defineJob("work", async (_, { sleep }) => {
        workers.push(name);
        await sleep(10);
      })],
    });
  const a = await node("a");
  const b = await node("b");
  return {
    store,
    clock,
    workers,
    a,
    b,
    [Symbol.asyncDispose]: async () => {
      await a.close();
      await b.close();
    },
  };
}

test("servers that share a store share runs and events, and publish only their own events", async () => {
  await using it = await cluster();
  await using onA = await Wire.connect(it.a.url);
  await using starter = await Wire.connect(it.a.url);
  await using onB = await Wire.connect(it.b.url);
  await onA.call("subscribe", { channel: "firehose" });
  await onB.call("subscribe", { channel: "firehose" });
  const id = starter.send("workflow.start", { name: "order" });
  const { data: { run_id } } = await onA.event("workflow.step_completed");
  assert.equal((await onB.call("workflow.get", { run_id })).state, "running");
  await onB.call("workflow.event", { name: "paid" });
  assert.equal((await starter.responseTo(id)).data.state, "completed");
  await onA.event("workflow.completed");
  const steps = (await onB.call("workflow.timeline", { run_id }))
    .map((entry: { step_name: string }) => entry.step_name);
  assert.deepEqual(steps, ["reserve", "wait:paid", "ship"]);
  assert.equal(onB.frames.length, 0, "b publishes no events of a's run");
});

test("servers that share a store share the jobs", async () => {
  await using it = await cluster();
  await using wire = await Wire.connect(it.a.url);
  for (let i = 0; i < 6; i++) await wire.call("job.enqueue", { name: "work" });
  await it.clock.advance("1s");
  assert.ok(it.store.jobs().every(({ state }) => state === "completed"));
  assert.deepEqual(it.workers.toSorted(), ["a", "a", "a", "b", "b", "b"]);
});

test("another server of the store runs a closed server's job again after 30 to 60 s", async () => {
  await using it = await cluster();
  await using wire = await Wire.connect(it.a.url);
  const { job_id } = await wire.call("job.enqueue", { name: "work" });
  const [first] = it.workers;
  await (first === "a" ? it.a : it.b).close();
  await it.clock.advance("29s");
  assert.equal(it.store.job(job_id)!.state, "running");
  await it.clock.advance("61s");
  assert.equal(it.store.job(job_id)!.state, "completed");
  assert.deepEqual(it.workers, first === "a" ? ["a", "b"] : ["b", "a"]);
});
