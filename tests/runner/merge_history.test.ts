import assert from "node:assert/strict";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { HistoryStore } from "../../runner/history/store.ts";
import type { RecipeEvent } from "../../runner/mod.ts";
import { options } from "../history/_history.ts";
import { type Run, withRecipes } from "./_streams.ts";

/** The numbers of a matrix. Its cases are more than one group of events, and one query. */
const NUMBERS = Array.from({ length: 70 }, (_, i) => i + 1);

const FILES = {
  "many.yaml": `
name: Many
matrix: { n: [${NUMBERS.join(", ")}] }
steps: [{ assert: matrix.n % 9 != 4 }]
always: [{ log: ended }]
`,
  "quarantined.yaml": `
name: Quarantined
quarantine: { until: 2099-01-01, reason: SHOP-7 }
matrix: { n: [1, 2, 3] }
steps: [{ assert: matrix.n != 2 }]
`,
  // Whether its first attempt passes depends on the seed.
  "flaky.yaml": `
name: Flaky
matrix: { n: [1, 2, 3, 4, 5, 6] }
vars: { r: '${"${{ random(2) }}"}' }
steps:
  - assert: vars.r == 1
`,
};

/** So that each round has ended before the next one begins. */
const HOUR = 3_600_000;

const ARGS = ["--retries", "1", "--repeat", "2", "--seed", "6"];

/** What a history has of each case, newest first, without times. */
async function historyOf(file: string): Promise<Record<string, unknown[]>> {
  const store = await HistoryStore.open(file, options());
  try {
    const keys = store.cases();
    return Object.fromEntries(keys.map((key) => {
      const runs = store.runs(key, 100).map(({ status, flaky, steps }) => ({
        ...{ status, flaky },
        steps: steps.map(({ duration_ms: _, ...step }) => step),
      }));
      return [`${key.server} ${key.file} ${key.name}`, runs];
    }));
  } finally {
    store.close();
  }
}

/** How the cases and the steps of a run compare with earlier ones, without times. */
function comparisons(events: readonly RecipeEvent[]): unknown[] {
  return events.flatMap((event) => {
    if (event.type !== "case.finished" && event.type !== "step.finished") return [];
    const { runs, failed, flaky } = event.usual ?? {};
    return [[event.type, event.case, event.status, runs, failed, flaky]];
  });
}

/** Runs all cases, or a shard of them, and returns what it has stored. */
async function stored(
  { store, path }: Run,
  file: string,
  ...args: readonly string[]
): Promise<RecipeEvent[]> {
  await store(file, [...ARGS, ...args]);
  const lines = (await readFile(path(file), "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as RecipeEvent);
}

test("the history of merged shards is that of the run without shards, but for times", async () => {
  await withRecipes(FILES, async (run) => {
    const [whole, merged] = [join(run.directory, "whole.db"), join(run.directory, "merged.db")];
    for (let round = 0; round < 2; round++) {
      const expected = await stored(run, "whole.jsonl", "--history", whole);
      await rm(run.path("whole.jsonl"));
      for (const i of [1, 2, 3]) await stored(run, `${i}.jsonl`, "--shard", `${i}/3`);
      const { events, err } = await run.merge("--history", merged);
      assert.equal(err, "");
      assert.deepEqual(comparisons(events), comparisons(expected), `round ${round}`);
      const history = await historyOf(merged);
      assert.deepEqual(history, await historyOf(whole), `round ${round}`);
      const outcomes = (name: string) =>
        Object.entries(history).filter(([key]) => key.includes(name)).flatMap(([, runs]) => runs)
          .map((one) => one as { status: string; flaky: boolean });
      assert.equal(outcomes("Many").length, 2 * (round + 1) * NUMBERS.length);
      assert.ok(outcomes("Many").some(({ status }) => status === "failed"));
      assert.ok(outcomes("Flaky").some(({ flaky }) => flaky));
      assert.ok(outcomes("Quarantined").some(({ status }) => status === "failed"));
    }
  }, HOUR);
});

test("a cut stream leaves what had ended in the history, and the whole one adds the rest", async () => {
  await withRecipes({ "many.yaml": FILES["many.yaml"] }, async (run) => {
    const [history, whole] = [join(run.directory, "h.db"), join(run.directory, "whole.db")];
    for (const i of [1, 2]) await run.store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    await run.merge("--history", whole);
    // A copy of the first shard is no other run.
    await copyFile(run.path("1.jsonl"), run.path("copy.jsonl"));
    const text = await readFile(run.path("2.jsonl"), "utf8");
    const ends = [...text.matchAll(/\{"type":"case.finished".*\n/g)];
    const { index } = ends[9]!;
    await writeFile(run.path("2.jsonl"), text.slice(0, index + ends[9]![0].length + 30));
    const cut = await run.merge("--history", history);
    assert.equal(cut.code, 3);
    const first = await historyOf(history);
    const all = await historyOf(whole);
    assert.equal(Object.keys(first).length, NUMBERS.length / 2 + 10);
    for (const [name, runs] of Object.entries(first)) assert.deepEqual(runs, all[name], name);
    await writeFile(run.path("2.jsonl"), text);
    const rest = await run.merge("--history", history);
    assert.match(rest.err, /^warning: 45 cases of this run are in the history already\n$/);
    assert.deepEqual(await historyOf(history), all);
  });
});

test("a merge that is refused at its last line records nothing", async () => {
  await withRecipes({ "many.yaml": FILES["many.yaml"] }, async (run) => {
    const history = join(run.directory, "h.db");
    for (const i of [1, 2]) await run.store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    const text = await readFile(run.path("2.jsonl"), "utf8");
    await writeFile(run.path("2.jsonl"), `${text}{"type":"warning"}\n`);
    const refused = await run.merge("--history", history);
    assert.deepEqual([refused.code, refused.out], [2, ""]);
    assert.deepEqual(await historyOf(history), {});
  });
});
