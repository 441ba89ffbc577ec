import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../../dev/mod.ts";
import { ConnectionError, Dispatch, type DispatchEvent, type Gap, type Status } from "../../mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { Recorder } from "../helpers/recorder.ts";
import { startServer } from "../helpers/server.ts";

/** Moves the clock in steps, so that sockets have time to connect or to be refused. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let done = 0; done < ms; done += 100) {
    clock.advance(100);
    await breathe(1);
  }
}

for (const seconds of [8, 60]) {
  test(`reconnects with one session to a server that is back after ${seconds} s`, async () => {
    const store = createStore();
    let server = await startServer({ store });
    const { url, port } = server;
    const clock = new FakeClock(Date.now());
    const client = new Dispatch({ url, token: "demo-token", clock, random: () => 0.4 });
    const status = new Recorder<Status>(client.status());
    await within(client.connect(), "connecting");
    const jobs = new Recorder<DispatchEvent | Gap>(await client.subscribe("jobs"));
    const before = await client.enqueue("noop");
    await clock.runUntil(before.wait(), 10);
    await eventually(() => jobs.items.length === 3);
    const run = await within(client.startWorkflow("order-payment", { order_id: "1" }), "the start");
    const waiting = run.wait();

    await server.close();
    await eventually(() => status.of("disconnected").length === 1);
    const meanwhile = client.enqueue("noop", null, { timeout: 120_000 });
    meanwhile.catch(() => {});
    await pass(clock, seconds * 1_000);
    assert.equal(status.of("connected").length, 1);
    server = await startServer({ store, port });
    await clock.runUntil(eventually(() => status.of("connected").length === 2), 20);

    const after = await clock.runUntil(meanwhile, 10);
    await clock.runUntil(after.wait(), 10);
    await eventually(() => jobs.of("job.completed").length === 2);
    assert.deepEqual(jobs.items.map(({ type }) => type), [
      "job.enqueued",
      "job.started",
      "job.completed",
      "gap",
      "job.enqueued",
      "job.started",
      "job.completed",
    ]);
    assert.equal(jobs.of("gap")[0]!.reason, "reconnect");
    await client.publishEvent("payment-received");
    assert.equal((await clock.runUntil(waiting, 50)).state, "completed");
    await pass(clock, 60_000);
    assert.equal(status.of("connected").length, 2);
    assert.equal((await client.stats()).broker.subscriber_count, 1, "the number of sessions");
    await client.close();
    await server.close();
  });
}

test("gives up after ten attempts if the server does not come back", async () => {
  const server = await startServer();
  const clock = new FakeClock(Date.now());
  const client = new Dispatch({ url: server.url, token: "demo-token", clock, random: () => 0.4 });
  const status = new Recorder<Status>(client.status());
  await within(client.connect(), "connecting");
  const jobs = new Recorder(await client.subscribe("jobs"));
  await server.close();
  await clock.runUntil(eventually(() => status.of("failed").length === 1), 500);
  assert.equal(status.of("reconnecting").length, 10);
  await within(jobs.over, "the subscription");
  for (const cause of [status.of("failed")[0]!.cause, jobs.error]) {
    assert(cause instanceof ConnectionError);
    assert.equal(cause.code, "gave_up");
  }
  assert.equal(clock.pending, 0);
  await client.close();
});
