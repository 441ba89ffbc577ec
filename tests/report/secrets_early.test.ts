import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { REPORTERS } from "../../runner/report/registry.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

const SECRET = "wolpertinger";

/** Runs recipes with every reporter that writes a file, and returns all output as one text. */
async function outputOf(
  files: Record<string, string>,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  return await withFiles(files, async (directory) => {
    const reporters = Object.keys(REPORTERS)
      .filter((name) => REPORTERS[name]!.writes !== "network")
      .map((name) => `--reporter=${name}=${join(directory, `${name}.out`)}`);
    const { out, err } = await runnerCli(
      ["run", directory, "--verbose", "--reporter=console", ...reporters, ...args],
      { env: { API: SECRET, ...env } },
    );
    const texts = [out, err];
    for (const name of (await readdir(directory)).filter((name) => name.endsWith(".out"))) {
      texts.push(await readFile(join(directory, name), "utf8"));
    }
    assert.equal(texts.length, 2 + reporters.length);
    return texts.join("\n");
  });
}

const OPEN = `vars: { given: "" }\nsteps: [{ log: "\${{ vars.given }}" }, { assert: 1 == 2 }]\n`;
const CLOSED = `name: Knows ${SECRET}\nsecrets: [API]\nsteps: [{ assert: true }]\n`;
const GIVEN = `--var=given=${SECRET}`;

test("masks secrets if there is no connection", async () => {
  const text = await outputOf({ "a.yaml": OPEN, "b.yaml": CLOSED }, [
    GIVEN,
    "--url=ws://127.0.0.1:1/dwp",
  ]);
  assert.ok(text.includes("Knows ***"));
  assert.ok(!text.includes(SECRET), text);
});

test("masks the secrets of a recipe before it starts, and if it never starts", async () => {
  const text = await outputOf({ "a.yaml": OPEN, "b.yaml": CLOSED }, [GIVEN, "--bail"]);
  assert.ok(text.includes("Knows ***"));
  assert.ok(!text.includes(SECRET), text);
});

test("masks the secrets of later recipes in a dry run", async () => {
  await withFiles({ "a.yaml": OPEN, "b.yaml": CLOSED }, async (directory) => {
    const { out } = await runnerCli([directory, "--dry-run", GIVEN], { env: { API: SECRET } });
    assert.ok(out.includes("given = "), out);
    assert.ok(!out.includes(SECRET), out);
  });
});

test("shows no credentials of the server's address", async () => {
  const text = await outputOf({ "a.yaml": "steps: [{ assert: true }]" }, [], {
    DISPATCH_URL: `ws://somebody:${SECRET}@127.0.0.1:1/dwp?key=${SECRET}`,
  });
  assert.ok(text.includes('"ws://127.0.0.1:1/dwp"'));
  assert.ok(!text.includes(SECRET), text);
});
