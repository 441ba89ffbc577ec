import assert from "node:assert/strict";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

const PASSING = { "a.yaml": "steps: [{ assert: true }]" };

test("two reporters for one file are refused, however it is written", async () => {
  for (const [one, other] of [["out.xml", "out.xml"], ["out.xml", "./b/../out.xml"]] as const) {
    const { code, out, err } = await runnerCli(
      ["recipes", "--reporter", `junit=${one}`, "--reporter", `json=${other}`],
    );
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.ok(err.startsWith(`error: Reporters junit and json both write '${other}'\n`), err);
  }
});

test("a reporter's file needs a name", async () => {
  const { code, err } = await runnerCli(["recipes", "--reporter", "junit="]);
  assert.equal(code, 2);
  assert.match(err, /^error: Reporter junit needs a file behind the `=`\n/);
});

test("a file that cannot be written is told before the run, and changes no verdict", async () => {
  await withFiles(PASSING, async (directory) => {
    await mkdir(join(directory, "taken"));
    for (
      const [file, reason] of [
        [join(directory, "nope", "out.xml"), "no such directory"],
        [join(directory, "taken"), "it is a directory"],
        [join(directory, "a.yaml", "out.xml"), "a part of the path is no directory"],
      ] as const
    ) {
      let early = "";
      const { code, out, err } = await runnerCli(
        [join(directory, "a.yaml"), "--reporter", "console", "--reporter", `junit=${file}`],
        { onErr: (text) => void (early ||= text) },
      );
      assert.equal(code, 0);
      assert.match(out, /1 passed/);
      const warning = `warning: reporter junit failed: Cannot write file '${file}': ${reason}\n`;
      assert.equal(early, warning);
      assert.equal(err, warning);
    }
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "taken"]);
  });
});

test("a file that is there stays until the run has ended", async () => {
  await withFiles({ ...PASSING, "out.xml": "before" }, async (directory) => {
    const file = join(directory, "out.xml");
    let during: Promise<string> | undefined;
    const { code } = await runnerCli(
      [join(directory, "a.yaml"), "--reporter", "console", "--reporter", `junit=${file}`],
      { onOut: () => void (during ??= readFile(file, "utf8")) },
    );
    assert.equal(code, 0);
    assert.equal(await during, "before");
    assert.match(await readFile(file, "utf8"), /^<\?xml/);
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "out.xml"]);
  });
});
