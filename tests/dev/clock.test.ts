import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../runtime/mod.ts";
import {
  createDevServer,
  createVirtualClock,
  defineJob,
  defineWorkflow,
  parseDuration,
} from "../../dev/mod.ts";
import { Wire } from "./wire.ts";

test("timers fire in order and on time, and the work they start is done before the next one", async () => {
  const clock = createVirtualClock({ start: "2026-01-01T00:00:00Z", autoSkip: false });
  const start = clock.now();
  const fired: [string, number][] = [];
  const record = (name: string) => () => void fired.push([name, clock.now() - start]);
  clock.setTimeout(record("late"), 5000);
  clock.setTimeout(record("first"), 1000);
  clock.setTimeout(record("second"), 1000);
  clock.clearTimeout(clock.setTimeout(record("never"), 500));
  clock.setTimeout(async () => {
    await Promise.resolve();
    clock.setTimeout(record("inner"), 500);
  }, 2000);
  await clock.advance("3s");
  assert.deepEqual(fired, [["first", 1000], ["second", 1000], ["inner", 2500]]);
  assert.equal(clock.now() - start, 3000);
  await clock.advance(2000);
  assert.deepEqual(fired.at(-1), ["late", 5000]);
});

test("skips to the end of the next sleep when everything waits", async () => {
  await using server = await createDevServer({
    clock: "virtual",
    workflows: [defineWorkflow("long", async (wf) => {
      for (let month = 0; month < 12; month++) await wf.sleep(`month ${month}`, "30d");
    })],
  });
  await using wire = await Wire.connect(server.url);
  const began = server.clock.now();
  await wire.call("workflow.start", { name: "long" });
  assert.equal(Math.round((server.clock.now() - began) / 86_400_000), 360);
});

test("skips to the end of the longest of several sleeps of one handler", async () => {
  await using server = await createDevServer({
    clock: "virtual",
    jobs: [
      defineJob("doze", (_, { sleep }) => Promise.all([sleep("1m"), sleep("2m"), sleep("2m")])),
    ],
    workflows: [
      defineWorkflow("doze", async (wf) => {
        await wf.step("nap", ({ sleep }) => Promise.all([sleep("1m"), sleep("2m")]));
        await Promise.all([wf.sleep("first", "1m"), wf.sleep("second", "2m")]);
      }),
    ],
  });
  await using wire = await Wire.connect(server.url);
  const began = server.clock.now();
  await wire.call("subscribe", { channel: "jobs" });
  await wire.call("job.enqueue", { name: "doze" });
  await wire.event("job.completed");
  assert.equal(Math.round((server.clock.now() - began) / 60_000), 2);
  await wire.call("workflow.start", { name: "doze" });
  assert.equal(Math.round((server.clock.now() - began) / 60_000), 6);
});

test("does not skip while a handler waits for something other than the clock", async () => {
  let finish = () => {};
  const busy = new Promise<void>((resolve) => finish = resolve);
  await using server = await createDevServer({
    clock: "virtual",
    jobs: [defineJob("busy", () => busy), defineJob("sleepy", (_, { sleep }) => sleep("1m"))],
  });
  await using wire = await Wire.connect(server.url);
  await wire.call("subscribe", { channel: "jobs" });
  await wire.call("job.enqueue", { name: "busy" });
  await wire.event("job.started");
  await wire.call("job.enqueue", { name: "sleepy" });
  await wire.event("job.started");
  const before = server.clock.now();
  for (let i = 0; i < 50; i++) await wire.call("stats");
  assert.equal(server.clock.now(), before);
  finish();
  assert.equal((await wire.event("job.completed")).data.job_name, "busy");
  assert.equal((await wire.event("job.completed")).data.job_name, "sleepy");
});

