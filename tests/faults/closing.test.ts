import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, Dispatch } from "../../mod.ts";
import { createFaultProxy, createScriptedServer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { asked, faulty, scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { JOB_ID, methodsOf, requestsOf, RUN_ID, serve, STATS } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

function isClosed(error: unknown): boolean {
  assert(error instanceof ConnectionError, String(error));
  assert.equal(error.code, "closed");
  return true;
}

test("close rejects calls in flight, with the delivery `unknown`", async () => {
  await using it = await scripted(() => {});
  const calls = {
    stats: it.client.stats(),
    enqueue: it.client.enqueue("noop"),
    publish: it.client.publishEvent("e"),
    subscribe: it.client.subscribe("jobs").then((sub) => sub),
    wait: it.client.job(JOB_ID).wait(),
  };
  for (const call of Object.values(calls)) call.catch(() => {});
  await eventually(() => methodsOf(it.server.peers[0]).length >= 5);
  await within(it.client.close(), "closing");
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(within<unknown>(call, name), isClosed);
  }
  for (const call of [calls.stats, calls.enqueue, calls.publish]) {
    assert.equal((await call.catch((error) => error)).delivery, "unknown");
  }
  assert.equal(it.clock.pending, 0);
  await eventually(() => it.proxy.connections.length === 0);
});

test("close with drain waits for calls in flight", async () => {
  await using it = await scripted(async (peer) => {
    await eventually(() => methodsOf(peer).length >= 4);
    await breathe();
    await serve(peer);
  });
  const calls = [it.client.stats(), it.client.enqueue("noop"), it.client.getJob(JOB_ID)];
  const closing = it.client.close({ drain: true });
  await it.clock.runUntil(closing, 5);
  await within(Promise.all(calls), "the calls");
  assert.equal(it.clock.pending, 0);
});

test("close with drain waits until a start in flight knows its run", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const start = it.client.startWorkflow("order-payment", { order_id: "1" });
  start.catch(() => {});
  const closing = it.client.close({ drain: true });
  const run = await it.clock.runUntil(start, 1);
  assert.match(run.run_id, /^wfrun_/);
  await it.clock.runUntil(closing, 1);
});

test("close with drain waits for enqueueMany", async () => {
  await using it = await scripted();
  const jobs = it.client.enqueueMany("noop", new Array(200).fill(null));
  jobs.catch(() => {});
  const closing = it.client.close({ drain: true });
  assert.equal((await it.clock.runUntil(jobs, 1)).length, 200);
  await it.clock.runUntil(closing, 1);
});

test("close with drain waits for an enqueue that waits for its turn", async () => {
  await using server = await startServer();
  const client = await Dispatch.connect({ url: server.url, token: "demo-token" });
  await client.subscribe("jobs");
  const jobs = Array.from({ length: 60 }, () => client.enqueue("noop", {}));
  await within(client.close({ drain: true }), "closing");
  const outcomes = await Promise.allSettled(jobs);
  assert.deepEqual(outcomes.filter(({ status }) => status === "rejected"), []);
});

test("close with drain waits for a call that waits for the connection and the token", async () => {
  await using server = await createScriptedServer(serve);
  const token = Promise.withResolvers<string>();
  const client = new Dispatch({ url: server.url, token: () => token.promise });
  const connecting = client.connect();
  const call = client.stats();
  const closing = client.close({ drain: true });
  token.resolve("t");
  await within(closing, "closing");
  await within(connecting, "connecting");
  assert.deepEqual(await within(call, "the call"), STATS);
});

test("close with drain waits for a client that only connects", async () => {
  await using server = await createScriptedServer(serve);
  const client = new Dispatch({ url: server.url, token: "t" });
  const connecting = client.connect();
  await within(client.close({ drain: true }), "closing");
  await within(connecting, "connecting");
});

test("close with drain waits for a subscription and the end of one", async () => {
  await using server = await createScriptedServer(serve);
  const client = await Dispatch.connect({ url: server.url, token: "t" });
  const leaving = client.subscribe("workflows").unsubscribe();
  const jobs = client.subscribe("jobs");
  await within(client.close({ drain: true }), "closing");
  await within(jobs, "subscribing");
  await within(leaving, "unsubscribing");
  // The last one belongs to the close.
  const subscriptions = ["subscribe", "unsubscribe", "subscribe", "unsubscribe"];
  assert.deepEqual(methodsOf(server.peers[0]), ["auth", ...subscriptions]);
});

