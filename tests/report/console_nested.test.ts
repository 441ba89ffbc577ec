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

/** Runs a recipe, and returns the first lines of the failures that are printed in full. */
async function errorsOf(text: string): Promise<string[]> {
  const errors = await withFiles({ "a.yaml": text }, async (directory) => {
    const { out } = await runnerCli([join(directory, "a.yaml")]);
    return out.split("\n").filter((line) => /^(error|soft failure|warning): /.test(line));
  });
  return errors.map((line) => line.replace(/^.*?: /, ""));
}

test("a step of `always` is not taken for the one around steps with its number", async () => {
  const errors = await errorsOf(`
steps:
  - parallel:
      - assert: 1 == 2
    soft: true
always:
  - assert: 3 == 4
`);
  assert.deepEqual(errors, ["`1 == 2` is false", "`3 == 4` is false"]);
});

test("a `parallel` whose own `expect` fails says so beside the failure of a soft step", async () => {
  const errors = await errorsOf(`
vars: { n: 1 }
steps:
  - parallel:
      - assert: 1 == 2
        soft: true
    expect: { vars.n: 3 }
`);
  assert.deepEqual(errors, ["`1 == 2` is false", "`vars.n` is 1 (whole number), but should be 3"]);
});

test("failures inside an attempt of a `parallel` that is retried are not printed in full", async () => {
  const errors = await errorsOf(`
steps:
  - parallel:
      - assert: 1 == 2
      - assert: true
    retry: { attempts: 3, backoff: 1ms }
`);
  assert.deepEqual(errors, ["`1 == 2` is false"]);
});
