import assert from "node:assert/strict";
import { test } from "node:test";
import { defineJob } from "../../dev/mod.ts";
import type { DispatchEvent, Gap } from "../../mod.ts";
import { Dispatch } from "../../mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { faulty, scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { serve } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

const DATA = { job_id: "1", job_name: "n", queue: "default" };

test("grants new credits before half of them are used", async () => {
  await using it = await scripted(serve, { credits: 4_000 });
  const jobs = new Recorder(await it.client.subscribe("jobs"));
  const [peer] = it.server.peers;
  let sent = 0;
  let least = Infinity;
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 100; i++, sent++) peer!.publish("job.started", "job:1", DATA);
    await eventually(() => jobs.items.length === sent);
    await within(it.client.stats(), "a call");
    // The server reads requests in order, so this round's grant has arrived.
    if (sent > 500) least = Math.min(least, 1_000 + peer!.granted - sent);
  }
  assert.equal(jobs.items.length, 10_000);
  assert(least >= 2_500, `only ${least} of 5,000 credits were left`);
  assert(
    1_000 + peer!.granted - sent <= 5_000,
    "more credits were granted than the client may have",
  );
  assert.equal(jobs.of("gap").length, 0);
});

test("loses none of 12,000 events that are read as they arrive, with credits for 4,000", async () => {
  await using server = await startServer();
  const options = { url: server.url, token: "demo-token", credits: 4_000 };
  await using client = await Dispatch.connect(options);
  const subscription = await client.subscribe("jobs", { buffer: 1_000_000 });
  const seen = new Map<string, number>();
  let gaps = 0;
  const reading = (async () => {
    for await (const event of subscription) {
      if (event.type === "gap") gaps++;
      else seen.set(event.type, (seen.get(event.type) ?? 0) + 1);
      if (seen.get("job.completed") === 4_000) break;
    }
  })();
  for (let i = 0; i < 2; i++) await client.enqueueMany("noop", new Array(2_000).fill(null));
  await within(reading, "reading", 60_000);
  await client.close();
  assert.equal(gaps, 0);
  assert.deepEqual(Object.fromEntries(seen), {
    "job.enqueued": 4_000,
    "job.started": 4_000,
    "job.completed": 4_000,
  });
});

test("reports a gap with its times if the server ran out of credits", async () => {
  await using server = await startServer({ jobs: [defineJob("noop", () => {})] });
  await using it = await faulty(server.url, { credits: 500, pingInterval: 0 });
  await using other = await Dispatch.connect({ url: server.url, token: "demo-token" });
  const jobs = new Recorder<DispatchEvent | Gap>(await it.client.subscribe("jobs"));
  const workflows = new Recorder<DispatchEvent | Gap>(await it.client.subscribe("workflows"));
  const since = new Date(it.clock.now()).toISOString();
  const [connection] = it.proxy.connections;
  // Hold back the client's grants while the server has 3,000 events to send.
  connection!.hold("toServer");
  await other.enqueueMany("noop", new Array(1_000).fill(null));
  await eventually(() => jobs.items.length >= 1_000);
  await breathe(20);
  assert(jobs.items.length < 3_000, "the server did not run out of credits");
  assert.equal(jobs.of("gap").length, 0);
  it.clock.advance(5_000);
  connection!.release();
  await eventually(() => jobs.of("gap").length >= 1);
  await breathe(20);
  const gap: Gap = {
    type: "gap",
    reason: "credits",
    since,
    until: new Date(it.clock.now()).toISOString(),
  };
  assert.deepEqual(jobs.of("gap"), [gap]);
  assert.deepEqual(workflows.of("gap"), [gap]);
  assert.deepEqual(it.status.of("gap"), [gap]);
  // Events continue after the gap.
  const before = jobs.items.length;
  await other.enqueue("noop");
  await eventually(() => jobs.items.length === before + 3);
});

test("reports no gap for a burst within the credits", async () => {
  await using it = await scripted(serve, { pingInterval: 0 });
  const jobs = new Recorder(await it.client.subscribe("jobs"));
  const [peer] = it.server.peers;
  for (let i = 0; i < 700; i++) peer!.publish("job.started", "job:1", DATA);
  await eventually(() => jobs.items.length === 700);
  await within(it.client.stats(), "a call");
  for (let i = 0; i < 30_000; i++) peer!.publish("job.started", "job:1", DATA);
  await eventually(() => jobs.items.length === 30_700, 20_000);
  await within(it.client.stats(), "a call");
  assert.equal(jobs.of("gap").length, 0);
});
