// `--last-failed`: the cases that did not pass in their last run.
import { deepEqual, equal, match } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const PASS = "steps: [{ assert: true }]\n";
const FAIL = "steps: [{ assert: false }]\n";
const FILES = {
  "a.yaml": PASS,
  "b.yaml": FAIL,
  "c.yaml": "steps: [{ stats: {} }]\n",
  "d.yaml": "matrix: { n: [1, 2, 3] }\nsteps: [{ assert: matrix.n == 2 }]\n",
};

interface Suite {
  directory: string;
  /** Runs the recipes, and returns the names of the cases that ran. */
  run(...args: string[]): Promise<{ code: number; err: string; ran: string[] }>;
}

async function withSuite(use: (suite: Suite) => Promise<void>): Promise<void> {
  await withFiles(FILES, async (directory) => {
    const history = `--history=${join(directory, "h.db")}`;
    await use({
      directory,
      async run(...args) {
        const cli = [directory, history, "--reporter", "json", ...args];
        const { code, out, err } = await runnerCli(cli);
        const ran = out === ""
          ? []
          : JSON.parse(out).cases.map(({ name }: { name: string }) => name);
        return { code, err: err.replaceAll(directory, "DIR"), ran };
      },
    });
  });
}

test("runs what did not pass in its last run, and says what it leaves out", async () => {
  await withSuite(async ({ run, directory }) => {
    equal((await run()).ran.length, 6);
    const again = await run("--last-failed");
    equal(again.code, 1);
    deepEqual(again.ran, ["b", "c", "d [n=1]", "d [n=3]"]);
    match(again.err, /^--last-failed: 4 failed in their last run; 2 passed in their last run and/m);
    await writeFile(join(directory, "b.yaml"), PASS);
    deepEqual((await run("--last-failed")).ran, ["b", "c", "d [n=1]", "d [n=3]"]);
    deepEqual((await run("--last-failed")).ran, ["c", "d [n=1]", "d [n=3]"]);
  });
});

test("a case of which one repetition failed has failed", async () => {
  const recipe = "vars: { n: '${{ random(2) }}' }\nsteps: [{ assert: vars.n == 1 }]\n";
  await withFiles({ "a.yaml": recipe }, async (directory) => {
    const history = `--history=${join(directory, "h.db")}`;
    const run = async (...args: string[]) => {
      const { out } = await runnerCli([directory, history, "--reporter", "json", ...args]);
      return JSON.parse(out).cases.map(({ status }: { status: string }) => status);
    };
    const first: string[] = await run("--repeat", "8", "--seed", "1");
    equal(first.includes("failed"), true);
    equal(first.at(-1), "passed", "else the order of the runs would not matter");
    equal((await run("--last-failed")).length, 1);
  });
});

test("runs what the history does not know, and everything if it knows nothing", async () => {
  await withSuite(async ({ run, directory }) => {
    const first = await run("--last-failed");
    equal(first.ran.length, 6);
    match(first.err, /^--last-failed: 'DIR\/h.db' has no run of these cases, so all of them run$/m);
    await writeFile(join(directory, "e.yaml"), PASS);
    const { ran, err } = await run("--last-failed");
    deepEqual(ran, ["b", "c", "d [n=1]", "d [n=3]", "e"]);
    match(err, /4 failed in their last run, 1 not in the history; 2 passed/);
  });
});

test("nothing runs when everything has passed", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const args = [directory, `--history=${join(directory, "h.db")}`];
    await runnerCli(args);
    const { code, err } = await runnerCli([...args, "--last-failed"]);
    deepEqual([code, err], [4, "Nothing to run: every case passed in its last run\n"]);
  });
});

test("shards share out the failed cases", async () => {
  await withSuite(async ({ run }) => {
    await run();
    const ran: string[] = [];
    for (const shard of ["1/2", "2/2"]) {
      // The second shard would not find what the first one has repaired, so both only fail.
      const part = await run("--last-failed", "--shard", shard);
      equal(part.ran.length, 2);
      ran.push(...part.ran);
    }
    deepEqual(ran.toSorted(), ["b", "c", "d [n=1]", "d [n=3]"]);
  });
});

test("a shard passes when everything has passed, and the merge of all says that nothing ran", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const args = [join(directory, "a.yaml"), `--history=${join(directory, "h.db")}`];
    const shard = async (i: number, ...more: string[]) => {
      const stream = `jsonl=${join(directory, "streams", `${i}.jsonl`)}`;
      return await runnerCli([...args, "--shard", `${i}/2`, "--reporter", stream, ...more]);
    };
    await runnerCli(args);
    for (const i of [1, 2]) {
      const { code, err } = await shard(i, "--last-failed");
      deepEqual([code, err], [0, "Nothing to run: every case passed in its last run\n"]);
    }
    const { code, out, err } = await runnerCli(["merge", join(directory, "streams")]);
    deepEqual([code, err], [4, ""]);
    match(out, /nothing ran/);
    // That nothing is found is a mistake in every shard.
    equal((await shard(1, "--last-failed", "--tag", "none")).code, 4);
  });
});

test("needs a history that can be read", async () => {
  await withFiles({ "a.yaml": PASS, "no.db": "not a database, but long enough" }, async (dir) => {
    const without = await runnerCli([dir, "--last-failed"]);
    equal(without.code, 2);
    match(without.err, /^error: --last-failed needs --history FILE$/m);
    const wrong = await runnerCli([dir, "--last-failed", `--history=${join(dir, "no.db")}`]);
    equal(wrong.code, 2);
    match(wrong.err, /it is not a history/);
  });
});
