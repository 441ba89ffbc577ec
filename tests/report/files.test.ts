import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstat, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

const PASSING = { "a.yaml": "steps: [{ assert: true }]" };

test("refuses two reporters for one file, even if its path is written differently", async () => {
  for (const [one, other] of [["out.xml", "out.xml"], ["out.xml", "./b/../out.xml"]] as const) {
    const { code, out, err } = await runnerCli(
      ["recipes", "--reporter", `junit=${one}`, "--reporter", `json=${other}`],
    );
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.ok(err.startsWith(`error: Reporters junit and json both write '${other}'\n`), err);
  }
});

test("refuses an empty file name", async () => {
  const { code, err } = await runnerCli(["recipes", "--reporter", "junit="]);
  assert.equal(code, 2);
  assert.match(err, /^error: Reporter junit needs a file name after `=`\n/);
});

test("warns before the run of a file that cannot be written, and keeps the verdict", async () => {
  await withFiles(PASSING, async (directory) => {
    await mkdir(join(directory, "taken"));
    for (
      const [file, reason] of [
        [join(directory, "nope", "out.xml"), "no such directory"],
        [join(directory, "taken"), "it is a directory"],
        [join(directory, "a.yaml", "out.xml"), "a part of the path is not a directory"],
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

test("keeps an existing file until the run has ended", async () => {
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

test("writes to the target of a symbolic link and keeps the link", async () => {
  await withFiles({ ...PASSING, "real.json": "before" }, async (directory) => {
    const link = join(directory, "link.json");
    await symlink("real.json", link);
    const { code, err } = await runnerCli([
      join(directory, "a.yaml"),
      "--reporter",
      `json=${link}`,
    ]);
    assert.equal(code, 0);
    assert.ok(!err.includes("warning"), err);
    assert.ok((await lstat(link)).isSymbolicLink());
    const { cases } = JSON.parse(await readFile(join(directory, "real.json"), "utf8"));
    assert.equal(cases.length, 1);
  });
});

test("writes to a named pipe without replacing it", {
  skip: process.platform === "win32" ? "Windows has no named pipes in directories" : false,
}, async () => {
  await withFiles(PASSING, async (directory) => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const read = readFile(pipe, "utf8");
    const { code } = await runnerCli([join(directory, "a.yaml"), "--reporter", `json=${pipe}`]);
    assert.equal(code, 0);
    assert.ok((await lstat(pipe)).isFIFO());
    assert.equal(JSON.parse(await read).cases.length, 1);
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "pipe"]);
  });
});

test("leaves files with similar names alone, and no temporary file behind", async () => {
  const others = { "out.json.probe": "a", "out.json.tmp": "b", ".out.json.tmp": "c" };
  await withFiles({ ...PASSING, ...others }, async (directory) => {
    await runnerCli([
      join(directory, "a.yaml"),
      "--reporter",
      `json=${join(directory, "out.json")}`,
    ]);
    for (const [name, text] of Object.entries(others)) {
      assert.equal(await readFile(join(directory, name), "utf8"), text);
    }
    const names = ["a.yaml", "out.json", ...Object.keys(others)];
    assert.deepEqual((await readdir(directory)).toSorted(), names.toSorted());
  });
});
