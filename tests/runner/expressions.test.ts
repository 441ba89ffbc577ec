import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRecipe } from "../../runner/mod.ts";
import { patternProblem } from "../../runner/expression/pattern.ts";
import { describeType } from "../../runner/expression/types.ts";

for (
  const [pattern, problem] of [
    ["^a+(b|c)$", undefined],
    ["(", 'missing ")"'],
    [")", 'unmatched ")"'],
    ["[a", 'missing "]"'],
    ["*", "nothing to repeat"],
    ["a{2,1}", "invalid quantifier in { }"],
    ["a\\", "it ends with a backslash"],
    ["[b-a]", "invalid range in [ ]"],
    ["(?<a", "invalid group"],
    ["\\p", "invalid escape sequence"],
    [3, "it is not text"],
  ] as const
) {
  test(`explains the regular expression ${pattern} in the same words on every engine`, () => {
    assert.equal(patternProblem(pattern), problem);
  });
}

for (
  const [expression, label] of [
    ["a ==", "unexpected end of the expression"],
    ["(a", "expected `)`, not the end of the expression"],
    ["a b", "unexpected `b`"],
    ["a.", "expected a name, not the end of the expression"],
    ["1 + + 1", "unexpected `+`"],
    ["1 @ 1", "unexpected `@`"],
    ["'abc", "unterminated string"],
  ] as const
) {
  test(`explains the syntax error of ${expression}`, async () => {
    const text = `steps:\n  - assert: |-\n      ${expression}\n`;
    const [diagnostic, ...rest] = await checkRecipe("r.yaml", text);
    assert.deepEqual(rest, []);
    assert.equal(diagnostic?.code, "bad-expression");
    assert.equal(diagnostic.label, label);
  });
}

test("names types in plain words", () => {
  for (
    const [type, title] of [
      ["JobResult", "a job"],
      ["JobResult_order", "a job"],
      ["PublishResult_paid", "the result of a `publish` step"],
      ["CountEventsResult_7", "the result of a `count_events` step"],
      ["list<JobResult>", "a list"],
      ["map<string, dyn>", "a map"],
      ["$vars", "a map"],
      ["optional<int>", "an optional value (a whole number)"],
      ["dyn", "any value"],
    ] as const
  ) assert.equal(describeType(type), title);
});
