// Logs of channels, and the events of single jobs and runs.
import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { ChannelLog } from "../../runner/engine/channel_log.ts";
import { EntityEvents } from "../../runner/engine/entity_events.ts";
import { EventBuffer, MAX_EVENTS } from "../../runner/engine/event_buffer.ts";
import type { LoggedEvent } from "../../runner/events/results.ts";
import { CountingSignal } from "../helpers/counting_signal.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const { signal } = new AbortController();

function event(topic: string, data: unknown = {}): LoggedEvent {
  return { type: "job.enqueued", ts: "2026-01-01T00:00:00Z", topic, data } as LoggedEvent;
}

test("everybody who waits for a log is woken by the next event or gap", async () => {
  const log = new ChannelLog();
  for (const change of [() => log.add(event("job:a")), () => log.addGap("a gap")]) {
    const all = [log.changed(signal), log.changed(signal)];
    let count = 0;
    for (const one of all) void one.then(() => count++);
    await breathe();
    equal(count, 0);
    change();
    await within(Promise.all(all), "the log");
  }
});

test("waiting for a log ends with its signal, and leaves no listener behind", async () => {
  const log = new ChannelLog();
  const stop = new CountingSignal();
  const waiting = log.changed(stop.signal);
  equal(stop.listeners, 1);
  log.add(event("job:a"));
  await waiting;
  equal(stop.listeners, 0);
  const again = log.changed(stop.signal);
  stop.abort(new Error("stopped"));
  await rejects(again, /stopped/);
  equal(stop.listeners, 0);
  throws(() => void log.changed(stop.signal), /stopped/);
  // Nobody waits any more.
  log.fail(new Error("lost"));
  await breathe();
});

test("a failed log rejects current and later waits", async () => {
  const log = new ChannelLog();
  const waiting = log.changed(signal);
  log.fail(new Error("lost"));
  await rejects(waiting, /lost/);
  await rejects(log.changed(signal), /lost/);
});

test("a narrower log has earlier and later events of its channel", async () => {
  const log = new ChannelLog(5);
  log.add(event("job:a", { queue: "x" }));
  log.add(event("job:b"));
  const narrow = log.narrow("job:a");
  const queue = log.narrow("queue:x");
  equal(narrow.since, 5);
  equal(narrow.missed, undefined);
  const changed = narrow.changed(signal);
  log.add(event("job:b", { queue: "x" }));
  log.add(event("job:a"));
  await within(changed, "the narrower log");
  deepEqual(narrow.events, [event("job:a", { queue: "x" }), event("job:a")]);
  deepEqual(queue.events.map(({ topic }) => topic), ["job:a", "job:b"]);
  equal(log.events.length, 4);
});

test("a narrower log has earlier and later gaps of its channel, and its failure", async () => {
  const log = new ChannelLog();
  const early = log.narrow("job:a");
  const changed = early.changed(signal);
  log.addGap("a gap");
  await within(changed, "the narrower log");
  equal(early.missed, "a gap");
  equal(log.narrow("job:a").missed, "a gap");
  const failed = early.changed(signal);
  log.fail(new Error("lost"));
  await rejects(within(failed, "the narrower log"), /lost/);
  await rejects(log.narrow("job:a").changed(signal), /lost/);
});

test("keeps ten thousand events, then drops a tenth of them, and says so once", () => {
  let drops = 0;
  const log = new ChannelLog(undefined, () => drops++);
  const counts = () => [log.events.length, log.dropped, drops];
  for (let i = 0; i < MAX_EVENTS; i++) log.add(event("job:a", { i }));
  deepEqual(counts(), [10_000, 0, 0]);
  equal(log.narrow("job:a").missed, undefined);
  log.add(event("job:a"));
  deepEqual(counts(), [9_000, 1_001, 1]);
  deepEqual(log.events[0]!.data, { i: 1_001 });
  for (let i = 0; i < 1_000; i++) log.add(event("job:a"));
  deepEqual(counts(), [10_000, 1_001, 1]);
  log.add(event("job:a"));
  deepEqual(counts(), [9_000, 2_002, 1]);
});

