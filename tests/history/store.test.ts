import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openDatabase } from "../../runner/history/database.ts";
import { HistoryError } from "../../runner/history/error.ts";
import { MIGRATIONS } from "../../runner/history/migrations.ts";
import { HistoryStore, RUNS_PER_CASE } from "../../runner/history/store.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { inDirectory, NOW, options, query, storedRun } from "./_history.ts";

const KEY = { server: "embedded", file: "recipes/a.yaml", name: "A [region=eu]" };

test("reads back what was recorded, newest first", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "deep", "er", "history.db");
    const store = await HistoryStore.open(file, options());
    const first = storedRun(10);
    const second = storedRun(20.5, { status: "failed", flaky: false, steps: [] });
    const third = storedRun(30, { flaky: true });
    store.add([{ key: KEY, run: first }, { key: KEY, run: second }]);
    store.add([{ key: KEY, run: third }]);
    store.close();
    const again = await HistoryStore.open(file, options());
    deepEqual(again.runs(KEY, 9), [third, second, first]);
    deepEqual(again.runs(KEY, 2), [third, second]);
    deepEqual(again.runs({ ...KEY, server: "localhost:8080" }, 9), []);
    deepEqual(again.cases(), [KEY]);
    again.close();
  });
});

test("keeps the last 200 runs of each case", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const store = await HistoryStore.open(file, options());
    const other = { ...KEY, name: "B" };
    store.add([{ key: other, run: storedRun(1) }]);
    const entries = Array.from(
      { length: RUNS_PER_CASE + 7 },
      (_, i) => ({ key: KEY, run: storedRun(i) }),
    );
    store.add(entries.slice(0, 150));
    store.add(entries.slice(150));
    const stored = store.runs(KEY, 1000);
    equal(stored.length, RUNS_PER_CASE);
    equal(stored[0]?.duration_ms, RUNS_PER_CASE + 6);
    equal(stored.at(-1)?.duration_ms, 7);
    equal(store.runs(other, 9).length, 1);
    store.close();
    // The steps of deleted runs are deleted too.
    deepEqual(query(file, "SELECT count(*) AS n FROM step"), [{ n: RUNS_PER_CASE + 1 }]);
  });
});

test("a failed write records nothing", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const store = await HistoryStore.open(file, options());
    const bad = storedRun(2, { status: null as never });
    throws(() => store.add([{ key: KEY, run: storedRun(1) }, { key: KEY, run: bad }]), {
      code: "refused",
    });
    deepEqual(store.runs(KEY, 9), []);
    store.add([{ key: KEY, run: storedRun(3) }]);
    equal(store.runs(KEY, 9).length, 1);
    store.close();
  });
});

