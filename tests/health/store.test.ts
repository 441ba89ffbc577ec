import { deepEqual, equal, match, ok } from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { HealthStore } from "../../runner/health/health_store.ts";
import type { Check, Waiting } from "../../runner/health/model.ts";
import { ALERTING, KEY, runAt, Stores } from "./_health.ts";

/** Records a run now, and returns what the notice says. */
function record(store: HealthStore, check: Check, stores: Stores, passed: boolean) {
  stores.clock.advance(1_000);
  return store.record(check, runAt(stores.clock.now(), passed), ALERTING)?.kind;
}

/** Takes all notices that wait for a target, and settles them as delivered. */
function deliver(store: HealthStore, target = "ops"): string[] {
  const taken: string[] = [];
  for (;;) {
    const next = store.next(target);
    if (!next || !("send" in next)) return taken;
    taken.push(next.send.notice.kind);
    store.settle(next.send, "done");
  }
}

test("an alert that was raised before a restart is resolved once after it", async () => {
  await using stores = await Stores.create();
  const first = await stores.open();
  const check = first.register(KEY);
  equal(record(first, check, stores, false), "raised");
  equal(record(first, check, stores, false), undefined);
  stores.close(first);
  const second = await stores.open();
  deepEqual(second.register(KEY), check);
  equal(second.status(check.id)!.bars.length, 2);
  equal(record(second, check, stores, true), "resolved");
  equal(record(second, check, stores, true), undefined);
  deepEqual(deliver(second), ["raised", "resolved"]);
  const [incident, ...others] = second.incidents(10);
  deepEqual(others, []);
  equal(incident!.failures, 2);
  equal(incident!.resolvedAt, stores.clock.now() - 1_000);
});

test("two processes that run the same check make one raise and one resolve", async () => {
  await using stores = await Stores.create();
  const [a, b] = [await stores.open(), await stores.open()];
  const check = a.register(KEY);
  deepEqual(b.register(KEY), check);
  const alerting = { ...ALERTING, rules: { after: 3, resolveAfter: 2 } };
  const kinds = [a, b, a, b, a, b, a].map((store, i) => {
    stores.clock.advance(1_000);
    return store.record(check, runAt(stores.clock.now(), i > 3), alerting)?.kind ?? "";
  });
  deepEqual(kinds, ["", "", "raised", "", "", "resolved", ""]);
  // What one takes the other leaves alone, until the lease is over.
  const taken = a.next("ops") as { send: Waiting };
  equal(taken.send.notice.kind, "raised");
  ok("at" in b.next("ops")!);
  stores.clock.advance(31_000);
  equal((b.next("ops") as { send: Waiting }).send.notice.id, taken.send.notice.id);
});

test("notices wait in order for a target that is down, over a restart", async () => {
  await using stores = await Stores.create();
  const first = await stores.open();
  const check = first.register(KEY);
  record(first, check, stores, false);
  record(first, check, stores, true);
  const next = first.next("ops") as { send: Waiting };
  equal(next.send.notice.kind, "raised");
  first.settle(next.send, { again: stores.clock.now() + 60_000 });
  deepEqual(first.next("ops"), { at: stores.clock.now() + 60_000 });
  stores.close(first);
  const second = await stores.open();
  deepEqual(second.waitingTargets(), ["ops"]);
  stores.clock.advance(60_000);
  const again = second.next("ops") as { send: Waiting };
  deepEqual([again.send.notice.kind, again.send.attempts], ["raised", 1]);
  deepEqual(deliver(second), ["raised", "resolved"]);
  deepEqual(second.waitingTargets(), []);
});

test("a clock that was set back delays neither a notice nor a lease", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const other = await stores.open();
  const check = store.register(KEY);
  record(store, check, stores, false);
  const { send } = store.next("ops") as { send: Waiting };
  store.settle(send, { again: stores.clock.now() + 60_000 });
  stores.clock.setWall(-86_400_000);
  ok("send" in store.next("ops")!);
  ok("at" in other.next("ops")!);
  stores.clock.setWall(-86_400_000);
  ok("send" in other.next("ops")!);
});

test("an alert is resolved, although an earlier one was raised while the clock was ahead", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  stores.clock.setWall(365 * 86_400_000);
  for (const kind of ["raised", "resolved"]) {
    equal(record(store, check, stores, kind === "resolved"), kind);
  }
  stores.clock.setWall(-365 * 86_400_000);
  for (const kind of ["raised", "resolved"]) {
    equal(record(store, check, stores, kind === "resolved"), kind);
  }
  stores.close(store);
  const after = await stores.open();
  after.register(KEY);
  deepEqual(after.incidents(10).map(({ resolvedAt }) => resolvedAt !== undefined), [true, true]);
});

