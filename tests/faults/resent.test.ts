import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, Dispatch, type DispatchOptions, TimeoutError } from "../../mod.ts";
import { createFaultProxy } from "../../testing/mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { asked, scripted } from "../helpers/peers.ts";
import { requestsOf, serve } from "../helpers/scripts.ts";

/** A server that never answers `stats`, and a client with two such reads in flight. */
async function reading(options: Partial<DispatchOptions> = {}) {
  const it = await scripted((peer) => serve(peer, ({ method }) => method === "stats"), options);
  const errors: unknown[] = [];
  const reads = [1, 2].map(() => it.client.stats().catch((error) => errors.push(error)));
  await eventually(() => requestsOf(it.server.peers[0]!, "stats").length === 2);
  return { ...it, errors, done: () => within(Promise.all(reads), "the reads") };
}

/** Checks that reads that were sent once say that they may have arrived. */
function areUnknown(errors: unknown[], code: string, message: RegExp): void {
  assert.equal(errors.length, 2);
  for (const error of errors) {
    assert(error instanceof ConnectionError, String(error));
    assert.deepEqual([error.code, error.delivery], [code, "unknown"]);
    assert.match(error.message, message);
  }
}

test("a read that was sent and cannot be sent again may have arrived: without reconnecting", async () => {
  await using it = await reading({ reconnect: false });
  it.proxy.cut();
  await it.done();
  areUnknown(it.errors, "connection_lost", /^Cannot get stats: The connection to .* was lost$/);
});

test("a read that was sent and cannot be sent again may have arrived: after giving up", async () => {
  await using it = await reading({ maxRetries: 1 });
  await it.proxy.refuse();
  it.proxy.cut();
  await it.attempt();
  await it.done();
  areUnknown(
    it.errors,
    "gave_up",
    /^Cannot get stats: Cannot reconnect: gave up after 1 attempts$/,
  );
});

test("a read that was sent and cannot be sent again may have arrived: when the client closes", async () => {
  await using it = await reading();
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const unsent = it.client.stats();
  const closing = it.client.close();
  await it.done();
  areUnknown(it.errors, "closed", /^Cannot get stats: the client is closed$/);
  await assert.rejects(unsent, { code: "closed", delivery: "not-sent" });
  await closing;
});

test("a read that was sent and cannot be sent again may have arrived: if the queue is full", async () => {
  await using it = await reading({ maxQueue: 1 });
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.errors.length === 1);
  const [full] = it.errors as ConnectionError[];
  assert.deepEqual([full!.code, full!.delivery], ["queue_full", "unknown"]);
  assert.equal(full!.message, "Cannot get stats: 1 requests wait for a connection");
  await assert.rejects(it.client.stats(), { code: "queue_full", delivery: "not-sent" });
});

test("a start names its workflow if the server stalls while its connection is opened", async () => {
  await using it = await scripted(async (peer) => {
    const auth = await peer.next();
    if (peer.index > 0) return;
    peer.answer(auth, { format: "json", session_id: "s" });
    await serve(peer);
  }, { server: { manual: true }, connectTimeout: 3_000 });
  const start = it.client.startWorkflow("order-payment");
  start.catch(() => {});
  await eventually(() => it.server.peers[1]?.received.length === 1);
  it.clock.advance(3_000);
  await assert.rejects(within(start, "the start"), (error) => {
    assert(error instanceof TimeoutError);
    assert.equal(error.delivery, "not-sent");
    assert.match(
      error.message,
      /^Cannot start workflow 'order-payment': Cannot connect to 'ws:.*': no answer within 3000 ms$/,
    );
    return true;
  });
});

test("a call names its action if the server stalls while the client connects", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const clock = new FakeClock();
  const client = new Dispatch({ url: proxy.url, token: "t", clock });
  const call = client.enqueue("noop");
  call.catch(() => {});
  await asked(proxy);
  clock.advance(10_000);
  await assert.rejects(within(call, "the call"), (error) => {
    assert(error instanceof TimeoutError, String(error));
    assert.equal(error.delivery, "not-sent");
    assert.match(error.message, /^Cannot enqueue 'noop': Cannot connect to .* within 10000 ms$/);
    return true;
  });
  await client.close();
});
