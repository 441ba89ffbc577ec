// Regular expressions: the syntax of RE2, in time proportional to the text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { withBudget } from "../../runner/expression/budget.ts";
import { loadPatterns } from "../../runner/expression/load_patterns.ts";
import { matchesPattern, patternProblem } from "../../runner/expression/pattern.ts";
import { regexpProblem, toRe2 } from "../../runner/expression/regexp.ts";
import { checkRecipe } from "../../runner/mod.ts";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";

/** A text that a backtracking engine would take hours for. */
const EVIL_TEXT = `${"a".repeat(50)}!`;

for (
  const [pattern, problem] of [
    ["a(?=b)", "RE2 has no lookahead"],
    ["a(?!b)", "RE2 has no lookahead"],
    ["(?<=a)b", "RE2 has no lookbehind"],
    ["(?<!a)b", "RE2 has no lookbehind"],
    ["(a)\\1", "RE2 has no backreferences"],
    ["a**", "invalid repetition `**`"],
    ["a{1001}", "`{1001}` repeats more than 1,000 times"],
    ["(a{1000}){1000}", "`{1000}` repeats more than 1,000 times"],
    ["\\Z", "invalid escape sequence `\\Z`"],
    ["[[:foo:]]", "unknown character class `[:foo:]`"],
    ["\\p{Foo}", "unknown character class `\\p{Foo}`"],
    ["(?P<x>a)(?P<x>b)", "two groups have the name `x`"],
    ["(?z)", "invalid group"],
    ["(".repeat(2000) + ")".repeat(2000), "it is too large"],
    ["a".repeat(10_001), "it has more than 10,000 characters"],
  ] as const
) {
  test(`explains the regular expression ${pattern.slice(0, 20)}`, () => {
    assert.equal(patternProblem(pattern), problem);
  });
}

test("a pattern with nested repetitions takes no longer than any other", async () => {
  const { code, events } = await runRecipe(`vars: { t: "${EVIL_TEXT}" }
steps:
  - assert: '!vars.t.matches("^(a+)+$")'
  - assert: '!vars.t.matches("^(a|a)*$") && !vars.t.matches("(a*)*b") && ![vars.t].exists(x, x.matches("^(a|aa)+$"))'
  - expect: { vars.t: { matches: "^(([a-z])+.)+!$", length: { gt: 50 } } }
  - if: '!vars.t.matches("^(.*a){20}$")'
    log: \${{ vars.t.matches("^(.*a){20}$") }}
  - expect: { vars.t: { matches: "^(a+)+$" } }
`);
  assert.equal(code, 1);
  assert.match(firstFailure(events).message, /should be a text that matches "\^\(a\+\)\+\$"$/);
});

test("patterns have the syntax of RE2", async () => {
  const { code, events } = await runRecipe(`vars: { t: "First line\\nsecond" }
steps:
  - assert:
      - vars.t.matches("\\\\AFirst") && !vars.t.matches("\\\\Asecond")
      - vars.t.matches("second\\\\z") && !vars.t.matches("line\\\\z") && !vars.t.matches("line$")
      - vars.t.matches("(?m)line$") && vars.t.matches("(?s)First.*second")
      - vars.t.matches("(?i)FIRST") && vars.t.matches("(?P<word>[[:alpha:]]+)")
      - vars.t.matches("\\\\pL+") && vars.t.matches("\\\\QFirst line\\\\E")
  - expect: { vars.t: { matches: '\\A(?i:FIRST)\\s(?P<rest>\\w+)' } }
`);
  assert.equal(code, 0, JSON.stringify(ends(events)));
});

test("a text that is too long for a pattern is a failure", async () => {
  const { events } = await runRecipe(`vars: { t: "${"ab".repeat(60_000)}" }
steps:
  - soft: true
    expect: { vars.t: { matches: "a[ab]{999}[^ab]" } }
  - assert: vars.t.matches("a[ab]{999}[^ab]")
`);
  const messages = events.flatMap((event) =>
    event.type === "step.finished" && event.failure ? [event.failure.message] : []
  );
  assert.match(messages[0]!, /cannot be matched with "a.*": it takes more than 10,000,000 steps$/);
  assert.match(messages[1]!, /^the expression takes more than 10,000,000 steps/);
});

