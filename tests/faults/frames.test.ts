import assert from "node:assert/strict";
import { test } from "node:test";
import { DispatchError } from "../../mod.ts";
import type { ScriptedPeer } from "../../testing/mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { requestsOf, serve, STATS } from "../helpers/scripts.ts";

const LONG = "x".repeat(1_000);

/** Arrays nested so deeply that recursive code, such as `JSON.stringify`, runs out of stack. */
const NESTED = "[".repeat(100_000) + "]".repeat(100_000);

/** Frames with nested arrays in different places. Some runtimes cannot parse them at all. */
const NESTED_FRAMES: Record<string, string> = {
  "an answer to no request": `"type":"response","correl_id":"nobody","data":${NESTED}`,
  "a request": `"type":"request","data":${NESTED}`,
  "an event whose data is": `"type":"event","data":${NESTED}`,
  "an event without data but":
    `"type":"event","data":{"type":"job.started","data":1,"x":${NESTED}}`,
  "an error to no request": `"type":"error","error":{"code":1,"message":"","details":${NESTED}}`,
  "a type": `"type":${NESTED}`,
};

/** Messages that a correct server never sends. Each causes an anomaly and nothing else. */
const UNUSABLE: Record<string, { send: unknown; message: RegExp }> = {
  "text that is not JSON": { send: "hello", message: /^Cannot decode frame: not JSON: hello$/ },
  "half a frame": { send: '{"id":"1","type":"resp', message: /not JSON/ },
  "an empty message": { send: "", message: /not JSON/ },
  "an array": { send: "[1,2]", message: /not an object: \[1,2\]$/ },
  "null": { send: "null", message: /not an object/ },
  "a number": { send: "5", message: /not an object/ },
  "an unknown type": { send: { id: "1", type: "bogus" }, message: /unknown type .bogus./ },
  "no type": { send: { id: "1" }, message: /unknown type/ },
  "a request": {
    send: { id: "1", type: "request", method: "stats" },
    message: /unexpected request/,
  },
  "an id that is not text": {
    send: { id: 5, type: "response", correl_id: "1" },
    message: /'id' is not text/,
  },
  "a correl_id that is not text": {
    send: { id: "1", type: "response", correl_id: { a: 1 } },
    message: /'correl_id' is not text/,
  },
  "an error frame without an error": {
    send: { id: "1", type: "error", correl_id: "nobody" },
    message: /an error without code and message/,
  },
  "an answer to no request": {
    send: { id: "1", type: "response", correl_id: "nobody", data: {} },
    message: /an answer to no request/,
  },
  "an answer without a correl_id": {
    send: { id: "1", type: "response", data: {} },
    message: /an answer to no request/,
  },
  "an error that belongs to no request": {
    send: { id: "1", type: "error", correl_id: "nobody", error: { code: 400, message: "what?" } },
    message: /the server answered 400 what\? to no request/,
  },
  "an event without data": { send: { id: "1", type: "event" }, message: /not an event/ },
  "an event without a type": {
    send: { id: "1", type: "event", data: { ts: "", data: {} } },
    message: /not an event/,
  },
  "an event whose data is text": {
    send: { id: "1", type: "event", data: { type: "job.started", data: "text" } },
    message: /not an event/,
  },
  "a binary message": {
    send: new Uint8Array([0x81, 0xa2, 0x69, 0x64]),
    message: /an unexpected binary message/,
  },
  "long text that is not JSON": { send: LONG, message: /^Cannot decode frame: not JSON: x{200}$/ },
  "a correl_id that is a property of Object": {
    send: '{"id":"1","type":"response","correl_id":"__proto__"}',
    message: /an answer to no request/,
  },
};

for (const [name, { send, message }] of Object.entries(UNUSABLE)) {
  test(`${name} is reported as an anomaly, and the connection stays open`, async () => {
    await using it = await scripted();
    const jobs = new Recorder(await it.client.subscribe("jobs"));
    const [peer] = it.server.peers;
    for (let count = 1; count <= 2; count++) {
      peer!.send(send);
      await eventually(() => it.status.of("anomaly").length === count);
      const anomaly = it.status.of("anomaly")[count - 1]!;
      assert.equal(anomaly.count, count);
      assert.match(anomaly.cause.message, message);
    }
    assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
    peer!.publish("job.started", "job:1", { job_id: "1", job_name: "n", queue: "default" });
    await eventually(() => jobs.items.length === 1);
    assert.equal(it.status.of("disconnected").length, 0);
    assert.equal(it.server.peers.length, 1);
  });
}

for (const [name, fields] of Object.entries(NESTED_FRAMES)) {
  test(`${name} with 100,000 nested arrays is reported as an anomaly`, async () => {
    await using it = await scripted();
    it.server.peers[0]!.send(`{"id":"1",${fields}}`);
    await eventually(() => it.status.of("anomaly").length === 1);
    assert.match(it.status.of("anomaly")[0]!.cause.message, /^.{1,300}$/);
    assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
    assert.equal(it.status.of("disconnected").length, 0);
  });
}

test("an answer with 100,000 nested arrays rejects the call or resolves it", async () => {
  await using it = await scripted((peer) =>
    serve(peer, ({ id, method }) => {
      if (method !== "stats") return false;
      peer.send(`{"id":"1","type":"response","correl_id":"${id}","data":${NESTED}}`);
      return true;
    })
  );
  const stats = it.client.stats({ timeout: 1_000 });
  const outcome = stats.catch((error) => error);
  await it.clock.runUntil(outcome, 100);
  assert.match(String((await outcome).code), /^(bad_entity|timeout)$/);
  assert.equal(it.status.of("disconnected").length, 0);
});

