import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { CaseFinished, RecipeEvent, StepFinished } from "../../runner/mod.ts";
import type { HistoryError } from "../../runner/history/error.ts";
import { HistoryRecorder } from "../../runner/history/recorder.ts";
import { HistoryStore } from "../../runner/history/store.ts";
import { encodeBase64 } from "../../protocol/base64.ts";
import { manyCases, sampleRun } from "../report/_events.ts";
import { ends, runRecipe } from "../runner/_recipe.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { inDirectory, NOW, options, query } from "./_history.ts";

const PASSES = "name: Passes\nsteps: [{ assert: 1 == 1 }]\n";

/** Records events in a history, and returns the events for the reporters. */
async function record(file: string, events: Iterable<RecipeEvent>): Promise<RecipeEvent[]> {
  const warnings: string[] = [];
  const recorder = new HistoryRecorder(
    await HistoryStore.open(file, options(warnings)),
    (text) => warnings.push(text),
  );
  const out = Array.from(events, (event) => recorder.annotate(event));
  await recorder.finish();
  deepEqual(warnings, []);
  return out;
}

const finished = (events: readonly RecipeEvent[]): CaseFinished[] =>
  events.filter((event) => event.type === "case.finished");

/** Multiplies all durations in a run. */
function* scaled(events: Iterable<RecipeEvent>, factor: number): Generator<RecipeEvent> {
  for (const event of events) {
    if (event.type !== "step.finished" && event.type !== "case.finished") yield event;
    else yield { ...event, duration_ms: event.duration_ms * factor };
  }
}

test("finished cases and steps get a comparison with earlier runs", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const first = await record(file, sampleRun());
    deepEqual(first, sampleRun());
    for (let i = 0; i < 5; i++) await record(file, sampleRun());
    const slow = await record(file, scaled(sampleRun(), 3));
    deepEqual(slow.map(({ type }) => type), sampleRun().map(({ type }) => type));
    const [order, flaky, failed] = finished(slow);
    deepEqual(order?.usual, { runs: 6, failed: 0, flaky: 0, median_ms: 910, slower: true });
    deepEqual(flaky?.usual, { runs: 6, failed: 0, flaky: 6, median_ms: 400, slower: true });
    deepEqual(failed?.usual, { runs: 6, failed: 6, flaky: 0, slower: false });
    const steps = ends(slow);
    deepEqual(steps.find(({ kind }) => kind === "wait")?.usual, {
      runs: 6,
      failed: 0,
      flaky: 0,
      median_ms: 695,
      slower: true,
    });
    equal(steps.find(({ status }) => status === "skipped")?.usual, undefined);
  });
});

test("compares with the last twenty runs, without the current one", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    let last: RecipeEvent[] = [];
    for (let i = 0; i < 25; i++) last = await record(file, manyCases(2));
    equal(finished(last)[0]?.usual?.runs, 20);
  });
});

test("does not record interrupted cases and steps", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    await record(file, sampleRun({ interrupted: true }));
    const names = query(file, "SELECT name FROM recipe_case ORDER BY id").map(({ name }) => name);
    equal(names.length, 5);
    ok(!names.includes("Long") && !names.includes("Not started"));
    deepEqual(query(file, "SELECT * FROM step WHERE status = 'interrupted'"), []);
  });
});

test("does not compare with other servers or with edited steps", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    await record(file, sampleRun());
    const elsewhere = sampleRun().map((event) =>
      event.type === "run.started" ? { ...event, server: "wss://u:p@example.test/dwp" } : event
    );
    ok(finished(await record(file, elsewhere)).every(({ usual }) => usual === undefined));
    const edited = sampleRun().map((event) =>
      event.type === "step.finished" && event.kind === "wait"
        ? { ...event, label: "another" }
        : event
    );
    const steps = ends(await record(file, edited));
    ok(steps.filter(({ kind }) => kind === "wait").every(({ usual }) => usual === undefined));
    ok(steps.some((step: StepFinished) => step.usual !== undefined));
    ok(!(await readFile(file, "latin1")).includes("u:p@"));
  });
});

test("replaces a file that is found corrupt during a run once the run is over", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    for (let i = 0; i < 3; i++) await record(file, manyCases(300));
    const bytes = await readFile(file);
    bytes.fill(7, 4096);
    await writeFile(file, bytes);
    const warnings: string[] = [];
    const store = await HistoryStore.open(file, options(warnings));
    const recorder = new HistoryRecorder(store, (text) => warnings.push(text));
    for (const event of manyCases(10)) recorder.annotate(event);
    await recorder.finish();
    equal(warnings.length, 1);
    match(warnings[0]!, /malformed; renamed it to/);
    deepEqual(query(file, "SELECT count(*) AS n FROM run"), [{ n: 10 }]);
  });
});

test("records a run even if earlier runs could not be read, with a warning", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const warnings: string[] = [];
    const store = await HistoryStore.open(file, options(warnings));
    const recorder = new HistoryRecorder(store, (text) => warnings.push(text));
    const other = new DatabaseSync(file);
    other.exec("ALTER TABLE step RENAME TO hidden");
    for (const event of manyCases(3)) recorder.annotate(event);
    other.exec("ALTER TABLE hidden RENAME TO step");
    other.close();
    await recorder.finish();
    equal(warnings.length, 1);
    match(warnings[0]!, /^Cannot read history '.*': no such table: step$/);
    deepEqual(query(file, "SELECT count(*) AS n FROM run"), [{ n: 3 }]);
    throws(() => store.cases(), { code: "refused" }, "it is closed");
  });
});