test("await using closes with drain, also for an enqueue that waits for its turn", async () => {
  await using server = await startServer();
  let job: Promise<unknown>;
  {
    await using client = await Dispatch.connect({ url: server.url, token: "demo-token" });
    await client.subscribe("jobs");
    job = client.enqueue("noop", {});
  }
  await within(job, "the enqueue");
});

test("await using closes with drain", async () => {
  await using server = await createScriptedServer(serve);
  let call: Promise<unknown>;
  {
    await using client = await Dispatch.connect({ url: server.url, token: "t" });
    call = client.stats();
  }
  assert.deepEqual(await within(call, "the call"), STATS);
});

test("close with drain waits no longer than the deadlines of the calls", async () => {
  await using it = await scripted(() => {});
  const call = it.client.stats({ timeout: 3_000 });
  call.catch(() => {});
  await it.clock.runUntil(it.client.close({ drain: true }), 100);
  await assert.rejects(within(call, "the call"), { code: "timeout" });
  assert.equal(it.clock.pending, 0);
});

test("close with drain ends without a connection, although a wait keeps trying to subscribe", async () => {
  await using it = await scripted(serve, { maxRetries: 0, timeout: 103 });
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("disconnected").length > 0);
  const waiting = it.client.job(JOB_ID).wait();
  waiting.catch(() => {});
  const before = it.clock.now();
  await it.clock.runUntil(it.client.close({ drain: true }), 1);
  assert(it.clock.now() - before <= 110, "the deadline of the calls in flight");
  await assert.rejects(within(waiting, "the wait"), isClosed);
  assert.equal(it.clock.pending, 0);
});

test("close without drain ends a close with drain", async () => {
  await using it = await scripted(() => {});
  const call = it.client.stats();
  call.catch(() => {});
  const draining = it.client.close({ drain: true });
  await breathe();
  await within(it.client.close(), "closing");
  await it.clock.runUntil(draining, 5);
  await assert.rejects(within(call, "the call"), isClosed);
});

test("close ends an attempt to connect", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const clock = new FakeClock();
  const client = new Dispatch({ url: proxy.url, token: "t", clock });
  const status = new Recorder(client.status());
  const [connecting, call] = [client.connect(), client.stats()];
  connecting.catch(() => {});
  call.catch(() => {});
  const connection = await asked(proxy);
  await within(client.close(), "closing");
  await assert.rejects(within(connecting, "connecting"), isClosed);
  await assert.rejects(within(call, "the call"), isClosed);
  await eventually(() => !connection.isOpen);
  await within(status.over, "the status");
  assert.deepEqual(status.items.map(({ type }) => type), ["idle", "connecting", "closed"]);
  assert.equal(clock.pending, 0);
});

test("close ends an attempt that waits for a token", async () => {
  const clock = new FakeClock();
  const client = new Dispatch({
    url: "ws://127.0.0.1:9/dwp",
    token: () => new Promise(() => {}),
    clock,
  });
  const connecting = client.connect();
  connecting.catch(() => {});
  await breathe();
  await within(client.close(), "closing");
  await assert.rejects(within(connecting, "connecting"), isClosed);
  assert.equal(clock.pending, 0);
});

test("close ends the wait for the next attempt", async () => {
  await using it = await scripted();
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const call = it.client.stats();
  call.catch(() => {});
  await within(it.client.close(), "closing");
  await assert.rejects(within(call, "the call"), isClosed);
  assert.equal(it.clock.pending, 0);
  await it.proxy.forward();
  it.clock.advance(3_600_000);
  await breathe(20);
  assert.equal(it.proxy.accepted, 1);
});

test("close ends a reconnect", async () => {
  await using it = await scripted();
  const known = it.proxy.connections;
  await it.proxy.silence();
  it.proxy.cut();
  await it.attempt();
  const connection = await asked(it.proxy, known);
  await within(it.client.close(), "closing");
  await eventually(() => !connection.isOpen);
  assert.equal(it.clock.pending, 0);
});

