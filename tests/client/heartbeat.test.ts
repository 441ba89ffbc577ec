import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../client/connection/deadlines.ts";
import { Heartbeat, type HeartbeatOptions } from "../../client/connection/heartbeat.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** Starts a heartbeat with an interval of 3,000 ms, whose peer has 1,000 ms to answer. */
function startHeartbeat(options: Partial<HeartbeatOptions> = {}) {
  const clock = new FakeClock(0);
  const deadlines = new Deadlines(clock);
  /** What the heartbeat did, and when. */
  const log: [number, string][] = [];
  const heartbeat = new Heartbeat(
    { clock, deadlines, pingInterval: 3_000, pingTimeout: 1_000, ...options },
    () => log.push([clock.monotonic(), "ping"]),
    (why) => log.push([clock.monotonic(), why]),
  );
  heartbeat.start();
  return { clock, heartbeat, log };
}

test("pings after the interval without a message, and reports a peer that does not answer", () => {
  const { clock, log } = startHeartbeat();
  clock.advance(2_999);
  deepEqual(log, []);
  clock.advance(1);
  deepEqual(log, [[3_000, "ping"]]);
  clock.advance(999);
  equal(log.length, 1);
  clock.advance(10_000);
  deepEqual(log, [[3_000, "ping"], [4_000, "no message for 4000 ms"]]);
  equal(clock.pending, 0);
});

test("counts the silence from the last message", () => {
  const { clock, log, heartbeat } = startHeartbeat();
  for (let i = 0; i < 5; i++) {
    clock.advance(2_000);
    heartbeat.onMessage();
  }
  deepEqual(log, []);
  clock.advance(2_999);
  deepEqual(log, []);
  clock.advance(1);
  deepEqual(log, [[13_000, "ping"]]);
});

test("goes on pinging a peer that answers with any message", () => {
  const { clock, log, heartbeat } = startHeartbeat();
  for (let i = 0; i < 3; i++) {
    clock.advance(3_500);
    heartbeat.onMessage();
  }
  deepEqual(log, [[3_000, "ping"], [6_500, "ping"], [10_000, "ping"]]);
  // An answer counts for its own ping only.
  clock.advance(4_000);
  deepEqual(log.slice(3), [[13_500, "ping"], [14_500, "no message for 4000 ms"]]);
});

test("the interval 0 disables pings", () => {
  const { clock } = startHeartbeat({ pingInterval: 0 });
  equal(clock.pending, 0);
});

test("can be stopped before a ping and after it", () => {
  for (const ms of [1_000, 3_500]) {
    const { clock, log, heartbeat } = startHeartbeat();
    clock.advance(ms);
    const before = log.length;
    heartbeat.stop();
    equal(clock.pending, 0);
    clock.advance(60_000);
    equal(log.length, before);
  }
  // It may never have started.
  startHeartbeat({ pingInterval: 0 }).heartbeat.stop();
});

test("checks every five seconds whether the machine has slept, since timers may stand still then", () => {
  const { clock, log } = startHeartbeat({ pingInterval: 60_000 });
  deepEqual(clock.due, [5_000]);
  clock.advance(5_000);
  deepEqual(log, []);
  clock.setWall(3_600_000);
  clock.advance(4_999);
  deepEqual(log, []);
  clock.advance(1);
  deepEqual(log, [[10_000, "ping"]]);
});

test("pings on time after the wall clock was set back", () => {
  const { clock, log } = startHeartbeat();
  clock.setWall(-3_600_000);
  clock.advance(3_000);
  deepEqual(log, [[3_000, "ping"]]);
});

test("reports when the last message arrived by the wall clock; before the first one, when it began", () => {
  const { clock, heartbeat } = startHeartbeat();
  equal(heartbeat.lastMessageAt, 0);
  clock.setWall(1_000_000);
  clock.advance(70);
  equal(heartbeat.lastMessageAt, 0);
  heartbeat.onMessage();
  equal(heartbeat.lastMessageAt, 1_000_070);
});

test("counts the silence from the start if no message has arrived yet", () => {
  const clock = new FakeClock();
  const { log } = startHeartbeat({ clock, deadlines: new Deadlines(clock) });
  clock.advance(2_999);
  deepEqual(log, []);
});