test("warns when a corrupt file cannot be renamed", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    for (let i = 0; i < 3; i++) await record(file, manyCases(300));
    const bytes = await readFile(file);
    bytes.fill(7, 4096);
    await writeFile(file, bytes);
    const warnings: string[] = [];
    const clock = new FakeClock(NOW);
    const store = await HistoryStore.open(file, options(warnings, clock));
    const recorder = new HistoryRecorder(store, (text) => warnings.push(text));
    for (const event of manyCases(10)) recorder.annotate(event);
    await mkdir(`${file}.lock`);
    await clock.runUntil(recorder.finish());
    equal(warnings.length, 1);
    match(warnings[0]!, /^Cannot rename history /);
  });
});

test("a run is recorded, and the next one is compared with it", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, ".dispatch", "history.db");
    const files = { files: { "other.yaml": PASSES } };
    const first = await runRecipe(PASSES, ["--history", file], files);
    equal(first.code, 0);
    equal(first.err.includes("warning"), false, first.err);
    equal(finished(first.events)[0]?.usual, undefined);
    const recipe = query(file, "SELECT server, name, file FROM recipe_case");
    equal(recipe.length, 1);
    deepEqual([recipe[0]?.server, recipe[0]?.name], ["embedded", "Passes"]);
    const own = join(directory, "r.yaml");
    await writeFile(own, PASSES);
    const { runnerCli } = await import("../runner/_cli.ts");
    const args = ["run", own, "--reporter", "jsonl"];
    await runnerCli(args, { env: { DISPATCH_HISTORY: file } });
    const again = await runnerCli([...args, "--repeat", "2"], { env: { DISPATCH_HISTORY: file } });
    const ended = again.out.split("\n").filter((line) => line.includes('"case.finished"'))
      .map((line) => JSON.parse(line) as CaseFinished);
    deepEqual(ended.map(({ usual }) => usual?.runs), [1, 1]);
  });
});

test("records no partial run and no dry run; rejects an empty file name", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const { code, err } = await runRecipe(PASSES, ["--history", file, "--only", "1"]);
    equal(code, 0);
    match(
      err,
      /^warning: this run is not recorded in the history, because it does not run all steps$/m,
    );
    deepEqual(await readdir(directory), []);
    equal((await runRecipe(PASSES, ["--history="])).code, 2);
    equal((await runRecipe(PASSES, ["--history", file, "--dry-run"])).code, 0);
    deepEqual(await readdir(directory), []);
  });
});

test("refuses a history that cannot be used, and turns a pass into 3 if it cannot be written", async () => {
  await inDirectory(async (directory) => {
    const below = join(directory, "file");
    await writeFile(below, "");
    const garbage = join(directory, "garbage.db");
    await writeFile(garbage, "SQLite format 3\0" + "garbage ".repeat(5000));
    const notes = join(directory, "notes.yaml");
    await writeFile(notes, "garbage ".repeat(5000));
    const foreign = join(directory, "foreign.db");
    const full = join(directory, "full.db");
    const locked = join(directory, "locked.db");
    let database = new DatabaseSync(foreign);
    database.exec("CREATE TABLE bookmarks (url)");
    database.close();
    (await HistoryStore.open(full, options())).close();
    database = new DatabaseSync(full);
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON run BEGIN SELECT raise(ABORT, 'disk is full'); END",
    );
    database.close();
    await mkdir(locked);
    const cases: [string, number, RegExp][] = [
      [join(below, "history.db"), 2, /^error: Cannot create directory .*: a file has this name/m],
      [garbage, 0, /^warning: Cannot open history .*; renamed it to/m],
      [notes, 2, /^error: Cannot open history .*: it is not a history but another kind of file$/m],
      [foreign, 2, /^error: Cannot open history .* another application$/m],
      [full, 3, /^error: Cannot write history .*: disk is full$/m],
      [locked, 2, /^error: Cannot open history .*: it is a directory$/m],
    ];
    for (const [file, code, message] of cases) {
      const passed = await runRecipe(PASSES, ["--history", file]);
      equal(passed.code, code, passed.err);
      match(passed.err, message);
      equal(passed.events.at(-1)?.type, code === 2 ? undefined : "run.finished");
      const dry = await runRecipe(PASSES, ["--history", file, "--dry-run"]);
      equal(dry.code, 0, dry.err);
    }
    const failed = await runRecipe("name: F\nsteps: [{ assert: 1 == 2 }]\n", ["--history", full]);
    equal(failed.code, 1);
  });
});

test("a history contains no secret", async () => {
  await inDirectory(async (directory) => {
    const secret = 's3cr3t/"<pa ss>&wörd';
    const file = join(directory, "history.db");
    const { code } = await runRecipe(
      `
name: Secret
secrets: [API]
matrix: { word: [one] }
steps:
  - name: step \${{ secrets.API }} \${{ "x" + secrets.API }}
    enqueue: send-email
    payload: { to: "\${{ secrets.API }}", subject: x }
  - start: \${{ secrets.API }}
    soft: true
  - assert: 1 == 1
`,
      ["--history", file],
      { env: { API: secret } },
    );
    ok(code === 0 || code === 1);
    const bytes = await readFile(file, "latin1");
    const stored = new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
    ok(stored.includes("step ***"));
    for (
      const form of [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        encodeBase64(secret).replace(/=+$/, "").slice(0, -1),
      ]
    ) ok(!stored.includes(form) && !bytes.includes(form), form);
  });
});

test("an error about a history has a code", async () => {
  await inDirectory(async (directory) => {
    const error = await HistoryStore.open(directory, options()).catch((error) => error);
    equal((error as HistoryError).code, "refused");
  });
});
