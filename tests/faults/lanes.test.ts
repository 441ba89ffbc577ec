import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, type Gap, type RunEvent, TimeoutError } from "../../mod.ts";
import type { Frame, ScriptedPeer } from "../../testing/mod.ts";
import { seededRandom } from "../../runtime/random.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { faulty, scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { methodsOf, RUN_ID, runRecord, serve } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";

function nameOf(event: RunEvent | Gap): string {
  return event.type !== "gap" && "step_name" in event.data
    ? `${event.type} ${event.data.step_name}`
    : event.type;
}

const PAYMENT = [
  "workflow.started",
  "workflow.step_completed reserve",
  "workflow.step_completed ship",
  "workflow.completed",
];

for (const how of ["fin", "reset"] as const) {
  test(`follows a run whose lane is cut by ${how}`, async () => {
    await using server = await startServer();
    await using it = await faulty(server.url);
    const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
    const events = new Recorder(run.events());
    const waiting = run.wait();
    await eventually(() => events.items.length === 2);
    it.proxy.connections[1]!.cut(how);
    await eventually(() => it.status.of("lane_lost").length === 1);
    assert.equal(it.status.of("lane_lost")[0]!.runId, run.run_id);
    assert(it.status.of("lane_lost")[0]!.cause instanceof ConnectionError);
    await it.client.publishEvent("payment-received");
    assert.equal((await it.clock.runUntil(waiting, 100)).state, "completed");
    await within(events.over, "the events");
    assert.deepEqual(events.items.map(nameOf), PAYMENT);
    assert.equal(it.status.of("disconnected").length, 0);
  });
}

test("follows a run after its lane and the control link are cut", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
  const waiting = run.wait();
  const watched = new Recorder(it.client.watch(run.run_id));
  await eventually(() => watched.items.length === 2);
  it.proxy.cut();
  await it.reconnected();
  await it.client.publishEvent("payment-received");
  assert.equal((await it.clock.runUntil(waiting, 100)).state, "completed");
  await it.clock.runUntil(watched.over, 100);
  assert.deepEqual(watched.items.map(nameOf).filter((name) => name !== "gap"), PAYMENT);
});

test("finds out that a run ended while the client was disconnected", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
  const waiting = run.wait();
  const events = new Recorder(run.events());
  await it.proxy.refuse();
  it.proxy.cut();
  await using other = await faulty(server.url);
  await other.client.publishEvent("payment-received");
  await eventually(async () => (await other.client.getWorkflow(run.run_id)).state === "completed");
  await it.proxy.forward();
  assert.equal((await it.clock.runUntil(waiting, 100)).state, "completed");
  await it.clock.runUntil(events.over, 100);
  assert.deepEqual(events.items.map(nameOf).filter((name) => name !== "gap"), PAYMENT);
});

/** Serves every request, but passes `workflow.start` to `lane` and the rest first to `control`. */
function withLane(
  lane: (start: Frame, peer: ScriptedPeer) => void | Promise<void>,
  control: (request: Frame, peer: ScriptedPeer) => boolean | void = () => false,
): (peer: ScriptedPeer) => Promise<void> {
  return (peer) =>
    serve(peer, (request) => {
      if (request.method !== "workflow.start") return control(request, peer);
      void lane(request, peer);
      return true;
    });
}

test("a start rejects with the delivery `unknown` if its lane is lost before its run is known", async () => {
  await using it = await scripted(withLane((_start, peer) => peer.drop()));
  await assert.rejects(within(it.client.startWorkflow("noop", {}), "the start"), (error) => {
    assert(error instanceof ConnectionError, String(error));
    assert.equal(error.delivery, "unknown");
    assert.equal(error.code, "connection_lost");
    assert.match(error.message, /^Cannot start workflow 'noop': The connection to '.+' was lost$/);
    return true;
  });
  assert.deepEqual(
    it.server.peers.map((peer) => methodsOf(peer).filter((m) => m === "workflow.start").length),
    [
      0,
      1,
    ],
  );
});

test("sends a start once, and does not block other calls", async () => {
  await using it = await scripted(withLane(() => {}));
  const start = it.client.startWorkflow("noop", {}, { timeout: 5_000 });
  start.catch(() => {});
  await eventually(() => methodsOf(it.server.peers[1]).includes("workflow.start"));
  await within(it.client.stats(), "a call");
  it.clock.advance(5_000);
  await assert.rejects(within(start, "the start"), (error) => {
    assert(error instanceof TimeoutError, String(error));
    assert.equal(error.delivery, "unknown");
    return true;
  });
  // The lane is dropped.
  await eventually(() => !it.server.peers[1]!.isOpen);
  await within(it.client.stats(), "a call");
});