test("does not skip to the timeout of a wait for an event", async () => {
  await using server = await createDevServer({
    clock: "virtual",
    workflows: [defineWorkflow("patient", async (wf) => {
      if (!await wf.waitForEvent("never", "1m")) throw new Error("nothing came");
    })],
  });
  await using wire = await Wire.connect(server.url);
  await using watcher = await Wire.connect(server.url);
  await watcher.call("subscribe", { channel: "workflows" });
  const id = wire.send("workflow.start", { name: "patient" });
  await watcher.event("workflow.started");
  const before = server.clock.now();
  for (let i = 0; i < 50; i++) await watcher.call("stats");
  assert.equal(server.clock.now(), before);
  await server.advance("1m");
  assert.equal((await wire.responseTo(id)).data.state, "failed");
});

test("skips to the timeout of a job, since nothing else can end it", async () => {
  await using server = await createDevServer({
    clock: "virtual",
    jobs: [defineJob("long", { maxRetries: 0 }, (_, { sleep }) => sleep("1h"))],
  });
  await using wire = await Wire.connect(server.url);
  await wire.call("subscribe", { channel: "jobs" });
  const before = server.clock.now();
  await wire.call("job.enqueue", { name: "long" });
  assert.equal((await wire.event("job.failed")).data.error, "context deadline exceeded");
  assert.equal(server.clock.now() - before, 300_000);
});

test("advance rejects with `not_virtual` when the clock is not virtual", async () => {
  await using server = await createDevServer();
  await assert.rejects(server.advance("1h"), { code: "not_virtual" });
  assert.throws(() => createVirtualClock({ start: "noon" }), RangeError);
});

test("a sleep longer than the longest timer sets several timers in a row", async () => {
  const set: number[] = [];
  let now = 0;
  let fire = () => {};
  const clock = {
    ...systemClock,
    now: () => now,
    setTimeout: (callback: () => void, ms: number) => {
      // The timer of a connection that is not authenticated yet.
      if (ms <= 10_000) return;
      set.push(ms);
      fire = () => {
        now += ms;
        callback();
      };
    },
    clearTimeout: () => {},
  };
  await using server = await createDevServer({
    clock,
    listen: false,
    workflows: [defineWorkflow("w", (wf) => wf.sleep("long", "60d"))],
  });
  const socket = server.webSocket();
  const ended = new Promise<string>((resolve) => {
    socket.onmessage = ({ data }) => JSON.parse(data).correl_id === "2" && resolve(data);
  });
  await new Promise((resolve) => socket.onopen = resolve);
  socket.send('{"id":"1","method":"auth","token":"demo-token"}');
  socket.send('{"id":"2","method":"workflow.start","data":{"name":"w"}}');
  while (set.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  for (let piece = 0; piece < 3; piece++) fire();
  assert.equal(JSON.parse(await ended).data.state, "completed");
  assert.equal(set.reduce((a, b) => a + b, 0), 60 * 86_400_000);
  assert.ok(set.every((ms) => ms < 2 ** 31));
});

test("parseDuration accepts milliseconds and text, and throws `bad_duration` for anything else", () => {
  assert.equal(parseDuration("250ms"), 250);
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("1.5s"), 1500);
  assert.equal(parseDuration("2d"), 172_800_000);
  assert.equal(parseDuration(7), 7);
  for (const invalid of ["", "5", "s", "1h 30m", "-1s", "1w", -1, NaN]) {
    assert.throws(() => parseDuration(invalid), { code: "bad_duration" }, String(invalid));
  }
});

test("does not skip while a workflow waits for something real outside of its steps", async () => {
  const real = Promise.withResolvers<void>();
  await using server = await createDevServer({
    clock: "virtual",
    workflows: [
      defineWorkflow("busy", async (wf) => {
        await wf.step("first", () => {});
        await real.promise;
        await wf.runChild("sleepy");
      }),
      defineWorkflow("sleepy", (wf) => wf.sleep("a day", "1d")),
    ],
  });
  await using wire = await Wire.connect(server.url);
  await using other = await Wire.connect(server.url);
  await other.call("subscribe", { channel: "workflows" });
  const start = server.clock.now();
  const busy = wire.call("workflow.start", { name: "busy" });
  await other.event("workflow.step_completed");
  other.send("workflow.start", { name: "sleepy" });
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(server.clock.now(), start);
  real.resolve();
  assert.equal((await busy).state, "completed");
  assert.equal(Math.round((server.clock.now() - start) / 86_400_000), 1);
});
