import assert from "node:assert/strict";
import { test } from "node:test";
import { Dispatch } from "../../mod.ts";
import { createFaultProxy, createScriptedServer, type ScriptedPeer } from "../../testing/mod.ts";
import { clientCalls } from "../helpers/client_calls.ts";
import { CountingSignal } from "../helpers/counting_signal.ts";
import { CALLS } from "../helpers/calls.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { asked, scripted } from "../helpers/peers.ts";
import { methodsOf, RUN_ID, serve } from "../helpers/scripts.ts";

test("the table contains every call of the client", () => {
  assert.deepEqual(clientCalls().filter((name) => !(name in CALLS)), []);
});

const { connect: _, ...CALLS_WHILE_CONNECTED } = CALLS;
const reason = new Error("no longer needed");
const isReason = (error: unknown): boolean => {
  assert.equal(error, reason);
  return true;
};

/** Reads every request and answers none. */
async function deaf(peer: ScriptedPeer): Promise<void> {
  for (;;) await peer.next();
}

for (const [name, call] of Object.entries(CALLS_WHILE_CONNECTED)) {
  test(`${name} rejects with the reason when it is aborted before its answer`, async () => {
    await using it = await scripted(deaf, { pingInterval: 0 });
    const before = methodsOf(it.server.peers[0]).length;
    const counting = new CountingSignal();
    const calling = Promise.resolve(call(it.client, { signal: counting.signal }));
    calling.catch(() => {});
    await eventually(() =>
      it.server.peers.some((peer) => methodsOf(peer).length > (peer.index === 0 ? before : 1))
    );
    counting.abort(reason);
    await assert.rejects(within(calling, name), isReason);
    await breathe(10);
    assert.equal(counting.listeners, 0, "listeners are left");
    await eventually(() => it.proxy.connections.length === 1);
    // Leaving a channel sends `unsubscribe`, which has a deadline.
    const listened = methodsOf(it.server.peers[0]).includes("subscribe");
    if (listened) {
      await eventually(() => methodsOf(it.server.peers[0]).includes("unsubscribe"));
    }
    assert.equal(it.clock.pending, listened ? 1 : 0, "timers are left");
    it.clock.advance(30_000);
    assert.equal(it.clock.pending, 0);
  });

  test(`${name} rejects with the reason when it is aborted while disconnected`, async () => {
    await using it = await scripted(deaf, { pingInterval: 0 });
    await it.proxy.refuse();
    it.proxy.cut();
    await eventually(() => it.status.of("reconnecting").length === 1);
    const counting = new CountingSignal();
    const calling = Promise.resolve(call(it.client, { signal: counting.signal }));
    calling.catch(() => {});
    await breathe(5);
    counting.abort(reason);
    await assert.rejects(within(calling, name), isReason);
    await breathe(5);
    assert.equal(counting.listeners, 0, "listeners are left");
    assert.equal(it.clock.pending, 1, "only the next attempt has a timer");
  });

  test(`${name} sends nothing if its signal is already aborted`, async () => {
    await using it = await scripted(deaf, { pingInterval: 0 });
    const before = it.server.peers[0]!.received.length;
    await assert.rejects(
      within(Promise.resolve(call(it.client, { signal: AbortSignal.abort(reason) })), name),
      isReason,
    );
    await breathe(10);
    const sent = methodsOf(it.server.peers[0]).slice(before);
    assert.deepEqual(sent.filter((method) => !method.includes("subscribe")), []);
    assert.equal(it.proxy.accepted, 1);
  });
}

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} rejects with the reason when it is aborted while connecting`, async () => {
    await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
    await proxy.silence();
    const clock = new FakeClock();
    const client = new Dispatch({ url: proxy.url, token: "t", clock });
    const counting = new CountingSignal();
    const calling = Promise.resolve(call(client, { signal: counting.signal }));
    calling.catch(() => {});
    const connection = await asked(proxy);
    counting.abort(reason);
    await assert.rejects(within(calling, name), isReason);
    await breathe(5);
    assert.equal(counting.listeners, 0, "listeners are left");
    // The client goes on connecting, so only that deadline is left.
    assert.equal(clock.pending, 1);
    await client.close();
    assert.equal(clock.pending, 0);
    await eventually(() => !connection.isOpen);
  });
}

test("an aborted Dispatch.connect leaves no connection", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const clock = new FakeClock();
  const counting = new CountingSignal();
  const { signal } = counting;
  const connecting = Dispatch.connect({ url: proxy.url, token: "t", clock, signal });
  connecting.catch(() => {});
  const connection = await asked(proxy);
  counting.abort(reason);
  await assert.rejects(within(connecting, "connecting"), isReason);
  await eventually(() => !connection.isOpen);
  assert.equal(counting.listeners, 0);
  assert.equal(clock.pending, 0);
});

test("an aborted call does not affect another one with the same arguments", async () => {
  await using server = await createScriptedServer(serve);
  await using client = await Dispatch.connect({ url: server.url, token: "t" });
  const controller = new AbortController();
  const aborted = client.subscribe("jobs", { signal: controller.signal });
  const other = client.subscribe("jobs");
  controller.abort(reason);
  await assert.rejects(within(Promise.resolve(aborted), "the aborted"), isReason);
  const subscription = await within(other, "the other");
  server.peers[0]!.publish("job.started", "job:1", { job_id: "1" });
  for await (const event of subscription) {
    assert.equal(event.type, "job.started");
    break;
  }
});

test("a signal that outlives its calls has no listeners left", async () => {
  await using server = await createScriptedServer(serve);
  await using client = await Dispatch.connect({ url: server.url, token: "t" });
  const it = new CountingSignal();
  for (let i = 0; i < 50; i++) {
    await client.stats({ signal: it.signal });
    await client.enqueue("noop", null, { signal: it.signal });
    const subscription = await client.subscribe("jobs", { signal: it.signal });
    await subscription.unsubscribe();
    for await (const _ of client.watch(RUN_ID, { signal: it.signal })) break;
  }
  assert.equal(it.listeners, 0);
});