test("delivers an event of an unknown type", async () => {
  await using it = await scripted();
  const all = new Recorder(await it.client.subscribe("firehose"));
  const jobs = new Recorder(await it.client.subscribe("jobs"));
  const [peer] = it.server.peers;
  peer!.publish("job.paused", "job:1", { job_id: "1", queue: "default" });
  peer!.publish("moon.rose", "", { phase: 0.5 });
  await eventually(() => all.items.length === 2);
  assert.deepEqual(jobs.items.map(({ type }) => type as string), ["job.paused"]);
  assert.equal(it.status.of("anomaly").length, 0);
});

test("ignores unknown fields of a frame", async () => {
  await using it = await scripted(async (peer) => {
    const request = await peer.next();
    peer.send({
      id: "1",
      type: "response",
      correl_id: request.id,
      data: { ...STATS, news: 1 },
      trace: { a: [1] },
      ts: "2026-01-01T00:00:00.123456789Z",
    });
  });
  assert.deepEqual(await within(it.client.stats(), "a call"), { ...STATS, news: 1 });
  assert.equal(it.status.of("anomaly").length, 0);
});

test("uses the first of two answers to a request", async () => {
  await using it = await scripted(async (peer) => {
    for (;;) {
      const request = await peer.next();
      peer.answer(request, STATS);
      peer.answer(request, { broker: "the second" });
      peer.refuse(request, 500, "the third");
    }
  });
  for (let i = 1; i <= 3; i++) {
    assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
    await eventually(() => it.status.of("anomaly").length === 2 * i);
  }
});

test("ignores late answers to calls that were given up", async () => {
  await using it = await scripted(async (peer) => {
    const requests = [await peer.next(), await peer.next()];
    const last = await peer.next();
    for (const request of [...requests, last]) peer.answer(request, STATS);
  });
  const controller = new AbortController();
  const calls = [it.client.stats({ signal: controller.signal }), it.client.stats({ timeout: 100 })];
  const results = Promise.allSettled(calls);
  await eventually(() => requestsOf(it.server.peers[0]!, "stats").length === 2);
  controller.abort();
  it.clock.advance(100);
  const statuses = (await within(results, "the calls")).map(({ status }) => status);
  assert.deepEqual(statuses, ["rejected", "rejected"]);
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
  assert.equal(it.status.of("anomaly").length, 0);
});

test("matches answers in any order to their requests", async () => {
  await using it = await scripted(async (peer) => {
    const requests = [await peer.next(), await peer.next(), await peer.next()];
    for (const request of requests.toReversed()) {
      const { name } = request.data as { name: string };
      peer.answer(request, { event_id: `event of ${name}`, name });
    }
  });
  const events = await within(
    Promise.all(["a", "b", "c"].map((name) => it.client.publishEvent(name))),
    "the calls",
  );
  assert.deepEqual(events.map(({ event_id }) => event_id), [
    "event of a",
    "event of b",
    "event of c",
  ]);
});

/** Sends an error that names no request, like a server that cannot decode a frame. */
function complain(peer: ScriptedPeer): void {
  peer.send({ id: "x", type: "error", error: { code: 400, message: "invalid frame: too odd" } });
}

test("an error without correl_id rejects the only request in flight", async () => {
  await using it = await scripted(async (peer) => {
    for (;;) {
      await peer.next();
      complain(peer);
    }
  });
  await assert.rejects(within(it.client.enqueue("noop"), "the call"), (error) => {
    assert(error instanceof DispatchError);
    assert.equal(error.code, 400);
    assert.equal(
      error.message,
      "Cannot enqueue 'noop': the server answered 400 invalid frame: too odd",
    );
    return true;
  });
  assert.equal(it.status.of("anomaly").length, 0);
});

test("an error without correl_id is an anomaly if several requests are in flight", async () => {
  await using it = await scripted(async (peer) => {
    const requests = [await peer.next(), await peer.next()];
    complain(peer);
    for (const request of requests) peer.answer(request, STATS);
    await serve(peer);
  });
  const calls = [it.client.stats(), it.client.stats()];
  assert.deepEqual(await within(Promise.all(calls), "the calls"), [STATS, STATS]);
  assert.match(
    it.status.of("anomaly")[0]!.cause.message,
    /the server answered 400 invalid frame: too odd to no request/,
  );
});

test("an error without correl_id is an anomaly if no request is in flight", async () => {
  await using it = await scripted();
  complain(it.server.peers[0]!);
  await eventually(() => it.status.of("anomaly").length === 1);
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
});

test("a malformed answer rejects the start, and the connection stays open", async () => {
  await using it = await scripted(async (peer) => {
    for (;;) peer.answer(await peer.next(), "a text");
  });
  await assert.rejects(within(it.client.startWorkflow("noop", {}), "the start"), {
    code: "bad_answer",
    message: "Cannot start workflow 'noop': the answer has no run_id",
  });
  assert.equal(it.status.of("disconnected").length, 0);
});

test("accepts an answer of 8 MiB", async () => {
  const text = "ü".repeat(4 * 1024 * 1024);
  await using it = await scripted(async (peer) => {
    const request = await peer.next();
    peer.answer(request, { text });
  });
  const answer = await within(it.client.call("big"), "the call") as { text: string };
  assert.equal(answer.text.length, text.length);
});

test("answers the server's ping", async () => {
  await using it = await scripted(async (peer) => {
    peer.answer(await peer.next(), { format: "json", session_id: "s" });
    peer.send({ id: "p1", type: "ping", ts: "2026-01-01T00:00:00Z" });
  }, { server: { manual: true } });
  const [peer] = it.server.peers;
  await eventually(() => peer!.received.length === 2);
  const pong = JSON.parse(peer!.received[1] as string);
  assert.deepEqual([pong.type, pong.correl_id], ["pong", "p1"]);
});
