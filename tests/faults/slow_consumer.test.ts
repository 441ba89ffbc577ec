import assert from "node:assert/strict";
import { test } from "node:test";
import { type DispatchEvent, type Gap, OverflowError, type Subscription } from "../../mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { serve, STATS } from "../helpers/scripts.ts";

/** Publishes numbered events. */
async function numbered(
  options: { count: number; buffer?: number; overflow?: "drop-oldest" | "drop-newest" | "error" },
) {
  const it = await scripted(serve, { pingInterval: 0 });
  const { count, ...subscribing } = options;
  const slow = await it.client.subscribe("jobs", subscribing);
  const quick = new Recorder<DispatchEvent | Gap>(await it.client.subscribe("jobs"));
  const [peer] = it.server.peers;
  for (let i = 1; i <= count; i++) {
    peer!.publish("job.started", "job:1", { job_id: String(i), job_name: "n", queue: "default" });
    // More events than the client granted would cause a gap.
    if (i % 200 === 1) await within(it.client.stats(), "a call");
  }
  await eventually(() => quick.items.length === count);
  return { ...it, slow, quick };
}

/** The unread items of a subscription: the numbers of events, and gaps. */
async function held(subscription: Subscription): Promise<(number | Gap)[]> {
  const items: (number | Gap)[] = [];
  for await (const item of subscription) {
    if (item.type === "gap") items.push(item);
    else if ("job_id" in item.data) items.push(Number(item.data.job_id));
    if (subscription.buffered === 0) break;
  }
  return items;
}

test("drops the oldest events of a slow reader and counts them in a gap", async () => {
  await using it = await numbered({ count: 130, buffer: 100 });
  // The time of the first event that was dropped, which the other reader has.
  const since = new Date((it.quick.items[0] as DispatchEvent).ts).toISOString();
  const until = new Date(it.clock.now()).toISOString();
  const [gap, ...numbers] = await within(held(it.slow), "reading");
  assert.deepEqual(gap, { type: "gap", reason: "overflow", since, until, missed: 30 });
  assert.deepEqual(numbers, Array.from({ length: 100 }, (_, i) => i + 31));
  assert.equal(it.quick.of("gap").length, 0);
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
});

test("drops the newest events with `drop-newest`", async () => {
  await using it = await numbered({ count: 130, buffer: 100, overflow: "drop-newest" });
  const iterator = it.slow[Symbol.asyncIterator]();
  for (let i = 1; i <= 100; i++) {
    const { value } = await within(iterator.next(), "reading");
    assert(value && value.type !== "gap" && "job_id" in value.data);
    assert.equal(value.data.job_id, String(i));
  }
  const { value } = await within(iterator.next(), "reading");
  assert(value?.type === "gap");
  assert.equal(value.missed, 30);
});

test("fails with OverflowError with `error`, without affecting other readers", async () => {
  await using it = await numbered({ count: 130, buffer: 100, overflow: "error" });
  const numbers: number[] = [];
  await assert.rejects(
    within(
      (async () => {
        for await (const item of it.slow) {
          if (item.type !== "gap" && "job_id" in item.data) numbers.push(Number(item.data.job_id));
        }
      })(),
      "reading",
    ),
    OverflowError,
  );
  assert.deepEqual(numbers, Array.from({ length: 100 }, (_, i) => i + 1));
  it.server.peers[0]!.publish("job.started", "job:1", { job_id: "x", queue: "default" });
  await eventually(() => it.quick.items.length === 131);
});

test("buffers 10,000 events by default", async () => {
  await using it = await numbered({ count: 10_001 });
  assert.equal(it.slow.buffered, 10_000);
  const [gap, ...numbers] = await within(held(it.slow), "reading");
  assert((gap as Gap).missed === 1);
  assert.equal(numbers.length, 10_000);
});

test("the counts of several gaps add up to the missing events", async () => {
  await using it = await scripted(serve, { pingInterval: 0 });
  const slow = await it.client.subscribe("jobs", { buffer: 10 });
  const [peer] = it.server.peers;
  const iterator = slow[Symbol.asyncIterator]();
  let sent = 0;
  let read = 0;
  let missed = 0;
  const take = async (): Promise<void> => {
    const { value } = await within(iterator.next(), "reading");
    if (value?.type === "gap") missed += value.missed ?? NaN;
    else read++;
  };
  for (const burst of [25, 3, 14, 40, 1]) {
    for (let i = 0; i < burst; i++, sent++) {
      peer!.publish("job.started", "job:1", { job_id: "x", queue: "default" });
    }
    await within(it.client.stats(), "a call");
    for (let i = 0; i < 5; i++) await take();
  }
  while (slow.buffered > 0) await take();
  assert.equal(read + missed, sent);
});
