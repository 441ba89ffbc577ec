import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { HealthStore } from "../../runner/health/health_store.ts";
import type { Check } from "../../runner/health/model.ts";
import { ALERTING, KEY, runAt, Stores } from "./_health.ts";

function record(store: HealthStore, check: Check, stores: Stores, passed: boolean) {
  stores.clock.advance(1_000);
  return store.record(check, runAt(stores.clock.now(), passed), ALERTING)?.kind;
}

/** A store with an alert that is raised, whose file has all pages and which a schedule looks at. */
async function openStore(stores: Stores): Promise<{ store: HealthStore; check: Check }> {
  const store = await stores.open();
  const check = store.register(KEY);
  equal(record(store, check, stores, false), "raised");
  for (let i = 0; i < 50; i++) record(store, check, stores, false);
  checkpoint(stores);
  await store.retry();
  deepEqual(stores.warnings, []);
  return { store, check };
}

/** Moves all pages from the log beside the file into it, as SQLite does from time to time. */
function checkpoint({ path }: Stores): void {
  const other = new DatabaseSync(path);
  other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
}

/** Overwrites a piece of a file in its place. */
function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

const DAMAGES: Record<string, (path: string) => void> = {
  "is overwritten with a text": (path) => writeFileSync(path, "x".repeat(20_000)),
  "becomes the database of another application": (path) => {
    const other = new DatabaseSync(`${path}-other`);
    other.exec("CREATE TABLE other (a); INSERT INTO other VALUES (1)");
    other.close();
    writeFileSync(path, readFileSync(`${path}-other`));
  },
  "is cut": (path) => truncateSync(path, 8_192),
  "is emptied": (path) => truncateSync(path, 0),
  "has pages of noise": (path) => overwrite(path, 8_192, new Uint8Array(16_384).fill(0xa5)),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`a file that ${what} while it is used is told at once, and kept aside`, async () => {
    await using stores = await Stores.create();
    const { store, check } = await openStore(stores);
    damage(stores.path);
    await store.retry();
    equal(store.problem, undefined, stores.warnings.join("\n"));
    const [first, ...others] = stores.warnings;
    match(first!, /^Cannot write history '.*': .*; checks go on, and it is tried again$/);
    equal(others.filter((text) => /renamed it to '.*\.corrupt-/.test(text)).length, 1);
    equal(others.filter((text) => /can be written again$/.test(text)).length, 1);
    equal(others.length, 2);
    await store.retry();
    equal(stores.warnings.length, 3);
    equal(record(store, check, stores, false), undefined, "it is raised already");
    equal(record(store, check, stores, true), "resolved");
    stores.close(store);
    const after = await stores.open();
    equal(after.register(KEY).id, check.id);
    deepEqual(after.incidents(10).map(({ resolvedAt }) => resolvedAt !== undefined), [true]);
    equal(stores.warnings.length, 3, "the new file is whole");
  });
}

test("a file that becomes read-only is told once, and catches up when it can be written", async () => {
  await using stores = await Stores.create();
  const { store, check } = await openStore(stores);
  chmodSync(stores.path, 0o444);
  await store.retry();
  match(store.problem!, /^Cannot write history '.*': the file is read-only$/);
  equal(record(store, check, stores, true), "resolved");
  for (let i = 0; i < 5; i++) {
    stores.clock.advance(10_000);
    await store.retry();
    ok(store.problem);
  }
  equal(stores.warnings.length, 1);
  const other = new DatabaseSync(stores.path, { readOnly: true });
  const count = () => Object.values(other.prepare("SELECT count(*) FROM health_run").get()!)[0];
  equal(count(), 51, "nothing was written meanwhile");
  chmodSync(stores.path, 0o644);
  stores.clock.advance(10_000);
  await store.retry();
  equal(store.problem, undefined);
  equal(count(), 52);
  other.close();
  match(stores.warnings[1]!, /can be written again$/);
  equal(stores.warnings.length, 2);
  equal(store.incidents(10)[0]!.resolvedAt !== undefined, true);
});

test("what SQLite and other processes write to the file is no damage", async () => {
  await using stores = await Stores.create();
  const { store, check } = await openStore(stores);
  const other = await stores.open();
  const same = other.register(KEY);
  for (let i = 0; i < 20; i++) {
    record(store, check, stores, i % 2 === 0);
    record(other, same, stores, i % 2 === 0);
    if (i % 5 === 0) checkpoint(stores);
    for (const one of [store, other]) await one.retry();
  }
  const vacuum = new DatabaseSync(stores.path);
  vacuum.exec("DELETE FROM health_run; VACUUM");
  vacuum.close();
  checkpoint(stores);
  for (const one of [store, other]) await one.retry();
  equal(record(store, check, stores, true), "resolved");
  deepEqual(stores.warnings, []);
});
