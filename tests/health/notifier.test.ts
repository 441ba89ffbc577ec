import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import type { HealthStore } from "../../runner/health/health_store.ts";
import {
  addresses,
  type Beat,
  gatus,
  healthchecks,
  type Heartbeat,
  HeartbeatSender,
  uptimeKuma,
} from "../../runner/notify/heartbeat.ts";
import { type Delivery, Notifier } from "../../runner/notify/notifier.ts";
import { webhook } from "../../runner/notify/targets/webhook.ts";
import type { Target } from "../../runner/notify/target.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { KEY, runAt, Stores } from "./_health.ts";
import { type Answer, Receiver } from "./_receiver.ts";

/** Lets everything settle that is not waiting for the clock. */
async function settle(until: () => boolean): Promise<void> {
  for (let i = 0; i < 3_000 && !until(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  ok(until(), "it has not happened");
}

/** A notifier of one store with targets, and what it has said. */
function notify(
  store: HealthStore,
  stores: Stores,
  targets: Map<string, Target>,
  send: typeof fetch = fetch,
) {
  const deliveries: Delivery[] = [];
  const stop = new AbortController();
  const notifier = new Notifier({
    ...{ fetch: send, clock: stores.clock, signal: stop.signal, outbox: store },
    targets: () => targets,
    onDelivery: (delivery) => void deliveries.push(delivery),
  });
  return { notifier, deliveries, stop };
}

async function open(url: string): Promise<Target> {
  return await webhook.open({ url });
}

test("a target that is down is told later, in order, and holds up no other", async () => {
  await using stores = await Stores.create();
  await using down = await Receiver.start(500, 500, 200);
  await using up = await Receiver.start(200);
  const store = await stores.open();
  const check = store.register(KEY);
  const alerting = { rules: { after: 1, resolveAfter: 1 }, targets: ["down", "up"] };
  for (const passed of [false, true]) {
    store.record(check, runAt(stores.clock.now(), passed), alerting);
  }
  const targets = new Map([["down", await open(down.url)], ["up", await open(up.url)]]);
  const { notifier, deliveries, stop } = notify(store, stores, targets);
  notifier.wake();
  await settle(() => deliveries.length === 3);
  deepEqual(up.received.map(({ body }) => JSON.parse(body).type), ["raised", "resolved"]);
  // The second one waits for the first, which is tried again after 1 and then 2 seconds.
  stores.clock.advance(1_000);
  await settle(() => deliveries.length === 4 && stores.clock.pending > 0);
  stores.clock.advance(1_900);
  equal(down.received.length, 2);
  stores.clock.advance(200);
  await settle(() => deliveries.length === 6);
  deepEqual(down.received.map(({ body }) => JSON.parse(body).type), [
    ...["raised", "raised", "raised", "resolved"],
  ]);
  const ids = down.received.map(({ headers }) => headers["idempotency-key"]);
  equal(new Set(ids.slice(0, 3)).size, 1);
  equal(new Set(ids).size, 2);
  await notifier.idle();
  deepEqual(store.waitingTargets(), []);
  stop.abort();
  equal(stores.clock.pending, 0);
});

test("a notice is tried for a day, however clocks are set meanwhile", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  store.record(check, runAt(stores.clock.now(), false), {
    ...{ rules: { after: 1, resolveAfter: 1 }, targets: ["down"] },
  });
  const targets = new Map([["down", await open("http://127.0.0.1:1/")]]);
  const { notifier, deliveries, stop } = notify(
    store,
    stores,
    targets,
    () => Promise.resolve(new Response(null, { status: 500 })),
  );
  const start = stores.clock.monotonic();
  notifier.wake();
  const isOver = () => deliveries.at(-1)?.outcome === "dropped";
  for (let i = 0; !isOver(); i++) {
    const before = deliveries.length;
    if (i === 3) stores.clock.setWall(365 * 86_400_000);
    if (i === 6) stores.clock.setWall(-366 * 86_400_000);
    await settle(() => {
      stores.clock.advance(100_000);
      return deliveries.length > before;
    });
  }
  const hours = (stores.clock.monotonic() - start) / 3_600_000;
  ok(hours > 23.5 && hours < 26, `${hours} hours`);
  deepEqual(store.waitingTargets(), []);
  stop.abort();
  await notifier.idle();
});

test("a target that asks to wait is told again after that time, within limits", async () => {
  for (
    const [status, retryAfter, pause] of [
      [429, "20", 20_000],
      [503, "1.5", 1_500],
      [429, "0", 1_000],
      [429, "Thu, 01 Jan 2026 01:00:00 GMT", 1_000],
      [429, "86400", 300_000],
    ] as const
  ) {
    await using stores = await Stores.create();
    await using busy = await Receiver.start({ status, retryAfter }, 200);
    const store = await stores.open();
    const alerting = { rules: { after: 1, resolveAfter: 1 }, targets: ["busy"] };
    store.record(store.register(KEY), runAt(stores.clock.now(), false), alerting);
    const targets = new Map([["busy", await open(busy.url)]]);
    const { notifier, deliveries, stop } = notify(store, stores, targets);
    notifier.wake();
    await settle(() => deliveries.length === 1 && stores.clock.pending > 0);
    equal(deliveries[0]!.pause, pause);
    stores.clock.advance(pause - 1);
    equal(busy.received.length, 1);
    stores.clock.advance(1);
    await settle(() => deliveries.length === 2);
    equal(deliveries[1]!.outcome, "delivered");
    stop.abort();
    await notifier.idle();
  }
});

test("a final answer ends it; a stop loses nothing", async () => {
  await using stores = await Stores.create();
  await using gone = await Receiver.start(410);
  await using hanging = await Receiver.start("hang");
  const store = await stores.open();
  const check = store.register(KEY);
  const told = (targets: string[], passed: boolean) =>
    store.record(check, runAt(stores.clock.now(), passed), {
      ...{ rules: { after: 1, resolveAfter: 1 }, targets },
    });
  told(["gone"], false);
  const targets = new Map([["gone", await open(gone.url)], ["hanging", await open(hanging.url)]]);
  const first = notify(store, stores, targets);
  first.notifier.wake();
  await settle(() => first.deliveries.length === 1);
  equal(first.deliveries[0]!.outcome, "dropped");
  match(first.deliveries[0]!.problem!, /answered 410/);
  told(["hanging"], true);
  first.notifier.wake();
  await settle(() => hanging.received.length === 1);
  first.stop.abort();
  await first.notifier.idle();
  // The next process begins with what this one has not ended.
  deepEqual(store.waitingTargets(), ["hanging"]);
  const second = notify(store, stores, new Map());
  second.notifier.wake();
  await settle(() => second.deliveries.length === 1);
  match(second.deliveries[0]!.problem!, /there is no target `hanging` here/);
  // Another process that uses the same history may have the target.
  equal(second.deliveries[0]!.outcome, "later");
  deepEqual(store.waitingTargets(), ["hanging"]);
  second.stop.abort();
  await second.notifier.idle();
  equal(stores.clock.pending, 0);
});

/** Tells beats to a receiver and returns its requests. */
async function tell(make: (url: string) => Heartbeat, beats: Beat[], ...answers: Answer[]) {
  await using receiver = await Receiver.start(...answers);
  const warnings: string[] = [];
  const clock = new FakeClock();
  const sender = new HeartbeatSender({
    ...{ fetch, clock, signal: new AbortController().signal },
    warn: (text) => void warnings.push(text),
  });
  const heartbeat = make(receiver.url);
  for (const beat of beats) {
    sender.send(heartbeat, beat, "Order smoke");
    await clock.runUntil(sender.idle(), 500);
  }
  equal(clock.pending, 0);
  return {
    requests: receiver.received.map(({ method, path, body }) => [method, path, body]),
    warnings,
  };
}

const BEATS: Beat[] = [
  { kind: "start" },
  { kind: "success", exitCode: 0, duration_ms: 12.4, log: "" },
  { kind: "fail", exitCode: 1, duration_ms: 12.6, log: "it is false & so on" },
];

test("heartbeats are told as each service expects them", async () => {
  const ping = await tell((url) => healthchecks(`${url}/ping/uuid/`), BEATS);
  deepEqual(ping.requests, [
    ["POST", "/ping/uuid/start", ""],
    ["POST", "/ping/uuid/0", ""],
    ["POST", "/ping/uuid/1", "it is false & so on"],
  ]);
  const kuma = await tell((url) => uptimeKuma(`${url}/api/push/tok?x=1`), BEATS);
  deepEqual(kuma.requests.map(([method, path]) => `${method} ${path}`), [
    "GET /api/push/tok?x=1&status=up&msg=OK&ping=12",
    "GET /api/push/tok?x=1&status=down&msg=it+is+false+%26+so+on&ping=13",
  ]);
  const external = await tell((url) => gatus(url, "core_orders", "tok"), BEATS);
  deepEqual(external.requests.map(([method, path]) => `${method} ${path}`), [
    "POST /api/v1/endpoints/core_orders/external?success=true&duration=12ms",
    "POST /api/v1/endpoints/core_orders/external?success=false&error=it+is+false+%26+so+on&duration=13ms",
  ]);
  const own = await tell((url) => addresses({ fail: `${url}/no` }, { "x-a": "b" }, "PUT"), BEATS);
  deepEqual(own.requests, [["PUT", "/no", "it is false & so on"]]);
});

test("a heartbeat is tried three times, and one warning is enough until it works", async () => {
  const make = (url: string) => addresses({ success: `${url}/s3cret` });
  const beat: Beat = { kind: "success", exitCode: 0, duration_ms: 1, log: "" };
  const answers = [500, 500, 500, 404, 200, 500, 500, 500] as const;
  const { requests, warnings } = await tell(make, [beat, beat, beat, beat], ...answers);
  equal(requests.length, 8);
  equal(warnings.length, 2);
  match(
    warnings[0]!,
    /^cannot tell the heartbeat of Order smoke to http:\/\/127\.0\.0\.1:\d+: .*500$/,
  );
  ok(!warnings.join().includes("s3cret"));
});

test("what a runtime says about a failed request shows no address", async () => {
  const warnings: string[] = [];
  const clock = new FakeClock();
  const sender = new HeartbeatSender({
    ...{ clock, signal: new AbortController().signal },
    fetch: () => {
      const cause = { message: "error sending request for url (https://example.com/s3cret): away" };
      return Promise.reject(new TypeError("fetch failed", { cause }));
    },
    warn: (text) => void warnings.push(text),
  });
  sender.send(healthchecks("https://example.com/s3cret"), BEATS[0]!, "Order smoke");
  await clock.runUntil(sender.idle(), 500);
  deepEqual(warnings, [
    "cannot tell the heartbeat of Order smoke to https://example.com: error sending request: away",
  ]);
});
