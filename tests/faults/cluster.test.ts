import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore, createVirtualClock, defineJob, type DevServer } from "../../dev/mod.ts";
import { Dispatch, type Gap, type RunEvent } from "../../mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { RUN_ID, serve } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

function nameOf(event: RunEvent | Gap): string {
  return event.type !== "gap" && "step_name" in event.data
    ? `${event.type} ${event.data.step_name}`
    : event.type;
}

/** Two nodes of a cluster, each with its own broker, and one client for each node. */
async function cluster() {
  const store = createStore();
  const [a, b] = [await startServer({ store }), await startServer({ store })];
  const clock = new FakeClock(Date.now());
  const here = await Dispatch.connect({ url: a.url, token: "demo-token" });
  const there = await Dispatch.connect({ url: b.url, token: "demo-token", clock });
  return {
    here,
    there,
    clock,
    async [Symbol.asyncDispose]() {
      await here.close();
      await clock.runUntil(there.close(), 100);
      await a.close();
      await b.close();
    },
  };
}

test("polling finds the end of a run on another node", async () => {
  await using it = await cluster();
  const run = await within(it.here.startWorkflow("order-payment", { order_id: "1" }), "the start");
  const events = new Recorder(it.there.subscribe("workflows"));
  const waiting = it.there.run(run.run_id).wait();
  const watched = new Recorder(it.there.watch(run.run_id));
  await it.there.publishEvent("payment-received");
  assert.equal((await it.clock.runUntil(waiting, 50)).state, "completed");
  await it.clock.runUntil(watched.over, 50);
  assert.deepEqual(watched.items.map(nameOf), [
    "workflow.started",
    "workflow.step_completed reserve",
    "workflow.step_completed ship",
    "workflow.completed",
  ]);
  assert.deepEqual(events.items, [], "the other node published events of the run");
});

test("the events of a failed run on another node have a gap where its step failed", async () => {
  await using it = await cluster();
  const run = await within(it.here.startWorkflow("failing", {}), "the start");
  await assert.rejects(within(run.wait(), "the run"));
  const watched = new Recorder(it.there.watch(run.run_id));
  await it.clock.runUntil(watched.over, 50);
  assert.deepEqual(watched.items.map(nameOf), [
    "workflow.started",
    "workflow.step_completed a",
    "gap",
    "workflow.step_completed compensate:a",
    "workflow.failed",
  ]);
});

test("polling finds the end of a job on another node", async () => {
  await using it = await cluster();
  const jobs = await within(it.here.enqueueMany("noop", [1, 2, 3, 4]), "enqueueing");
  for (const { job_id } of jobs) {
    const job = it.there.job(job_id);
    assert.equal((await it.clock.runUntil(job.wait(), 50)).state, "completed");
    const events = await it.clock.runUntil(Array.fromAsync(job.events()), 50);
    assert.deepEqual(events.map(({ type }) => type), [
      "job.enqueued",
      "job.started",
      "job.completed",
    ]);
  }
});

/** A cluster whose client uses a node without workers, at first perhaps one with workers. */
async function workers(startsAtWorker: boolean) {
  const store = createStore();
  const clock = createVirtualClock({ autoSkip: false });
  const jobs = [defineJob("work", (_, { sleep }) => sleep("20s"))];
  const worker = () => startServer({ store, clock, jobs });
  const nodes = [await worker(), await startServer({ store, clock, queues: ["none"] })];
  const [first, { url }] = nodes as [DevServer, DevServer];
  const urls = startsAtWorker ? [first.url] : [];
  const own = new FakeClock(Date.now());
  const webSocket = () => new WebSocket(urls.pop() ?? url);
  const client = await Dispatch.connect({ url, token: "demo-token", clock: own, webSocket });
  return {
    store,
    clock,
    client,
    own,
    /** Lets another worker take the place of the first. */
    async replaceWorker() {
      await first.close();
      nodes.push(await worker());
    },
    async [Symbol.asyncDispose]() {
      await own.runUntil(client.close(), 100);
      for (const node of nodes) await node.close();
    },
  };
}

for (const [startsAtWorker, gaps] of [[true, ["reconnect"]], [false, []]] as const) {
  const who = startsAtWorker ? "another node after a reconnect" : "a node without workers";
  test(`the second start of a job whose worker died is told by ${who}`, async () => {
    await using it = await workers(startsAtWorker);
    const { job_id } = await within(it.client.enqueue("work"), "enqueueing");
    const seen = new Recorder(it.client.job(job_id).events());
    const starts = () => seen.of("job.started").map(({ ts }) => Date.parse(ts));
    const startedAt = () => Date.parse(it.store.job(job_id)!.started_at!);
    const hasStarted = (times: number) =>
      it.own.runUntil(eventually(() => starts().length === times), 50);
    await hasStarted(1);
    const expected = [startedAt()];
    await it.replaceWorker();
    await it.clock.advance("70s");
    expected.push(startedAt());
    // Whoever has a gap looks for what it has missed.
    if (startsAtWorker) await hasStarted(2);
    assert.equal(it.store.job(job_id)!.state, "running");
    await it.clock.advance("20s");
    await it.own.runUntil(seen.over, 50);
    assert.deepEqual(seen.items.map((item) => item.type === "gap" ? item.reason : item.type), [
      ...["job.enqueued", "job.started", ...gaps, "job.started", "job.completed"],
    ]);
    assert(expected[1]! - expected[0]! >= 30_000);
    assert(starts().every((time, i) => Math.abs(time - expected[i]!) < 25), `${starts()}`);
  });
}

test("polls less often while nothing happens, at least every five seconds", async () => {
  let asked = 0;
  await using it = await scripted((peer) =>
    serve(peer, ({ method }) => {
      if (method === "workflow.get") asked++;
    }), { pingInterval: 0 });
  const waiting = it.client.run(RUN_ID).wait();
  waiting.catch(() => {});
  const pauses: number[] = [];
  for (let times = 1; times <= 10; times++) {
    // The deadline of a request in flight is longer than any pause.
    await eventually(() => asked === times && (it.clock.due[0] ?? Infinity) < 30_000);
    const [pause] = it.clock.due;
    pauses.push(Math.round(pause!));
    it.clock.advance(pause!);
  }
  assert.deepEqual(pauses, [250, 375, 563, 844, 1266, 1898, 2848, 4271, 5000, 5000]);
});
