import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { HealthStore } from "../../runner/health/health_store.ts";
import { Notifier } from "../../runner/notify/notifier.ts";
import type { Target } from "../../runner/notify/target.ts";
import { webhook } from "../../runner/notify/targets/webhook.ts";
import { breathe, eventually } from "../helpers/eventually.ts";
import { ALERTING, KEY, runAt, Stores } from "./_health.ts";

/** A process that knows some targets, and gets the same answer from each. */
function schedule(
  stores: Stores,
  store: HealthStore,
  targets: Map<string, Target>,
  status: number,
) {
  const deliveries: string[] = [];
  const stop = new AbortController();
  const notifier = new Notifier({
    fetch: () => Promise.resolve(new Response(null, { status })),
    ...{ clock: stores.clock, signal: stop.signal, outbox: store, targets: () => targets },
    onDelivery: ({ notice, outcome, problem = "" }) =>
      void deliveries.push(`${notice.kind} ${outcome} ${problem}`.trim()),
  });
  return { notifier, deliveries, stop };
}

const open = async () => await webhook.open({ url: "http://127.0.0.1/" }) as Target;

test("a process that does not know a target leaves its notices to one that does", async () => {
  await using stores = await Stores.create();
  const [one, two] = [await stores.open(), await stores.open()];
  const stranger = schedule(stores, one, new Map(), 200);
  const friend = schedule(stores, two, new Map([["ops", await open()]]), 200);
  const check = one.register(KEY);
  two.register(KEY);
  one.record(check, runAt(stores.clock.now(), false), ALERTING);
  stranger.notifier.wake();
  await stranger.notifier.idle();
  equal(stranger.deliveries.length, 1);
  match(stranger.deliveries[0]!, /^raised later there is no target `ops` here$/);
  // Without a pause: the time has not moved.
  friend.notifier.wake();
  await friend.notifier.idle();
  deepEqual(friend.deliveries, ["raised delivered"]);
  one.record(check, runAt(stores.clock.now(), true), ALERTING);
  for (const [ms, looks] of [[299_000, 1], [1_000, 2], [1_000, 2]] as const) {
    stores.clock.advance(ms);
    stranger.notifier.wake();
    await stranger.notifier.idle();
    equal(stranger.deliveries.length, looks);
  }
  friend.notifier.wake();
  await friend.notifier.idle();
  deepEqual(friend.deliveries, ["raised delivered", "resolved delivered"]);
});

test("notices that have waited a day behind one that is given up are given up with it", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  const record = (passed: boolean) =>
    store.record(check, runAt(stores.clock.now(), passed), ALERTING);
  const { notifier, deliveries, stop } = schedule(
    ...[stores, store, new Map([["ops", await open()]]), 503] as const,
  );
  record(false);
  record(true);
  notifier.wake();
  const dropped = () => deliveries.filter((text) => text.includes("dropped")).length;
  for (let attempts = 0; dropped() === 0; attempts++) {
    await eventually(() =>
      deliveries.length > attempts && stores.clock.pending > 0 || dropped() > 0
    );
    if (dropped() === 0) stores.clock.advance(300_000);
  }
  // The one that is young is tried as often as any other.
  record(false);
  notifier.wake();
  await eventually(() => deliveries.length >= 302);
  await breathe();
  deepEqual(deliveries.slice(-3).map((text) => text.split(" the ")[0]), [
    ...["raised dropped", "resolved dropped", "raised later"],
  ]);
  stop.abort();
  await notifier.idle();
});
