import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { loadPatterns } from "../../runner/expression/load_patterns.ts";
import { type MatcherName, MATCHERS, mismatch } from "../../runner/expression/matcher.ts";

/** A value that satisfies a matcher, one that does not, and the explanation. */
interface MatcherExample {
  argument: unknown;
  satisfied: unknown;
  not: unknown;
  why: string;
}

/** An example of each matcher. A new one does not compile without one. */
const EXAMPLES: Record<MatcherName, MatcherExample> = {
  equals: { argument: 1, satisfied: 1, not: 2, why: "is 2 (whole number), but should be 1" },
  not: {
    argument: 1,
    satisfied: 2,
    not: 1,
    why: "is 1 (whole number), but should be anything but 1",
  },
  gt: { argument: 1, satisfied: 2, not: 1, why: "is 1 (whole number), but should be > 1" },
  gte: { argument: 1, satisfied: 1, not: 0, why: "is 0 (whole number), but should be >= 1" },
  lt: { argument: 1, satisfied: 0, not: 1, why: "is 1 (whole number), but should be < 1" },
  lte: { argument: 1, satisfied: 1, not: 2, why: "is 2 (whole number), but should be <= 1" },
  matches: {
    argument: "^a+$",
    satisfied: "aa",
    not: "ab",
    why: 'is "ab" (text), but should be a text that matches "^a+$"',
  },
  contains: {
    argument: "b",
    satisfied: ["a", "b"],
    not: "ac",
    why: 'is "ac" (text), but should be something that contains "b"',
  },
  one_of: {
    argument: ["a", "b"],
    satisfied: "b",
    not: "c",
    why: 'is "c" (text), but should be one of ["a","b"]',
  },
  exists: {
    argument: false,
    satisfied: undefined,
    not: null,
    why: "is null (null), but should be absent",
  },
  type: { argument: "map", satisfied: {}, not: [], why: "is [] (list), but should be of type map" },
  length: {
    argument: 2,
    satisfied: "ab",
    not: [1],
    why: "is [1] (list), but should be of length 2",
  },
};

await loadPatterns();

for (const [name, { argument, satisfied, not, why }] of Object.entries(EXAMPLES)) {
  const matcher = { name: name as MatcherName, argument };
  const explain = (value: unknown) => mismatch(value, matcher, (text) => text)?.[0];

  test(`${name}: accepts a value that satisfies it, and explains why another does not`, () => {
    equal(explain(satisfied), undefined);
    equal(explain(not), why);
    equal(explain(undefined) === undefined, name === "exists");
  });
}

test("every matcher has an example", () => {
  deepEqual(Object.keys(EXAMPLES), Object.keys(MATCHERS));
});
