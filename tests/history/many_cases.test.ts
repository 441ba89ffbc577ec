import { deepEqual, equal } from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { COMPARED_RUNS } from "../../runner/history/compare.ts";
import type { CaseKey } from "../../runner/history/case_key.ts";
import { HistoryRecorder } from "../../runner/history/recorder.ts";
import { HistoryStore, RUNS_PER_CASE, type StoredRun } from "../../runner/history/store.ts";
import type { RecipeEvent } from "../../runner/mod.ts";
import { manyCases } from "../report/_events.ts";
import { inDirectory, NOW, options, query, storedRun } from "./_history.ts";

/** More cases than three queries look up. */
const CASES = 103;

/** Opens a new history, and closes it afterwards. */
async function withStore(use: (store: HistoryStore, file: string) => void): Promise<void> {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const store = await HistoryStore.open(file, options());
    try {
      use(store, file);
    } finally {
      store.close();
    }
  });
}

const keyOf = (number: number): CaseKey => ({
  server: "embedded",
  file: `recipes/${number % 7}.yaml`,
  name: `Case ${number}`,
});

/** A run with steps in an order that neither their numbers nor their labels have. */
function runOf(number: number, round: number): StoredRun {
  const step = (label: string, attempts: number) => ({
    ...{ phase: "steps", number: label, label: `${label} of ${number}`, status: "passed" } as const,
    ...{ attempts, duration_ms: number + round / 10 },
  });
  return storedRun(number * 10 + round, {
    at: NOW + round,
    flaky: (number + round) % 3 === 0,
    steps: ["3", "1", "2[0]", "2[1]"].slice(0, number % 5).map((label, i) => step(label, i + 1)),
  });
}

test("many cases at once have the runs that each has alone, in the order of the cases", async () => {
  await withStore((store) => {
    for (let round = 0; round < 4; round++) {
      // Every eleventh case is unknown, and some have fewer runs than others.
      const numbers = Array.from({ length: CASES }, (_, i) => i)
        .filter((number) => number % 11 !== 0 && number % 4 >= round);
      store.add(numbers.map((number) => ({ key: keyOf(number), run: runOf(number, round) })));
    }
    const numbers = Array.from({ length: CASES }, (_, i) => (i * 37) % CASES);
    const expected = numbers.map((number) => {
      if (number % 11 === 0) return [];
      const rounds = Array.from({ length: number % 4 + 1 }, (_, round) => round);
      return rounds.map((round) => runOf(number, round)).toReversed().slice(0, 3);
    });
    deepEqual([...store.runsOf(numbers.map(keyOf), 3)], expected);
    for (const [i, number] of numbers.entries()) {
      deepEqual(store.runs(keyOf(number), 3), expected[i], `case ${number}`);
    }
    // Each place of a case gets its runs, wherever the others are.
    const twice = [5, 6, 5, ...numbers.slice(0, 40), 5].map(keyOf);
    const runs = [...store.runsOf(twice, 3)];
    for (const i of [0, 2, twice.length - 1]) {
      deepEqual(runs[i], [runOf(5, 1), runOf(5, 0)], `place ${i}`);
    }
    deepEqual([...store.runsOf([], 3)], []);
  });
});

test("names, labels and durations of any kind are read back as they were written", async () => {
  // SQLite ends a text at a zero on some runtimes, and has no surrogates.
  const text = fc.string({ unit: "grapheme", maxLength: 9 }).map((text) =>
    text.replaceAll("\0", "\x01").toWellFormed()
  );
  const duration = fc.double({ min: 0, max: 1e9, noNaN: true });
  const hostile = fc.oneof(text, fc.constantFrom("],[", '"', "'", "\\", "null", "?1", "\u2028"));
  await inDirectory(async (directory) => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(hostile, hostile, duration)), async (cases) => {
        const store = await HistoryStore.open(join(directory, `${number++}.db`), options());
        const entries = cases.map(([name, label, duration_ms], i) => {
          const run = storedRun(duration_ms);
          const steps = run.steps.map((step) => ({ ...step, label, number: label }));
          return { key: { ...keyOf(i), name: `${i} ${name}` }, run: { ...run, steps } };
        });
        store.add(entries);
        const runs = [...store.runsOf(entries.map(({ key }) => key), 9)];
        store.close();
        deepEqual(runs, entries.map(({ run }) => [run]));
      }),
      { numRuns: 30 },
    );
  });
});

test("usual times are those of each case, and none of a case that has not passed", async () => {
  await withStore((store) => {
    const passed = (ms: number, number: number) => ({ key: keyOf(number), run: storedRun(ms) });
    store.add([passed(1, 1), passed(9, 1), passed(2, 1), passed(70, 50)]);
    store.add([{ key: keyOf(2), run: storedRun(5, { status: "failed" }) }]);
    const times = store.usualTimes(Array.from({ length: CASES }, (_, i) => keyOf(i)));
    deepEqual(times, Array.from({ length: CASES }, (_, i) => ({ 1: 2, 50: 70 })[i]));
  });
});