test("a pattern that only turns out to be invalid when it runs is a failure", async () => {
  const { events } = await runRecipe(
    'vars: { re: "a(?=b)" }\nsteps:\n  - assert: vars.re.matches(vars.re)\n',
  );
  const { message, place } = firstFailure(events);
  assert.equal(message, "invalid regular expression: RE2 has no lookahead");
  assert.deepEqual([place?.column, place?.length], [13, "vars.re.matches(vars.re)".length]);
});

test("a recipe whose pattern is escaped in the file is checked as well", async () => {
  const diagnostics = await checkRecipe(
    "r.yaml",
    'vars: { a: b }\nsteps:\n  - expect: { vars.a: { "mat\\x63hes": "(" } }\n',
  );
  assert.deepEqual(diagnostics.map(({ code }) => code), ["bad-matcher"]);
});

const TEXTS = [
  ...["", "a", "b", "ab", "aab", "A", "Z", "z", "Q", "aa", "a\nb", "\u2028", "\u00a0", " ", "\t"],
  ...["x-y", "[", ":", "alpha", "]", "\\", "/", "foo/bar", "2026-11-28", "k<x>", "é", "\0", "\b"],
  ...["\u0001", "{", "a{", "a{1", "$", "^", "-", "_", "\ufeff"],
  ...["1a", "k\u0001", "k\0", "[x", "a]", "a-"],
];

test("a regular expression of JavaScript matches the same texts as RE2", async () => {
  await loadPatterns();
  for (
    const regexp of [
      ...[/a/, /^a$/, /a|b/, /./, /./s, /^.$/, /\s/, /\S/, /[\s]/, /[^\s]/, /[\S]/, /[^\S]/],
      ...[
        /[\s\S]/,
        /[^]/,
        new RegExp("[]"),
        /\d{4}-\d\d/,
        /\//,
        /foo\/bar/,
        /[/]/,
        /[[:alpha:]]/,
        /[\]]/,
      ],
      ...[/[\b]/, /\bfoo\b/, /\cA/, /\0/, /\u0061/, /[\u0061-\u0063]/, /\u{61}/u, /\x61/, /A/i],
      ...[/\A/, /\z/, /\Q/, /\-/, /[\w-]/, /[a\-z]/, /(?:a|b)+/, /(?<n>a)b/, /a{1}/, /a{/, /a{1/],
      ...[/\$/, /^$/, /\./, /[.]/, /[^.]/, /\_/, /\e/, /a*?b/, /\p{L}/u, /\P{L}/u, /a/y, /b/y],
      ...[/b/g, /\k/, /[\d-x]/, new RegExp("")],
      // Each means something else inside or after a class, or after another escape sequence.
      ...[/[a]./, /[a-z]\b/, /[x]-\S/, /[[]./, /[a.]/, /a[^]/, /[^]b/, new RegExp("a[]|b")],
      ...[/\d\u0061/, /\w\u{62}/u, /\w\cA/, /\w\0/, /a\_?b/],
    ]
  ) {
    const pattern = toRe2(regexp);
    assert.equal(regexpProblem(regexp), undefined, `${regexp} as ${pattern}`);
    for (const text of TEXTS) {
      const expected = new RegExp(regexp).test(text);
      assert.equal(matchesPattern(pattern, text), expected, `${regexp} ${JSON.stringify(text)}`);
    }
  }
});

test("keeps the flags that RE2 has, and adds none", () => {
  const patterns = [/a/, /a/g, /a/i, /a/gims, /a/y].map(toRe2);
  assert.deepEqual(patterns, ["a", "a", "(?i)a", "(?ims)a", "\\A(?:a)"]);
});

test("refuses regular expressions of JavaScript that RE2 cannot express", async () => {
  await loadPatterns();
  for (
    const [regexp, problem] of [
      [/a(?=b)/, "RE2 has no lookahead"],
      [/(?<!a)b/, "RE2 has no lookbehind"],
      [/(a)\1/, "RE2 has no backreferences"],
      [/(?<n>a)\k<n>/, "RE2 has no backreferences"],
      [new RegExp("[[a-z]--b]", "v"), "RE2 has no set operations"],
    ] as const
  ) assert.equal(regexpProblem(regexp), problem);
});

test("a compiled pattern is matched within the budget of one expression", async () => {
  await loadPatterns();
  assert.throws(
    () => withBudget(() => matchesPattern("(?:a?){900}b", "a".repeat(1_000_000))),
    { name: "BudgetError" },
  );
});