test("renames a corrupt file without changing it, and creates a new one", async () => {
  const database = (file: string) => {
    const made = new DatabaseSync(file);
    made.exec(`PRAGMA application_id = ${0x44535043}; PRAGMA user_version = 1; ${MIGRATIONS[0]}`);
    made.close();
    return readFile(file);
  };
  await inDirectory(async (directory) => {
    const whole = await database(join(directory, "whole.db"));
    const corrupt: Record<string, Uint8Array> = {
      garbage: new TextEncoder().encode("SQLite format 3\0" + "garbage ".repeat(400)),
      "cut at a page": whole.subarray(0, 4096),
      "cut in a page": whole.subarray(0, 2 * 4096 + 1000),
      "cut in the header": whole.subarray(0, 50),
    };
    for (const [name, bytes] of Object.entries(corrupt)) {
      const file = join(directory, `${name}.db`);
      await writeFile(file, bytes);
      await writeFile(`${file}-journal`, "");
      const warnings: string[] = [];
      const store = await HistoryStore.open(file, options(warnings));
      store.add([{ key: KEY, run: storedRun(1) }]);
      store.close();
      const renamed = `${file}.corrupt-2026-11-24T09-00-00-123Z`;
      equal(warnings.length, 1, name);
      match(warnings[0]!, /^Cannot open history '.*': .*; renamed it to '.*corrupt-2026-/);
      deepEqual(new Uint8Array(await readFile(renamed)), new Uint8Array(bytes), name);
      equal(query(file, "SELECT count(*) AS n FROM run")[0]?.n, 1);
    }
  });
});

test("refuses a file that is no database, and leaves it as it is", async () => {
  await inDirectory(async (directory) => {
    for (const text of ["steps: [{ assert: true }]\n", "x", "garbage ".repeat(5000)]) {
      const file = join(directory, "notes.yaml");
      await writeFile(file, text);
      await rejects(HistoryStore.open(file, options()), {
        name: "HistoryError",
        code: "foreign",
        message: `Cannot open history '${file}': it is not a history but another kind of file`,
      });
      equal(await readFile(file, "utf8"), text);
      deepEqual(await readdir(directory), ["notes.yaml"]);
    }
  });
});

test("replaces a file that is found corrupt after it was opened", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const warnings: string[] = [];
    const store = await HistoryStore.open(file, options(warnings));
    store.add(Array.from({ length: 150 }, (_, i) => ({ key: KEY, run: storedRun(i) })));
    store.close();
    const bytes = await readFile(file);
    bytes.fill(7, 4096);
    await writeFile(file, bytes);
    const again = await HistoryStore.open(file, options(warnings));
    let error: unknown;
    try {
      again.runs(KEY, 9);
    } catch (thrown) {
      error = thrown;
    }
    equal((error as { code: string }).code, "corrupt");
    await again.replaceCorrupt(error as never);
    again.add([{ key: KEY, run: storedRun(1) }]);
    equal(again.runs(KEY, 9).length, 1);
    again.close();
    equal(warnings.length, 1);
  });
});

test("does not change the database of another application or a newer version", async () => {
  await inDirectory(async (directory) => {
    const setups: Record<string, [string, string]> = {
      tables: ["CREATE TABLE bookmarks (url)", "foreign"],
      application: ["PRAGMA application_id = 7", "foreign"],
      version: ["PRAGMA user_version = 3", "foreign"],
      newer: [
        `PRAGMA application_id = ${0x44535043}; PRAGMA user_version = ${MIGRATIONS.length + 1}`,
        "newer",
      ],
    };
    for (const [name, [sql, code]] of Object.entries(setups)) {
      const file = join(directory, `${name}.db`);
      const other = new DatabaseSync(file);
      other.exec(sql);
      other.close();
      const before = await readFile(file);
      await rejects(HistoryStore.open(file, options()), { name: "HistoryError", code }, name);
      deepEqual(await readFile(file), before);
    }
    equal((await readdir(directory)).length, 4);
  });
});

test("rejects a path that is not a regular file", async () => {
  await inDirectory(async (directory) => {
    await rejects(
      HistoryStore.open(directory, options()),
      /Cannot open history '.*': it is a directory/,
    );
    ok((await readdir(directory)).length === 0);
    await writeFile(join(directory, "file"), "");
    await rejects(HistoryStore.open(join(directory, "file", "history.db"), options()));
  });
});

test("creates and renames nothing without `create`", async () => {
  await inDirectory(async (directory) => {
    const only = { ...options(), create: false };
    const file = join(directory, "history.db");
    await rejects(HistoryStore.open(file, only), { code: "missing" });
    await writeFile(file, "SQLite format 3\0garbage ".repeat(1000));
    await rejects(HistoryStore.open(file, only), { code: "corrupt" });
    deepEqual(await readdir(directory), ["history.db"]);
  });
});

test("migrates an older file and keeps its data", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const store = await HistoryStore.open(file, options());
    store.add([{ key: KEY, run: storedRun(1) }]);
    store.close();
    const migrations = [...MIGRATIONS, "ALTER TABLE run ADD COLUMN note TEXT DEFAULT 'x'"];
    (await openDatabase(file, { ...options(), migrations })).close();
    deepEqual(query(file, "PRAGMA user_version"), [{ user_version: migrations.length }]);
    deepEqual(query(file, "SELECT duration_ms, note FROM run"), [{ duration_ms: 1, note: "x" }]);
    // Opening it again does not migrate again.
    (await openDatabase(file, { ...options(), migrations })).close();
    await rejects(HistoryStore.open(file, options()), { code: "newer" });
  });
});

