// Streams of events can be endless: the engine keeps the newest events, and says so.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChannelLog } from "../../runner/engine/channel_log.ts";
import { Channels } from "../../runner/engine/channels.ts";
import { EntityEvents } from "../../runner/engine/entity_events.ts";
import { EventBuffer, MAX_EVENTS } from "../../runner/engine/event_buffer.ts";
import type { LoggedEvent } from "../../runner/events/results.ts";
import type { RunnerClient } from "../../runner/steps/context.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function event(i: number, text = ""): LoggedEvent {
  const topic = `job:job_${i % 2}`;
  return { type: "job.enqueued", ts: "2026-01-01T00:00:00Z", topic, data: { i, text } };
}

const numberOf = ({ data }: LoggedEvent) => (data as { i: number }).i;

test("keeps the newest events of a channel, and counts those it has dropped", () => {
  let drops = 0;
  const log = new ChannelLog(undefined, () => drops++);
  const total = MAX_EVENTS * 5 + 1;
  for (let i = 0; i < total; i++) {
    log.add(event(i));
    assert.ok(log.events.length <= MAX_EVENTS);
    assert.equal(log.dropped + log.events.length, i + 1);
  }
  assert.equal(numberOf(log.events.at(-1)!), total - 1);
  assert.equal(numberOf(log.events[0]!), log.dropped);
  assert.equal(drops, 1);
});

test("keeps fewer events if they are large, and always the newest", () => {
  const buffer = new EventBuffer();
  for (let i = 0; i < 100; i++) buffer.add(event(i, "x".repeat(1_000_000)));
  assert.ok(buffer.events.length < 40 && buffer.events.length > 20, `${buffer.events.length}`);
  buffer.add(event(100, "x".repeat(50_000_000)));
  assert.deepEqual(buffer.events.map(numberOf), [100]);
  buffer.add(event(101));
  assert.deepEqual(buffer.events.map(numberOf), [101]);
});

test("a narrower channel opened later says which events it cannot have", () => {
  const log = new ChannelLog();
  for (let i = 0; i <= MAX_EVENTS; i++) log.add(event(i));
  const narrow = log.narrow("job:job_1");
  assert.match(narrow.missed!, /^the first 1001 events were no longer kept$/);
  assert.ok(narrow.events.every(({ topic }) => topic === "job:job_1"));
});

test("a case is warned once when a channel has too many events", async () => {
  const warnings: string[] = [];
  const stream = (async function* () {
    for (let i = 0; i < MAX_EVENTS * 3; i++) yield await Promise.resolve(event(i));
  })();
  const subscription = Object.assign(stream, { unsubscribe: () => Promise.resolve() });
  const pending = Object.assign(Promise.resolve(subscription), {
    unsubscribe: () => Promise.resolve(),
  });
  const client = { subscribe: () => pending } as unknown as RunnerClient;
  const channels = new Channels(client, new FakeClock(), (text) => warnings.push(text));
  const { signal } = new AbortController();
  const log = await channels.open("jobs", signal);
  while (log.dropped + log.events.length < MAX_EVENTS * 3) await log.changed(signal);
  assert.deepEqual(warnings, [
    "channel `jobs` has had too many events to keep: steps see the newest 10000 at most, and fewer if they are large",
  ]);
});

test("the events of a job or run are bounded too", async () => {
  const dropped: string[] = [];
  const events = new EntityEvents({
    clock: new FakeClock(),
    onEvent: () => {},
    onError: (error) => assert.fail(error),
    onDrop: ({ id }) => dropped.push(id),
  });
  const run = { kind: "run", id: "wfrun_1" } as const;
  const kept = events.collect(run, async function* () {
    for (let i = 0; i < MAX_EVENTS * 2; i++) yield await Promise.resolve(event(i));
  });
  await events.complete(run, new AbortController().signal);
  assert.ok(kept.length <= MAX_EVENTS && kept.length > MAX_EVENTS / 2);
  assert.deepEqual(dropped, ["wfrun_1"]);
});
