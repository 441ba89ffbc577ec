import assert from "node:assert/strict";
import { test } from "node:test";
import { RunClock } from "../../dev/run_clock.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** A clock whose real time moves only with `real`. */
function clocks(): { clock: RunClock; real: FakeClock } {
  const real = new FakeClock();
  return { clock: new RunClock({ start: new Date(real.now()), real }), real };
}

/** Resolves with the time of a clock when a timer of it fires. */
function fires({ clock }: { clock: RunClock }, ms: number): Promise<number> {
  const start = clock.now();
  return new Promise((resolve) => clock.setTimeout(() => resolve(clock.now() - start), ms));
}

/** Gives other work some turns of the event loop. */
async function turns(count = 30): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

test("skips to timers of every kind, in order", async () => {
  const { clock } = clocks();
  const fired: string[] = [];
  await new Promise<void>((resolve) => {
    clock.setTimeout(() => fired.push("background"), 1_000, "background");
    clock.setTimeout(() => fired.push("deadline"), 2_000, "deadline");
    clock.setTimeout(resolve, 86_400_000);
  });
  assert.deepEqual(fired, ["background", "deadline"]);
});

test("stands while it is held, and moves with real time when that takes long", async () => {
  const { clock, real } = clocks();
  const start = clock.now();
  const release = clock.hold();
  const timer = fires({ clock }, 25);
  await turns();
  assert.equal(clock.now(), start);
  real.advance(10);
  await turns();
  assert.equal(clock.now(), start + 10);
  real.advance(10);
  await turns();
  assert.equal(clock.now(), start + 20);
  real.advance(10);
  assert.equal(await timer, 25);
  await turns();
  assert.equal(clock.now(), start + 30);
  release();
  assert.equal(await fires({ clock }, 1_000), 1_000);
  assert.equal(real.pending, 1);
  real.advance(10);
  assert.equal(real.pending, 0);
});

test("work that is done within a few milliseconds takes no time", async () => {
  const { clock, real } = clocks();
  const start = clock.now();
  for (let i = 0; i < 10; i++) {
    const release = clock.hold();
    real.advance(4);
    release();
    await turns(1);
  }
  assert.equal(clock.now(), start);
});

test("pauses grow while nothing but pauses happens, and start short after other work", async () => {
  const { clock } = clocks();
  const pause = () => {
    const start = clock.now();
    return new Promise<number>((resolve) =>
      clock.pauses.setTimeout(() => resolve(clock.now() - start), 1_000)
    );
  };
  const lengths: number[] = [];
  for (let i = 0; i < 60; i++) lengths.push(await pause());
  assert.equal(lengths[0], 1_000);
  assert.equal(lengths[5], 1_000);
  assert.ok(lengths[59]! > 50_000, String(lengths[59]));
  await fires({ clock }, 1);
  assert.equal(await pause(), 1_000);
});

test("`pass` waits for work that holds the clock before time passes, and for what it causes", async () => {
  const { clock } = clocks();
  const start = clock.now();
  const release = clock.hold();
  const log: string[] = [];
  const passing = clock.pass(5_000, new AbortController().signal)
    .then(() => log.push(`passed ${clock.now() - start}`));
  await turns();
  clock.setTimeout(async () => {
    await Promise.resolve();
    log.push("caused");
  }, 5_000);
  release();
  await passing;
  assert.deepEqual(log, ["caused", "passed 5000"]);
});

test("`pass` ends with its signal", async () => {
  const { clock } = clocks();
  const stop = new AbortController();
  clock.setTimeout(() => stop.abort(new Error("stopped")), 1_000);
  await assert.rejects(clock.pass(5_000, stop.signal), /stopped/);
});

test("a paused clock stands, and has no real timer", async () => {
  const { clock, real } = clocks();
  const start = clock.now();
  const resume = clock.pause();
  const release = clock.hold();
  const timer = fires({ clock }, 1_000);
  real.advance(1_000);
  await turns();
  assert.deepEqual([clock.now(), real.pending], [start, 0]);
  release();
  resume();
  assert.equal(await timer, 1_000);
});
