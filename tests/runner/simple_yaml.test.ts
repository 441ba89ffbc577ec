// The quick reader may leave a text to the whole parser, but must never read it differently.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Diagnostics } from "../../runner/language/diagnostic.ts";
import type { Node } from "../../runner/language/node.ts";
import { readSimpleYaml } from "../../runner/language/_simple_yaml.ts";
import { Source } from "../../runner/language/source.ts";
import { readWholeYaml } from "../../runner/language/whole_yaml.ts";
import { corpus, mutations } from "../fuzz/recipes.ts";

/** What of a node must be the same: values, keys, and what is marked in messages. */
function shape(node: Node): unknown {
  switch (node.kind) {
    case "list":
      return [node.start, node.items.map(shape)];
    case "map":
      return [node.start, node.entries.map((e) => [e.key, e.keySpan, shape(e.value)])];
    default: {
      const { start, end, value, style } = node;
      // What a plain value is written with decides about warnings.
      const raw = style === "plain" ? node.raw : "";
      return { start, end, value, style, raw };
    }
  }
}

/** Whether the quick reader has read it; that it has read it rightly is asserted. */
async function compare(text: string): Promise<boolean> {
  const simple = readSimpleYaml(text);
  if (simple === undefined) return false;
  const diagnostics = new Diagnostics(new Source("r.yaml", text));
  const whole = await readWholeYaml(diagnostics);
  assert.deepEqual(diagnostics.all().map(({ message }) => message), [], text);
  assert.deepEqual(simple && shape(simple), whole === undefined ? null : shape(whole), text);
  return true;
}

for (
  const [what, text] of Object.entries({
    "a comment behind a value": "a: 1 # one\nb: x#y # z\nc: '#' # d\n",
    "a comment between entries": "a:\n  # one\n  b: 1\n# two\nc: 2\n",
    "a list in its key's column": "a:\n- 1\n- b: 2\n  c: 3\nd: 4\n",
    "an empty value": "a:\nb: ~\nc: ''\nd: \"\"\ne:\n",
    "numbers": "a: [0, -1, +2, 0012, 1.10, .5, 1., 1e3, -1.5E-2, 1_000, 0.0, -0]\n",
    "words": "a: [true, True, TRUE, tRUE, yes, null, Null, ~, no, y, False]\n",
    "flow": "a: { b: [1, { c: d }], e: 'x, y', f: \"}\", g: {}, h: [] }\n",
    "escapes": "a: \"q \\\"x\\\" \\\\ \\n \\t \\/\"\nb: 'it''s'\n",
    "a literal block": "a: |\n  one\n   two\n\n  three # no comment\nb: |-\n  x\n",
    "text with punctuation": "a: x: y\n",
    "an expression": 'a: ${{ b.c == "d" && e[0] > 1 }}\nb: f(x, y) - 2\n',
    "expressions as keys": "a.b[0].c: 1\nsize(x): 2\nd-e: 3\n",
    "nothing": "# only a comment\n\n",
    "a value over lines": "a: b\n  c\n",
    "dashes": "a: -1\nb: - 1\nc: -x\n",
    "an item of an item": "- - 1\n  - 2\n",
    "wrong indentation": "a: 1\n b: 2\n",
    "a wrong column": "a:\n  b: 1\n c: 2\n",
    "text behind a quoted value": "a: 'b' c\n",
    "a comma too many": "a: [1, 2, ]\n",
    "a literal block with blank ends": "a: |\n  one\n\n\nb: 1\n",
    "a literal block at the end": "a: |\n  one",
    "a comment in a literal block": "a: |\n  one\n  # two\n  three\nb: 1\n",
    "a comment behind a literal block": "a: |\n  one\n# two\nb: 1\n",
    "spaces at the ends": "a: b   \nc:   \n  d: e  \n",
  })
) {
  test(`the quick reader and the whole parser agree on ${what}`, () =>
    compare(text).then(() => {}));
}

test("the quick reader reads most recipes itself", async () => {
  const texts = await corpus();
  const read = await Promise.all(texts.map(compare));
  const share = read.filter((one) => one).length / texts.length;
  assert.ok(share > 0.7, `it has read ${share} of them`);
});

test("the quick reader and the whole parser agree on mutated recipes", async () => {
  let read = 0;
  for (const text of mutations(await corpus(), 3000, 20_261_125)) if (await compare(text)) read++;
  assert.ok(read > 500, `it has read ${read} of them`);
});
