import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../client/connection/deadlines.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function fixture() {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  const deadlines = new Deadlines(clock);
  const add = (at: number, name: string): () => void =>
    deadlines.add(at, () => void fired.push(name));
  return { clock, fired, deadlines, add };
}

test("each deadline fires once its time has come, however many share the timer", () => {
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

test("the last one forgotten takes the timer with it", () => {
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

test("the others keep their time when the earliest is forgotten", () => {
  const { clock, fired, add } = fixture();
  const forget = add(10, "early");
  add(100, "late");
  forget();
  clock.advance(99);
  assert.deepEqual(fired, []);
  clock.advance(1);
  assert.deepEqual(fired, ["late"]);
});

test("infinity is never", () => {
  const { clock, add } = fixture();
  add(Infinity, "never")();
  add(Infinity, "never");
  assert.equal(clock.pending, 0);
});

test("a deadline beyond what a timer can hold does not fire early", () => {
  const { clock, fired, add } = fixture();
  const year = 365 * 24 * 3_600_000;
  add(year, "a year on");
  assert.deepEqual(clock.due, [0x7fffffff]);
  clock.advance(0x7fffffff);
  assert.deepEqual(fired, []);
  clock.advance(year);
  assert.deepEqual(fired, ["a year on"]);
});

test("time that passed while nothing ran counts", () => {
  const { clock, fired, add } = fixture();
  add(1_000, "a");
  add(5_000, "b");
  clock.sleep(60_000);
  clock.advance(0);
  assert.deepEqual(fired, ["a", "b"]);
});

test("a timer that fires too early is set again", () => {
  const { fired, deadlines } = fixture();
  // Node's timers may fire a millisecond before the wall clock says so.
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

test("one that is forgotten by another of the same moment does not fire", () => {
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

test("one that is added while others fire keeps its time", () => {
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
