import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

/** Runs recipes on the console, and returns its lines without times and ids. */
function linesOf(files: Record<string, string>, args: readonly string[] = []): Promise<string[]> {
  return withFiles(files, async (directory) => {
    const { out } = await runnerCli([join(directory, "a.yaml"), ...args]);
    return out.split("\n").filter((line) => /^ +[✓✗▸│-]/.test(line))
      .map((line) => line.replace(/ {2,}\d.*$/, "").trimEnd());
  });
}

const INNER =
  "name: Inner\nsteps:\n  - log: inside\n  - set: { n: 2 }\n  - assert: true\nvars: { n: 1 }\n";

test("steps inside `use` and `parallel` are indented below the line of that step", async () => {
  const lines = await linesOf({
    "inner.yaml": INNER,
    "a.yaml": `
steps:
  - use: inner.yaml
  - parallel:
      - use: inner.yaml
      - assert: 1 == 1
  - assert: 2 == 2
always:
  - use: inner.yaml
`,
  });
  assert.deepEqual(lines.filter((line) => !line.includes("│")), [
    "  ▸ use inner.yaml",
    "    ✓ set n",
    "    ✓ assert true",
    "  ✓ use inner.yaml",
    "  ▸ parallel, 2 steps",
    "    ▸ use inner.yaml",
    "    ✓ assert 1 == 1",
    "      ✓ set n",
    "      ✓ assert true",
    "    ✓ use inner.yaml",
    "  ✓ parallel, 2 steps",
    "  ✓ assert 2 == 2",
    "  ▸ always: use inner.yaml",
    "    ✓ set n",
    "    ✓ assert true",
    "  ✓ always: use inner.yaml",
  ]);
});

test("a log step is printed once, as its text", async () => {
  const lines = await linesOf({
    "a.yaml": "steps:\n  - log: hello\n  - log: named\n    name: Greet\n  - assert: true\n",
  });
  assert.deepEqual(lines, ["  │ hello", "  │ named", "  ✓ Greet", "  ✓ assert true"]);
});
