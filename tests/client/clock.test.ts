import assert from "node:assert/strict";
import { test } from "node:test";
import { delay, monotonicNow, systemClock } from "../../runtime/mod.ts";
import { breathe } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

test("delay resolves in time and leaves no timer or listener", async () => {
  const clock = new FakeClock();
  let over = false;
  const done = delay(1_000, { clock }).then(() => over = true);
  clock.advance(999);
  await breathe();
  assert.equal(over, false);
  clock.advance(1);
  await done;
  assert.equal(clock.pending, 0);
});

test("delay rejects with the signal's reason and leaves no timer or listener", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const waiting = delay(1_000, { clock, signal: controller.signal });
  const reason = new Error("no longer needed");
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  assert.equal(clock.pending, 0);
});

test("delay sets no timer if the signal is already aborted", async () => {
  const clock = new FakeClock();
  const waiting = delay(1_000, { clock, signal: AbortSignal.abort("gone") });
  assert.equal(clock.pending, 0);
  await assert.rejects(waiting, (error) => error === "gone");
});

test("measures durations independently of the wall clock", () => {
  const clock = new FakeClock();
  const began = monotonicNow(clock);
  clock.setWall(-3_600_000);
  clock.advance(5);
  assert.equal(monotonicNow(clock) - began, 5);
  assert.equal(clock.now(), Date.UTC(2026, 0, 1) + 5 - 3_600_000);
});

test("measures durations with `now` if a clock has nothing better", () => {
  const clock = { ...systemClock, monotonic: undefined, now: () => 7 };
  assert.equal(monotonicNow(clock), 7);
});

test("the system clock measures durations when Date is set back", () => {
  const realNow = Date.now;
  const began = monotonicNow(systemClock);
  Date.now = () => realNow() - 3_600_000;
  try {
    const duration = monotonicNow(systemClock) - began;
    assert(duration >= 0 && duration < 60_000, `${duration} ms`);
  } finally {
    Date.now = realNow;
  }
});