test("an aborted start rejects with the reason and drops its lane", async () => {
  await using it = await scripted(withLane(() => {}));
  const controller = new AbortController();
  const start = it.client.startWorkflow("noop", {}, { signal: controller.signal });
  start.catch(() => {});
  await eventually(() => methodsOf(it.server.peers[1]).includes("workflow.start"));
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(within(start, "the start"), (error) => error === reason);
  await eventually(() => !it.server.peers[1]!.isOpen);
});

test("accepts an answer that comes before the run has ended", async () => {
  await using it = await scripted(withLane((start, peer) => {
    peer.answer(start, { run_id: RUN_ID, name: "noop", state: "running" });
  }, (request, peer) => {
    if (request.method !== "workflow.get") return false;
    peer.answer(request, runRecord("completed"));
    return true;
  }));
  const run = await within(it.client.startWorkflow("noop", {}), "the start");
  assert.equal(run.run_id, RUN_ID);
  assert.equal(run.state, "running");
  assert.equal((await it.clock.runUntil(run.wait(), 50)).state, "completed");
});

test("adds events that arrive on a lane after its answer", async () => {
  let laneReady = () => {};
  const answered = new Promise<void>((resolve) => laneReady = resolve);
  const data = { run_id: RUN_ID, name: "failing" };
  await using it = await scripted(withLane(async (start, peer) => {
    peer.publish("workflow.started", `workflow:${RUN_ID}`, data);
    // The answer comes before the events, and all of them before the run's record.
    peer.answer(start, { run_id: RUN_ID, name: "failing", state: "failed" });
    await breathe();
    laneReady();
    await breathe();
    const failed = { ...data, step_name: "b", error: "step b exploded" };
    peer.publish("workflow.step_failed", `workflow:${RUN_ID}`, failed);
    peer.publish("workflow.failed", `workflow:${RUN_ID}`, { ...data, error: "step b exploded" });
  }, (request, peer) => {
    if (request.method !== "workflow.get") return false;
    const answer = () =>
      peer.answer(request, runRecord("failed", { name: "failing", input: "e30=" }));
    void answered.then(answer);
    return true;
  }));
  const run = await within(it.client.startWorkflow("failing", {}), "the start");
  const events = new Recorder(run.events());
  await it.clock.runUntil(events.over, 1);
  assert.deepEqual(events.items.map(nameOf), [
    "workflow.started",
    "workflow.step_failed b",
    "workflow.failed",
  ]);
});

test("finds the events of a running run by polling after its lane is lost", async () => {
  const data = { run_id: RUN_ID, name: "noop" };
  let input = "";
  await using it = await scripted(withLane((_start, peer) => {
    // Store the input as it was sent, including its white space.
    const text = (peer.received as string[]).find((each) => each.includes("workflow.start"))!;
    input = btoa(/"input":(\{\s*\})/.exec(text)![1]!);
    peer.publish("workflow.started", `workflow:${RUN_ID}`, data);
  }, (request, peer) => {
    if (request.method === "workflow.get") peer.answer(request, runRecord("running", { input }));
    else if (request.method === "workflow.timeline") {
      peer.answer(request, [{ step_name: "a", created_at: "2026-01-01T00:00:01Z" }]);
    } else return false;
    return true;
  }));
  const run = await within(it.client.startWorkflow("noop", {}), "the start");
  assert.equal(run.run_id, RUN_ID);
  it.server.peers[1]!.drop();
  await eventually(() => it.status.of("lane_lost").length === 1);
  const events = new Recorder(run.events());
  await it.clock.runUntil(eventually(() => events.items.length === 2), 50);
  assert.deepEqual(events.items.map(nameOf), ["workflow.started", "workflow.step_completed a"]);
});

/** The input of the `workflow.start` that a peer received, as its text. */
function startedWith(peer: ScriptedPeer): string {
  const start = (peer.received as string[]).find((text) => text.includes("workflow.start"))!;
  return /"input":(.*)\}\}$/s.exec(start)![1]!;
}

