import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../helpers/fake_clock.ts";
import { type CliResult, runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const PASS = "steps:\n  - assert: true\n";
const FAIL = "steps:\n  - assert: false\n";

/** Runs a recipe with --watch, and changes a file when the first run is over. */
function runWatched(recipe: string, changed: string, text: string): Promise<CliResult> {
  const stop = new AbortController();
  let runs = 0;
  const onOut = (printed: string) => {
    if (!printed.startsWith("Waiting for file changes")) return;
    if (++runs === 1) void writeFile(changed, text);
    else stop.abort();
  };
  return runnerCli([recipe, "--watch"], { signal: stop.signal, onOut });
}

test("--watch runs again when a recipe changes, until interrupted", async () => {
  await withFiles({ "r.yaml": FAIL }, async (directory) => {
    const file = join(directory, "r.yaml");
    const { code, out } = await runWatched(file, file, PASS);
    assert.equal(code, 130);
    assert.match(out, /1 failed in [^]*1 passed in /);
  });
});

test("--watch runs again when a recipe is added", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const { out } = await runWatched(directory, join(directory, "b.yaml"), PASS);
    assert.match(out, /\n1 passed in [^]*\n2 passed in /);
  });
});

test("--watch does not run again without a change", async () => {
  await withFiles({ "r.yaml": PASS }, async (directory) => {
    const stop = new AbortController();
    const clock = new FakeClock();
    clock.setTimeout(() => stop.abort(), 5_000);
    const args = [join(directory, "r.yaml"), "--watch"];
    const { code, out } = await runnerCli(args, { signal: stop.signal, clock });
    assert.equal(code, 130);
    assert.equal(out.match(/1 passed/g)?.length, 1);
  });
});

test("--watch runs again when a used recipe changes", async () => {
  const inner = "steps:\n  - assert: 1 == 2\n";
  const files = { "inner.yaml": inner, "r.yaml": "steps:\n  - use: inner.yaml\n" };
  await withFiles(files, async (directory) => {
    const used = join(directory, "inner.yaml");
    const { out } = await runWatched(join(directory, "r.yaml"), used, inner.replace("2", "1"));
    assert.match(out, /1 failed in [^]*1 passed in /);
  });
});
