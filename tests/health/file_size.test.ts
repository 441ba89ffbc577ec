import { deepEqual, equal, ok } from "node:assert/strict";
import { closeSync, ftruncateSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { FileInspector } from "../../runner/health/file_inspector.ts";
import type { HealthStore } from "../../runner/health/health_store.ts";
import type { Check } from "../../runner/health/model.ts";
import { DAY, HOUR } from "../../runner/health/periods.ts";
import { ALERTING, KEY, runAt, Stores } from "./_health.ts";

const QUIET = { ...ALERTING, targets: [] };

/** Records runs that fail, each with a long report. */
function fill(store: HealthStore, check: Check, stores: Stores, runs: number, bytes = 2_000): void {
  const diagnostics = "x".repeat(bytes);
  for (let i = 0; i < runs; i++) {
    stores.clock.advance(60_000);
    store.record(check, { ...runAt(stores.clock.now(), false), diagnostics }, QUIET);
  }
}

/** Does the work of some hours, and returns how large the file is then, in bytes. */
function keepFor(store: HealthStore, stores: Stores, hours: number): number {
  for (let i = 0; i < hours * 4; i++) {
    stores.clock.advance(HOUR / 4);
    for (let call = 0; call < 30; call++) store.keep();
  }
  const other = new DatabaseSync(stores.path);
  other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
  return statSync(stores.path).size;
}

test("`--keep` of a size makes the file smaller than that, a bit at a time", async () => {
  await using stores = await Stores.create();
  const store = await stores.open({ ms: 90 * DAY, bytes: 300_000 });
  const checks = ["a", "b", "c"].map((name) => store.register({ ...KEY, name }));
  for (const check of checks) fill(store, check, stores, 300);
  const large = statSync(stores.path).size + statSync(`${stores.path}-wal`).size;
  ok(large > 1_500_000, `${large}`);
  const small = keepFor(store, stores, 3);
  ok(small <= 300_000, `${small}`);
  for (const { id } of checks) ok(store.runs(id, 500).length >= 10, "the newest runs stay");
  await store.retry();
  deepEqual(stores.warnings, [], "a file that gets smaller is not damaged");
});

test("a file whose old runs were deleted gives back the room, and keeps some", async () => {
  await using stores = await Stores.create();
  const store = await stores.open({ ms: 10 * DAY });
  const check = store.register(KEY);
  fill(store, check, stores, 49, 100_000);
  const large = keepFor(store, stores, 1);
  ok(large > 4_900_000, `${large}`);
  const small = keepFor(store, stores, 15 * 24);
  // The 256 pages that it may keep for what comes next.
  ok(small > 1_000_000 && small < 1_300_000, `${small}`);
  equal(keepFor(store, stores, 24), small, "no more is given back");
});

test("of each check the newest 500 incidents are kept, and one that is open", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  for (let i = 0; i < 1_060; i++) {
    stores.clock.advance(1_000);
    store.record(check, runAt(stores.clock.now(), i % 2 === 1), QUIET);
  }
  keepFor(store, stores, 1);
  equal(store.incidents(5_000).length, 500);
});

test("a large file that somebody has cut is damaged, and one that SQLite has made smaller is not", async () => {
  await using stores = await Stores.create();
  const database = new DatabaseSync(stores.path);
  // As a schedule creates it.
  stores.close(await stores.open());
  database.exec("CREATE TABLE big (a); PRAGMA wal_checkpoint(TRUNCATE)");
  database.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
     INSERT INTO big SELECT randomblob(1000) FROM n; PRAGMA wal_checkpoint(TRUNCATE)`,
  );
  const inspector = new FileInspector(stores.path);
  database.exec("DELETE FROM big WHERE rowid > 10000");
  database.prepare("PRAGMA incremental_vacuum").all();
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  equal(await inspector.inspect(), undefined);
  const { size } = statSync(stores.path);
  ok(size > 8_000_000 && size < 16_000_000, `${size}`);
  const file = openSync(stores.path, "r+");
  ftruncateSync(file, size - 4_096 * 100);
  closeSync(file);
  equal((await inspector.inspect())?.code, "corrupt");
  database.close();
});
