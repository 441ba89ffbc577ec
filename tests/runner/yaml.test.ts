import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { checkRecipe } from "../../runner/mod.ts";
import { Diagnostics } from "../../runner/language/diagnostic.ts";
import type { Node, ScalarNode } from "../../runner/language/node.ts";
import { Source } from "../../runner/language/source.ts";
import { readYaml } from "../../runner/language/yaml.ts";
import { readTextFile } from "../../runtime/file.ts";
import { runtimeName } from "../../runtime/process.ts";
import { corpus, fuzz, mutations } from "../fuzz/recipes.ts";

async function codes(text: string): Promise<string[]> {
  return (await checkRecipe("r.yaml", text)).map(({ code }) => code);
}

/** The text that each diagnostic marks. */
async function marked(text: string): Promise<string[]> {
  return (await checkRecipe("r.yaml", text)).map(({ span, source }) =>
    source.text.slice(span.start, span.end)
  );
}

async function read(text: string): Promise<{ root: Node | undefined; messages: string[] }> {
  const diagnostics = new Diagnostics(new Source("r.yaml", text));
  const root = await readYaml(diagnostics);
  return { root, messages: diagnostics.all().map(({ message }) => message) };
}

/** The plain value of a node. */
function plain(node: Node | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === "list") return node.items.map(plain);
  if (node.kind === "scalar") return node.value;
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
}

function scalars(node: Node): ScalarNode[] {
  if (node.kind === "list") return node.items.flatMap(scalars);
  if (node.kind === "map") return node.entries.flatMap(({ value }) => scalars(value));
  return [node];
}

test("refuses an alias bomb without expanding it", async () => {
  // Expanded, this is 9^40 values.
  const levels = Array.from(
    { length: 40 },
    (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? "x" : `*a${i - 1}`).join(", ")}]`,
  );
  assert.deepEqual(await codes(`${levels.join("\n")}\nsteps: *a39\n`), ["too-large"]);
});

test("refuses an alias inside its own anchor", async () => {
  assert.deepEqual(await codes("steps: &a\n  - log: *a\n"), ["yaml"]);
});

test("refuses files over 1 MiB and deep nesting", async () => {
  assert.deepEqual(await codes(`# ${"x".repeat(1 << 20)}\nsteps:\n  - assert: true\n`), [
    "too-large",
  ]);
  // More than 1 MiB of bytes in fewer characters.
  assert.deepEqual(await codes(`# ${"ö".repeat(1 << 19)}\n`), ["too-large"]);
  assert.deepEqual(await codes("[".repeat(100_000)), ["too-large"]);
  assert.deepEqual(await codes(`steps: ${"{a: ".repeat(5000)}`), ["too-large"]);
  assert.deepEqual(await codes("- ".repeat(100_000)), ["too-large"]);
  assert.deepEqual(await codes(`steps: ${"[".repeat(200)}${"]".repeat(200)}`), ["too-large"]);
});

test("marks the 101st level of nesting on every runtime", async () => {
  for (const levels of [102, 900]) {
    const text = `steps:\n  - log: x\na: ${"[".repeat(levels)}${"]".repeat(levels)}\n`;
    const [first, ...rest] = await checkRecipe("r.yaml", text);
    assert.deepEqual(rest, []);
    assert.equal(first!.code, "too-large");
    assert.equal(first!.message, "nested too deep");
    assert.equal(first!.span.start, text.indexOf("[") + 100);
  }
});

