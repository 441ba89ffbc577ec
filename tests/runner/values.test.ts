// How values are compared, shown and converted, without a recipe around them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spend, spendForReading, withBudget } from "../../runner/expression/budget.ts";
import {
  fromCel,
  hasInexact,
  InexactNumber,
  isTooDeep,
  toCel,
} from "../../runner/expression/convert.ts";
import {
  diff,
  diffLines,
  equal,
  shownType,
  showValue,
  typeName,
  worthDiff,
} from "../../runner/expression/diff.ts";
import { inspect, inspectLine } from "../../runner/expression/inspect.ts";
import {
  lengthOf,
  type MatcherName,
  mismatch,
  type ResolvedMatcher,
} from "../../runner/expression/matcher.ts";
import { loadPatterns } from "../../runner/expression/load_patterns.ts";
import { matchesPattern, patternProblem } from "../../runner/expression/pattern.ts";
import { showCel } from "../../runner/expression/show_cel.ts";

const hide = (value: unknown) => value;

class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
}
class Empty {}

/** Like a duration of the expression language. */
class Milliseconds {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  valueOf() {
    return this.ms;
  }
  toString() {
    return `own ${this.ms}`;
  }
}

test("equal values are equal in type and contents, in any order of keys, entries and members", () => {
  const pairs: [unknown, unknown][] = [
    [NaN, NaN],
    [0, -0],
    [null, null],
    [[1, [2]], [1, [2]]],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }],
    [{ a: 1, b: undefined }, { a: 1 }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [Object.create(null), {}],
    [new Point(1), new Point(1)],
    [new Date(5), new Date(5)],
    [new Date(NaN), new Date(NaN)],
    [new Set([1, 2]), new Set([2, 1])],
    [new Map([["a", 1], ["b", 2]]), new Map([["b", 2], ["a", 1]])],
    [new TypeError("a"), new TypeError("a")],
  ];
  for (const [a, b] of pairs) assert.ok(equal(a, b), inspectLine([a, b]));
});

test("values of other types, lengths or contents are not equal", () => {
  const pairs: [unknown, unknown][] = [
    [1, "1"],
    [1, 1n],
    [null, undefined],
    [null, {}],
    [{}, null],
    [[], {}],
    [{}, []],
    [[1], [1, 2]],
    [[1, 2], [1]],
    [[1, 2], [2, 1]],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ a: undefined }, { a: null }],
    [new Point(1), { x: 1 }],
    [new Point(1), new Point(2)],
    [new Date(5), new Date(6)],
    [new Date(5), { Date: "x" }],
    [new Set([1]), new Set([1, 2])],
    [new Set([1, 3]), new Set([1, 2])],
    [new Set([1]), [1]],
    [new Map([["a", 1]]), new Map([["a", 2]])],
    [new Map(), new Set()],
    [new TypeError("a"), new Error("a")],
    [new Error("a"), new Error("b")],
    [/a/, /b/],
  ];
  for (const [a, b] of pairs) assert.ok(!equal(a, b), inspectLine([a, b]));
});

test("the contents of cyclic values are compared once", () => {
  const circle = (end: number) => {
    const value: Record<string, unknown> = { end };
    value["me"] = value;
    return value;
  };
  assert.ok(equal(circle(1), circle(1)));
  assert.deepEqual(diff(circle(1), circle(2)), [{ path: "end", expected: 1, actual: 2 }]);
  const other = { end: 1, me: { end: 1, me: 5 } };
  assert.ok(!equal(circle(1), other));
  assert.ok(!equal(other, circle(1)));
});

