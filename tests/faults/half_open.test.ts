import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError } from "../../mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { faulty, scripted } from "../helpers/peers.ts";
import { serve, STATS } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

/** How many pings a scripted peer has got. */
function pings(peer: { received: readonly (string | Uint8Array)[] }): number {
  return peer.received.filter((message) => JSON.parse(message as string).type === "ping").length;
}

test("a server that fell silent is found 15 + 10 seconds later, and left for a new connection", async () => {
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
  test(`a connection that is dead only ${direction} is found as well`, async () => {
    await using it = await scripted();
    it.proxy.connections[0]!.hold(direction);
    it.clock.advance(15_000);
    await breathe();
    it.clock.advance(10_000);
    await it.reconnected();
    assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
  });
}

test("a request in flight on a silent connection is not lost: a read is repeated", async () => {
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

test("a server that answers its pings is left alone, however long nothing else happens", async () => {
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

test("a server that talks is not asked whether it is there", async () => {
  await using it = await scripted();
  const [peer] = it.server.peers;
  for (let i = 0; i < 5; i++) {
    it.clock.advance(14_000);
    await within(it.client.stats(), "a call");
  }
  assert.equal(pings(peer!), 0);
});

test("a server too busy to answer a ping, but not to send events, is alive", async () => {
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
    // Here the pong would be due.
    it.clock.advance(10_000);
    await breathe();
  }
  assert.equal(it.status.of("disconnected").length, 0);
});

test("sleep counts: a connection that died meanwhile is found 10 seconds after waking", async () => {
  await using it = await scripted();
  it.proxy.connections[0]!.hold();
  it.clock.sleep(3_600_000);
  it.clock.advance(0);
  await breathe();
  assert.equal(it.status.of("disconnected").length, 0);
  it.clock.advance(10_000);
  await it.reconnected();
});

test("a connection that outlived a sleep is kept", async () => {
  await using it = await scripted();
  it.clock.sleep(3_600_000);
  it.clock.advance(0);
  await eventually(() => pings(it.server.peers[0]!) === 1);
  await breathe();
  it.clock.advance(10_000);
  await breathe();
  assert.equal(it.status.of("disconnected").length, 0);
});

test("with pingInterval 0 nobody is asked", async () => {
  await using it = await scripted(serve, { pingInterval: 0 });
  assert.equal(it.clock.pending, 0);
  it.clock.advance(3_600_000);
  await within(it.client.stats(), "a call");
  assert.equal(pings(it.server.peers[0]!), 0);
});

test("an error that names no request does not end the pings", async () => {
  await using it = await scripted(async (peer) => {
    for (;;) {
      const frame = await peer.next();
      if (frame.method === "auth") peer.answer(frame, { format: "json", session_id: "s" });
      if (frame.type !== "ping") continue;
      // Twice an error for what is no request of the client's, then silence.
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

test("a connection that a run blocks is not mistaken for dead", async () => {
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

test("a run whose connection fell silent is followed to its end all the same", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
  it.proxy.connections[1]!.hold();
  await it.client.publishEvent("payment-received");
  assert.equal((await it.clock.runUntil(run.wait(), 100)).state, "completed");
  const events = await it.clock.runUntil(Array.fromAsync(run.events()), 100);
  assert.equal(events.at(-1)?.type, "workflow.completed");
});

test("a connection that fell silent is dropped when its run is seen to have ended", async () => {
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
  assert.match(cause.message, /no answer for 5000 ms after its run has ended$/);
  lane!.release();
  await eventually(() => it.proxy.connections.length === 1);
  await within(it.client.stats(), "a call");
  // Its run is followed to its end all the same.
  const events = await it.clock.runUntil(Array.fromAsync(run.events()), 100);
  assert.equal(events.at(-1)?.type, "workflow.completed");
});
