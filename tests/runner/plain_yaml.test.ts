// That the reader of plain YAML gives the nodes that the `yaml` package gives, or none.
import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Diagnostics } from "../../runner/language/diagnostic.ts";
import { readPlainYaml } from "../../runner/language/_plain_yaml.ts";
import { parseYaml } from "../../runner/language/_parse_yaml.ts";
import { Source } from "../../runner/language/source.ts";
import { seededRandom } from "../../runtime/random.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Checks a text, and returns whether it is plain. */
function check(text: string): boolean {
  const nodes = readPlainYaml(text);
  if (nodes === undefined) return false;
  const diagnostics = new Diagnostics(new Source("recipe.yaml", text));
  const parsed = parseYaml(diagnostics, 1);
  deepEqual(diagnostics.all().map(({ message }) => message), [], text);
  deepEqual(nodes, parsed, text);
  return true;
}

/** The recipes of the project: its own, those of its docs, and those with mistakes. */
function recipes(): string[] {
  const filesOf = (folder: string, end: string) =>
    readdirSync(join(root, folder)).sort().filter((name) => name.endsWith(end))
      .map((name) => readFileSync(join(root, folder, name), "utf8").replaceAll("\r\n", "\n"));
  const docs = filesOf("docs", ".md").flatMap((page) =>
    [...page.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text]) => text!)
  );
  return [...filesOf("recipes", ".yaml"), ...docs, ...filesOf("tests/golden", ".yaml")];
}

const VARIED = `# A comment.
name: Order #1  # another
tags: [a, 'b c', "d", 1.5, -2, true, null, [x, {y: z}], {}]
vars: { "id": 12, 'to': ada@example.com, at: 2026-12-24T00:00:00Z, url: http://x/?a=b }

steps:
- enqueue: send-email

  # A comment.

  payload: {"a":1,"b": "c"}
# A comment.
- assert:
    - job.state == 'x' && [1, 2].size() > 0
    - \${{ a.b }} is -x:or#y
  expect:
    a.b[0].size(): 0012
    c d: .5s
always:
  - - not plain
`;
/** All but its last entry is plain. */
const PLAIN = VARIED.slice(0, VARIED.indexOf("always"));

test("reads maps, lists, quotes, brackets, comments and all kinds of values", () => {
  for (
    const text of [
      PLAIN,
      PLAIN.trimEnd(),
      "a: 1",
      "- a",
      "- a: 1\n  b: 2\n- c",
      "a:\n- b\nc: d",
      "a: # b\n      # c\n  d: 1",
    ]
  ) {
    ok(check(text), text);
  }
});

test("leaves everything else to the yaml package", () => {
  const others = [
    ...["", "# only a comment", "a", "a:", "a:\n  b:\nc: 1", " a: 1", VARIED],
    // Anchors, aliases, tags, documents, directives, complex keys, block scalars and escapes.
    ...["a: &b c", "a: *b", "a: !b c", "---\na: 1", "a: 1\n---\nb: 2", "%YAML 1.2\n---\na: 1"],
    ...["? a\n: b", "a: |\n  b", "a: >\n  b", 'a: "b\\n"', "a: 'b''c'", "<<: a", '"a": b'],
    // What goes on on the next line.
    ...["a: b\n  c", 'a: "b\n  c"', "a: [b,\n  c]", "-\n  a"],
    // Values that are written in more than one way.
    ...["a: 0x1f", "a: 0o17", "a: 1e3", "a: +1", "a: .5", "a: 1.", "a: .inf", "a: Null", "a: ~"],
    ...["a: 1234567890123456", "a: True", "null: a"],
    // Mistakes.
    ...[
      "a: 1\na: 2",
      "a: {b: 1, b: 2}",
      "a: b: c",
      "a: [b",
      "a: [b, ]",
      "a: {b}",
      "a: @b",
      "a: 'b' c",
    ],
    ...[
      "a: 1\n b: 2",
      "a:\n  b: 1\n c: 2",
      "- a\nb: c",
      "a: 1\n- b",
      'a: "b"#c',
      "a:\tb",
      "a: 1\r\n",
      "a:\n  b:\n- c",
      "a: [-]",
      "a: [- b]",
    ],
    // Comments that count to the value above them.
    ...["a: 1\n  # b\nc: 2", "a:\n  - b: 1\n   # c\n", "a:\n  b: 1\n# c\n  d: 2"],
    // Too large.
    Array.from({ length: 30 }, (_, i) => `${" ".repeat(i)}a:\n`).join("") + " ".repeat(40) + "b: 1",
    ...[
      `a: ${"[".repeat(30)}${"]".repeat(30)}`,
      `a: ${"b".repeat(70_000)}`,
      `${"a".repeat(300)}: 1`,
    ],
    Array.from({ length: 201 }, (_, i) => `a${i}: 1\n`).join(""),
  ];
  for (const text of others) equal(readPlainYaml(text), undefined, text);
});

test("reads the recipes of the project as the yaml package does, and most of them", () => {
  const all = recipes();
  const plain = all.filter(check);
  ok(plain.length > all.length / 2, `${plain.length} of ${all.length}`);
});

test("reads texts with random changes as the yaml package does", () => {
  const random = seededRandom(16);
  const index = (length: number) => Math.floor(random() * length);
  const pick = <T>(values: readonly T[]): T => values[index(values.length)]!;
  const texts = [PLAIN, ...recipes()].filter((text) => text.length < 700);
  const pieces = [
    ...["\n", "\n", "\n  ", "\n    ", "\n- ", "\n\n", " ", "  ", ": ", ":", "- ", "-", " #", "#"],
    ...[
      "[",
      "]",
      "{",
      "}",
      ",",
      ", ",
      '"',
      "'",
      "''",
      "&a",
      "*a",
      "!",
      "|",
      ">",
      "%",
      "@",
      "`",
      "?",
    ],
    ...[
      "null",
      "true",
      "1.5",
      "0x1f",
      "1e3",
      "+1",
      ".5",
      "~",
      "<<",
      "---",
      "...",
      "\\",
      "é",
      "\u00a0",
    ],
    ...["\u2028", "\u0085", "a: 1", "[a]", "{ b: c }", "'d'", '"e"', "\t", "\r\n"],
  ];
  const change = (text: string): string => {
    const at = index(text.length + 1);
    const rest = text.slice(at);
    const lines = text.split("\n");
    const line = index(lines.length);
    switch (index(6)) {
      case 0:
      case 1:
        return text.slice(0, at) + pick(pieces) + rest;
      case 2:
        return text.slice(0, at) + pick(pieces) + rest.slice(1);
      case 3:
        return text.slice(0, at) + rest.slice(1 + index(3));
      case 4:
        return lines.with(line, `${" ".repeat(index(4))}${lines[line]}`).join("\n");
      default:
        return lines.with(line, lines[line]!.replace(/^ {1,2}/, "")).join("\n");
    }
  };
  let plain = 0;
  for (let i = 0; i < 3000; i++) {
    const lines = pick(texts).split("\n");
    const from = index(lines.length);
    let text = lines.slice(from, from + 1 + index(12)).join("\n");
    for (let changes = index(2); changes >= 0; changes--) text = change(text);
    if (check(text)) plain++;
  }
  ok(plain > 300, `${plain} were plain`);
});