test("each difference has its path, and what is absent on one side has no value there", () => {
  const expected = { a: [1, { b: 2 }], c: 1, "d e": 1, _f1: { g: 1 }, "1h": 1, i: { "j-k": 1 } };
  const actual = { a: [1, { b: 3 }, 4], "d e": 2, _f1: { g: 2 }, "1h": 2, i: { "j-k": 2 }, l: 5 };
  assert.deepEqual(diff(expected, actual), [
    { path: "a[1].b", expected: 2, actual: 3 },
    { path: "a[2]", actual: 4 },
    { path: "c", expected: 1 },
    { path: '["d e"]', expected: 1, actual: 2 },
    { path: "_f1.g", expected: 1, actual: 2 },
    { path: '["1h"]', expected: 1, actual: 2 },
    { path: 'i["j-k"]', expected: 1, actual: 2 },
    { path: "l", actual: 5 },
  ]);
  assert.deepEqual(diff([1, 2], [1]), [{ path: "[1]", expected: 2 }]);
  const sets = [new Set([1]), new Set([2])] as const;
  assert.deepEqual(diff({ s: sets[0] }, { s: sets[1] }), [
    { path: "s", expected: sets[0], actual: sets[1] },
  ]);
  assert.deepEqual(diff([1, 1, 1], [2, 2, 2], 2).length, 2);
  assert.throws(() => diff(new Empty(), new Empty()), /^TypeError: a Empty cannot be compared/);
});

test("twenty differences are shown, and that there are more", () => {
  const list = (length: number, value: number) => Array.from({ length }, () => value);
  const twenty = diffLines(list(20, 1), list(20, 2), hide);
  assert.deepEqual([twenty.length, twenty[0], twenty[39]], [40, "- [0]: 1", "+ [19]: 2"]);
  const more = diffLines(list(21, 1), list(21, 2), hide);
  assert.deepEqual([more.length, more[40]], [41, "… and more"]);
  assert.deepEqual(diffLines(1, 2, hide), ["- 1", "+ 2"]);
  assert.deepEqual(diffLines({ a: 1 }, { b: 2 }, hide), ["- a: 1", "+ b: 2"]);
  assert.deepEqual(diffLines("s1", "s2", () => "***"), ['- "***"', '+ "***"']);
});

test("maps, lists and texts of more than 120 characters are shown by their differences", () => {
  const text = (length: number) => "x".repeat(length);
  for (const [a, b] of [[[], {}], [text(121), ""], ["", text(121)]]) assert.ok(worthDiff(a, b));
  for (
    const [a, b] of [[text(120), text(120)], [text(121), 1], [null, {}], [{}, null], [{}, 1], [
      "",
      {},
    ]]
  ) {
    assert.ok(!worthDiff(a, b));
  }
  assert.deepEqual(diffLines(`${text(130)}a`, `${text(130)}b`, hide), [
    `- …"${text(20)}a" (131 characters)`,
    `+ …"${text(20)}b" (131 characters)`,
  ]);
  // Texts can be the same once their secrets are masked.
  assert.deepEqual(diffLines("a", "b", () => text(130)), [
    `- …"${text(20)}" (130 characters)`,
    `+ …"${text(20)}" (130 characters)`,
  ]);
  // Near its beginning, a text is shown from there on.
  const [from] = diffLines(`a${text(130)}`, `b${text(130)}`, hide);
  assert.equal(from, `- "a${text(118)}… (131 characters)`);
});

test("a value is cut after 120 characters, and its size is shown", () => {
  assert.equal(showValue(undefined, hide), "(absent)");
  assert.equal(showValue("x".repeat(118), hide), JSON.stringify("x".repeat(118)));
  assert.equal(showValue("x".repeat(119), hide), `"${"x".repeat(119)}… (119 characters)`);
  assert.equal(showValue([1, 2, 3], hide, 3), "[1,… (3 items)");
  assert.equal(showValue({ a: 1 }, hide, 3), '{"a… (7 characters of JSON)');
  assert.equal(showValue("secret", () => "***"), '"***"');
  assert.equal(showValue("😀", hide, 2), '"… (2 characters)');
  assert.equal(showValue("a😀", hide, 4), '"a😀… (3 characters)');
});

