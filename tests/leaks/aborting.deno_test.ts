import assert from "node:assert/strict";
import { Dispatch } from "../../mod.ts";
import { createFaultProxy, createScriptedServer } from "../../testing/mod.ts";
import { CALLS } from "../helpers/calls.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { CountingSignal } from "../helpers/counting_signal.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { scripted } from "../helpers/peers.ts";
import { methodsOf, serve, STATS } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

// Deno's sanitizers find leaked sockets, timers and operations. Leaks inside the client show as
// listeners of a signal, timers of the clock, and calls that close has to reject.

const reason = new Error("no longer needed");

/** The calls that use the control link. */
const SHARED = Object.entries(CALLS)
  .filter(([name]) => !["connect", "startWorkflow", "call of workflow.start"].includes(name))
  .map(([, call]) => call);

/** Makes calls, aborts them, and checks that each rejects with the signal's reason. */
async function abortMany(client: Dispatch, count: number, each: number): Promise<void> {
  for (let done = 0; done < count; done += each) {
    const counting = new CountingSignal();
    const calls = Array.from(
      { length: each },
      (_, i) =>
        Promise.resolve(SHARED[(done + i) % SHARED.length]!(client, { signal: counting.signal })),
    );
    const results = Promise.allSettled(calls);
    await breathe(1);
    counting.abort(reason);
    for (const result of await within(results, "the aborted calls")) {
      assert(result.status === "rejected" && result.reason === reason, String(result));
    }
    await breathe(1);
    assert.equal(counting.listeners, 0);
  }
}

Deno.test("10,000 calls aborted in flight leave nothing behind", async () => {
  await using it = await scripted(
    // Answer only `unsubscribe`.
    (peer) => serve(peer, ({ method }) => method !== "unsubscribe"),
    { pingInterval: 0 },
  );
  await abortMany(it.client, 10_000, 100);
  // The server never answers the `subscribe` of a channel that was left.
  it.clock.advance(30_000);
  assert.equal(it.clock.pending, 0);
  assert.equal(it.proxy.connections.length, 1);
  // No call is left to drain.
  await it.clock.runUntil(it.client.close({ drain: true }), 1);
});

Deno.test("10,000 calls aborted while disconnected leave nothing behind", async () => {
  await using it = await scripted(serve, { pingInterval: 0, maxQueue: 100_000 });
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  await abortMany(it.client, 10_000, 100);
  assert.equal(it.clock.pending, 1, "only the next attempt has a timer");
  await it.proxy.forward();
  await it.reconnected();
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
  assert.deepEqual(methodsOf(it.server.peers[1]), ["auth", "stats"]);
});

Deno.test("1,000 calls aborted while connecting leave nothing behind", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const clock = new FakeClock();
  const client = new Dispatch({ url: proxy.url, token: "t", clock });
  await abortMany(client, 1_000, 100);
  assert.equal(clock.pending, 1, "only connecting has a deadline");
  await client.close();
  assert.equal(clock.pending, 0);
  await eventually(() => proxy.connections.length === 0);
});

Deno.test("200 aborted starts leave no lane", async () => {
  await using it = await scripted(
    (peer) => serve(peer, ({ method }) => method === "workflow.start"),
    { pingInterval: 0 },
  );
  for (let round = 0; round < 10; round++) {
    const counting = new CountingSignal();
    const starts = Array.from(
      { length: 20 },
      () => it.client.startWorkflow("noop", {}, { signal: counting.signal }),
    );
    const results = Promise.allSettled(starts);
    // Abort half of the rounds while lanes open, and half while the server runs the workflow.
    if (round % 2 === 0) await breathe(2);
    else {
      await eventually(() =>
        it.server.peers.filter((peer) => peer.isOpen && methodsOf(peer).includes("workflow.start"))
          .length === 20
      );
    }
    counting.abort(reason);
    for (const result of await within(results, "the aborted starts")) {
      assert(result.status === "rejected" && result.reason === reason);
    }
    await eventually(() => it.proxy.connections.length === 1);
    assert.equal(counting.listeners, 0);
    assert.equal(it.clock.pending, 0);
  }
});

Deno.test("100 aborted connects leave no socket", async () => {
  await using server = await createScriptedServer(() => {}, { manual: true });
  await using proxy = await createFaultProxy({ target: server.url });
  for (let i = 0; i < 100; i++) {
    const clock = new FakeClock();
    const { signal, abort } = wrapped();
    const connecting = Dispatch.connect({ url: proxy.url, token: "t", clock, signal });
    connecting.catch(() => {});
    if (i % 2 === 0) await eventually(() => server.peers.at(-1)?.received.length === 1);
    else await breathe(i % 5);
    abort();
    await assert.rejects(within(connecting, "connecting"), (error) => error === reason);
    assert.equal(clock.pending, 0);
    await eventually(() => proxy.connections.length === 0);
  }
});

function wrapped(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(reason) };
}

Deno.test("a client that did everything it can leaves nothing behind", async () => {
  await using server = await startServer();
  for (let round = 0; round < 5; round++) {
    const client = await Dispatch.connect({ url: server.url, token: "demo-token" });
    const subscriptions = [await client.subscribe("jobs"), await client.subscribe("firehose")];
    const jobs = await client.enqueueMany("noop", [1, 2, 3]);
    await Promise.all(jobs.map((job) => job.wait()));
    for await (const _ of subscriptions[0]!) break;
    // Every other run outlives its client.
    const ms = round % 2 === 0 ? 1 : 60_000;
    const run = await client.startWorkflow("sleeper", { ms });
    for await (const event of client.watch(run.run_id)) if (event.type !== "gap") break;
    await client.publishEvent("nobody-waits");
    if (ms === 1) await run.wait();
    await client.close();
  }
});
