import assert from "node:assert/strict";
import { test } from "node:test";
import {
  aClock,
  aFunction,
  listOf,
  numberFrom,
  oneOf,
  optional,
  optionsProblem,
  someText,
  trueOrFalse,
  wholeNumberFrom,
} from "../../runtime/check_options.ts";
import { systemClock } from "../../runtime/clock.ts";

const RULES = {
  name: someText,
  maxRetries: optional(wholeNumberFrom(0)),
  timeout: optional(numberFrom(0)),
  chance: optional(numberFrom(0, 1)),
  format: optional(oneOf("json", "msgpack")),
  watch: optional(trueOrFalse),
  clock: optional(aClock),
  random: optional(aFunction),
  queues: optional(listOf("names", someText)),
};
const problem = (options: unknown) => optionsProblem(options, RULES);

test("reports no problem with valid options", () => {
  assert.equal(problem({ name: "a" }), undefined);
  const all = {
    name: "a",
    maxRetries: 3,
    timeout: 0.5,
    chance: 1,
    format: "json",
    watch: false,
    clock: systemClock,
    random: Math.random,
    queues: ["a", "b"],
  };
  assert.equal(problem(all), undefined);
  assert.equal(problem({ name: "a", format: undefined, other: undefined }), undefined);
});

test("names an unknown option, and suggests the one that was meant", () => {
  for (
    const [name, meant] of [
      ["max_retries", "maxRetries"],
      ["maxretries", "maxRetries"],
      ["maxRetrys", "maxRetries"],
      ["retries", "maxRetries"],
      ["timeoutMs", "timeout"],
      ["Format", "format"],
    ]
  ) {
    const expected = `there is no option '${name}'; did you mean '${meant}'?`;
    assert.equal(problem({ name: "a", [name!]: 1 }), expected);
  }
  assert.equal(
    problem({ name: "a", colour: 1 }),
    "there is no option 'colour'; the options are name, maxRetries, timeout, chance, format, watch, " +
      "clock, random, queues",
  );
});

test("a wrong value is shown with its option and what is allowed", () => {
  const cases: [object, string][] = [
    [{ name: "" }, "'name' must be a text that is not empty, not ''"],
    [{}, "'name' must be a text that is not empty, not missing"],
    [{ name: 5 }, "'name' must be a text that is not empty, not 5"],
    [{ maxRetries: 1.5 }, "'maxRetries' must be a whole number of at least 0, not 1.5"],
    [{ maxRetries: -1 }, "'maxRetries' must be a whole number of at least 0, not -1"],
    [{ maxRetries: "3" }, "'maxRetries' must be a whole number of at least 0, not '3'"],
    [{ timeout: NaN }, "'timeout' must be a number of at least 0, not NaN"],
    [{ timeout: Infinity }, "'timeout' must be a number of at least 0, not Infinity"],
    [{ timeout: 5n }, "'timeout' must be a number of at least 0, not 5n"],
    [{ chance: 2 }, "'chance' must be a number from 0 to 1, not 2"],
    [{ format: "xml" }, "'format' must be 'json' or 'msgpack', not 'xml'"],
    [{ watch: "yes" }, "'watch' must be true or false, not 'yes'"],
    [{ random: null }, "'random' must be a function, not null"],
    [{ random: "x".repeat(50) }, `'random' must be a function, not '${"x".repeat(40)}…'`],
    [
      { random: "ws://me:secret@host/x?token=secret" },
      "'random' must be a function, not 'ws://host/x'",
    ],
    [{ queues: ["a", 1] }, "'queues' must be a list of names, not ['a', 1]"],
    [{ queues: [1, 2, 3, 4] }, "'queues' must be a list of names, not [1, 2, 3, …]"],
    [{ queues: [["a"], {}] }, "'queues' must be a list of names, not [a list, an object]"],
    [{ queues: Symbol("a") }, "'queues' must be a list of names, not a symbol"],
    [
      { clock: { now: Date.now } },
      "'clock' must be a clock, with the methods now, setTimeout and clearTimeout, not an object",
    ],
  ];
  for (const [options, expected] of cases) {
    const all = "name" in options || Object.keys(options).length === 0
      ? options
      : { name: "a", ...options };
    assert.equal(problem(all), `option ${expected}`);
  }
});

test("reports options that are not an object", () => {
  for (const [options, text] of [["a", "'a'"], [null, "null"], [[], "[]"], [5, "5"]]) {
    assert.equal(problem(options), `the options must be an object, not ${text}`);
  }
});
