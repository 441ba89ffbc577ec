// The file of `jsonl`, which has everything that has happened so far.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { link, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { openGrowingFile } from "../../runtime/growing_file.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

const FILES = {
  "a.yaml": "name: A\nmatrix: { n: [1, 2] }\nsteps: [{ assert: true }]\n",
};

/** Runs the recipe, and calls back when its first case has ended. */
async function run(directory: string, file: string, onFirst: () => void = () => {}) {
  let hasCalled = false;
  const reporters = ["--reporter", `jsonl=${file}`, "--reporter", "console"];
  return await runnerCli([join(directory, "a.yaml"), ...reporters], {
    onOut(text) {
      if (hasCalled || !text.includes("A [n=1]")) return;
      hasCalled = true;
      onFirst();
    },
  });
}

const typesOf = (text: string) =>
  text.split("\n").slice(0, -1).map((line) => (JSON.parse(line) as RecipeEvent).type);

test("has each event at once, as a whole line, so that a killed process loses none", async () => {
  await withFiles(FILES, async (directory) => {
    const file = join(directory, "run.jsonl");
    let during = "";
    const { code } = await run(directory, file, () => during = readFileSync(file, "utf8"));
    equal(code, 0);
    ok(during.endsWith("\n"));
    equal(typesOf(during).at(-1), "case.finished");
    const text = await readFile(file, "utf8");
    ok(text.startsWith(during));
    equal(typesOf(text).at(-1), "run.finished");
    deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "run.jsonl"]);
    writeFileSync(file, during);
    const merged = await runnerCli(["merge", file, "--reporter", "json"]);
    equal(merged.code, 3);
    deepEqual(JSON.parse(merged.out).counts.passed, 1);
  });
});

test("a new run replaces the file, and whoever reads the old one still has it", async () => {
  await withFiles({ ...FILES, "run.jsonl": "before" }, async (directory) => {
    const file = join(directory, "run.jsonl");
    const reader = await open(file);
    const { ino } = await stat(file);
    equal((await run(directory, file)).code, 0);
    equal(await reader.readFile("utf8"), "before");
    await reader.close();
    notEqual((await stat(file)).ino, ino);
    equal(typesOf(await readFile(file, "utf8"))[0], "run.started");
  });
});

test("a run that begins while another one writes the file does not mix with it", async () => {
  await withFiles(FILES, async (directory) => {
    const path = join(directory, "run.jsonl");
    const first = await openGrowingFile(path);
    first.append("first\n");
    const second = await openGrowingFile(path);
    second.append("second\n");
    first.append("lost\n");
    second.append("end\n");
    await second.close();
    equal(await readFile(path, "utf8"), "second\nend\n");
    const refused = await first.close().catch((error) => error);
    match(refused.message, /^Cannot write file '.*run\.jsonl': it was replaced meanwhile$/);
    first.abandon();
  });
});

test("a file with several links is written in place, from its beginning", async () => {
  await withFiles({ ...FILES, "run.jsonl": "before\n".repeat(2_000) }, async (directory) => {
    const file = join(directory, "run.jsonl");
    await link(file, join(directory, "other.jsonl"));
    equal((await run(directory, file)).code, 0);
    const text = await readFile(join(directory, "other.jsonl"), "utf8");
    equal(typesOf(text).at(-1), "run.finished");
  });
});

test("a file that is moved away during the run turns a pass into 3", async () => {
  await withFiles(FILES, async (directory) => {
    const file = join(directory, "run.jsonl");
    const moved = join(directory, "moved.jsonl");
    const { code, err } = await run(directory, file, () => renameSync(file, moved));
    equal(code, 3);
    match(err, /^error: reporter jsonl failed: Cannot write file '.*run\.jsonl': no such dir/m);
    equal(typesOf(await readFile(moved, "utf8")).at(-1), "run.finished");
  });
});

test("a full device turns a pass into 3, and the other reporters go on", {
  skip: existsSync("/dev/full") ? false : "there is no such device",
}, async () => {
  await withFiles(FILES, async (directory) => {
    const { code, out, err } = await run(directory, "/dev/full");
    equal(code, 3);
    match(err, /jsonl failed: Cannot write file '\/dev\/full': no space left on the device\n$/);
    match(out, /2 passed/);
  });
});

test("a pipe gets the events during the run", {
  skip: process.platform === "win32" ? "Windows has no named pipes in directories" : false,
}, async () => {
  await withFiles(FILES, async (directory) => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const opening = open(pipe);
    const file = await openGrowingFile(pipe);
    const reader = await opening;
    const chunk = new Uint8Array(100);
    const read = async () => {
      const { bytesRead } = await reader.read(chunk);
      return new TextDecoder().decode(chunk.subarray(0, bytesRead));
    };
    file.append("one\n");
    equal(await read(), "one\n");
    file.append("two\n");
    equal(await read(), "two\n");
    // More than a pipe holds.
    const long = `${"x".repeat(300_000)}\n`;
    file.append(long);
    const closing = file.close();
    let size = 0;
    for (let text = await read(); text !== ""; text = await read()) size += text.length;
    await closing;
    equal(size, long.length);
    await reader.close();
  });
});