test("the oldest runs of every case of a run are deleted, and those of no other case", async () => {
  await withStore((store, file) => {
    const full = [0, 1, 40, 99].map(keyOf);
    for (const key of [...full, keyOf(7)]) {
      store.add(Array.from({ length: RUNS_PER_CASE }, (_, i) => ({ key, run: storedRun(i) })));
    }
    const entries = Array.from({ length: CASES }, (_, i) => keyOf(i))
      .filter(({ name }) => name !== "Case 7").map((key) => ({ key, run: storedRun(1000) }));
    store.add([...entries, { key: full[0]!, run: storedRun(1001) }]);
    const ends = ({ name }: CaseKey) => {
      const runs = store.runs(keyOf(Number(name.slice(5))), 1000);
      return [runs.length, runs[0]!.duration_ms, runs.at(-1)!.duration_ms];
    };
    deepEqual(full.map(ends), [
      [RUNS_PER_CASE, 1001, 2],
      ...Array(3).fill([RUNS_PER_CASE, 1000, 1]),
    ]);
    deepEqual(ends(keyOf(7)), [RUNS_PER_CASE, RUNS_PER_CASE - 1, 0]);
    const counts = query(file, "SELECT (SELECT count(*) FROM run) - (SELECT count(*) FROM step) n");
    deepEqual(counts, [{ n: 0 }]);
  });
});

/** Events of many cases. Two of them are repetitions of one, and one begins anew. */
function* eventsOf(round: number): Generator<RecipeEvent> {
  const ts = (event: RecipeEvent) => new Date(Date.parse(event.ts) + round * 60_000).toISOString();
  for (const event of manyCases(CASES)) {
    const moved = { ...event, ts: ts(event) };
    const isRepeated = "case" in event && (event.case === 40 || event.case === 41);
    if (event.type !== "case.started") yield moved;
    else {yield {
        ...moved,
        ...(isRepeated ? { file: "./r.yaml", repeats: "R" } : {}),
      } as RecipeEvent;}
    if (event.type === "step.finished" && event.case % 17 === 3) {
      const { case: number } = event;
      const file = `recipes/${number % 50}.yaml`;
      const name = `Case ${number}`;
      yield {
        type: "case.started",
        ts: ts(event),
        case: number,
        name,
        file,
        tags: [],
        vars: {},
        attempt: 2,
      };
      yield { ...moved, attempts: 3 } as RecipeEvent;
    }
  }
}

/** Records a round, by groups of a size, or one by one; returns what reporters get. */
async function record(
  file: string,
  round: number,
  size: number | undefined,
  warnings: string[] = [],
): Promise<RecipeEvent[]> {
  const warn = (text: string) => void warnings.push(text);
  const store = await HistoryStore.open(file, options(warnings));
  const recorder = new HistoryRecorder(store, warn, warn, true);
  const events = [...eventsOf(round)];
  const out: RecipeEvent[] = [];
  if (size === undefined) out.push(...events.map((event) => recorder.annotate(event)));
  else {
    for (let start = 0; start < events.length; start += size) {
      out.push(...recorder.annotateAll(events.slice(start, start + size)));
    }
  }
  await recorder.finish();
  return out;
}

test("events that are looked up in groups of any size get the same comparisons", async () => {
  await inDirectory(async (directory) => {
    const full = join(directory, "full.db");
    // More runs than a case is compared with.
    const last = COMPARED_RUNS + 2;
    for (let round = 0; round < last; round++) await record(full, round, Infinity);
    const results: unknown[] = [];
    for (const size of [undefined, 1, 97, 256, Infinity]) {
      const file = join(directory, `${size}.db`);
      await copyFile(full, file);
      const warnings: string[] = [];
      const first = await record(file, last, size, warnings);
      // The same run again: it is in the history already, and is not compared with itself.
      const again = await record(file, last, size, warnings);
      const rows = query(
        file,
        "SELECT server, file, name, at, run.status, flaky, label, attempts FROM recipe_case " +
          "JOIN run ON case_id = recipe_case.id LEFT JOIN step ON run_id = run.id " +
          "ORDER BY run.id, step.rowid",
      );
      // Cases are told apart by the paths of their files, however these are written.
      equal(rows.filter(({ file }) => file === "r.yaml").length, 2 * (last + 1));
      results.push({ first, again, rows, warnings });
      deepEqual(warnings, [`${CASES} cases of this run are in the history already`]);
      const usual = (events: RecipeEvent[], type: RecipeEvent["type"]) =>
        events.flatMap((event) => event.type === type && "usual" in event ? event.usual?.runs : []);
      deepEqual(usual(first, "case.finished"), Array(CASES).fill(COMPARED_RUNS));
      // Of two repetitions the earlier one is older than both, and one of them is left out.
      const others = usual(again, "case.finished");
      equal(others[40], COMPARED_RUNS - 1);
      deepEqual(others.toSpliced(40, 1), Array(CASES - 1).fill(COMPARED_RUNS));
    }
    for (const result of results) deepEqual(result, results[0]);
  });
});
