import assert from "node:assert/strict";
import { Dispatch, type DispatchOptions } from "../../mod.ts";
import { createFaultProxy, createScriptedServer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { asked, scripted } from "../helpers/peers.ts";
import { JOB_ID, methodsOf, serve } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

// Each test closes its client. After that, Deno's sanitizers and the clock must find no open socket,
// no timer and no pending operation.

async function closed(client: Dispatch, clock: FakeClock): Promise<void> {
  await within(client.close(), "closing");
  assert.equal(clock.pending, 0, "timers were left");
}

Deno.test("closing a client that was never used leaves nothing behind", async () => {
  const clock = new FakeClock();
  const client = new Dispatch({ url: "ws://127.0.0.1:9/dwp", token: "t", clock });
  void client.status().next();
  await closed(client, clock);
});

Deno.test("closing while connecting leaves nothing behind", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const clock = new FakeClock();
  const client = new Dispatch({ url: proxy.url, token: "t", clock });
  client.connect().catch(() => {});
  client.stats().catch(() => {});
  client.subscribe("jobs").then(() => {}, () => {});
  const connection = await asked(proxy);
  await closed(client, clock);
  await eventually(() => !connection.isOpen);
});

Deno.test("closing while authenticating leaves nothing behind", async () => {
  await using server = await createScriptedServer(() => {}, { manual: true });
  const clock = new FakeClock();
  const client = new Dispatch({ url: server.url, token: "t", clock });
  client.connect().catch(() => {});
  await eventually(() => server.peers[0]?.received.length === 1);
  await closed(client, clock);
  await eventually(() => !server.peers[0]!.isOpen);
});

Deno.test("closing while waiting for a token leaves nothing behind", async () => {
  const clock = new FakeClock();
  const client = new Dispatch({
    url: "ws://127.0.0.1:9/dwp",
    token: () => new Promise(() => {}),
    clock,
  });
  client.connect().catch(() => {});
  await breathe(1);
  await closed(client, clock);
});

/** Starts everything that a client can be doing when it is closed. */
function busy(client: Dispatch): void {
  const ignore = () => {};
  client.stats().catch(ignore);
  client.enqueue("noop").catch(ignore);
  client.startWorkflow("noop", {}).catch(ignore);
  client.subscribe("jobs").then(ignore, ignore);
  client.subscribe("workflows")[Symbol.asyncIterator]().next().catch(ignore);
  client.job(JOB_ID).wait().catch(ignore);
  client.job(JOB_ID).wait({ timeout: 1_000, signal: new AbortController().signal }).catch(ignore);
  client.job(JOB_ID).events().next().catch(ignore);
  client.watch("wfrun_00000000000000000000000001").next().catch(ignore);
  void client.status().next();
}

const STATES: Record<string, Partial<DispatchOptions>> = {
  "with everything in flight": {},
  "with everything in flight and pings": { pingInterval: 10 },
  "with everything in flight and no deadline": { timeout: 0 },
};

for (const [state, options] of Object.entries(STATES)) {
  Deno.test(`closing ${state} leaves nothing behind`, async () => {
    await using it = await scripted(async (peer) => {
      for (;;) await peer.next();
    }, options);
    busy(it.client);
    await eventually(() => methodsOf(it.server.peers[1]).includes("workflow.start"));
    await closed(it.client, it.clock);
    await eventually(() => it.proxy.connections.length === 0);
  });
}

Deno.test("closing after answered calls leaves nothing behind", async () => {
  await using it = await scripted();
  busy(it.client);
  await within(it.client.stats(), "a call");
  await breathe(10);
  await closed(it.client, it.clock);
  await eventually(() => it.proxy.connections.length === 0);
});

Deno.test("closing while waiting for the next attempt leaves nothing behind", async () => {
  await using it = await scripted();
  busy(it.client);
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  busy(it.client);
  await closed(it.client, it.clock);
});

Deno.test("closing while reconnecting leaves nothing behind", async () => {
  await using it = await scripted();
  const known = it.proxy.connections;
  await it.proxy.silence();
  it.proxy.cut();
  await it.attempt();
  await asked(it.proxy, known);
  busy(it.client);
  await closed(it.client, it.clock);
  await eventually(() => it.proxy.connections.length === 0);
});

Deno.test("closing while resubscribing leaves nothing behind", async () => {
  await using it = await scripted((peer) => peer.index === 0 ? serve(peer) : undefined);
  await it.client.subscribe("jobs");
  it.proxy.cut();
  await it.attempt();
  await eventually(() => methodsOf(it.server.peers[1]).includes("subscribe"));
  busy(it.client);
  await closed(it.client, it.clock);
  await eventually(() => it.proxy.connections.length === 0);
});

Deno.test("closing after giving up leaves nothing behind", async () => {
  await using it = await scripted(serve, { maxRetries: 1 });
  busy(it.client);
  await it.proxy.refuse();
  it.proxy.cut();
  await it.attempt();
  await eventually(() => it.status.of("failed").length === 1);
  assert.equal(it.clock.pending, 0, "timers were left before the close");
  await closed(it.client, it.clock);
});

Deno.test("a client without `reconnect` leaves nothing behind even before it is closed", async () => {
  await using it = await scripted(serve, { reconnect: false });
  busy(it.client);
  await within(it.client.stats(), "a call");
  it.proxy.cut();
  await eventually(() => it.status.of("failed").length === 1);
  await breathe(10);
  assert.equal(it.clock.pending, 0, "timers were left before the close");
  await closed(it.client, it.clock);
});

Deno.test("closing with blocked and idle lanes leaves nothing behind", async () => {
  await using server = await startServer();
  const client = await Dispatch.connect({ url: server.url, token: "demo-token" });
  const quick = await client.startWorkflow("order-pipeline", { order_id: "1", items: [] });
  await quick.wait();
  await Promise.all(
    Array.from({ length: 10 }, () => client.startWorkflow("sleeper", { ms: 60_000 })),
  );
  await within(client.close(), "closing");
});

Deno.test("closing a silent connection leaves nothing behind", async () => {
  await using it = await scripted();
  busy(it.client);
  it.proxy.connections[0]!.hold();
  await it.clock.runUntil(it.client.close(), 100);
  assert.equal(it.clock.pending, 0, "timers were left");
});

Deno.test("a subscription leaves nothing behind after unsubscribing", async () => {
  await using server = await startServer();
  const client = await Dispatch.connect({ url: server.url, token: "demo-token" });
  for (let i = 0; i < 200; i++) {
    const subscription = await client.subscribe(`job:job_0000000000000000000000${1000 + i}`);
    if (i % 2 === 0) await subscription.unsubscribe();
    else await subscription[Symbol.asyncIterator]().return!();
  }
  await eventually(async () => (await client.stats()).broker.topic_count === 0);
  await client.close();
});