for (
  const { title, inputs } of [
    { title: "different inputs", inputs: [{ n: 1 }, { n: 2 }, { n: 3 }] },
    { title: "the same input", inputs: [{ n: 1 }, { n: 1 }, { n: 1 }] },
  ]
) {
  test(`finds the run of each start with ${title}, in whatever order the runs begin`, async () => {
    const inputOf = new Map<string, string>();
    await using it = await scripted(
      withLane(() => {}, (request, peer) => {
        if (request.method !== "workflow.get") return false;
        const { run_id } = request.data as { run_id: string };
        const input = btoa(inputOf.get(run_id)!);
        peer.answer(request, runRecord("running", { id: run_id, input }));
        return true;
      }),
      { random: seededRandom(1) },
    );
    const starts = inputs.map((input) => it.client.startWorkflow("noop", input));
    const lanes = () =>
      it.server.peers.filter((peer) => methodsOf(peer).includes("workflow.start"));
    await eventually(() => lanes().length === inputs.length);
    for (const [i, lane] of lanes().entries()) inputOf.set(`wfrun_${i}`, startedWith(lane));
    for (const i of [2, 0, 1]) {
      const data = { run_id: `wfrun_${i}`, name: "noop" };
      // Every lane receives the events of every run.
      for (const lane of lanes()) lane.publish("workflow.started", `workflow:wfrun_${i}`, data);
      await breathe();
    }
    const runs = await within(Promise.all(starts), "the starts");
    assert.equal(new Set(runs.map(({ run_id }) => run_id)).size, inputs.length);
    for (const [i, { run_id }] of runs.entries()) {
      assert.deepEqual(JSON.parse(inputOf.get(run_id)!), inputs[i]);
    }
    // The client knows on which lane each run was started.
    for (const [i, lane] of lanes().entries()) {
      lane.drop();
      await eventually(() => it.status.of("lane_lost").length === i + 1);
      assert.equal(it.status.of("lane_lost")[i]!.runId, `wfrun_${i}`);
    }
  });
}

test("reuses an idle lane, and drops it after a while", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  for (let i = 0; i < 5; i++) {
    const run = await within(
      it.client.startWorkflow("order-pipeline", { order_id: "1", items: [] }),
      "start",
    );
    await it.clock.runUntil(run.wait(), 10);
    await breathe();
  }
  assert.equal(it.proxy.accepted, 2);
  assert.equal(it.proxy.connections.length, 2);
  it.clock.advance(5_000);
  await eventually(() => it.proxy.connections.length === 1);
  await within(it.client.startWorkflow("order-pipeline", { order_id: "1", items: [] }), "start");
  assert.equal(it.proxy.accepted, 3);
});

test("does not reuse an idle lane that was lost", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const first = await within(
    it.client.startWorkflow("order-pipeline", { order_id: "1", items: [] }),
    "",
  );
  await it.clock.runUntil(first.wait(), 10);
  await breathe();
  it.proxy.connections[1]!.cut();
  await eventually(() => it.proxy.connections.length === 1);
  await breathe();
  const second = await within(
    it.client.startWorkflow("order-pipeline", { order_id: "1", items: [] }),
    "",
  );
  assert.equal((await it.clock.runUntil(second.wait(), 10)).state, "completed");
});

test("retries to open a lane, then rejects the start", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  await it.proxy.refuse();
  const start = it.client.startWorkflow("order-pipeline", { order_id: "1", items: [] });
  await assert.rejects(it.clock.runUntil(start, 100), (error) => {
    assert(error instanceof ConnectionError, String(error));
    assert.equal(error.delivery, "not-sent");
    assert.match(error.message, /^Cannot start workflow 'order-pipeline': Cannot connect to /);
    return true;
  });
  const again = it.client.startWorkflow("order-pipeline", { order_id: "1", items: [] });
  await breathe();
  await it.proxy.forward();
  assert.equal((await it.clock.runUntil(again.then((run) => run.wait()), 100)).state, "completed");
});

test("100 starts wait for the server to come back", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const starts = Array.from(
    { length: 100 },
    (_, i) => it.client.startWorkflow("order-pipeline", { order_id: `${i}`, items: [] }),
  );
  await it.proxy.forward();
  await it.reconnected();
  const runs = await it.clock.runUntil(Promise.all(starts), 10);
  assert.equal(new Set(runs.map(({ run_id }) => run_id)).size, 100);
});
