import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../../dev/mod.ts";
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