test("names the types of JSON values", () => {
  const names: [unknown, string, string?][] = [
    [null, "null"],
    [undefined, "absent"],
    [[], "list"],
    ["", "text"],
    [1, "number", "whole number"],
    [1.5, "number"],
    [1n, "number", "whole number"],
    [true, "boolean"],
    [{}, "map"],
  ];
  for (const [value, name, shown = name] of names) {
    assert.deepEqual([typeName(value), shownType(value)], [name, shown]);
  }
});

test("what JSON cannot represent is shown as text", () => {
  const circle: unknown[] = [1];
  circle.push(circle);
  const shared = { a: 1 };
  const values: [unknown, unknown][] = [
    [5n, "5n"],
    [function f() {}, "[function f]"],
    [Symbol("s"), "Symbol(s)"],
    [NaN, "NaN"],
    [1.5, 1.5],
    [null, null],
    [undefined, undefined],
    [circle, [1, "[circular]"]],
    [[shared, shared], [{ a: 1 }, { a: 1 }]],
    [new Date(0), { Date: "1970-01-01T00:00:00.000Z" }],
    [new Date(NaN), { Date: "" }],
    [/a/g, { RegExp: "/a/g" }],
    [new URL("http://a.example/"), { URL: "http://a.example/" }],
    [new Map([["a", 1n]]), { Map: [["a", "1n"]] }],
    [new Set([1]), { Set: [1] }],
    [Object.assign(new TypeError("no"), { code: 1 }), { TypeError: { code: 1, message: "no" } }],
    [new Uint8Array([7]), { Uint8Array: { 0: 7 } }],
    [new Point(1), { Point: { x: 1 } }],
    [Promise.resolve(), "[Promise]"],
    [new (class {})(), "[Object]"],
    [Object.create({ constructor: undefined }), "[Object]"],
    [new Uint8Array(0), { Uint8Array: {} }],
  ];
  for (const [value, shown] of values) {
    const actual = inspect(value) as { TypeError?: object };
    // Engines add fields of their own to errors.
    if (value instanceof Error) {
      const { code, message } = actual.TypeError as { code?: number; message?: string };
      assert.deepEqual({ TypeError: { code, message } }, shown);
    } else assert.deepEqual(actual, shown);
  }
  assert.deepEqual([inspectLine("a"), inspectLine({ a: 1 }), inspectLine(undefined)], [
    "a",
    '{"a":1}',
    "undefined",
  ]);
});

test("values are converted for expressions and back", () => {
  const date = new Date(0);
  assert.deepEqual(toCel({ a: [1, 1.5, "x", null, true], b: undefined, date }), {
    a: [1n, 1.5, "x", null, true],
    date,
  });
  assert.deepEqual([toCel(1, "double"), toCel([1], "list<double>"), toCel([1], "list<int>")], [
    1,
    [1],
    [1n],
  ]);
  assert.deepEqual(toCel(2 ** 53), new InexactNumber(2 ** 53));
  assert.deepEqual(toCel(-(2 ** 53)), new InexactNumber(-(2 ** 53)));
  assert.equal(toCel(2 ** 53 - 1), 2n ** 53n - 1n);
  assert.deepEqual(fromCel([1n, new InexactNumber(5), null, "x", date, new Map([[1n, 2n]])]), [
    ...[1, 5, null, "x", "1970-01-01T00:00:00.000Z", { 1: 2 }],
  ]);
  assert.equal(fromCel(new Uint8Array([97, 98])), "YWI=");
  assert.equal(toCel(undefined), undefined);
  const durations = [-1500, 0, 1500].map((ms) => fromCel(new Milliseconds(ms)));
  assert.deepEqual(durations, ["-1.5s", "own 0", "own 1500"]);
  const half = Object.assign(new Milliseconds(1), { hasValue: () => true });
  assert.equal(fromCel(half), "own 1");
  assert.equal(fromCel(Object.assign(new Milliseconds(1), { value: () => 2 })), "own 1");
  const optional = (value?: unknown) => ({
    __proto__: Empty.prototype,
    hasValue: () => value !== undefined,
    value: () => value,
  });
  assert.deepEqual([fromCel(optional(1n)), fromCel(optional())], [1, undefined]);
  assert.equal(showCel(optional(optional(1n)), hide), "1 (whole number)");
});

