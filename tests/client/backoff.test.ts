import assert from "node:assert/strict";
import { test } from "node:test";
import { fullJitter } from "../../mod.ts";

test("the bound of a delay doubles with each attempt, up to the cap", () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => fullJitter(attempt, 1 - 2 ** -40));
  assert.deepEqual(longest, [999, 1999, 3999, 7999, 15999, 31999, 44999, 44999]);
});

test("a delay is spread evenly from nothing up to its bound", () => {
  assert.equal(fullJitter(5, 0), 0);
  assert.equal(fullJitter(5, 0.25), 4_000);
  assert.equal(fullJitter(5, 0.5), 8_000);
});

test("base and cap are set by the caller", () => {
  const delays = [1, 2, 3, 4].map((n) => fullJitter(n, 0.5, { base: 100, cap: 500 }));
  assert.deepEqual(delays, [50, 100, 200, 250]);
});

test("an attempt of any number gives a number of whole milliseconds", () => {
  for (const attempt of [1, 10, 100, 2_000, 1e9]) {
    const delay = fullJitter(attempt, 0.123456789);
    assert(Number.isInteger(delay) && delay >= 0 && delay <= 45_000, `${attempt}: ${delay}`);
  }
});
