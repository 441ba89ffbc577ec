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

const schedule = (schedule: string) => () => defineCron("entry", { schedule, job: "x" });

test("defineCron throws `bad_schedule` when a pattern is not valid, and says why", () => {
  for (
    const [pattern, reason] of [
      ["61 * * * *", "the minute '61' is not valid: it must be from 0 to 59, not '61'"],
      ["* 24 * * *", "the hour '24' is not valid: it must be from 0 to 23, not '24'"],
      ["* * 0 * *", "the day of the month '0' is not valid: it must be from 1 to 31, not '0'"],
      [
        "* * * 13 *",
        "the month '13' is not valid: it must be from 1 to 12, or JAN to DEC, not '13'",
      ],
      [
        "* * * * mom",
        "the day of the week 'mom' is not valid: did you mean 'MON' instead of 'mom'?",
      ],
      ["1.5 * * * *", "the minute '1.5' is not valid: it must be from 0 to 59, not '1.5'"],
      ["1, * * * *", "the minute '1,' is not valid: it must be from 0 to 59, not ''"],
      ["30-10 * * * *", "the minute '30-10' is not valid: 30 comes after 10"],
      ["1-2-3 * * * *", "the minute '1-2-3' is not valid: '1-2-3' is not a range"],
      ["*/0 * * * *", "the minute '*/0' is not valid: the step must be from 1 to 60, not '0'"],
      [
        "5/15 * * * *",
        "the minute '5/15' is not valid: " +
        "a step needs '*' or a range before it, such as '5-59/15'",
      ],
      ["70 * * * * *", "the second '70' is not valid: it must be from 0 to 59, not '70'"],
      ["0 0 31 2,4 *", "there is no such day in any year"],
      [
        "every morning",
        "it has 2 fields, but needs 5: minute, hour, day of the month, month, day of the week",
      ],
      [" ", "it has 0 fields, but needs 5: minute, hour, day of the month, month, day of the week"],
      ["@dayly", "there is no '@dayly'; did you mean '@daily'?"],
      [
        "@reboot",
        "there is no '@reboot'; there are @every, @yearly, @annually, @monthly, @weekly, @daily, " +
        "@midnight, @hourly",
      ],
      ["@every", "it names no interval; write '@every 30s'"],
      ["@every soon", 'Cannot parse duration: "soon" is not like "250ms", "5s" or "1h30m"'],
    ]
  ) {
    assert.throws(schedule(pattern!), {
      code: "bad_schedule",
      message: `Cannot define cron 'entry': '${pattern}': ${reason}`,
    });
  }
});

test("defineCron accepts names, ranges, steps, seconds, years and the days of croner", () => {
  for (
    const pattern of [
      "* * * * *",
      "0 7 * * mon-fri",
      "*/5,30 8-18/2 1,15 JAN,jul 0-7",
      "? ? ? * ?",
      "30 * * * * *",
      "0 0 0 1 1 * 2099",
      "0 0 L * *",
      "0 0 15W * *",
      "0 0 * * 5#2",
      "0 0 29 2 *",
      "0 0 31 2 MON",
      "@Hourly",
      "  @every  1h30m ",
    ]
  ) {
    schedule(pattern)();
  }
});

test("defineCron throws `bad_schedule` when there is no such time zone, and suggests one", () => {
  const define = (timezone: string) => () =>
    defineCron("entry", { schedule: "@daily", job: "x", timezone });
  for (const zone of ["UTC", "Europe/Berlin", "america/new_york"]) define(zone)();
  for (
    const [zone, hint] of [
      ["Europe/Berlim", "did you mean 'Europe/Berlin'?"],
      ["Berlin", "did you mean 'Europe/Berlin'?"],
      ["America/New York", "did you mean 'America/New_York'?"],
      ["Mars/Olympus_Mons", 'write one such as "Europe/Berlin"'],
    ]
  ) {
    assert.throws(define(zone!), {
      code: "bad_schedule",
      message: `Cannot define cron 'entry': '${zone}': there is no such time zone; ${hint}`,
    });
  }
});

test("createDevServer rejects with `bad_schedule` what defineCron has not checked", async () => {
  const entry = (schedule: string) =>
    createDevServer({
      crons: [{ kind: "cron", name: "entry", options: { schedule, job: "x" } }],
    });
  await assert.rejects(entry("61 * * * *"), { code: "bad_schedule" });
  await assert.rejects(entry("0 0 +1 * *"), {
    code: "bad_schedule",
    message: /^Cannot define cron 'entry': '0 0 \+1 \* \*': ./,
  });
});