test("a number beyond 2^53 is found wherever it is", () => {
  const lost = new InexactNumber(2 ** 53);
  for (const value of [lost, 2n ** 53n, [1n, [lost]], { a: { b: lost } }, { a: [2n ** 53n] }]) {
    assert.equal(hasInexact(value), true);
  }
  for (const value of [1n, 2n ** 53n - 1n, 2 ** 60, [1n], { a: null }, "x", new Date(0)]) {
    assert.equal(hasInexact(value), false);
  }
});

test("shows values of expressions with their types", () => {
  const values: [unknown, string][] = [
    [3n, "3 (whole number)"],
    [new InexactNumber(2 ** 53), "about 9007199254740992 (whole number)"],
    [3, "3.0 (number)"],
    [12, "12.0 (number)"],
    [-3, "-3.0 (number)"],
    [1e21, "1e+21 (number)"],
    [1.5, "1.5 (number)"],
    [new Date(0), "1970-01-01T00:00:00.000Z (time)"],
    [new Uint8Array([97]), '"YQ==" (bytes, as base64)'],
    ["a", '"a" (text)'],
    [[1n], "[1] (list)"],
    [null, "null (null)"],
    [true, "true (boolean)"],
  ];
  for (const [value, shown] of values) assert.equal(showCel(value, hide), shown);
  assert.equal(showCel(3n, () => "***"), "*** (whole number)");
});

/** Whether a value satisfies a matcher. */
const satisfies = (value: unknown, name: MatcherName, argument: unknown) =>
  mismatch(value, { name, argument }, hide) === undefined;

test("only two numbers or two texts are in an order", () => {
  const bounds: [unknown, unknown, boolean, boolean, boolean, boolean][] = [
    // gt, gte, lt, lte
    [2, 1, true, true, false, false],
    [1, 1, false, true, false, true],
    [1, 2, false, false, true, true],
    ["b", "a", true, true, false, false],
    ["a", "a", false, true, false, true],
    ["a", "b", false, false, true, true],
    ["2", 1, false, false, false, false],
    [1, "2", false, false, false, false],
    [true, false, false, false, false, false],
    [[2], [1], false, false, false, false],
    [null, null, false, false, false, false],
  ];
  for (const [value, bound, ...expected] of bounds) {
    const actual = (["gt", "gte", "lt", "lte"] as const).map((it) => satisfies(value, it, bound));
    assert.deepEqual(actual, expected, JSON.stringify([value, bound]));
  }
});

test("a text contains a part, a list an item and a map entries", () => {
  const cases: [unknown, unknown, boolean][] = [
    ["abc", "b", true],
    ["abc", "d", false],
    ["1", 1, false],
    [["a", { b: 1 }], { b: 1 }, true],
    [["a"], "b", false],
    [{ a: 1, b: [2] }, { b: [2] }, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ a: 1 }, { b: undefined }, false],
    [{ a: 1 }, { a: 1, toString: 1 }, false],
    [{ a: 1 }, "a", false],
    [{ a: 1 }, null, false],
    [null, {}, false],
    [1, 1, false],
    [1, {}, false],
    [{}, 1, false],
  ];
  for (const [value, part, expected] of cases) {
    assert.equal(satisfies(value, "contains", part), expected, JSON.stringify([value, part]));
  }
});

