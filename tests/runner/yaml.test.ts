import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { checkRecipe } from "../../runner/mod.ts";
import { Diagnostics } from "../../runner/language/diagnostic.ts";
import type { Node } from "../../runner/language/node.ts";
import { Source } from "../../runner/language/source.ts";
import { readYaml } from "../../runner/language/yaml.ts";
import { readTextFile } from "../../runtime/file.ts";
import { fuzz } from "../fuzz/recipes.ts";

async function codes(text: string): Promise<string[]> {
  return (await checkRecipe("r.yaml", text)).map(({ code }) => code);
}

/** What is marked, for each diagnostic. */
async function marked(text: string): Promise<string[]> {
  return (await checkRecipe("r.yaml", text)).map(({ span, source }) =>
    source.text.slice(span.start, span.end)
  );
}

test("an alias bomb is refused without being expanded", async () => {
  // Written out this is 9^40 values: whoever expands it does not come back.
  const levels = Array.from(
    { length: 40 },
    (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? "x" : `*a${i - 1}`).join(", ")}]`,
  );
  assert.deepEqual(await codes(`${levels.join("\n")}\nsteps: *a39\n`), ["too-large"]);
});

test("an alias that stands inside what it names is refused", async () => {
  assert.deepEqual(
    await codes("steps: &a\n  - log: *a\n"),
    ["yaml", "nothing-checked"].slice(0, 1),
  );
});

test("files over 1 MiB and deep nesting are refused", async () => {
  assert.deepEqual(await codes(`# ${"x".repeat(1 << 20)}\nsteps:\n  - assert: true\n`), [
    "too-large",
  ]);
  // As many bytes, in fewer characters.
  assert.deepEqual(await codes(`# ${"ö".repeat(1 << 19)}\n`), ["too-large"]);
  assert.deepEqual(await codes("[".repeat(100_000)), ["too-large"]);
  assert.deepEqual(await codes(`steps: ${"{a: ".repeat(5000)}`), ["too-large"]);
  assert.deepEqual(await codes("- ".repeat(100_000)), ["too-large"]);
  assert.deepEqual(await codes(`steps: ${"[".repeat(200)}${"]".repeat(200)}`), ["too-large"]);
});

test("what is nested deeper than 100 levels is refused at the same place everywhere", async () => {
  for (const levels of [102, 900]) {
    const text = `steps:\n  - log: x\na: ${"[".repeat(levels)}${"]".repeat(levels)}\n`;
    const [first, ...rest] = await checkRecipe("r.yaml", text);
    assert.deepEqual(rest, []);
    assert.equal(first!.code, "too-large");
    assert.equal(first!.message, "nested too deep");
    assert.equal(first!.span.start, text.indexOf("[") + 100);
  }
});

test("a file in UTF-16 is refused, not understood by one runtime only", async () => {
  const bytes = Uint8Array.from([..."\xff\xfes\0t\0e\0p\0s\0:\0"].map((c) => c.charCodeAt(0)));
  const directory = await mkdtemp(join(tmpdir(), "utf16-"));
  try {
    const file = join(directory, "r.yaml");
    await writeFile(file, bytes);
    const [{ message } = { message: "" }] = await checkRecipe(file, await readTextFile(file));
    assert.equal(message, "a byte here is not UTF-8");
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("an alias that is used sensibly is fine", async () => {
  const text = "steps:\n  - enqueue: noop\n    payload: &p { a: 1 }\n    id: j\n" +
    "  - enqueue: noop\n    payload: *p\n  - wait: j\n";
  assert.deepEqual(await codes(text), []);
});

test("marks are right with Windows line ends, tabs, wide characters and a byte order mark", async () => {
  assert.deepEqual(
    await marked('steps:\r\n  - log: "a\r\n      ${{ vars.x }}"\r\n  - assert: true\r\n'),
    ["x"],
  );
  assert.deepEqual(await marked("steps:\n  - log: \t${{ vars.x }}\n  - assert: true\n"), ["x"]);
  assert.deepEqual(await marked('steps:\n  - log: "日本 😀 ${{ vars.x }}"\n  - assert: true\n'), [
    "x",
  ]);
  assert.deepEqual(await marked("\uFEFFsteps:\n  - log: ${{ vars.x }}\n  - assert: true\n"), ["x"]);
});

test("marks are right behind escapes, folds and indentation", async () => {
  for (
    const value of [
      String.raw`"\u00e4\x41\t\U0001F600 \\ \" ${"${{ vars.x }}"}"`,
      String.raw`"folded \
        here ${"${{ vars.x }}"}"`,
      `'it''s
        ''folded'' \${{ vars.x }}'`,
      `>-
      folded

        more indented
      \${{ vars.x }}`,
      `|2
        kept
       \${{ vars.x }}`,
      `plain
      over lines \${{ vars.x }}`,
    ]
  ) {
    const text = `steps:\n  - log: ${value}\n  - assert: true\n`;
    assert.deepEqual(await marked(text), ["x"], text);
  }
});

test("keys that objects have by themselves are keys like others", async () => {
  const text =
    "steps:\n  - id: j\n    enqueue: noop\n    payload: { __proto__: 1, constructor: 2 }\n" +
    "  - wait: j\n";
  assert.deepEqual(await codes(text), []);
  assert.deepEqual(await codes("constructor: 1\nsteps:\n  - assert: true\n"), ["unknown-key"]);
  assert.deepEqual(await codes("steps:\n  - toString: 1\n  - assert: true\n"), ["no-kind"]);
});

test("nodes hold what the YAML says", async () => {
  for (const name of ["order-smoke", "order-payment", "failed-job"]) {
    const text = await readTextFile(`recipes/${name}.yaml`);
    const root = await readYaml(new Diagnostics(new Source("r.yaml", text)));
    const [document] = parseAllDocuments(text) as { toJS(): unknown }[];
    assert.deepEqual(plain(root!), document!.toJS());
  }
});

function plain(node: Node): unknown {
  if (node.kind === "list") return node.items.map(plain);
  if (node.kind === "scalar") return node.value;
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
}

test("mutated recipes never break the checks", async () => {
  assert.deepEqual(await fuzz(1000, 20_261_124), []);
});