test("refuses a UTF-16 file on every runtime", async () => {
  const bytes = Uint8Array.from([..."\xff\xfes\0t\0e\0p\0s\0:\0"].map((c) => c.charCodeAt(0)));
  const directory = await mkdtemp(join(tmpdir(), "utf16-"));
  try {
    const file = join(directory, "r.yaml");
    await writeFile(file, bytes);
    const [{ message } = { message: "" }] = await checkRecipe(file, await readTextFile(file));
    assert.equal(message, "invalid UTF-8 byte");
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("accepts an alias that is used once", async () => {
  const text = "steps:\n  - enqueue: noop\n    payload: &p { a: 1 }\n    id: j\n" +
    "  - enqueue: noop\n    payload: *p\n  - wait: j\n";
  assert.deepEqual(await codes(text), []);
});

test("marks the right text after CRLF, tabs, wide characters and a byte order mark", async () => {
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

test("marks the right text after escapes, folds and indentation", async () => {
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

test("treats the names of Object.prototype's members as ordinary keys", async () => {
  const text =
    "steps:\n  - id: j\n    enqueue: noop\n    payload: { __proto__: 1, constructor: 2 }\n" +
    "  - wait: j\n";
  assert.deepEqual(await codes(text), []);
  assert.deepEqual(await codes("constructor: 1\nsteps:\n  - assert: true\n"), ["unknown-key"]);
  assert.deepEqual(await codes("steps:\n  - toString: 1\n  - assert: true\n"), ["no-kind"]);
});

for (
  const [what, text, value] of [
    ["comments after values", "a: 1 # one\nb: x#y # z\nc: '#' # d\n", { a: 1, b: "x#y", c: "#" }],
    ["comments between entries", "a:\n  # one\n  b: 1\n# two\nc: 2\n", { a: { b: 1 }, c: 2 }],
    ["a list in its key's column", "a:\n- 1\n- b: 2\n  c: 3\nd: 4\n", {
      a: [1, { b: 2, c: 3 }],
      d: 4,
    }],
    ["empty values", "a:\nb: ~\nc: ''\nd: \"\"\ne:\n", { a: null, b: null, c: "", d: "", e: null }],
    [
      "numbers",
      "a: [0, -1, +2, 0012, 1.10, .5, 1., 1e3, -1.5E-2, 1_000, 0.0, 0x1F, 0o17]\n",
      { a: [0, -1, 2, 12, 1.1, 0.5, 1, 1000, -0.015, "1_000", 0, 31, 15] },
    ],
    [
      "words",
      "a: [true, True, TRUE, tRUE, yes, null, Null, ~, no, y, False]\n",
      { a: [true, true, true, "tRUE", "yes", null, null, null, "no", "y", false] },
    ],
    ["flow", "a: { b: [1, { c: d }], e: 'x, y', f: \"}\", g: {}, h: [], }\n", {
      a: { b: [1, { c: "d" }], e: "x, y", f: "}", g: {}, h: [] },
    }],
    ["escapes", "a: \"q \\\"x\\\" \\\\ \\n \\t \\/\"\nb: 'it''s'\n", {
      a: 'q "x" \\ \n \t /',
      b: "it's",
    }],
    ["literal blocks", "a: |\n  one\n   two\n\n  three # no comment\nb: |-\n  x\n", {
      a: "one\n two\n\nthree # no comment\n",
      b: "x",
    }],
    ["a literal block with blank lines after it", "a: |\n  one\n\n\nb: 1\n", { a: "one\n", b: 1 }],
    ["a literal block at the end of the file", "a: |\n  one", { a: "one\n" }],
    ["a hash sign in a literal block", "a: |\n  one\n  # two\n  three\nb: 1\n", {
      a: "one\n# two\nthree\n",
      b: 1,
    }],
    ["a comment after a literal block", "a: |\n  one\n# two\nb: 1\n", { a: "one\n", b: 1 }],
    ["expressions", 'a: ${{ b.c == "d" && e[0] > 1 }}\nb: f(x, y) - 2\n', {
      a: '${{ b.c == "d" && e[0] > 1 }}',
      b: "f(x, y) - 2",
    }],
    ["expressions as keys", "a.b[0].c: 1\nsize(x): 2\nd-e: 3\n", {
      "a.b[0].c": 1,
      "size(x)": 2,
      "d-e": 3,
    }],
    ["a file without values", "# only a comment\n\n", undefined],
    ["a value over several lines", "a: b\n  c\n", { a: "b c" }],
    ["a value that starts with a dash", "a: -1\nc: -x\n", { a: -1, c: "-x" }],
    ["a list in a list", "- - 1\n  - 2\n", [[1, 2]]],
    ["trailing spaces", "a: b   \nc:   \n  d: e  \n", { a: "b", c: { d: "e" } }],
  ] as const
) {
  test(`reads ${what}`, async () => {
    const { root, messages } = await read(text);
    assert.deepEqual(messages, []);
    assert.deepEqual(plain(root), value);
  });
}

for (
  const [what, text, message] of [
    ["a second colon", "a: x: y\n", /^unexpected `:` in a value/],
    ["a list on its key's line", "a: - 1\n", /^unexpected text: check the indentation/],
    ["an entry that is indented too far", "a: 1\n b: 2\n", /^unexpected `:` in a value/],
    [
      "an entry that is indented too little",
      "a:\n  b: 1\n c: 2\n",
      /^unexpected text: check the indentation/,
    ],
    ["text after a quoted value", "a: 'b' c\n", /^unexpected text: check the indentation/],
  ] as const
) {
  test(`refuses ${what}`, async () => {
    const { root, messages } = await read(text);
    assert.equal(root, undefined);
    assert.match(messages.join("\n"), message);
  });
}

/** Each runtime has its own mutations. */
const SEED = 20_261_124 + ["deno", "bun", "node"].indexOf(runtimeName());

test("reads the values that the yaml package reads, and knows where each is written", async () => {
  const texts = await corpus();
  let compared = 0;
  for (const text of [...texts, ...mutations(texts, 1200, SEED)]) {
    const { root, messages } = await read(text);
    if (root === undefined || messages.length > 0) continue;
    compared++;
    const source = new Source("r.yaml", text).text;
    const [document] = parseAllDocuments(source, { logLevel: "silent", stringKeys: true }) as {
      toJS(): unknown;
    }[];
    assert.deepEqual(plain(root), document!.toJS(), text);
    for (const { start, end, style, raw } of scalars(root)) {
      const written = source.slice(start, end);
      if (style === "plain" && !/[\r\n]/.test(written)) assert.equal(written, raw, text);
      if (style === "double") assert.match(written, /^"[^]*"$/, text);
      if (style === "single") assert.match(written, /^'[^]*'$/, text);
    }
  }
  assert.ok(compared > 200, `compared ${compared} texts`);
});

test("mutated recipes never break the checks", async () => {
  assert.deepEqual(await fuzz(400, SEED), []);
});
