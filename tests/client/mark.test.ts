import assert from "node:assert/strict";
import { test } from "node:test";
import { markInput } from "../../client/start/mark.ts";
import { Random } from "../protocol/random.ts";

const LONG = "A text that is long enough to carry a mark of 48 characters.";

test("marks objects and arrays with 48 characters of white space before the last bracket", () => {
  for (const value of [{}, [], { a: 1 }, [1, [2]], { text: "}" }]) {
    const json = JSON.stringify(value);
    const marked = markInput(json)!;
    assert.match(marked, /[ \t]{48}[}\]]$/);
    assert.equal(marked.replace(/[ \t]{48}/, ""), json);
  }
});

test("marks a long text by writing some of its first characters as escapes", () => {
  for (
    const text of [
      LONG,
      "漢字かな交じり文".repeat(10),
      '"quoted" \\ back\nslash\t\u0001 '.repeat(10),
      "😀 ".repeat(60),
      "x".repeat(48),
      `\\u0041 \\\\ ${"\\n".repeat(20)} ${LONG}`,
      `${LONG} a lone surrogate: \ud83d`,
    ]
  ) {
    const marked = markInput(JSON.stringify(text));
    assert(marked, text);
    assert.equal(JSON.parse(marked), text);
    assert.notEqual(marked, JSON.stringify(text));
  }
});

test("a mark makes a text at most 240 characters longer, however long the text is", () => {
  for (const length of [48, 1_000, 4_000_000]) {
    const json = JSON.stringify("x".repeat(length));
    assert(markInput(json)!.length - json.length <= 48 * 5);
  }
});

test("a mark is in the first 200 characters of the text, the quotation mark included", () => {
  // A character beyond U+FFFF is two, and cannot carry a part of the mark.
  const last = "😀".repeat(75) + "x".repeat(48);
  assert.equal(JSON.parse(markInput(JSON.stringify(last))!), last);
  assert.equal(markInput(JSON.stringify(`${"😀".repeat(76)}${"x".repeat(1_000)}`)), undefined);
});

test("has no mark for numbers, booleans, null and short texts", () => {
  for (
    const value of [0, 5, -1.5, 1e300, true, false, null, "", "x", "x".repeat(47), "😀".repeat(50)]
  ) {
    assert.equal(markInput(JSON.stringify(value)), undefined);
  }
  assert.equal(markInput("1".repeat(60)), undefined);
});

test("no two marks are the same", () => {
  for (const json of ["{}", JSON.stringify(LONG)]) {
    const marked = Array.from({ length: 10_000 }, () => markInput(json));
    assert.equal(new Set(marked).size, 10_000);
  }
});

test("5,000 random values stay the same when they are marked", () => {
  const random = new Random(3);
  for (let i = 0; i < 5_000; i++) {
    const value = i % 2 ? random.json() : String.fromCharCode(
      ...Array.from({ length: 80 }, () => random.below(random.below(2) ? 0x80 : 0x10000)),
    );
    const json = JSON.stringify(value);
    assert.deepEqual(JSON.parse(markInput(json) ?? json), JSON.parse(json));
  }
});
