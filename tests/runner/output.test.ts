import { equal } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { runtimeName } from "../../runtime/process.ts";

interface Ended {
  code: number | null;
  err: string;
}

function writer(): { child: ChildProcess; ended: Promise<Ended> } {
  const run = runtimeName() === "deno" ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...run, "tests/runner/_much_output.ts"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let err = "";
  child.stderr!.on("data", (chunk) => err += chunk);
  return { child, ended: once(child, "close").then(([code]) => ({ code, err })) };
}

test("a reader that is slow gets all that was written, in order", async () => {
  const { child, ended } = writer();
  // The pipe is full by then.
  await setTimeout(500);
  let text = "";
  for await (const chunk of child.stdout!) text += chunk;
  const lines = text.split("\n");
  equal(lines.length, 3_001);
  equal(lines.slice(0, -1).findIndex((line, i) => line !== String(i).padStart(999)), -1);
  const { code, err } = await ended;
  equal(err, "written");
  equal(code, 7);
});

test("a reader that goes away is no error", async () => {
  const { child, ended } = writer();
  await once(child.stdout!, "readable");
  child.stdout!.destroy();
  const { code, err } = await ended;
  equal(err, "written");
  equal(code, 7);
});