test("a file that is locked is told once; checks go on in memory, and it catches up", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  equal(record(store, check, stores, false), "raised");
  const { DatabaseSync } = await import("node:sqlite");
  const other = new DatabaseSync(stores.path);
  other.exec("BEGIN IMMEDIATE");
  equal(record(store, check, stores, false), undefined);
  equal(record(store, check, stores, true), "resolved");
  equal(stores.warnings.length, 1);
  match(stores.warnings[0]!, /^Cannot write history '.*': database is locked; checks go on/);
  ok(store.problem);
  const again = store.register({ ...KEY, when: "every 2m" });
  deepEqual([again.id, again.when], [check.id, "every 2m"], "its recipe has changed meanwhile");
  equal(store.status(check.id)!.last!.verdict, "passed");
  // The notice in the file goes before the one in memory.
  deepEqual(deliver(store), ["raised", "resolved"]);
  stores.clock.advance(10_000);
  await store.retry();
  ok(store.problem, "it is locked still");
  other.exec("ROLLBACK");
  other.close();
  stores.clock.advance(10_000);
  await store.retry();
  equal(store.problem, undefined);
  match(stores.warnings[1]!, /can be written again$/);
  deepEqual(store.waitingTargets(), []);
  stores.close(store);
  const after = await stores.open();
  after.register(KEY);
  deepEqual(after.runs(check.id, 10).map(({ verdict }) => verdict), ["passed", "failed", "failed"]);
  deepEqual(after.incidents(10).map(({ failures, resolvedAt }) => [failures, resolvedAt! > 0]), [
    [2, true],
  ]);
  deepEqual(deliver(after), []);
});

test("a corrupt file is replaced, and the state of alerts goes on in the new one", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  record(store, check, stores, false);
  const { DatabaseSync } = await import("node:sqlite");
  const other = new DatabaseSync(stores.path);
  other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
  await writeFile(stores.path, "SQLite format 3\0" + "x".repeat(20_000));
  while (store.problem === undefined) record(store, check, stores, false);
  equal(record(store, check, stores, true), "resolved");
  stores.clock.advance(10_000);
  await store.retry();
  equal(store.problem, undefined, stores.warnings.join("\n"));
  ok(stores.warnings.some((text) => /renamed it to '.*\.corrupt-/.test(text)));
  stores.close(store);
  const after = await stores.open();
  after.register(KEY);
  equal(after.incidents(10)[0]!.resolvedAt !== undefined, true);
  equal(record(after, check, stores, false), "raised");
});

test("a file that is deleted or renamed is told, and the state of alerts goes on in a new one", async () => {
  await using stores = await Stores.create();
  const [store, other] = [await stores.open(), await stores.open()];
  const check = store.register(KEY);
  other.register(KEY);
  record(store, check, stores, false);
  for (const ending of ["", "-wal", "-shm"]) {
    await rename(stores.path + ending, `${stores.path}-away${ending}`);
  }
  for (const one of [store, other]) {
    await one.retry();
    equal(one.problem, undefined, stores.warnings.join("\n"));
  }
  match(stores.warnings[0]!, /somebody has deleted, renamed or replaced the file; checks go on/);
  match(stores.warnings[1]!, /can be written again$/);
  equal(record(store, check, stores, true), "resolved");
  equal(record(other, check, stores, true), undefined);
  deepEqual(deliver(other), ["raised", "resolved"]);
  stores.close(store);
  stores.close(other);
  const after = await stores.open();
  equal(after.register(KEY).id, check.id);
  equal(after.incidents(10)[0]!.resolvedAt !== undefined, true);
  equal(after.runs(check.id, 10).length, 2);
});

test("a schedule that starts while the file is locked knows what was raised before", async () => {
  await using stores = await Stores.create();
  const first = await stores.open();
  record(first, first.register(KEY), stores, false);
  stores.close(first);
  const { DatabaseSync } = await import("node:sqlite");
  const other = new DatabaseSync(stores.path);
  other.exec("BEGIN IMMEDIATE");
  const store = await stores.open();
  const check = store.register(KEY);
  ok(store.problem);
  equal(record(store, check, stores, true), "resolved");
  other.exec("ROLLBACK");
  other.close();
  stores.clock.advance(10_000);
  await store.retry();
  equal(store.problem, undefined);
  equal(store.incidents(10)[0]!.resolvedAt !== undefined, true);
  deepEqual(deliver(store), ["raised", "resolved"]);
});

test("checks of the same name have addresses of their own, which stay", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const keys = ["a.yaml", "b.yaml"].map((file) => ({ ...KEY, file, name: "Zahlung (EU) ü" }));
  deepEqual(keys.map((key) => store.register(key).id), ["zahlung-eu-u", "zahlung-eu-u-2"]);
  stores.close(store);
  const again = await stores.open();
  deepEqual(keys.toReversed().map((key) => again.register(key).id), [
    "zahlung-eu-u-2",
    "zahlung-eu-u",
  ]);
  equal(again.register({ ...KEY, name: "支払い" }).id, "check");
  // `/badges/all.svg` sums up all of them.
  equal(again.register({ ...KEY, name: "All" }).id, "all-2");
});

test("without a file everything is kept in memory", async () => {
  await using stores = await Stores.create();
  const { HealthStore } = await import("../../runner/health/health_store.ts");
  const { clock } = stores;
  const store = await HealthStore.open(undefined, {
    ...{ clock, warn: () => {}, sender: "1", keep: { ms: 1e9 } },
  });
  const check = store.register(KEY);
  equal(record(store, check, stores, false), "raised");
  deepEqual(deliver(store), ["raised"]);
  equal(store.runs(check.id, 10)[0]!.failure, "it is false");
  store.close();
});