test("close ends a reconnect that resubscribes", async () => {
  await using it = await scripted((peer) => peer.index === 0 ? serve(peer) : undefined);
  const jobs = new Recorder(await it.client.subscribe("jobs"));
  it.proxy.cut();
  await it.attempt();
  await eventually(() => methodsOf(it.server.peers[1]).includes("subscribe"));
  await within(it.client.close(), "closing");
  await within(jobs.over, "the subscription");
  assert.equal(jobs.error, undefined);
  await eventually(() => it.proxy.connections.length === 0);
  assert.equal(it.clock.pending, 0);
});

test("close does not wait for a lane that is blocked by its run", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "the start");
  assert.equal(it.proxy.connections.length, 2);
  await within(it.client.close(), "closing");
  await eventually(() => it.proxy.connections.length === 0);
  assert.equal(it.clock.pending, 0);
});

test("close waits at most one second for a silent peer's close frame", async () => {
  await using it = await scripted();
  it.proxy.connections[0]!.hold();
  let closed = false;
  const closing = it.client.close().then(() => closed = true);
  await breathe(20);
  assert.equal(closed, false);
  it.clock.advance(999);
  await breathe(5);
  assert.equal(closed, false);
  it.clock.advance(1);
  await within(closing, "closing");
  assert.equal(it.clock.pending, 0);
});

test("a second close waits as long as the first", async () => {
  await using it = await scripted();
  it.proxy.connections[0]!.hold();
  const first = it.client.close();
  let second = false;
  const closing = it.client.close().then(() => second = true);
  await breathe(5);
  assert.equal(second, false);
  it.clock.advance(1_000);
  await within(Promise.all([first, closing]), "closing");
});

test("close resolves on a client that never connected", async () => {
  const clock = new FakeClock();
  const client = new Dispatch({ url: "ws://127.0.0.1:9/dwp", token: "t", clock });
  const status = new Recorder(client.status());
  await within(client.close(), "closing");
  await within(client.close({ drain: true }), "closing again");
  await within(status.over, "the status");
  assert.equal(clock.pending, 0);
  assert.deepEqual((await Array.fromAsync(client.status())).map(({ type }) => type), ["closed"]);
});

test("unsubscribe resolves if the client is closed before its answer", async () => {
  await using it = await scripted((peer) => serve(peer, ({ method }) => method === "unsubscribe"));
  const jobs = await it.client.subscribe("jobs");
  const leaving = jobs.unsubscribe();
  await eventually(() => requestsOf(it.server.peers[0]!, "unsubscribe").length === 1);
  await within(it.client.close(), "closing");
  await within(leaving, "unsubscribing");
});

test("close works inside a status loop, a hook and a token function", async () => {
  await using server = await createScriptedServer(serve);
  const looping = new Dispatch({ url: server.url, token: "t" });
  const loop = (async () => {
    const seen: string[] = [];
    for await (const { type } of looping.status()) {
      seen.push(type);
      if (type === "connected") await looping.close();
    }
    return seen;
  })();
  await within(looping.connect(), "connecting");
  assert.deepEqual(await within(loop, "the loop"), ["idle", "connecting", "connected", "closed"]);

  const hooked: Dispatch = new Dispatch({
    url: server.url,
    token: "t",
    hooks: { request: () => void hooked.close() },
  });
  await assert.rejects(within(hooked.stats(), "the call"), isClosed);

  const token: Dispatch = new Dispatch({
    url: server.url,
    token: async () => {
      await token.close();
      return "t";
    },
  });
  await assert.rejects(within(token.connect(), "connecting"), isClosed);
});

test("following a job or run with a closed client rejects with `closed`", async () => {
  await using it = await scripted();
  const loop = it.client.watch(RUN_ID);
  const reading = loop.next();
  await within(it.client.close(), "closing");
  assert.deepEqual(await within(reading, "the loop"), { done: true, value: undefined });
  for (const events of [it.client.watch(RUN_ID), it.client.job(JOB_ID).events()]) {
    await assert.rejects(within<unknown>(events.next(), "the next event"), isClosed);
  }
});
