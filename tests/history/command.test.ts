import { deepEqual, equal, match } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { sparkline } from "../../runner/history/summary.ts";
import { HistoryStore } from "../../runner/history/store.ts";
import { runnerCli } from "../runner/_cli.ts";
import { inDirectory, options, storedRun } from "./_history.ts";

const ORDER = { server: "embedded", file: "recipes/order.yaml", name: "Order smoke" };
const BATCH = { server: "h:1", file: "recipes/more/batch.yaml", name: "Batch \x1b[31m[n=1]" };

/** Calls `use` with a history that has two cases. */
function withHistory(use: (file: string) => Promise<void>): Promise<void> {
  return inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const store = await HistoryStore.open(file, options());
    store.add([
      { key: ORDER, run: storedRun(100) },
      { key: ORDER, run: storedRun(800, { status: "failed" }) },
      { key: ORDER, run: storedRun(300, { flaky: true }) },
      { key: ORDER, run: storedRun(700) },
      { key: BATCH, run: storedRun(2000, { status: "errored" }) },
    ]);
    store.close();
    await use(file);
  });
}

test("lists cases with counts, the median duration, the last result and bars", async () => {
  await withHistory(async (file) => {
    const { code, out } = await runnerCli(["history", "--history", file]);
    equal(code, 0);
    deepEqual(out.split("\n"), [
      "Batch �[31m[n=1]  recipes/more/batch.yaml on h:1",
      "  ✗  1 run, 0 passed, 1 failed, last errored 2026-11-24 09:00:00Z",
      "Order smoke  recipes/order.yaml on embedded",
      "  ▂✗▄█  4 runs, 3 passed, 1 failed, 1 flaky, median 300 ms, last passed 2026-11-24 09:00:00Z",
      "",
    ]);
  });
});

test("a name lists each run, a file or directory does not", async () => {
  await withHistory(async (file) => {
    const list = async (...args: string[]) =>
      (await runnerCli(["history", ...args], { env: { DISPATCH_HISTORY: file } })).out;
    const runs = await list("order sm");
    match(runs, /^Order smoke/);
    deepEqual(runs.match(/^ {2}[✓✗] .*$/gm), [
      "  ✓ 2026-11-24 09:00:00Z    700 ms  passed",
      "  ✓ 2026-11-24 09:00:00Z    300 ms  passed, flaky",
      "  ✗ 2026-11-24 09:00:00Z    800 ms  failed",
      "  ✓ 2026-11-24 09:00:00Z    100 ms  passed",
    ]);
    equal(await list("--case", "Order"), runs);
    equal((await list("recipes/more")).split("\n").length, 3);
    equal((await list("./recipes/order.yaml")).split("\n").length, 3);
    equal(await list("recipes", "--case", "order"), runs);
  });
});

test("several files, names and --case options list all cases that match one of them", async () => {
  await withHistory(async (file) => {
    const list = async (...args: string[]) => {
      const { out } = await runnerCli(["history", "--history", file, ...args]);
      return [...out.matchAll(/^(\w+) /gm)].map(([, name]) => name);
    };
    deepEqual(await list("recipes/more", "recipes/order.yaml"), ["Batch", "Order"]);
    deepEqual(await list("order", "batch"), ["Batch", "Order"]);
    deepEqual(await list("--case", "order", "--case", "batch"), ["Batch", "Order"]);
    deepEqual(await list("recipes/more", "--case", "order"), []);
  });
});

test("lists the last 20 runs; with --format json and a name, all runs", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const store = await HistoryStore.open(file, options());
    store.add(Array.from({ length: 25 }, () => ({ key: ORDER, run: storedRun(100) })));
    store.close();
    const list = async (...args: string[]) =>
      (await runnerCli(["history", "--history", file, ...args])).out;
    const text = await list("order");
    match(text, /^ {2}█{20} {2}25 runs, 25 passed, median 100 ms, last passed /m);
    equal(text.match(/✓/g)!.length, 20);
    equal(JSON.parse(await list("--format", "json")).recent.length, 20);
    equal(JSON.parse(await list("--format", "json", "order")).recent.length, 25);
  });
});

test("--format json prints a line for each case", async () => {
  await withHistory(async (file) => {
    const list = async (...args: string[]) => {
      const { out } = await runnerCli(["history", "--history", file, "--format", "json", ...args]);
      return out.trim().split("\n").map((line) => JSON.parse(line));
    };
    const [batch, order] = await list();
    const { recent, ...summary } = order;
    deepEqual(summary, {
      ...ORDER,
      runs: 4,
      passed: 3,
      failed: 1,
      flaky: 1,
      median_ms: 300,
      last: { status: "passed", at: "2026-11-24T09:00:00.123Z", duration_ms: 700 },
    });
    deepEqual(recent[1], {
      status: "passed",
      flaky: true,
      duration_ms: 300,
      at: "2026-11-24T09:00:00.123Z",
    });
    equal(batch.median_ms, undefined);
    equal((await list("--case", "order"))[0].recent[0].steps[0].label, "sleep 1ms");
  });
});

test("rejects a missing or corrupt history; exits with 4 when no case matches", async () => {
  await withHistory(async (file) => {
    const missing = await runnerCli(["history", "--history", `${file}.not`]);
    equal(missing.code, 2);
    match(missing.err, /Cannot open history '.*': no such file; a run with --history creates it/);
    const broken = `${file}.broken`;
    await writeFile(broken, "SQLite format 3\0garbage ".repeat(1000));
    const unreadable = await runnerCli(["history", "--history", broken]);
    equal(unreadable.code, 2);
    match(unreadable.err, /Cannot open history '.*': file is not a database/);
    const none = await runnerCli(["history", "nothing-like-it", "--history", file]);
    deepEqual([none.code, none.out], [4, ""]);
    match(none.err, /^Nothing to list: no matching case in '.*'\n$/);
    const wrong = await runnerCli(["history", "--history", file, "--format", "github"]);
    equal(wrong.code, 2);
    match(wrong.err, /^error: --format must be text or json, not 'github'\n/);
  });
});

test("the help includes the command", async () => {
  match((await runnerCli(["help"])).out, /^ {2}history \[file/m);
});

test("a sparkline scales durations to the longest run, and marks failures", () => {
  equal(sparkline([]), "");
  equal(sparkline([storedRun(0)]), "▁");
  equal(sparkline([storedRun(800), storedRun(400), storedRun(1, { status: "failed" })]), "✗▅█");
});
