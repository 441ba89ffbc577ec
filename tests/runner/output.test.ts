import { deepEqual, equal } from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { runtimeName } from "../../runtime/process.ts";
import { withFiles } from "./_recipe.ts";

/** Starts a child process that writes 3,000 lines of 1,000 bytes. */
function startWriter(): { child: ChildProcess; exited: Promise<{ code: number; err: string }> } {
  const run = runtimeName() === "deno" ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...run, "tests/runner/_much_output.ts"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let err = "";
  child.stderr!.on("data", (chunk) => err += chunk);
  return { child, exited: once(child, "close").then(([code]) => ({ code, err })) };
}

test("a slow reader receives all output, in order", async () => {
  const { child, exited } = startWriter();
  await once(child.stdout!, "readable");
  // Meanwhile the child fills the pipe.
  await setTimeout(50);
  let text = "";
  for await (const chunk of child.stdout!) text += chunk;
  const lines = text.split("\n");
  equal(lines.length, 3_001);
  equal(lines.slice(0, -1).findIndex((line, i) => line !== String(i).padStart(999)), -1);
  deepEqual(await exited, { code: 7, err: "written" });
});

test("a reader that closes the pipe causes no error", async () => {
  const { child, exited } = startWriter();
  await once(child.stdout!, "readable");
  child.stdout!.destroy();
  deepEqual(await exited, { code: 7, err: "written" });
});

test("says that standard output cannot be written, and turns a pass into 3", {
  skip: existsSync("/dev/full") ? false : "there is no such device",
}, async () => {
  await withFiles({ "a.yaml": "steps: [{ assert: true }]" }, (directory) => {
    const full = openSync("/dev/full", "w");
    const deno = runtimeName() === "deno" ? ["run", "-A"] : [];
    for (const args of [[], ["check"], ["list"], ["--reporter=json"], ["--help"]]) {
      const { status, stderr } = spawnSync(
        process.execPath,
        [...deno, "runner.ts", ...args, directory],
        { stdio: ["ignore", full, "pipe"], encoding: "utf8" },
      );
      equal(status, 3, stderr);
      const lines = stderr.split("\n").filter((line) => !line.startsWith("Using the embedded"));
      deepEqual(lines, [
        "error: cannot write to standard output: no space left on the device",
        "",
      ]);
    }
    closeSync(full);
    return Promise.resolve();
  });
});
