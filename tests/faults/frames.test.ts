import assert from "node:assert/strict";
import { test } from "node:test";
import { DispatchError } from "../../mod.ts";
import type { ScriptedPeer } from "../../testing/mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { requestsOf, serve, STATS } from "../helpers/scripts.ts";

const LONG = "x".repeat(1_000);

/** What no right server sends: nothing may come of it but a count and a word about it. */
const ODDITIES: Record<string, { send: unknown; says: RegExp }> = {
  "no JSON": { send: "hello", says: /^Cannot decode frame: not JSON: hello$/ },
  "half a frame": { send: '{"id":"1","type":"resp', says: /not JSON/ },
  "an empty message": { send: "", says: /not JSON/ },
  "a list": { send: "[1,2]", says: /not an object: \[1,2\]$/ },
  "null": { send: "null", says: /not an object/ },
  "a number": { send: "5", says: /not an object/ },
  "an unknown type": { send: { id: "1", type: "bogus" }, says: /unknown type .bogus./ },
  "no type": { send: { id: "1" }, says: /unknown type/ },
  "a request": { send: { id: "1", type: "request", method: "stats" }, says: /unexpected request/ },
  "an id that is no text": {
    send: { id: 5, type: "response", correl_id: "1" },
    says: /'id' is not text/,
  },
  "a correl_id that is no text": {
    send: { id: "1", type: "response", correl_id: { a: 1 } },
    says: /'correl_id' is not text/,
  },
  "an error without an error": {
    send: { id: "1", type: "error", correl_id: "nobody" },
    says: /an error frame without code and message/,
  },
  "an answer to nobody": {
    send: { id: "1", type: "response", correl_id: "nobody", data: {} },
    says: /an answer to no request/,
  },
  "an answer without a correl_id": {
    send: { id: "1", type: "response", data: {} },
    says: /an answer to no request/,
  },
  "an error of nobody's": {
    send: { id: "1", type: "error", correl_id: "nobody", error: { code: 400, message: "what?" } },
    says: /an error that belongs to no request: 400 what\?/,
  },
  "an event without data": { send: { id: "1", type: "event" }, says: /an event without/ },
  "an event of no type": {
    send: { id: "1", type: "event", data: { ts: "", data: {} } },
    says: /an event without/,
  },
  "an event whose data is text": {
    send: { id: "1", type: "event", data: { type: "job.started", data: "text" } },
    says: /an event without/,
  },
  "a binary message": { send: new Uint8Array([0x81, 0xa2, 0x69, 0x64]), says: /a binary message/ },
  "long rubbish": { send: LONG, says: /^Cannot decode frame: not JSON: x{200}$/ },
  "a name of Object's own": {
    send: '{"id":"1","type":"response","correl_id":"__proto__"}',
    says: /an answer to no request/,
  },
};

for (const [name, { send, says }] of Object.entries(ODDITIES)) {
  test(`${name} is counted and told, and the connection goes on`, async () => {
    await using it = await scripted();
    const jobs = new Recorder(await it.client.subscribe("jobs"));
    const [peer] = it.server.peers;
    for (let count = 1; count <= 2; count++) {
      peer!.send(send);
      await eventually(() => it.status.of("anomaly").length === count);
      const anomaly = it.status.of("anomaly")[count - 1]!;
      assert.equal(anomaly.count, count);
      assert.match(anomaly.cause.message, says);
    }
    assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
    peer!.publish("job.started", "job:1", { job_id: "1", job_name: "n", queue: "default" });
    await eventually(() => jobs.items.length === 1);
    assert.equal(it.status.of("disconnected").length, 0);
    assert.equal(it.server.peers.length, 1);
  });
}

test("an event of an unknown type reaches who listens to everything", async () => {
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

test("unknown fields of a frame are let be", async () => {
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

test("of two answers to one request the first counts", async () => {
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

test("the late answers of calls that were given up are no oddities", async () => {
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

test("answers in any order reach their own requests", async () => {
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

/** Answers with an error that names no request, as a server does to a frame it cannot decode. */
function complain(peer: ScriptedPeer): void {
  peer.send({ id: "x", type: "error", error: { code: 400, message: "invalid frame: too odd" } });
}

test("an error without correl_id belongs to the only request in flight", async () => {
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

test("an error without correl_id belongs to nobody where several are in flight", async () => {
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
    /an error that belongs to no request: 400 invalid frame: too odd/,
  );
});

test("an error without correl_id and with nothing in flight is told", async () => {
  await using it = await scripted();
  complain(it.server.peers[0]!);
  await eventually(() => it.status.of("anomaly").length === 1);
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
});

test("a malformed answer to a start rejects the call, and the connection goes on", async () => {
  await using it = await scripted(async (peer) => {
    for (;;) peer.answer(await peer.next(), "a text");
  });
  await assert.rejects(within(it.client.startWorkflow("noop", {}), "the start"), {
    code: "bad_answer",
    message: "Cannot start workflow 'noop': the answer has no run_id",
  });
  assert.equal(it.status.of("disconnected").length, 0);
});

test("an answer of 8 MiB passes", async () => {
  const text = "ü".repeat(4 * 1024 * 1024);
  await using it = await scripted(async (peer) => {
    const request = await peer.next();
    peer.answer(request, { text });
  });
  const answer = await within(it.client.call("big"), "the call") as { text: string };
  assert.equal(answer.text.length, text.length);
});

test("a server's ping is answered", async () => {
  await using it = await scripted(async (peer) => {
    peer.answer(await peer.next(), { format: "json", session_id: "s" });
    peer.send({ id: "p1", type: "ping", ts: "2026-01-01T00:00:00Z" });
  }, { server: { manual: true } });
  const [peer] = it.server.peers;
  await eventually(() => peer!.received.length === 2);
  const pong = JSON.parse(peer!.received[1] as string);
  assert.deepEqual([pong.type, pong.correl_id], ["pong", "p1"]);
});