test("texts, lists and maps have a length, and `length` takes matchers", () => {
  const lengths = ["a😀", [1, 2, 3], { a: 1 }, 5, null].map(lengthOf);
  assert.deepEqual(lengths, [2, 3, 1, undefined, undefined]);
  const bounds: ResolvedMatcher[] = [{ name: "gt", argument: 1 }, { name: "lt", argument: 3 }];
  assert.ok(satisfies("ab", "length", bounds));
  assert.ok(satisfies("ab", "length", 2));
  assert.ok(!satisfies(5, "length", 0));
  assert.ok(!satisfies(5, "length", [{ name: "not", argument: 1 }]));
  assert.ok(!satisfies("a", "length", bounds));
  assert.deepEqual(mismatch("abc", { name: "length", argument: bounds }, hide), [
    'is "abc" (text), but should be of a length > 1 and < 3',
  ]);
});

test("the other matchers hold for the values that they name", () => {
  assert.ok(satisfies(1, "exists", true));
  assert.ok(!satisfies(undefined, "exists", true));
  assert.deepEqual(mismatch(undefined, { name: "exists", argument: true }, hide), ["is absent"]);
  assert.ok(!satisfies("a", "one_of", "abc"));
  assert.ok(satisfies({ a: 1 }, "one_of", [1, { a: 1 }]));
  assert.ok(satisfies(1, "not", 2));
  assert.ok(!satisfies([1], "not", [1]));
  assert.deepEqual(mismatch([1], { name: "equals", argument: [2] }, hide), [
    "is [1] (list), but should be [2]",
    "- [0]: 2",
    "+ [0]: 1",
  ]);
  assert.deepEqual(mismatch([1], { name: "not", argument: [1] }, hide), [
    "is [1] (list), but should be anything but [1]",
  ]);
});

test("only `equals` shows the differences of lists and maps", () => {
  assert.deepEqual(mismatch({ a: 1 }, { name: "contains", argument: { a: 2 } }, hide), [
    'is {"a":1} (map), but should be something that contains {"a":2}',
  ]);
});

test("a pattern matches text only, and one that is not valid is named", async () => {
  await loadPatterns();
  assert.ok(satisfies("a1", "matches", "1"));
  assert.ok(!satisfies(1, "matches", "1"));
  assert.deepEqual(mismatch("a", { name: "matches", argument: "(" }, hide), [
    'cannot be matched with "(": missing ")"',
  ]);
  assert.equal(patternProblem("a".repeat(10_000)), undefined);
  assert.equal(patternProblem("\\P"), "invalid escape sequence");
  assert.equal(withBudget(() => matchesPattern("a", "b".repeat(1_000_000))), false);
});

test("a value may be nested 1,000 levels below its root, whatever is in the last one", () => {
  const nested = (levels: number) => {
    let value: unknown = 1;
    for (let i = 0; i < levels; i++) value = [value];
    return value;
  };
  assert.deepEqual([isTooDeep(nested(1_001)), isTooDeep(nested(1_002))], [false, true]);
});

test("reading a value takes a step for each value in it, and one for ten characters", () => {
  const costs: [unknown, number][] = [
    [5, 0],
    [null, 0],
    ["x".repeat(100), 10],
    [[], 1],
    [[1, null], 3],
    [["x".repeat(20)], 4],
    [{ a: { b: 1 } }, 3],
    [new Uint8Array(50), 6],
  ];
  for (const [value, cost] of costs) {
    const read = (left: number) => () =>
      withBudget(() => {
        spend(10_000_000 - left);
        spendForReading(value, false);
      });
    read(cost)();
    if (cost > 0) assert.throws(read(cost - 0.5), { name: "BudgetError" }, inspectLine(value));
  }
});

test("a number that has lost digits cannot be read alone, or in a value that is compared", () => {
  const lost = new InexactNumber(2 ** 53);
  const cannotRead = { code: "inexact_number" };
  assert.throws(() => spendForReading(lost, false), cannotRead);
  assert.throws(() => spendForReading([lost], true), cannotRead);
  spendForReading([lost], false);
});
