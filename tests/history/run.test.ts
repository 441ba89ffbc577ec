import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { CaseFinished, RunEvent, StepFinished } from "../../runner/mod.ts";
import type { HistoryError } from "../../runner/history/error.ts";
import { HistoryRecorder } from "../../runner/history/recorder.ts";
import { HistoryStore } from "../../runner/history/store.ts";
import { encodeBase64 } from "../../protocol/base64.ts";
import { manyCases, sampleRun } from "../report/_events.ts";
import { ends, runRecipe } from "../runner/_recipe.ts";
import { inDirectory, options, query } from "./_history.ts";

const PASSES = "name: Passes\nsteps: [{ assert: 1 == 1 }]\n";

/** Sends events through a history, and gives what reporters are told. */
async function through(file: string, events: Iterable<RunEvent>): Promise<RunEvent[]> {
  const told: string[] = [];
  const recorder = new HistoryRecorder(
    await HistoryStore.open(file, options(told)),
    (text) => told.push(text),
  );
  const out = Array.from(events, (event) => recorder.annotate(event));
  await recorder.finish();
  deepEqual(told, []);
  return out;
}

const finished = (events: readonly RunEvent[]): CaseFinished[] =>
  events.filter((event) => event.type === "case.finished");

/** A run in which all takes some times as long. */
function* scaled(events: Iterable<RunEvent>, factor: number): Generator<RunEvent> {
  for (const event of events) {
    if (event.type !== "step.finished" && event.type !== "case.finished") yield event;
    else yield { ...event, duration_ms: event.duration_ms * factor };
  }
}

test("what has ended is told with how it usually went", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const first = await through(file, sampleRun());
    deepEqual(first, sampleRun());
    for (let i = 0; i < 5; i++) await through(file, sampleRun());
    const slow = await through(file, scaled(sampleRun(), 3));
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

test("twenty runs are compared with, this one not among them", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    let last: RunEvent[] = [];
    for (let i = 0; i < 25; i++) last = await through(file, manyCases(2));
    equal(finished(last)[0]?.usual?.runs, 20);
  });
});

test("what was interrupted is not kept", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    await through(file, sampleRun({ interrupted: true }));
    const names = query(file, "SELECT name FROM recipe_case ORDER BY id").map(({ name }) => name);
    equal(names.length, 5);
    ok(!names.includes("Long") && !names.includes("Not started"));
    deepEqual(query(file, "SELECT * FROM step WHERE status = 'interrupted'"), []);
  });
});

test("other servers and edited steps are not compared with", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    await through(file, sampleRun());
    const elsewhere = sampleRun().map((event) =>
      event.type === "run.started" ? { ...event, server: "wss://u:p@example.test/dwp" } : event
    );
    ok(finished(await through(file, elsewhere)).every(({ usual }) => usual === undefined));
    const edited = sampleRun().map((event) =>
      event.type === "step.finished" && event.kind === "wait"
        ? { ...event, label: "another" }
        : event
    );
    const steps = ends(await through(file, edited));
    ok(steps.filter(({ kind }) => kind === "wait").every(({ usual }) => usual === undefined));
    ok(steps.some((step: StepFinished) => step.usual !== undefined));
    ok(!(await readFile(file, "latin1")).includes("u:p@"));
  });
});

test("a file that breaks while a run goes on is set aside when it is over", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    for (let i = 0; i < 3; i++) await through(file, manyCases(300));
    const bytes = await readFile(file);
    bytes.fill(7, 4096);
    await writeFile(file, bytes);
    const told: string[] = [];
    const store = await HistoryStore.open(file, options(told));
    const recorder = new HistoryRecorder(store, (text) => told.push(text));
    for (const event of manyCases(10)) recorder.annotate(event);
    await recorder.finish();
    equal(told.length, 1);
    match(told[0]!, /malformed; renamed it to/);
    deepEqual(query(file, "SELECT count(*) AS n FROM run"), [{ n: 10 }]);
  });
});

test("a run keeps itself, and the next one is compared with it", async () => {
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

test("a run of some steps is not kept, an empty name is none", async () => {
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

test("no history that cannot be kept changes the verdict", async () => {
  await inDirectory(async (directory) => {
    const below = join(directory, "file");
    await writeFile(below, "");
    const garbage = join(directory, "garbage.db");
    await writeFile(garbage, "garbage ".repeat(5000));
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
    const cases: [string, RegExp][] = [
      [join(below, "history.db"), /^warning: Cannot (create directory|open history)/m],
      [garbage, /^warning: Cannot open history .*; renamed it to/m],
      [foreign, /^warning: Cannot open history .* another application$/m],
      [full, /^warning: Cannot write history .*: disk is full$/m],
      [locked, /^warning: Cannot open history .*: it is a directory$/m],
    ];
    for (const [file, warning] of cases) {
      const passed = await runRecipe(PASSES, ["--history", file]);
      equal(passed.code, 0, passed.err);
      match(passed.err, warning);
      equal(passed.events.at(-1)?.type, "run.finished");
    }
    const failed = await runRecipe("name: F\nsteps: [{ assert: 1 == 2 }]\n", [
      "--history",
      foreign,
    ]);
    equal(failed.code, 1);
  });
});

test("no secret is in a history", async () => {
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
    const kept = new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
    ok(kept.includes("step ***"));
    for (
      const form of [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        encodeBase64(secret).replace(/=+$/, "").slice(0, -1),
      ]
    ) ok(!kept.includes(form) && !bytes.includes(form), form);
  });
});

test("errors of a history have codes", async () => {
  await inDirectory(async (directory) => {
    const error = await HistoryStore.open(directory, options()).catch((error) => error);
    equal((error as HistoryError).code, "refused");
  });
});
