import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDevServer,
  createStore,
  createVirtualClock,
  type CronOptions,
  defineCron,
  defineJob,
} from "../../dev/mod.ts";
import { Wire } from "./wire.ts";

/** Returns the times at which a schedule fires within a span. */
async function firings(start: string, span: string, options: Omit<CronOptions, "job">) {
  const clock = createVirtualClock({ start });
  const times: string[] = [];
  await using _server = await createDevServer({
    clock,
    jobs: [defineJob("tick", () => void times.push(new Date(clock.now()).toISOString()))],
    crons: [defineCron("entry", { ...options, job: "tick" })],
  });
  await clock.advance(span);
  return times;
}

test("schedules are in UTC by default", async () => {
  assert.deepEqual(await firings("2026-01-01T00:00:30Z", "15m", { schedule: "*/5 * * * *" }), [
    "2026-01-01T00:05:00.000Z",
    "2026-01-01T00:10:00.000Z",
    "2026-01-01T00:15:00.000Z",
  ]);
  assert.deepEqual(await firings("2026-01-01T00:00:00Z", "90s", { schedule: "@every 30s" }), [
    "2026-01-01T00:00:30.000Z",
    "2026-01-01T00:01:00.000Z",
    "2026-01-01T00:01:30.000Z",
  ]);
  assert.deepEqual(await firings("2026-01-01T00:30:00Z", "1h", { schedule: "@hourly" }), [
    "2026-01-01T01:00:00.000Z",
  ]);
});

test("a schedule with a time zone follows daylight saving time", async () => {
  const options = { schedule: "0 7 * * *", timezone: "Europe/Berlin" };
  assert.deepEqual(await firings("2026-03-28T00:00:00Z", "48h", options), [
    "2026-03-28T06:00:00.000Z",
    "2026-03-29T05:00:00.000Z",
  ]);
});

test("an entry enqueues its job with its payload, and publishes `cron.fired` on the firehose only", async () => {
  const clock = createVirtualClock();
  await using server = await createDevServer({
    clock,
    jobs: [defineJob("report", () => {})],
    crons: [
      defineCron("daily", {
        schedule: "@daily",
        job: "report",
        payload: { kind: "day" },
        queue: "reports",
      }),
    ],
  });
  await using wire = await Wire.connect(server.url);
  await using other = await Wire.connect(server.url);
  await wire.call("subscribe", { channel: "firehose" });
  await other.call("subscribe", { channel: "jobs" });
  await clock.advance("24h");
  const enqueued = await wire.event("job.enqueued");
  const fired = await wire.take((frame) => frame.data?.type === "cron.fired");
  assert.equal(fired.channel, undefined);
  assert.equal(fired.data.topic, "");
  const { job_id } = enqueued.data;
  assert.deepEqual(fired.data.data, { entry_name: "daily", job_id });
  const job = await wire.call("job.get", { job_id });
  assert.deepEqual([job.queue, atob(job.payload), job.scope_app_id, job.state], [
    "reports",
    '{"kind":"day"}',
    undefined,
    "completed",
  ]);
  await other.event("job.completed");
  assert.ok(!other.frames.some(({ data }) => data?.type === "cron.fired"));
});

test("only one of two servers that share a store fires an entry", async () => {
  const clock = createVirtualClock();
  const store = createStore();
  const workload = {
    jobs: [defineJob("tick", () => {})],
    crons: [defineCron("entry", { schedule: "* * * * *", job: "tick" })],
  };
  await using _a = await createDevServer({ ...workload, clock, store });
  await using _b = await createDevServer({ ...workload, clock, store });
  await clock.advance("3m");
  assert.equal(store.jobs().length, 3);
});

test("createDevServer rejects with `bad_schedule` when a schedule is not valid", async () => {
  await assert.rejects(
    createDevServer({ crons: [defineCron("entry", { schedule: "61 * * * *", job: "x" })] }),
    { code: "bad_schedule", message: /^Cannot register cron 'entry': '61 \* \* \* \*': ./ },
  );
  await assert.rejects(
    createDevServer({ crons: [defineCron("entry", { schedule: "@every soon", job: "x" })] }),
    { code: "bad_schedule" },
  );
});
