import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Clock,
  createDevServer,
  createStore,
  type CronOptions,
  defineCron,
  defineJob,
  defineWorkflow,
} from "../../dev/mod.ts";
import { createFaultProxy } from "../../testing/mod.ts";
import { breathe, eventually } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { Wire } from "./wire.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A clock that has only wall-clock time, as a clock of a user's own may. */
class WallClock implements Clock {
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimeout(callback: () => void, ms: number): unknown {
    return this.#clock.setTimeout(callback, ms);
  }

  clearTimeout(handle: unknown): void {
    this.#clock.clearTimeout(handle);
  }
}

/** A server with a cron entry on a clock that can be set. */
async function withCron(
  options: Omit<CronOptions, "job">,
  wrap: (clock: FakeClock) => Clock = (clock) => clock,
) {
  const clock = new FakeClock(Date.UTC(2026, 0, 1, 12));
  const fired: string[] = [];
  const server = await createDevServer({
    listen: false,
    clock: wrap(clock),
    crons: [defineCron("entry", { ...options, job: "tick" })],
  });
  const time = () => new Date(clock.now()).toISOString().slice(11, 19);
  server.observe({ event: ({ type }) => void (type === "cron.fired" && fired.push(time())) });
  return {
    clock,
    fired,
    server,
    /** Returns the times at which the entry fires in the next `seconds`. */
    firings(seconds: number): string[] {
      fired.length = 0;
      clock.advance(seconds * 1000);
      return [...fired];
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

for (const jump of [-HOUR, -30_000, -1_500, 1_500, 30_000, HOUR]) {
  test(`an interval goes on after the clock was set by ${jump / 1000} s`, async () => {
    await using it = await withCron({ schedule: "@every 10s" });
    assert.equal(it.firings(25).length, 2);
    it.clock.setWall(jump);
    assert.equal(it.firings(4).length, 0);
    assert.equal(it.firings(1).length, 1);
    assert.equal(it.firings(60).length, 6);
  });

  test(`a pattern of each second goes on after the clock was set by ${jump / 1000} s`, async () => {
    await using it = await withCron({ schedule: "* * * * * *" });
    assert.equal(it.firings(5).length, 5);
    it.clock.setWall(jump);
    const count = it.firings(10).length;
    assert.ok(count === 9 || count === 10, String(count));
  });

  test(`without a monotonic clock, entries still fire after it was set by ${jump / 1000} s`, async () => {
    for (const schedule of ["@every 1s", "* * * * * *"]) {
      await using it = await withCron({ schedule }, (clock) => new WallClock(clock));
      assert.equal(it.firings(5).length, 5);
      it.clock.setWall(jump);
      const count = it.firings(10).length;
      assert.ok(count >= 8 && count <= 11, `${schedule}: ${count}`);
    }
  });
}

test("a pattern follows a clock that was set back, within half a minute", async () => {
  await using it = await withCron({ schedule: "*/5 * * * *" });
  assert.deepEqual(it.firings(301), ["12:05:00"]);
  it.clock.setWall(-10 * MINUTE);
  // It is 11:55:01 now. If the server ignored the change, it would fire only in 15 minutes.
  assert.deepEqual(it.firings(600), ["12:00:00", "12:05:00"]);
});

test("a pattern follows a clock that was set forward, and fires once for what was skipped", async () => {
  await using it = await withCron({ schedule: "0 * * * *" });
  it.clock.setWall(150 * MINUTE);
  // It is 14:30 now: 13:00 and 14:00 were skipped.
  const [late, ...rest] = it.firings(3600);
  assert.match(late!, /^14:30:[0-3]\d$/);
  assert.deepEqual(rest, ["15:00:00"]);
});

test("a pattern fires once for each time although the clock runs a little slower than the timers", async () => {
  await using it = await withCron({ schedule: "* * * * *" });
  const fired: string[] = [];
  for (let minute = 0; minute < 10; minute++) {
    it.clock.setWall(-200);
    fired.push(...it.firings(60));
  }
  assert.equal(new Set(fired.map((time) => time.slice(0, 5))).size, fired.length, String(fired));
  assert.ok(fired.length >= 9);
});

test("the next time that `cron.list` shows follows the clock", async () => {
  const clock = new FakeClock(Date.UTC(2026, 0, 1, 12));
  await using server = await createDevServer({
    clock,
    quirks: "none",
    crons: [
      defineCron("interval", { schedule: "@every 20m", job: "x" }),
      defineCron("pattern", { schedule: "30 * * * *", job: "x" }),
    ],
  });
  await using wire = await Wire.connect(server.url);
  const next = async () =>
    (await wire.call("cron.list")).map((entry: { next_run_at: string }) => entry.next_run_at);
  assert.deepEqual(await next(), ["2026-01-01T12:20:00.000Z", "2026-01-01T12:30:00.000Z"]);
  clock.setWall(-HOUR);
  clock.advance(30_000);
  assert.deepEqual(await next(), ["2026-01-01T11:20:00.000Z", "2026-01-01T11:30:00.000Z"]);
});

test("two servers of one store still fire an entry once after the clock was set", async () => {
  const clock = new FakeClock();
  const store = createStore();
  const crons = [defineCron("entry", { schedule: "* * * * *", job: "tick" })];
  await using _a = await createDevServer({ clock, store, crons, listen: false });
  await using _b = await createDevServer({ clock, store, crons, listen: false });
  clock.advance(3 * MINUTE);
  clock.setWall(-HOUR);
  clock.advance(3 * MINUTE);
  const { length } = store.jobs();
  assert.ok(length === 5 || length === 6, String(length));
});

test("an entry uses its new time zone as soon as the workload is reloaded", async () => {
  await using it = await withCron({ schedule: "30 12 * * *" });
  const entry = { schedule: "30 12 * * *", timezone: "Asia/Kolkata", job: "tick" };
  await it.server.reload({ crons: [defineCron("entry", entry)] });
  assert.deepEqual(it.firings(HOUR / 1000), []);
});

for (const jump of [-HOUR, HOUR]) {
  test(`retries, timeouts and durations do not change when the clock is set by ${jump}`, async () => {
    const clock = new FakeClock();
    await using server = await createDevServer({
      clock,
      listen: false,
      backoff: () => 20_000,
      jobs: [
        defineJob("fails", { maxRetries: 1 }, () => {
          throw new Error("no");
        }),
        defineJob("slow", (_, { sleep }) => sleep("10s")),
        defineJob("long", { timeout: "30s", maxRetries: 0 }, async (_, context) => {
          await context.sleep("5s", { signal: null });
          await context.sleep("1h");
        }),
      ],
      workflows: [
        defineWorkflow("steps", async (wf) => {
          await wf.step("a", ({ sleep }) => sleep("10s"));
          await wf.parallel("b", [({ sleep }) => sleep("10s")]);
          await wf.waitForEvent("never", "10s");
        }),
      ],
    });
    const began = clock.monotonic();
    const seen: string[] = [];
    server.observe({
      event: ({ type, data }) => {
        const { job_name, name, step_name, elapsed_ms } = data as Record<string, unknown>;
        if (/enqueued|started/.test(type)) return;
        const at = (clock.monotonic() - began) / 1000;
        seen.push([job_name ?? step_name ?? name, type, at, elapsed_ms ?? ""].join(" "));
      },
    });
    const socket = server.webSocket();
    await new Promise((resolve) => socket.onopen = resolve);
    const send = (frame: object) => socket.send(JSON.stringify({ id: "1", ...frame }));
    send({ method: "auth", data: { token: "demo-token" } });
    for (const name of ["fails", "slow", "long"]) {
      send({ method: "job.enqueue", data: { name, payload: null } });
    }
    send({ method: "workflow.start", data: { name: "steps" } });
    await breathe();
    for (let second = 0; second < 40; second++) {
      if (second === 4) clock.setWall(jump);
      clock.advance(1000);
      await breathe(2);
    }
    assert.deepEqual(seen.sort(), [
      "a workflow.step_completed 10 10000",
      "fails job.dlq 20 ",
      "fails job.failed 20 ",
      "fails job.retrying 0 ",
      "long job.dlq 30 ",
      "long job.failed 30 ",
      "parallel:b:0 workflow.step_completed 20 10000",
      "slow job.completed 10 10000",
      "steps workflow.completed 30 30000",
    ]);
  });

  test(`a job that hangs is started again after 30 to 60 s, also when set by ${jump}`, async () => {
    const clock = new FakeClock();
    await using server = await createDevServer({ clock, listen: false });
    const started: number[] = [];
    server.observe({
      event: ({ type }) => void (type === "job.started" && started.push(clock.monotonic())),
    });
    const socket = server.webSocket();
    await new Promise((resolve) => socket.onopen = resolve);
    socket.send('{"id":"1","method":"auth","token":"demo-token"}');
    socket.send('{"id":"2","method":"job.enqueue","data":{"name":"nobody","payload":null}}');
    await eventually(() => started.length === 1);
    clock.setWall(jump);
    clock.advance(60_000);
    await eventually(() => started.length === 2);
    assert.ok(started[1]! - started[0]! <= 60_000);
  });
}

test("the heartbeat of a running job is a time of the wall clock", async () => {
  const clock = new FakeClock(Date.UTC(2026, 0, 1, 12));
  await using server = await createDevServer({
    clock,
    jobs: [defineJob("slow", (_, { sleep }) => sleep("1h", { signal: null }))],
  });
  await using wire = await Wire.connect(server.url);
  const { job_id } = await wire.call("job.enqueue", { name: "slow", payload: null });
  const heartbeat = async () => (await wire.call("job.get", { job_id })).heartbeat_at;
  assert.equal(await heartbeat(), undefined);
  clock.advance(25_000);
  assert.equal(await heartbeat(), "2026-01-01T12:00:20.000Z");
  clock.setWall(-HOUR);
  assert.equal(await heartbeat(), "2026-01-01T11:00:20.000Z");
});

test("a proxy's delay stays the same when the clock is set back", async () => {
  const clock = new FakeClock();
  await using server = await createDevServer();
  await using proxy = await createFaultProxy({ target: server.url, clock });
  await using wire = await Wire.connect(proxy.url);
  const [connection] = proxy.connections;
  connection!.delay(1000, "toServer");
  const before = connection!.received.toServer;
  const call = wire.call("stats");
  await eventually(() => connection!.received.toServer > before);
  clock.setWall(-HOUR);
  clock.advance(1000);
  assert.ok(await call);
  connection!.delay(0);
});
