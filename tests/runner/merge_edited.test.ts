import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { eventsOf, type Run, withRecipes } from "./_streams.ts";

const FILES = { "a.yaml": "matrix: { n: [1, 2, 3, 4] }\nsteps: [{ assert: matrix.n > 0 }]\n" };

/** Writes a copy of a stream with some of its events changed. */
async function edit(
  { path }: Run,
  from: string,
  to: string,
  change: (event: RecipeEvent) => object,
): Promise<void> {
  const events = eventsOf(await readFile(path(from), "utf8"));
  const lines = events.map((event) => JSON.stringify({ ...event, ...change(event) }));
  await writeFile(path(to), `${lines.join("\n")}\n`);
}

/** Changes the first event of a stream. */
const atStart = (more: (started: { shard?: object }) => object) => (event: RecipeEvent) =>
  event.type === "run.started" ? more(event) : {};

test("streams that name plans of different sizes are refused in any order", async () => {
  await withRecipes(FILES, async (run) => {
    const { store, merge, path } = run;
    for (const i of [1, 2]) await store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    await store("whole.jsonl");
    for (const planned of [5, 10_000_000]) {
      await edit(
        run,
        "2.jsonl",
        "odd.jsonl",
        atStart(({ shard }) => ({ shard: { ...shard, planned } })),
      );
      const pairs = [["1.jsonl", "odd.jsonl"], ["odd.jsonl", "1.jsonl"]];
      const places = [["whole.jsonl", "odd.jsonl"], ["odd.jsonl", "whole.jsonl"]];
      for (const files of [...pairs, ...places]) {
        const quorum = places.includes(files) ? ["--quorum", "1/2"] : [];
        const { code, out, err } = await merge(...files.map(path), ...quorum);
        assert.deepEqual([code, out], [2, ""], `${files}`);
        assert.match(err, /its first event names a plan of \d+ cases, not of \d+/, `${files}`);
      }
    }
  });
});

test("a first event that names a case twice, or more cases than a plan can have, is refused", async () => {
  await withRecipes(FILES, async (run) => {
    const { store, merge, path } = run;
    for (const i of [1, 2]) await store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    await store("whole.jsonl");
    const cases = [1, 1];
    await edit(
      run,
      "2.jsonl",
      "twice.jsonl",
      atStart(({ shard }) => ({ shard: { ...shard, cases } })),
    );
    const twice = await merge(path("1.jsonl"), path("twice.jsonl"));
    assert.equal(twice.code, 2);
    assert.match(twice.err, /twice.jsonl': its first event names case 2 of the plan twice\n/);
    for (const size of [10_000_001, 1e15]) {
      await edit(run, "whole.jsonl", "large.jsonl", atStart(() => ({ cases: size })));
      const large = await merge(path("large.jsonl"));
      assert.equal(large.code, 2);
      assert.match(large.err, new RegExp(`its first event names a plan of ${size} cases\n`));
    }
  });
});

test("if the time of one part is virtual, that of the whole run is, and no history keeps it", async () => {
  await withRecipes(FILES, async (run) => {
    const { store, merge, path, directory } = run;
    await store("1.jsonl", ["--shard", "1/2"]);
    await store("2.jsonl", ["--shard", "2/2", "--clock", "virtual"]);
    await store("real.jsonl");
    await store("virtual.jsonl", ["--clock", "virtual"]);
    const sets = [["1.jsonl", "2.jsonl"], ["2.jsonl", "1.jsonl"]];
    const places = [["real.jsonl", "virtual.jsonl"], ["virtual.jsonl", "real.jsonl"]];
    const history = ["--history", join(directory, "h.db")];
    for (const files of [...sets, ...places]) {
      const quorum = places.includes(files) ? ["--quorum", "1/2"] : [];
      const { code, err, events } = await merge(...files.map(path), ...quorum, ...history);
      assert.equal(code, 0, err);
      assert.ok(events[0]?.type === "run.started" && events[0].clock === "virtual", `${files}`);
      assert.match(err, /^warning: this run is not recorded in the history, because its time is/);
    }
    const { events } = await merge(path("real.jsonl"), ...history);
    assert.ok(events[0]?.type === "run.started" && events[0].clock === undefined);
  });
});

test("a run begins with its first part and ends with its last one, in whatever zones they are", async () => {
  await withRecipes(FILES, async (run) => {
    const { store, merge, path } = run;
    for (const i of [1, 2]) await store(`${i}.jsonl`, ["--shard", `${i}/2`]);
    const expected = await merge(path("1.jsonl"), path("2.jsonl"));
    for (const hours of [-9, 9]) {
      const sign = hours < 0 ? "-" : "+";
      const moved = (ts: string) =>
        new Date(Date.parse(ts) + hours * 3_600_000).toISOString().replace("Z", `${sign}09:00`);
      for (const i of [1, 2]) {
        await edit(run, `${i}.jsonl`, `moved${i}.jsonl`, ({ ts }) => ({ ts: moved(ts) }));
      }
      for (const files of [["moved1.jsonl", "2.jsonl"], ["1.jsonl", "moved2.jsonl"]]) {
        const { events } = await merge(...files.map(path));
        for (const i of [0, -1]) {
          const [event, whole] = [events.at(i)!, expected.events.at(i)!];
          assert.equal(Date.parse(event.ts), Date.parse(whole.ts), `${files}`);
          assert.deepEqual({ ...event, ts: whole.ts }, whole);
        }
      }
    }
  }, 60_000);
});
