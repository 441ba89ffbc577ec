import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, EnqueueManyError, TimeoutError } from "../../mod.ts";
import type { ScriptedPeer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { isRead } from "../../client/connection/requests.ts";
import { type CallExample, REQUEST_CALLS } from "../helpers/calls.ts";
import { scripted } from "../helpers/peers.ts";
import { JOB_ID, methodsOf, requestsOf, serve } from "../helpers/scripts.ts";

/** Answers nothing on the first connection, and everything on later ones. */
async function deafAtFirst(peer: ScriptedPeer): Promise<void> {
  if (peer.index > 0) await serve(peer);
}

const EXAMPLES = Object.values(REQUEST_CALLS);
const READS = EXAMPLES.filter(({ method }) => isRead(method));
const WRITES: Pick<CallExample, "send" | "method" | "what">[] = [
  ...EXAMPLES.filter(({ method }) => !isRead(method)),
  {
    send: (client, options) => client.call("dlq.replay", {}, options),
    method: "dlq.replay",
    what: "call 'dlq.replay'",
  },
];

test("repeats reads after a reconnect if their answer was lost", async () => {
  await using it = await scripted(deafAtFirst);
  const calls: PromiseLike<unknown>[] = READS.map(({ send }) => send(it.client));
  calls.push(it.client.subscribe("jobs"));
  const methods = [...READS.map(({ method }) => method), "subscribe"];
  await eventually(() => methodsOf(it.server.peers[0]!).length === 1 + methods.length);
  it.proxy.cut();
  await it.reconnected();
  await within(Promise.all(calls), "the reads");
  const repeated = methodsOf(it.server.peers[1]!).slice(1);
  // The reconnect subscribes to the channel, and the call to subscribe is repeated too.
  assert.deepEqual([...new Set(repeated)].toSorted(), methods.toSorted());
});

for (const { method, send, what } of WRITES) {
  test(`${method} rejects and is not repeated if its answer was lost`, async () => {
    await using it = await scripted(deafAtFirst);
    const call = send(it.client);
    call.catch(() => {});
    await eventually(() => methodsOf(it.server.peers[0]!).length === 2);
    it.proxy.cut();
    await assert.rejects(within(call, "the write"), (error) => {
      assert(error instanceof ConnectionError, String(error));
      assert.equal(error.code, "connection_lost");
      assert.equal(error.delivery, "unknown");
      assert(error.message.startsWith(`Cannot ${what}: The connection to 'ws:`), error.message);
      return true;
    });
    await it.reconnected();
    await within(it.client.stats(), "a call");
    assert.deepEqual(methodsOf(it.server.peers[1]!), ["auth", "stats"]);
  });
}

test("repeats a write with the option `retry`", async () => {
  await using it = await scripted(deafAtFirst);
  const calls = WRITES.map(({ send }) => send(it.client, { retry: "unknown" }));
  await eventually(() => methodsOf(it.server.peers[0]!).length === 1 + WRITES.length);
  it.proxy.cut();
  await it.reconnected();
  await within(Promise.all(calls), "the writes");
  const methods = WRITES.map(({ method }) => method);
  assert.deepEqual(methodsOf(it.server.peers[1]!).slice(1), methods);
});

test("sends calls made while disconnected once and in order after the reconnect", async () => {
  await using it = await scripted();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const calls = [
    it.client.enqueue("noop"),
    it.client.publishEvent("e"),
    it.client.stats(),
    it.client.cancelJob(JOB_ID),
  ];
  await it.reconnected();
  await within(Promise.all(calls), "the calls");
  assert.deepEqual(methodsOf(it.server.peers[1]!), [
    "auth",
    "job.enqueue",
    "workflow.event",
    "stats",
    "job.cancel",
  ]);
});

test("a call that waits for a connection rejects at its deadline", async () => {
  await using it = await scripted();
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const call = it.client.enqueue("noop", null, { timeout: 400 });
  call.catch(() => {});
  it.clock.advance(399);
  await breathe();
  const limit = it.clock.pending;
  it.clock.advance(1);
  await assert.rejects(within(call, "the call"), (error) => {
    assert(error instanceof TimeoutError);
    assert.equal(error.delivery, "not-sent");
    assert.equal(error.message, "Cannot enqueue 'noop': no connection within 400 ms");
    assert(error.cause instanceof ConnectionError);
    return true;
  });
  assert(it.clock.pending < limit);
});

test("the deadline of a repeated read counts from the call", async () => {
  await using it = await scripted(() => {});
  const call = it.client.stats({ timeout: 10_000 });
  call.catch(() => {});
  await eventually(() => methodsOf(it.server.peers[0]!).length === 2);
  it.clock.advance(6_000);
  it.proxy.cut();
  await it.reconnected();
  await eventually(() => methodsOf(it.server.peers[1]!).length === 2);
  it.clock.advance(3_499);
  await breathe();
  it.clock.advance(1);
  await assert.rejects(within(call, "the call"), (error) => {
    assert(error instanceof TimeoutError);
    assert.equal(error.delivery, "unknown");
    assert.equal(error.message, "Cannot get stats: no answer within 10000 ms");
    return true;
  });
});

test("a call rejects after 30 seconds without an answer, or after the client's timeout", async () => {
  for (const [timeout, expected] of [[undefined, 30_000], [2_000, 2_000]] as const) {
    await using it = await scripted(() => {}, { timeout, pingInterval: 0 });
    const call = it.client.stats();
    call.catch(() => {});
    await eventually(() => methodsOf(it.server.peers[0]!).length === 2);
    let settled = false;
    call.catch(() => settled = true);
    it.clock.advance(expected - 1);
    await breathe();
    assert.equal(settled, false);
    it.clock.advance(1);
    await assert.rejects(within(call, "the call"), TimeoutError);
    assert.equal(it.clock.pending, 0);
  }
});

test("rejects with `queue_full` if `maxQueue` requests wait", async () => {
  await using it = await scripted(serve, { maxQueue: 3 });
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const waiting = [it.client.stats(), it.client.stats(), it.client.stats()];
  await assert.rejects(within(it.client.enqueue("noop"), "one too many"), (error) => {
    assert(error instanceof ConnectionError);
    assert.equal(error.code, "queue_full");
    assert.equal(error.delivery, "not-sent");
    assert.equal(
      error.message,
      "Cannot enqueue 'noop': 3 requests wait for a connection",
    );
    return true;
  });
  await it.reconnected();
  await within(Promise.all(waiting), "those that wait");
});

test("lets 1,000 requests wait by default", async () => {
  await using it = await scripted();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const waiting = Array.from({ length: 1_000 }, () => it.client.stats());
  await assert.rejects(within(it.client.stats(), "one too many"), /1000 requests wait/);
  await it.reconnected();
  await within(Promise.all(waiting), "those that wait");
  assert.equal(requestsOf(it.server.peers[1]!, "stats").length, 1_000);
});

test("enqueueMany rejects with the index of the first payload that failed", async () => {
  await using it = await scripted((peer) =>
    serve(peer, (request) => {
      const { payload } = (request.data ?? {}) as { payload?: number };
      if (payload !== 70 && payload !== 90) return false;
      peer.refuse(request, 400, `no ${payload}`);
      return true;
    })
  );
  const payloads = Array.from({ length: 200 }, (_, i) => i);
  await assert.rejects(within(it.client.enqueueMany("noop", payloads), "the jobs"), (error) => {
    assert(error instanceof EnqueueManyError);
    assert.equal(error.code, 400);
    assert.equal(error.index, 70);
    assert.match(error.message, /^Cannot enqueue 'noop' at index 70: .*no 70$/);
    return true;
  });
});

test("enqueueMany rejects with the delivery of the first failure if the connection is lost", async () => {
  await using it = await scripted((peer) =>
    serve(peer, (request) => (request.data as { payload?: number })?.payload === 10)
  );
  const jobs = it.client.enqueueMany("noop", [...Array(20).keys()], { window: 5 });
  jobs.catch(() => {});
  await eventually(() => requestsOf(it.server.peers[0]!, "job.enqueue").length === 15);
  it.proxy.cut();
  await assert.rejects(within(jobs, "the jobs"), (error) => {
    assert(error instanceof EnqueueManyError);
    assert.equal(error.index, 10);
    assert(error.cause instanceof ConnectionError);
    assert.equal(error.cause.delivery, "unknown");
    return true;
  });
});

test("enqueueMany rejects with the reason of its signal", async () => {
  await using it = await scripted((peer) => serve(peer, (frame) => frame.method === "job.enqueue"));
  const controller = new AbortController();
  const jobs = it.client.enqueueMany("noop", [...Array(200).keys()], { signal: controller.signal });
  jobs.catch(() => {});
  await eventually(() => requestsOf(it.server.peers[0]!, "job.enqueue").length === 64);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(within(jobs, "the jobs"), (error) => error === reason);
});

test("enqueueMany has at most `window` requests in flight", async () => {
  await using it = await scripted((peer) => serve(peer, (frame) => frame.method === "job.enqueue"));
  const jobs = it.client.enqueueMany("noop", [...Array(50).keys()], { window: 7 });
  jobs.catch(() => {});
  await eventually(() => requestsOf(it.server.peers[0]!, "job.enqueue").length === 7);
  await breathe(20);
  assert.equal(requestsOf(it.server.peers[0]!, "job.enqueue").length, 7);
});

test("a read that was sent before its connection was lost times out as `unknown`", async () => {
  await using it = await scripted(() => {});
  const read = it.client.stats({ timeout: 5_000 });
  read.catch(() => {});
  await eventually(() => requestsOf(it.server.peers[0]!, "stats").length === 1);
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length > 0);
  const unsent = it.client.stats({ timeout: 5_000 });
  unsent.catch(() => {});
  it.clock.advance(5_000);
  await assert.rejects(within(read, "the read"), { code: "timeout", delivery: "unknown" });
  await assert.rejects(within(unsent, "the other read"), { code: "timeout", delivery: "not-sent" });
});