test("measures the size of events by their texts, keys and values", () => {
  // Both events together have exactly the size that is kept. If the second is larger, the first is
  // dropped.
  const large = event("job:a", "x".repeat(30_999_852));
  const fits = (data: unknown): boolean => {
    const buffer = new EventBuffer();
    buffer.add(large);
    return !buffer.add(event("job:a", data));
  };
  const sizes: [(length: number) => unknown, largest: number][] = [
    [(length) => "x".repeat(length), 999_852],
    [(length) => ["x".repeat(length)], 999_819],
    [(length) => ({ ["k".repeat(length)]: 1 }), 999_820],
    [(length) => Array(length).fill(null), 48_140],
    [(length) => Array(length).fill({}), 27_322],
  ];
  for (const [dataOf, largest] of sizes) {
    deepEqual([fits(dataOf(largest)), fits(dataOf(largest + 1))], [true, false], `${largest}`);
  }
  // Each drop leaves some room.
  const buffer = new EventBuffer();
  for (let i = 0; i < 33; i++) buffer.add(event("job:a", "x".repeat(999_852)));
  deepEqual([buffer.events.length, buffer.dropped], [28, 5]);
  // The room does not depend on the sizes of the dropped events.
  const mixed = new EventBuffer();
  mixed.add(event("job:a", "x".repeat(19_999_852)));
  for (let i = 0; i < 33; i++) mixed.add(event("job:a", "x".repeat(999_852)));
  deepEqual([mixed.events.length, mixed.dropped], [28, 6]);
});

test("a single event that is too large is kept, and dropped with the next one", () => {
  const buffer = new EventBuffer();
  equal(buffer.add(event("job:a", "x".repeat(40_000_000))), false);
  deepEqual([buffer.events.length, buffer.dropped], [1, 0]);
  equal(buffer.add(event("job:b")), true);
  deepEqual([buffer.events.map(({ topic }) => topic), buffer.dropped], [["job:b"], 1]);
  equal(buffer.add(event("job:c", "x".repeat(40_000_000))), false);
  deepEqual([buffer.events.map(({ topic }) => topic), buffer.dropped], [["job:c"], 2]);
});

/** A collection of the events of jobs and runs, and what it has reported. */
function collection() {
  const clock = new FakeClock();
  const errors: string[] = [];
  let changes = 0;
  const entities = new EntityEvents({
    clock,
    onEvent: () => changes++,
    onError: ({ message }) => errors.push(message),
    onDrop: () => {},
  });
  return { clock, entities, errors, changes: () => changes };
}

const JOB = { kind: "job", id: "job_1" } as const;

test("collects the events of a job once, without gaps, and says when one has arrived", async () => {
  const { entities, errors, changes } = collection();
  let opened = 0;
  const open = async function* () {
    opened++;
    yield await Promise.resolve({ ...event("job:job_1", { i: 1 }), more: true });
    yield { type: "gap", reason: "overflow" };
    yield event("job:job_1", { i: 2 });
  };
  deepEqual(entities.of(JOB), []);
  const events = entities.collect(JOB, open);
  equal(entities.collect(JOB, open), events);
  equal(entities.of(JOB), events);
  await within(entities.complete(JOB, signal), "the events");
  deepEqual(events, [event("job:job_1", { i: 1 }), event("job:job_1", { i: 2 })]);
  deepEqual([opened, changes(), errors], [1, 2, []]);
  deepEqual(entities.of({ kind: "job", id: "job_2" }), []);
});

test("waits a second at most for the last events of a job, and not at all for one it does not collect", async () => {
  const { entities, clock } = collection();
  await within(entities.complete(JOB, signal), "the events of another job");
  entities.collect(JOB, async function* () {
    yield await new Promise(() => {});
  });
  let isOver = false;
  const complete = entities.complete(JOB, signal).then(() => isOver = true);
  deepEqual(clock.due, [1_000]);
  clock.advance(999);
  await breathe();
  equal(isOver, false);
  clock.advance(1);
  await within(complete, "the events");
  const stop = new AbortController();
  const stopped = entities.complete(JOB, stop.signal);
  stop.abort(new Error("stopped"));
  await within(stopped, "the events");
});

test("reports a stream that fails, but not one that was closed", async () => {
  const failing = collection();
  failing.entities.collect(JOB, async function* () {
    yield await Promise.resolve(event("job:job_1"));
    throw new Error("lost");
  });
  await failing.entities.complete(JOB, signal);
  deepEqual(failing.errors, ["lost"]);
  equal(failing.entities.of(JOB).length, 1);

  const closed = collection();
  let isAborted = false;
  closed.entities.collect(JOB, async function* (stop) {
    await new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve()));
    isAborted = true;
    yield* [];
    throw stop.reason;
  });
  closed.entities.close();
  await eventually(() => isAborted);
  await breathe();
  deepEqual(closed.errors, []);
});
