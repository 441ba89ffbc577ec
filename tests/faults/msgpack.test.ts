import assert from "node:assert/strict";
import { test } from "node:test";
import { Dispatch, type Status } from "../../mod.ts";
import { loadMsgpackCodec } from "../../protocol/mod.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { faulty, scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { serve, STATS } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

/** A client that asks for MessagePack, and all of its statuses. */
function asking(url: string) {
  const client = new Dispatch({ url, token: "demo-token", format: "msgpack" });
  const status = new Recorder<Status>(client.status());
  return { client, status, [Symbol.asyncDispose]: () => client.close() };
}

test("falls back to JSON if the server sends MessagePack in text frames, and reports it once", async () => {
  await using server = await startServer();
  await using asked = asking(server.url);
  const { client, status } = asked;
  await within(client.connect(), "connecting");
  assert.equal(status.of("connected")[0]!.format, "json");
  assert.equal(status.of("format_fallback").length, 1);
  assert.equal(status.of("format_fallback")[0]!.format, "json");
  const job = await within(client.enqueue("noop", { a: 1 }), "a call");
  assert.deepEqual((await within(job.wait(), "the job")).payload, { a: 1 });
  const run = await within(
    client.startWorkflow("order-pipeline", { order_id: "1", items: [] }),
    "",
  );
  await within(run.wait(), "the run");
  assert.equal(status.of("format_fallback").length, 1);
});

test("stays with JSON after a reconnect", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url, { format: "msgpack" });
  const accepted = it.proxy.accepted;
  it.proxy.cut();
  await it.reconnected();
  assert.equal(it.proxy.accepted, accepted + 1);
  assert.equal(it.status.of("format_fallback").length, 1);
  await within(it.client.stats(), "a call");
});

test("uses MessagePack with a server that sends it in binary frames", async () => {
  await using server = await startServer({ quirks: { "msgpack-unreadable": false } });
  await using asked = asking(server.url);
  const { client, status } = asked;
  await within(client.connect(), "connecting");
  assert.equal(status.of("connected")[0]!.format, "msgpack");
  const jobs = new Recorder(await client.subscribe("jobs"));
  const payload = { text: "ü🎉", list: [1, 2.5, null, true], deep: { a: { b: {} } } };
  const job = await within(client.enqueue("noop", payload), "a call");
  assert.deepEqual((await within(job.wait(), "the job")).payload, payload);
  await eventually(() => jobs.items.length === 3);
  const run = await within(client.startWorkflow("order-payment", { order_id: "1" }), "the start");
  assert.equal(run.state, "running");
  await client.publishEvent("payment-received", payload);
  const record = await within(run.wait(), "the run");
  assert.deepEqual(record.input, { order_id: "1" });
  await assert.rejects(client.getJob("no-id"), { code: 400 });
  assert.equal(status.of("format_fallback").length + status.of("anomaly").length, 0);
});

test("sends every frame after auth as binary MessagePack with JSON text in its data", async () => {
  const codec = await loadMsgpackCodec();
  await using server = await createScriptedServer(async (peer) => {
    const auth = await peer.next();
    peer.send(codec.encode(
      { id: "1", type: "response", correl_id: auth.id },
      JSON.stringify({ format: "msgpack", session_id: "binary" }),
    ));
    await eventually(() => peer.received.some((each) => typeof each !== "string"));
    const request = codec.decode(peer.received.find((each) => typeof each !== "string")!);
    peer.send(
      codec.encode({ id: "2", type: "response", correl_id: request.id }, JSON.stringify(STATS)),
    );
  }, { manual: true });
  await using asked = asking(server.url);
  const { client, status } = asked;
  assert.equal(await within(client.connect(), "connecting"), "binary");
  assert.deepEqual(await within(client.stats(), "a call"), STATS);
  assert.equal(status.of("connected")[0]!.format, "msgpack");
});

test("uses JSON if the server answers with that format", async () => {
  await using server = await createScriptedServer(serve);
  await using asked = asking(server.url);
  const { client, status } = asked;
  await within(client.connect(), "connecting");
  assert.equal(status.of("connected")[0]!.format, "json");
  assert.deepEqual(await within(client.stats(), "a call"), STATS);
});

test("accepts JSON frames on a MessagePack connection", async () => {
  const codec = await loadMsgpackCodec();
  await using server = await createScriptedServer(async (peer) => {
    const auth = await peer.next();
    peer.answer(auth, { format: "msgpack", session_id: "mixed" });
    await eventually(() => peer.received.some((each) => typeof each !== "string"));
    const request = codec.decode(peer.received.find((each) => typeof each !== "string")!);
    peer.answer(request, STATS);
  }, { manual: true });
  await using asked = asking(server.url);
  const { client } = asked;
  await within(client.connect(), "connecting");
  assert.deepEqual(await within(client.stats(), "a call"), STATS);
});

test("reports a malformed binary frame as an anomaly, and the connection stays open", async () => {
  await using it = await scripted(serve, { format: "msgpack" });
  it.server.peers[0]!.send(new Uint8Array([0xc1, 0xff]));
  it.server.peers[0]!.send(new Uint8Array([]));
  await eventually(() => it.status.of("anomaly").length === 2);
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
});

test("rejects with ConnectionError if there is no server", async () => {
  await using server = await createScriptedServer(() => {});
  await server.close();
  await using asked = asking(server.url);
  const { client, status } = asked;
  await assert.rejects(within(client.connect(), "connecting"), { code: "connect_failed" });
  assert.equal(status.of("format_fallback").length, 0);
});