test("a failed migration does not change the file", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    (await openDatabase(file, options())).close();
    const migrations = [...MIGRATIONS, "CREATE TABLE a (b); CREATE TABLE a (b)"];
    await rejects(openDatabase(file, { ...options(), migrations }), { code: "refused" });
    deepEqual(query(file, "PRAGMA user_version"), [{ user_version: MIGRATIONS.length }]);
    deepEqual(query(file, "SELECT name FROM sqlite_schema WHERE name = 'a'"), []);
  });
});

test("several stores in one process lose no runs", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const stores = await Promise.all(
      Array.from({ length: 8 }, () => HistoryStore.open(file, options())),
    );
    for (let i = 0; i < 10; i++) {
      for (const [n, store] of stores.entries()) {
        store.add([{ key: { ...KEY, name: `case ${n}` }, run: storedRun(i) }]);
        equal(store.runs({ ...KEY, name: `case ${n}` }, 99).length, i + 1);
      }
    }
    for (const store of stores) store.close();
    deepEqual(query(file, "SELECT count(*) AS n FROM run"), [{ n: 80 }]);
    deepEqual(query(file, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
  });
});

test("waits for a lock of another connection no longer than busyTimeout", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const store = await HistoryStore.open(file, options());
    const other = new DatabaseSync(file);
    other.exec("BEGIN EXCLUSIVE");
    store.busyTimeout = 10;
    const began = performance.now();
    throws(() => store.add([{ key: KEY, run: storedRun(1) }]), /Cannot write history.*locked/);
    throws(() => store.runs(KEY, 1), { code: "refused" });
    ok(performance.now() - began < 2000);
    other.exec("ROLLBACK");
    other.close();
    store.add([{ key: KEY, run: storedRun(1) }]);
    equal(store.runs(KEY, 9).length, 1);
    store.close();
  });
});

test("opens a current file while another connection is writing", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    (await HistoryStore.open(file, options())).close();
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const began = performance.now();
    const store = await HistoryStore.open(file, options());
    deepEqual(store.cases(), []);
    ok(performance.now() - began < 2000);
    store.close();
    other.close();
  });
});

test("creates a new file when another process has already removed the corrupt one", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const warnings: string[] = [];
    const store = await HistoryStore.open(file, options(warnings));
    await rm(file);
    await store.replaceCorrupt(new HistoryError("corrupt", "it is corrupt"));
    deepEqual(store.cases(), []);
    store.close();
    deepEqual(warnings, []);
    deepEqual(await readdir(directory), ["history.db"]);
  });
});

test("two stores that find the same file corrupt rename it once and lose no runs", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    const warnings: string[] = [];
    const stores = [
      await HistoryStore.open(file, options(warnings)),
      await HistoryStore.open(file, options(warnings)),
    ];
    const corrupt = new HistoryError("corrupt", "it is corrupt");
    for (const store of stores) {
      await store.replaceCorrupt(corrupt);
      store.add([{ key: KEY, run: storedRun(1) }]);
      store.close();
    }
    equal(warnings.length, 1);
    deepEqual(query(file, "SELECT count(*) AS n FROM run"), [{ n: 2 }]);
    equal((await readdir(directory)).length, 2);
  });
});

test("takes over the lock file of a crashed process", async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, "history.db");
    await writeFile(file, "SQLite format 3\0garbage ".repeat(1000));
    await writeFile(`${file}.lock`, "");
    const warnings: string[] = [];
    const clock = new FakeClock(NOW);
    const opening = HistoryStore.open(file, options(warnings, clock));
    (await clock.runUntil(opening)).close();
    equal(warnings.length, 1);
    const [name, corrupt, ...rest] = (await readdir(directory)).toSorted();
    equal(name, "history.db");
    match(corrupt!, /^history\.db\.corrupt-2026-11-24T/);
    deepEqual(rest, []);
  });
});
