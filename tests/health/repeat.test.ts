import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { HealthStore } from "../../runner/health/health_store.ts";
import type { Check } from "../../runner/health/model.ts";
import { Notifier } from "../../runner/notify/notifier.ts";
import type { Target } from "../../runner/notify/target.ts";
import { alertmanager } from "../../runner/notify/targets/alertmanager.ts";
import { webhook } from "../../runner/notify/targets/webhook.ts";
import { eventually } from "../helpers/eventually.ts";
import { ALERTING, KEY, runAt, Stores } from "./_health.ts";
import { Receiver } from "./_receiver.ts";

/** A notifier that tells one target of two checks. */
async function scene(stores: Stores, receiver: Receiver, kind = alertmanager) {
  const store = await stores.open();
  const [a, b] = ["a", "b"].map((name) => store.register({ ...KEY, name, file: `${name}.yaml` }));
  const stop = new AbortController();
  const deliveries: string[] = [];
  const target = await kind.open({ url: receiver.url }) as Target;
  const notifier = new Notifier({
    ...{ fetch, clock: stores.clock, signal: stop.signal, outbox: store },
    targets: () => new Map([["ops", target]]),
    raised: () => [a!, b!].flatMap((check) => store.raised(check) ?? []),
    onDelivery: ({ outcome }) => void deliveries.push(outcome),
  });
  return {
    ...{ store, stop, notifier, deliveries },
    run(check: string, passed: boolean, by: HealthStore = store) {
      const found = [a!, b!].find(({ id }) => id === check) as Check;
      by.record(found, runAt(stores.clock.now(), passed), ALERTING);
    },
    /** Sends what is due, and returns for each request which checks are firing, and which are over. */
    async sent(): Promise<string[]> {
      const before = receiver.received.length;
      notifier.wake();
      await notifier.idle();
      return receiver.received.slice(before).map(({ body }) =>
        (JSON.parse(body) as { labels: { check: string }; startsAt: string; endsAt: string }[])
          .map(({ labels, endsAt }) =>
            Date.parse(endsAt) > stores.clock.now() ? labels.check : `${labels.check} is over`
          ).join()
      );
    },
  };
}

test("alertmanager is told each minute of the alerts that are raised, which it may have forgotten", async () => {
  await using stores = await Stores.create();
  await using receiver = await Receiver.start(200);
  const { run, sent } = await scene(stores, receiver);
  deepEqual(await sent(), []);
  run("a", false);
  run("b", false);
  deepEqual(await sent(), ["a", "b"]);
  stores.clock.advance(59_000);
  deepEqual(await sent(), []);
  stores.clock.advance(1_000);
  deepEqual(await sent(), ["a,b"]);
  deepEqual(await sent(), []);
  run("a", true);
  stores.clock.advance(60_000);
  deepEqual(await sent(), ["a is over", "b"]);
  run("b", true);
  stores.clock.advance(60_000);
  deepEqual(await sent(), ["b is over"]);
});

test("a schedule that starts again tells alertmanager at once what is raised", async () => {
  await using stores = await Stores.create();
  await using receiver = await Receiver.start(200);
  const first = await scene(stores, receiver);
  await first.sent();
  first.run("a", false);
  deepEqual(await first.sent(), ["a"]);
  stores.close(first.store);
  const { run, sent } = await scene(stores, receiver);
  deepEqual(await sent(), ["a"]);
  // A failed run changes nothing about that.
  run("a", false);
  deepEqual(await sent(), []);
});

test("an alert that another process has resolved is not told again", async () => {
  await using stores = await Stores.create();
  await using receiver = await Receiver.start(200);
  const { run, sent } = await scene(stores, receiver);
  run("a", false);
  await sent();
  const other = await scene(stores, receiver);
  other.run("a", true);
  deepEqual(await other.sent(), ["a is over"]);
  stores.clock.advance(60_000);
  deepEqual(await sent(), []);
});

test("what happens while alerts are told again is told after that", async () => {
  await using stores = await Stores.create();
  await using receiver = await Receiver.start(200, "hang", 200);
  const { run, sent, notifier } = await scene(stores, receiver);
  await sent();
  run("a", false);
  await sent();
  stores.clock.advance(60_000);
  notifier.wake();
  await eventually(() => receiver.received.length === 2);
  run("a", true);
  notifier.wake();
  // The attempt that hangs is given up after 10 seconds.
  stores.clock.advance(10_000);
  await notifier.idle();
  const ends = receiver.received.map(({ body }) => Date.parse(JSON.parse(body)[0].endsAt));
  equal(ends.length, 3);
  ok(ends[1]! > stores.clock.now() && ends[2]! < stores.clock.now());
});

test("a target that is down hears of what it missed first, and other kinds hear of nothing twice", async () => {
  await using stores = await Stores.create();
  await using receiver = await Receiver.start(500, 200);
  const { run, sent, notifier, deliveries } = await scene(stores, receiver);
  run("a", false);
  notifier.wake();
  await eventually(() => deliveries.length === 1 && stores.clock.pending > 0);
  stores.clock.advance(1_000);
  await notifier.idle();
  equal(receiver.received.length, 3);
  deepEqual(await sent(), []);
  await using hook = await Receiver.start(200);
  const other = await scene(stores, hook, webhook);
  other.run("b", false);
  other.notifier.wake();
  await other.notifier.idle();
  stores.clock.advance(60_000);
  other.notifier.wake();
  await other.notifier.idle();
  equal(hook.received.length, 1);
});
