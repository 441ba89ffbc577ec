import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../client/connection/deadlines.ts";
import type { Clock } from "../../runtime/clock.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function fixture() {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  const deadlines = new Deadlines(clock);
  const add = (at: number, name: string): () => void =>
    deadlines.add(at, () => void fired.push(name));
  return { clock, fired, deadlines, add };
}

test("expires each deadline once at its time, with one timer for all", () => {
  const { clock, fired, add } = fixture();
  add(300, "c");
  add(100, "a");
  add(200, "b");
  assert.equal(clock.pending, 1);
  clock.advance(99);
  assert.deepEqual(fired, []);
  clock.advance(1);
  assert.deepEqual(fired, ["a"]);
  clock.advance(1_000);
  assert.deepEqual(fired, ["a", "b", "c"]);
  assert.equal(clock.pending, 0);
});

test("clears the timer when the last deadline is deleted", () => {
  const { clock, fired, add } = fixture();
  const forget = [add(100, "a"), add(100, "b"), add(50, "c")];
  for (const each of forget) {
    assert.equal(clock.pending, 1);
    each();
    each();
  }
  assert.equal(clock.pending, 0);
  clock.advance(1_000);
  assert.deepEqual(fired, []);
});

test("keeps the other deadlines when the earliest is deleted", () => {
  const { clock, fired, add } = fixture();
  const forget = add(10, "early");
  add(100, "late");
  forget();
  clock.advance(99);
  assert.deepEqual(fired, []);
  clock.advance(1);
  assert.deepEqual(fired, ["late"]);
});

test("sets no timer for an infinite deadline", () => {
  const { clock, add } = fixture();
  add(Infinity, "never")();
  add(Infinity, "never");
  assert.equal(clock.pending, 0);
});

test("an infinite deadline does not keep the timer of other deadlines", () => {
  const { clock, add } = fixture();
  add(Infinity, "never");
  add(100, "a")();
  assert.equal(clock.pending, 0);
});

test("expires deadlines that were added in order", () => {
  const { clock, fired, add } = fixture();
  for (const at of [100, 200, 300]) add(at, `${at}`);
  clock.advance(250);
  assert.deepEqual(fired, ["100", "200"]);
});

test("does not expire early beyond the longest timer", () => {
  const { clock, fired, add } = fixture();
  const year = 365 * 24 * 3_600_000;
  add(year, "a year on");
  assert.deepEqual(clock.due, [0x7fffffff]);
  clock.advance(0x7fffffff);
  assert.deepEqual(fired, []);
  clock.advance(year);
  assert.deepEqual(fired, ["a year on"]);
});

test("counts time during which the machine slept", () => {
  const { clock, fired, add } = fixture();
  add(1_000, "a");
  add(5_000, "b");
  clock.sleep(60_000);
  clock.advance(0);
  assert.deepEqual(fired, ["a", "b"]);
});

test("sets the timer again if it fires too early", () => {
  const { fired, deadlines } = fixture();
  // On Node a timer can fire a millisecond before the wall clock reaches its time.
  let now = 0;
  const timers: (() => void)[] = [];
  const early = new Deadlines({
    now: () => now,
    setTimeout: (callback) => timers.push(callback),
    clearTimeout: () => {},
  });
  early.add(100, () => fired.push("a"));
  now = 99;
  timers.shift()!();
  assert.deepEqual(fired, []);
  now = 100;
  timers.shift()!();
  assert.deepEqual(fired, ["a"]);
  assert(deadlines);
});

test("does not expire a deadline that another one deletes at the same moment", () => {
  const { clock, fired, deadlines } = fixture();
  let forget = () => {};
  deadlines.add(100, () => {
    fired.push("first");
    forget();
  });
  forget = deadlines.add(100, () => void fired.push("second"));
  clock.advance(100);
  assert.deepEqual(fired, ["first"]);
  assert.equal(clock.pending, 0);
});

test("expires in time a deadline that is added while others expire", () => {
  const { clock, fired, add, deadlines } = fixture();
  deadlines.add(100, () => {
    add(150, "added");
    add(100, "due at once");
  });
  add(200, "last");
  clock.advance(100);
  clock.advance(0);
  assert.deepEqual(fired, ["due at once"]);
  clock.advance(50);
  assert.deepEqual(fired, ["due at once", "added"]);
  clock.advance(50);
  assert.deepEqual(fired, ["due at once", "added", "last"]);
  assert.equal(clock.pending, 0);
});

test("leaves no timer when an expiring deadline deletes the only one left", () => {
  const { clock, fired, deadlines, add } = fixture();
  const forget = add(200, "later");
  deadlines.add(100, () => forget());
  clock.advance(100);
  assert.equal(clock.pending, 0);
  assert.deepEqual(fired, []);
});

/** Counts what is done with the timers of a clock. */
function countTimers(clock: FakeClock) {
  const set = new Set<unknown>();
  const counts = { set: 0, cleared: 0 };
  const counting: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout(callback, ms) {
      counts.set++;
      const timer = clock.setTimeout(() => {
        set.delete(timer);
        callback();
      }, ms);
      set.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      counts.cleared++;
      assert(set.delete(timer), "the timer is not set");
      clock.clearTimeout(timer);
    },
  };
  return { deadlines: new Deadlines(counting), counts };
}

test("clears a timer only while it is set", () => {
  const { clock } = fixture();
  const { deadlines, counts } = countTimers(clock);
  const forget = deadlines.add(100, () => {});
  assert.deepEqual(counts, { set: 1, cleared: 0 });
  deadlines.add(50, () => {});
  assert.deepEqual(counts, { set: 2, cleared: 1 });
  clock.advance(50);
  assert.deepEqual(counts, { set: 3, cleared: 1 });
  forget();
  assert.deepEqual(counts, { set: 3, cleared: 2 });
  deadlines.add(60, () => {});
  clock.advance(10);
  assert.deepEqual(counts, { set: 4, cleared: 2 });
});

test("sets no second timer for a deadline at the same time or later", () => {
  const { clock } = fixture();
  const { deadlines, counts } = countTimers(clock);
  deadlines.add(100, () => {});
  deadlines.add(100, () => {});
  deadlines.add(200, () => {});
  assert.deepEqual(counts, { set: 1, cleared: 0 });
  // The deadline that expires adds another one at the time of the next.
  deadlines.add(50, () => deadlines.add(100, () => {}));
  assert.deepEqual(counts, { set: 2, cleared: 1 });
  clock.advance(50);
  assert.deepEqual(counts, { set: 3, cleared: 1 });
});
