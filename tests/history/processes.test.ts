import { deepEqual, equal } from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { RunnerProcess } from "../runner/_process.ts";
import { inDirectory, query } from "./_history.ts";

const RECIPE = "name: One\nsteps: [{ assert: 1 == 1 }, { assert: 2 == 2 }]\n";

test("two processes record at the same time without losing runs", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "new", "history.db");
    const recipe = join(directory, "r.yaml");
    await writeFile(recipe, RECIPE);
    const args = ["runner.ts", recipe, "--quiet", "--history", file, "--repeat", "3"];
    for (let round = 0; round < 3; round++) {
      const both = [new RunnerProcess(args), new RunnerProcess(args)];
      for (const child of both) {
        equal(await child.exit(), 0, child.output);
        equal(child.output.includes("warning"), false, child.output);
      }
    }
    deepEqual(query(file, "SELECT count(*) AS n FROM run"), [{ n: 18 }]);
    deepEqual(query(file, "SELECT count(*) AS n FROM step"), [{ n: 36 }]);
    deepEqual(query(file, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
    deepEqual(await readdir(join(directory, "new")), ["history.db"]);
  });
});

test("two processes that find a corrupt file rename it once", async () => {
  await inDirectory(async (directory) => {
    const recipe = join(directory, "r.yaml");
    await writeFile(recipe, RECIPE);
    for (let round = 0; round < 4; round++) {
      const file = join(directory, `${round}.db`);
      await writeFile(file, "SQLite format 3\0" + "garbage ".repeat(1000));
      const args = ["runner.ts", recipe, "--quiet", "--history", file];
      const both = [new RunnerProcess(args), new RunnerProcess(args)];
      for (const child of both) equal(await child.exit(), 0, child.output);
      deepEqual(query(file, "SELECT count(*) AS n FROM run"), [{ n: 2 }]);
      const renamed = (await readdir(directory)).filter((name) => name.startsWith(`${round}.db.`));
      equal(renamed.length, 1);
    }
  });
});
