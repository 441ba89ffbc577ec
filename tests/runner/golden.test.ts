// For every diagnostic code there is a recipe in tests/golden that shows it, and the text that is
// printed for it. `deno task update golden` writes the texts again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DIAGNOSTIC_CODES } from "../../runner/language/codes.ts";
import { readTextFile } from "../../runtime/file.ts";
import { runnerCli } from "./_cli.ts";
import { goldenRecipes, goldenText, goldenTextFile } from "./_golden.ts";
import { withFiles } from "./_recipe.ts";

const recipes = await goldenRecipes();

test("every diagnostic code has a golden recipe, and every golden recipe a code", () => {
  assert.deepEqual([...recipes.keys()].toSorted(), Object.keys(DIAGNOSTIC_CODES).toSorted());
});

for (const [code, file] of recipes) {
  test(`tests/golden shows ${code}`, async () => {
    const { exitCode, text, codes } = await goldenText(code, file);
    assert.ok(codes.includes(code), `${file} reports ${codes.join(" and ") || "nothing"}`);
    assert.equal(text, await readTextFile(goldenTextFile(code)), "deno task update golden");
    assert.equal(exitCode, text.startsWith("error") || text.includes("\nerror") ? 2 : 0);
  });
}

test("reports the errors of a recipe that two others use once", async () => {
  const user = "steps: [{ use: bad.yaml }]\n";
  const files = { "a.yaml": user, "b.yaml": user, "bad.yaml": "steps: [{ enqeue: x }]\n" };
  await withFiles(files, async (directory) => {
    const { out } = await runnerCli(["check", "--format", "json", directory]);
    const codes = out.trim().split("\n").map((line) => JSON.parse(line).code);
    assert.deepEqual(codes, ["no-kind", "use", "use"]);
  });
});
