import assert from "node:assert/strict";
import { test } from "node:test";
import { Dispatch, DispatchRpc, TimeoutError } from "../../mod.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { scripted } from "../helpers/peers.ts";
import { methodsOf, serve } from "../helpers/scripts.ts";

const HOUR = 3_600_000;

/** Answers all but `stats`. */
function withoutStats(peer: Parameters<typeof serve>[0]): Promise<never> {
  return serve(peer, ({ method }) => method === "stats");
}

for (const [how, ms] of [["back", -HOUR], ["forward", HOUR]] as const) {
  test(`a call times out on time although the clock was set ${how}`, async () => {
    await using it = await scripted(withoutStats);
    // Its timer fires first, and then all deadlines are checked.
    it.client.stats({ timeout: 600 }).catch(() => {});
    const call = it.client.stats({ timeout: 1_000 });
    const outcomes: unknown[] = [];
    call.catch((error) => outcomes.push(error));
    it.clock.advance(500);
    it.clock.setWall(ms);
    it.clock.advance(499);
    await breathe();
    assert.deepEqual(outcomes, []);
    it.clock.advance(1);
    await breathe();
    assert.equal(String(outcomes[0]).split(":")[0], "TimeoutError");
  });

  test(`a client on the system clock times out on time although the clock was set ${how}`, async () => {
    await using server = await createScriptedServer(withoutStats);
    await using client = await Dispatch.connect({ url: server.url, token: "t" });
    const realNow = Date.now;
    const began = performance.now();
    const call = client.stats({ timeout: 40 });
    Date.now = () => realNow() + ms;
    try {
      await assert.rejects(within(call, "the call"), TimeoutError);
      assert(performance.now() - began > 35);
    } finally {
      Date.now = realNow;
    }
  });

  test(`pings go on although the clock was set ${how}`, async () => {
    await using it = await scripted();
    it.proxy.connections[0]!.hold();
    it.clock.setWall(ms);
    it.clock.advance(15_000);
    await breathe();
    it.clock.advance(10_000);
    await eventually(() => it.status.of("disconnected").length === 1);
  });

  test(`reconnects after the planned delay although the clock was set ${how}`, async () => {
    await using it = await scripted();
    it.proxy.cut();
    await eventually(() => it.status.of("reconnecting").length === 1);
    it.clock.setWall(ms);
    it.clock.advance(499);
    await breathe(20);
    assert.equal(it.status.of("connected").length, 1);
    it.clock.advance(1);
    await eventually(() => it.status.of("connected").length === 2);
  });

  test(`a gap has the times of the wall clock, which was set ${how}`, async () => {
    await using it = await scripted();
    const jobs = await it.client.subscribe("jobs");
    it.clock.setWall(ms);
    const since = new Date(it.clock.now()).toISOString();
    await it.client.stats();
    it.proxy.cut();
    await it.reconnected();
    const { value } = await within(jobs[Symbol.asyncIterator]().next(), "the gap");
    assert.equal(value?.type === "gap" && value.since, since);
  });
}

test("an HTTP call times out on time although the clock was set back", async () => {
  const realNow = Date.now;
  using client = new DispatchRpc({
    url: "http://127.0.0.1:9/dwp",
    token: "t",
    fetch: () => new Promise(() => {}),
  });
  const call = client.stats({ timeout: 20 });
  Date.now = () => realNow() - HOUR;
  try {
    await assert.rejects(within(call, "the call", 1_000), TimeoutError);
  } finally {
    Date.now = realNow;
  }
});

test("replaces a connection that died while the machine slept and its timers stood still", async () => {
  await using it = await scripted();
  it.proxy.connections[0]!.hold();
  it.clock.setWall(HOUR);
  it.clock.advance(5_000);
  await breathe();
  assert.equal(it.status.of("disconnected").length, 0);
  it.clock.advance(10_000);
  await it.reconnected();
});

test("keeps a connection and its calls when the clock jumps by an hour", async () => {
  await using it = await scripted(withoutStats);
  let settled = false;
  it.client.stats({ timeout: 60_000 }).finally(() => settled = true).catch(() => {});
  await eventually(() => methodsOf(it.server.peers[0]).includes("stats"));
  it.clock.setWall(HOUR);
  const [connection] = it.proxy.connections;
  const before = connection!.received.toClient;
  it.clock.advance(5_000);
  // The pong.
  await eventually(() => connection!.received.toClient > before);
  await breathe();
  it.clock.advance(14_000);
  assert.equal(settled, false);
  assert.equal(it.status.of("disconnected").length, 0);
});
