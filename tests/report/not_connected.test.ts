import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { RunSummary } from "../../runner/mod.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

const RECIPES = {
  "a.yaml": "name: A\nsteps: [{ assert: true }]\n",
  "b.yaml": "name: B\nmatrix: { region: [eu, us] }\nsteps: [{ assert: true }]\n",
};

test("reports every case as errored if there is no connection", async () => {
  await withFiles(RECIPES, async (directory) => {
    const file = (name: string) => join(directory, name);
    const { code, out, err } = await runnerCli([
      directory,
      "--url=ws://127.0.0.1:1/dwp",
      "--reporter=console",
      `--reporter=json=${file("run.json")}`,
      `--reporter=junit=${file("junit.xml")}`,
    ]);
    assert.equal(code, 3);
    assert.match(err, /^error: Cannot connect to 'ws:\/\/127\.0\.0\.1:1\/dwp': .+\n$/);
    assert.match(out, /\n3 could not run in /);
    // Standard error has said why, once.
    assert(!out.includes("Cannot connect"), out);
    const run: RunSummary = JSON.parse(await readFile(file("run.json"), "utf8"));
    assert.equal(run.exit_code, 3);
    assert.deepEqual(run.cases.map(({ name, status }) => [name, status]), [
      ["A", "errored"],
      ["B [region=eu]", "errored"],
      ["B [region=us]", "errored"],
    ]);
    assert.equal(run.cases[0]?.failure?.kind, "connection");
    assert.match(await readFile(file("junit.xml"), "utf8"), /<testsuites[^>]* errors="3"/);
  });
});

test("a report in a file says why there was no connection", async () => {
  await withFiles({ "a.yaml": RECIPES["a.yaml"] }, async (directory) => {
    const file = join(directory, "report.txt");
    const { err } = await runnerCli([
      join(directory, "a.yaml"),
      "--url=ws://127.0.0.1:1/dwp",
      `--reporter=console=${file}`,
    ]);
    const text = await readFile(file, "utf8");
    assert(text.includes(err.trim()), text);
  });
});

test("reports no case as started if the run is interrupted while it connects", async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const interrupt = new AbortController();
  silent.on("connection", (socket) => {
    socket.on("error", () => {});
    interrupt.abort(new Error("interrupted"));
  });
  try {
    await withFiles(RECIPES, async (directory) => {
      const json = join(directory, "run.json");
      const { code, err } = await runnerCli(
        [directory, `--url=ws://127.0.0.1:${port}/dwp`, `--reporter=json=${json}`],
        { signal: interrupt.signal },
      );
      assert.equal(code, 130);
      assert.equal(err, "");
      const run: RunSummary = JSON.parse(await readFile(json, "utf8"));
      assert.equal(run.interrupted, true);
      assert.deepEqual(run.cases.map(({ reason }) => reason), Array(3).fill("interrupted"));
    });
  } finally {
    silent.close();
  }
});
