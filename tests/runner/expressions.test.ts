import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRecipe } from "../../runner/mod.ts";
import { patternProblem } from "../../runner/expression/pattern.ts";
import { type Hole, splitTemplate } from "../../runner/expression/template.ts";
import {
  baseType,
  describeType,
  isRecordType,
  itemType,
  keptType,
  suits,
  typeOfValue,
} from "../../runner/expression/types.ts";

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

test("a text is split at its expressions, whose strings and maps may contain braces", () => {
  const splits: [text: string, texts: string[], expressions: string[]][] = [
    ["", [""], []],
    ["plain } }} ${ {{", ["plain } }} ${ {{"], []],
    ["${{ a }}", ["", ""], [" a "]],
    ["x${{a}}y${{b}}", ["x", "y", ""], ["a", "b"]],
    ["$${{ a }} ${{b}}", ["${{ a }} ", ""], ["b"]],
    ["${{ {'a': {}} }}.", ["", "."], [" {'a': {}} "]],
    ["${{ '}}' + \"}}\" }}", ["", ""], [" '}}' + \"}}\" "]],
    ["${{ '\\'}}' }}", ["", ""], [" '\\'}}' "]],
    ["${{ r'\\' }}'", ["", "'"], [" r'\\' "]],
    ["${{ R'\\' }}'", ["", "'"], [" R'\\' "]],
    ["${{ '''a'}}''' }}", ["", ""], [" '''a'}}''' "]],
    ["${{ a } }}", ["", ""], [" a } "]],
  ];
  for (const [text, texts, expressions] of splits) {
    const split = splitTemplate(text) as { texts: string[]; holes: Hole[] };
    assert.deepEqual(split.texts, texts, text);
    assert.deepEqual(split.holes.map(({ start, end }) => text.slice(start, end)), expressions);
    assert.deepEqual(
      split.holes.map(({ from, to }) => text.slice(from, to)),
      expressions.map((expression) => `\${{${expression}}}`),
    );
  }
  for (const [text, from] of [["a ${{ b }", 2], ["${{ 'a }}", 0], ["${{ {'a': 1}}", 0]] as const) {
    assert.deepEqual(splitTemplate(text), { from });
  }
});

test("types are compared by what a value of them can be used for", () => {
  const fits = [
    ["dyn", "int"],
    ["int", "dyn"],
    ["int", "int"],
    ["int", "double"],
    ["list<int>", "list<dyn>"],
    ["map<string, int>", "map<string, dyn>"],
  ] as const;
  for (const [type, wanted] of fits) assert.ok(suits(type, wanted), `${type} as ${wanted}`);
  const others = [
    ["double", "int"],
    ["string", "double"],
    ["list<int>", "map<string, dyn>"],
    ["map<string, int>", "list<dyn>"],
    ["int", "list<int>"],
    ["int", "map<string, int>"],
    ["list<int>", "int"],
  ] as const;
  for (const [type, wanted] of others) assert.ok(!suits(type, wanted), `${type} as ${wanted}`);
});

test("knows the types of values, of items, and of what is stored as JSON", () => {
  const values = ["a", true, 1, 1.5, null, {}, [], [1, 2], [1, "a"], [[1], [2]]].map(typeOfValue);
  assert.deepEqual(values, [
    ...["string", "bool", "int", "double", "dyn", "map<string, dyn>", "list<dyn>", "list<int>"],
    ...["list<dyn>", "list<list<int>>"],
  ]);
  const items = (["list<int>", "list<list<int>>", "int", undefined] as const).map(itemType);
  assert.deepEqual(items, ["int", "list<int>", undefined, undefined]);
  const kept = ([
    "string",
    "int",
    "bool",
    "double",
    "bytes",
    "list<int>",
    "map<string, int>",
    "RunResult",
  ] as const)
    .map(keptType);
  assert.deepEqual(kept, [
    ...["string", "int", "bool", "dyn", "dyn", "list<dyn>", "map<string, dyn>", "dyn"],
  ]);
  assert.deepEqual((["JobResult_order", "list<RunResult_a>", "int"] as const).map(baseType), [
    ...["JobResult", "list<RunResult>", "int"],
  ]);
  const records = (["JobResult_order", "RunResult", "list<RunResult>", "int"] as const).map(
    isRecordType,
  );
  assert.deepEqual(records, [true, true, false, false]);
});
