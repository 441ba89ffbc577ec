import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError } from "../../mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { faulty, scripted } from "../helpers/peers.ts";
import { serve, STATS } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

/** The number of pings that a scripted peer has received. */
function pings(peer: { received: readonly (string | Uint8Array)[] }): number {
  return peer.received.filter((message) => JSON.parse(message as string).type === "ping").length;
}

test("replaces the connection after 15 + 10 seconds of silence", async () => {
  await using it = await scripted();
  it.proxy.connections[0]!.hold();
  it.clock.advance(15_000);
  await breathe();
  it.clock.advance(9_999);
  await breathe(20);
  assert.equal(it.status.of("disconnected").length, 0);
  it.clock.advance(1);
  await eventually(() => it.status.of("disconnected").length === 1);
  const { cause } = it.status.of("disconnected")[0]!;
  assert(cause instanceof ConnectionError);
  assert.equal(cause.code, "connection_lost");
  assert.equal((cause.cause as Error).message, "no message for 25000 ms");
  await it.reconnected();
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
});

for (const direction of ["toServer", "toClient"] as const) {
  test(`replaces a connection that is dead only ${direction}`, async () => {
    await using it = await scripted();
    it.proxy.connections[0]!.hold(direction);
    it.clock.advance(15_000);
    await breathe();
    it.clock.advance(10_000);
    await it.reconnected();
    assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
  });
}

test("repeats a read that was in flight on a silent connection", async () => {
  await using it = await scripted();
  it.proxy.connections[0]!.hold();
  const read = it.client.stats();
  const write = it.client.enqueue("noop");
  write.catch(() => {});
  it.clock.advance(15_000);
  await breathe();
  it.clock.advance(10_000);
  await it.reconnected();
  assert.deepEqual(await within(read, "the read"), STATS);
  await assert.rejects(within(write, "the write"), (error) => {
    return error instanceof ConnectionError && error.delivery === "unknown";
  });
});

test("keeps a connection whose pings are answered", async () => {
  await using it = await scripted();
  const [peer] = it.server.peers;
  for (let i = 1; i <= 20; i++) {
    it.clock.advance(15_000);
    await eventually(() => pings(peer!) === i);
    await breathe();
  }
  assert.equal(it.status.of("disconnected").length, 0);
  assert.equal(it.server.peers.length, 1);
});

test("sends no ping while messages arrive", async () => {
  await using it = await scripted();
  const [peer] = it.server.peers;
  for (let i = 0; i < 5; i++) {
    it.clock.advance(14_000);
    await within(it.client.stats(), "a call");
  }
  assert.equal(pings(peer!), 0);
});

test("keeps a connection that brings events but no pong", async () => {
  await using it = await scripted(async (peer) => {
    peer.answer(await peer.next(), { format: "json", session_id: "s" });
  }, { server: { manual: true } });
  const [peer] = it.server.peers;
  it.clock.advance(10_000);
  for (let i = 1; i <= 5; i++) {
    it.clock.advance(5_000);
    await eventually(() => pings(peer!) === i);
    peer!.publish("job.started", "job:1", { job_id: "1" });
    await breathe();
    // The pong is due now.
    it.clock.advance(10_000);
    await breathe();
  }
  assert.equal(it.status.of("disconnected").length, 0);
});

test("replaces a connection that died during sleep 10 seconds after waking up", async () => {
  await using it = await scripted();
  it.proxy.connections[0]!.hold();
  it.clock.sleep(3_600_000);
  it.clock.advance(0);
  await breathe();
  assert.equal(it.status.of("disconnected").length, 0);
  it.clock.advance(10_000);
  await it.reconnected();
});

test("keeps a connection that survived the machine's sleep", async () => {
  await using it = await scripted();
  it.clock.sleep(3_600_000);
  it.clock.advance(0);
  await eventually(() => pings(it.server.peers[0]!) === 1);
  await breathe();
  it.clock.advance(10_000);
  await breathe();
  assert.equal(it.status.of("disconnected").length, 0);
});

test("sends no ping with pingInterval 0", async () => {
  await using it = await scripted(serve, { pingInterval: 0 });
  assert.equal(it.clock.pending, 0);
  it.clock.advance(3_600_000);
  await within(it.client.stats(), "a call");
  assert.equal(pings(it.server.peers[0]!), 0);
});

test("goes on pinging after an error that names no request", async () => {
  await using it = await scripted(async (peer) => {
    for (;;) {
      const frame = await peer.next();
      if (frame.method === "auth") peer.answer(frame, { format: "json", session_id: "s" });
      if (frame.type !== "ping") continue;
      // Send two errors that belong to no request, then fall silent.
      if (pings(peer) <= 2) {
        peer.send({ id: "x", type: "error", error: { code: 400, message: "invalid frame" } });
      }
    }
  }, { server: { manual: true } });
  const [peer] = it.server.peers;
  for (let i = 1; i <= 3; i++) {
    it.clock.advance(15_000);
    await eventually(() => pings(peer!) === i);
    await breathe();
  }
  it.clock.advance(10_000);
  await eventually(() => it.status.of("disconnected").length === 1);
});

test("does not ping a lane that is blocked by its run", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
  const [, lane] = it.proxy.connections;
  for (let i = 0; i < 20; i++) {
    it.clock.advance(15_000);
    await breathe();
  }
  assert.equal(lane!.isOpen, true);
  assert.equal(it.status.of("disconnected").length + it.status.of("lane_lost").length, 0);
  await it.client.publishEvent("payment-received");
  assert.equal((await it.clock.runUntil(run.wait(), 100)).state, "completed");
});

test("follows a run to its end if its lane falls silent", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
  it.proxy.connections[1]!.hold();
  await it.client.publishEvent("payment-received");
  assert.equal((await it.clock.runUntil(run.wait(), 100)).state, "completed");
  const events = await it.clock.runUntil(Array.fromAsync(run.events()), 100);
  assert.equal(events.at(-1)?.type, "workflow.completed");
});

test("drops a silent lane after its run has ended", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
  const [, lane] = it.proxy.connections;
  lane!.hold();
  await it.client.publishEvent("payment-received");
  await it.clock.runUntil(run.wait(), 100);
  assert.equal(lane!.isOpen, true);
  it.clock.advance(4_000);
  await breathe();
  assert.equal(lane!.isOpen, true);
  it.clock.advance(1_000);
  await eventually(() => it.status.of("lane_lost").length === 1);
  const { runId, cause } = it.status.of("lane_lost")[0]!;
  assert.equal(runId, run.run_id);
  assert.match(cause.message, /no answer within 5000 ms after its run$/);
  lane!.release();
  await eventually(() => it.proxy.connections.length === 1);
  await within(it.client.stats(), "a call");
  // The run is followed to its end.
  const events = await it.clock.runUntil(Array.fromAsync(run.events()), 100);
  assert.equal(events.at(-1)?.type, "workflow.completed");
});
