import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import stringWidth from "string-width";
import { printable, width } from "../../runner/language/render_diagnostic.ts";
import { truncateLine, truncateToWidth } from "../../runner/report/console/truncate.ts";
import { HOSTILE } from "./_events.ts";

/** Rare characters that `width` does not handle: Arabic number signs and composed musical notes. */
const UNSUPPORTED = /[\u0600-\u0605\u06dd\u0890\u0891\u08e2\u{110bd}\u{110cd}\u{1d15e}-\u{1d1c0}]/u;

test("measures every character like string-width", () => {
  const wrong: string[] = [];
  for (let code = 0; code < 0x40000; code++) {
    const char = String.fromCodePoint(code);
    if (/[\p{Cn}\p{Co}\p{Cs}]/u.test(char) || UNSUPPORTED.test(char)) continue;
    if (width(char) !== stringWidth(char)) wrong.push(code.toString(16));
  }
  deepEqual(wrong, []);
});

for (
  const text of [
    "plain",
    "名前 在庫",
    "👩‍👩‍👧",
    "🏳️‍🌈 👍🏽 🇩🇪 1️⃣ ❤️ ❤ ☎️ ☝🏽",
    "e\u0301\u0302 é",
    "각".normalize("NFD"),
    "नि ก็ ﾊﾞ",
    "a\u200db \u200e\ufeff",
    "±…—✓ ё",
    "\ud800",
  ]
) {
  test(`measures like string-width: ${JSON.stringify(text)}`, () => {
    equal(width(text), stringWidth(text));
  });
}

test("truncates between characters and ends with `…`", () => {
  equal(truncateToWidth("12345", 5), "12345");
  equal(truncateToWidth("123456", 5), "1234…");
  equal(truncateToWidth("名前在庫", 4), "名…");
  equal(truncateToWidth("👩‍👩‍👧👩‍👩‍👧", 7), "👩‍👩‍👧…");
  equal(truncateToWidth("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  deepEqual([
    truncateToWidth("x", 0),
    truncateToWidth("", 0),
    truncateToWidth("xy", 1),
    truncateToWidth("x", -1),
  ], ["", "", "…", ""]);
  for (let columns = 0; columns < 90; columns++) {
    ok(stringWidth(truncateToWidth(printable(HOSTILE), columns)) <= columns);
  }
});

test("truncates parts before it colours them", () => {
  const red = (text: string) => `<${text}>`;
  equal(truncateLine([["ab", red], ["cd", red]], 4), "<ab><cd>");
  equal(truncateLine([["ab", red], ["cde", red], ["f", red]], 4), "<ab><c…>");
});
