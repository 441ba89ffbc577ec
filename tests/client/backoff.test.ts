import assert from "node:assert/strict";
import { test } from "node:test";
import { fullJitter } from "../../mod.ts";

test("doubles the bound of the delay with each attempt, up to the cap", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => fullJitter(attempt, 1 - 2 ** -40));
  assert.deepEqual(longest, [999, 1999, 3999, 7999, 15999, 31999, 44999, 44999]);
});

test("spreads the delay evenly between 0 and its bound", () => {
  assert.equal(fullJitter(5, 0), 0);
  assert.equal(fullJitter(5, 0.25), 4_000);
  assert.equal(fullJitter(5, 0.5), 8_000);
});

test("uses the caller's base and cap", () => {
  const delays = [1, 2, 3, 4].map((n) => fullJitter(n, 0.5, { base: 100, cap: 500 }));
  assert.deepEqual(delays, [50, 100, 200, 250]);
});

test("returns whole milliseconds for every attempt", () => {
  for (const attempt of [1, 10, 100, 2_000, 1e9]) {
    const delay = fullJitter(attempt, 0.123456789);
    assert(Number.isInteger(delay) && delay >= 0 && delay <= 45_000, `${attempt}: ${delay}`);
  }
});
