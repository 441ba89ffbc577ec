// Every code has a recipe under tests/golden that shows it, and beside it what is printed.
// `UPDATE_GOLDEN=1 deno test -A tests/runner/golden.test.ts` writes the texts anew.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DIAGNOSTIC_CODES } from "../../runner/language/codes.ts";
import { listDirectory, readTextFile, writeTextFile } from "../../runtime/file.ts";
import { readEnv } from "../../runtime/process.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

/** Files that only exist to be used by others. */
const HELPERS = new Set(["used", "circle"]);
/** What these lack is only known when they are run. */
const FOUND_BY_RUN = new Set(["missing-secret", "missing-variable"]);

/** The recipe of each name; the one that cannot be read is one that is not there. */
const files = new Map([["cannot-read", "tests/golden/cannot-read.yaml"]]);
for (const file of await listDirectory("tests/golden")) {
  const [, name] = /^(.+)\.(?:yaml|ts)$/.exec(file) ?? [];
  if (name !== undefined && !HELPERS.has(name)) files.set(name, `tests/golden/${file}`);
}

test("every diagnostic code has a golden file, and the other way round", () => {
  assert.deepEqual([...files.keys()].toSorted(), Object.keys(DIAGNOSTIC_CODES).toSorted());
});

for (const [name, file] of files) {
  test(`golden ${name}`, async () => {
    const command = FOUND_BY_RUN.has(name) ? "run" : "check";
    const { code, out, err } = await runnerCli([command, file]);
    const text = out + err;
    if (readEnv("UPDATE_GOLDEN")) await writeTextFile(`tests/golden/${name}.txt`, text);
    assert.equal(text, await readTextFile(`tests/golden/${name}.txt`));
    assert.equal(code, text.startsWith("error") || text.includes("\nerror") ? 2 : 0);
    const json = await runnerCli([command, "--format", "json", file]);
    const codes = json.out.trim().split("\n").map((line) => JSON.parse(line).code);
    assert.ok(codes.includes(name), `no diagnostic of code ${name} among ${codes}`);
  });
}

test("what is wrong with a file that two others use is told once", async () => {
  const user = "steps: [{ use: bad.yaml }]\n";
  const files = { "a.yaml": user, "b.yaml": user, "bad.yaml": "steps: [{ enqeue: x }]\n" };
  await withFiles(files, async (directory) => {
    const { out } = await runnerCli(["check", "--format", "json", directory]);
    const codes = out.trim().split("\n").map((line) => JSON.parse(line).code);
    assert.deepEqual(codes, ["no-kind", "use", "use"]);
  });
});
