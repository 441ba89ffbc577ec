// Only some lanes listen to the events of all runs. How the client finds the runs that were started on
// the others, and how a lane leaves.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame, ScriptedPeer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { Recorder } from "../helpers/recorder.ts";
import { methodsOf, requestsOf } from "../helpers/scripts.ts";
import { startServer } from "../helpers/server.ts";
import { faulty } from "../helpers/peers.ts";
import { type WorkflowServer, workflowServer } from "../helpers/workflow_server.ts";

/** The most lanes that listen. */
const LISTENERS = 8;

/** Starts a number of workflows; the runs carry their number as input. */
function startMany({ client }: WorkflowServer, count: number): Promise<string>[] {
  return Array.from({ length: count }, (_, n) => {
    const start = client.startWorkflow("noop", { n }).then(({ run_id }) => run_id);
    start.catch(() => {});
    return start;
  });
}

/** Checks that each start was given the run with its input. */
async function assertOwn(it: WorkflowServer, starts: Promise<string>[]): Promise<void> {
  const ids = await within(Promise.all(starts), "the starts");
  const inputs = ids.map((id) => JSON.parse(it.runs.find((run) => run.id === id)!.input));
  assert.deepEqual(inputs, ids.map((_, n) => ({ n })));
}

test("of 40 starts at once, eight lanes listen, and each start finds its run while that runs", async () => {
  await using it = await workflowServer();
  const starts = startMany(it, 40);
  await eventually(() => it.runs.length === 40);
  assert.equal(it.subscribed.size, LISTENERS);
  for (const run of it.runs.toReversed()) it.publish(run);
  await assertOwn(it, starts);
  // Each run was read once, however many lanes noticed it.
  assert.equal(requestsOf(it.peers[0]!, "workflow.get").length, 40);
});

test("a start relies on other lanes only once the server has subscribed them", async () => {
  const subscribing: [Frame, ScriptedPeer][] = [];
  await using it = await workflowServer((request, peer) => {
    if (request.method !== "subscribe") return false;
    it.subscribed.add(peer);
    return !!subscribing.push([request, peer]);
  });
  const starts = startMany(it, 20);
  await eventually(() => it.peers.length === 21 && it.runs.length === LISTENERS);
  await breathe(10);
  assert.equal(it.runs.length, LISTENERS);
  for (const [request, peer] of subscribing.splice(1)) peer.answer(request);
  await breathe(10);
  assert.equal(it.runs.length, LISTENERS);
  for (const [request, peer] of subscribing) peer.answer(request);
  await eventually(() => it.runs.length === 20);
  for (const run of it.runs) it.publish(run);
  await assertOwn(it, starts);
});

test("lanes whose subscription is not confirmed within a second are replaced", async () => {
  let subscriptions = 0;
  await using it = await workflowServer(({ method }) =>
    method === "subscribe" && ++subscriptions <= LISTENERS
  );
  const starts = startMany(it, 20);
  await eventually(() => it.runs.length === LISTENERS);
  it.clock.advance(1_000);
  await eventually(() => it.runs.length === 20);
  assert.equal(it.subscribed.size, LISTENERS);
  for (const run of it.runs) it.publish(run);
  await assertOwn(it, starts);
});

test("without the permission to subscribe, the answers name the runs", async () => {
  await using it = await workflowServer((request, peer) => {
    if (request.method !== "subscribe") return false;
    peer.refuse(request, 403, "insufficient permissions");
    return true;
  });
  const starts = startMany(it, 20);
  await eventually(() => it.runs.length === 20);
  for (const run of it.runs) run.end();
  await assertOwn(it, starts);
  assert.deepEqual(it.status.of("anomaly"), []);
});

test("a lane goes on listening while a start is pending, and stops once none is", async () => {
  await using it = await workflowServer();
  const starts = startMany(it, LISTENERS + 1);
  await eventually(() => it.runs.length === LISTENERS + 1);
  const last = it.runs.find(({ lane }) => !it.subscribed.has(lane))!;
  for (const run of it.runs) if (run !== last) run.end();
  await within(
    Promise.all(starts.filter((_, n) => JSON.parse(last.input).n !== n)),
    "the other starts",
  );
  await breathe(10);
  assert.equal(it.subscribed.size, LISTENERS);
  it.publish(last);
  await assertOwn(it, starts);
  await eventually(() => it.subscribed.size === 0);
});

test("a lane that is not needed any more is dropped when the server has unsubscribed it", async () => {
  const leaving: [Frame, ScriptedPeer][] = [];
  await using it = await workflowServer((request, peer) =>
    request.method === "unsubscribe" && !!leaving.push([request, peer])
  );
  const starts = startMany(it, LISTENERS);
  await eventually(() => it.runs.length === LISTENERS);
  for (const run of it.runs) it.publish(run);
  await assertOwn(it, starts);
  for (const run of it.runs) run.end();
  await eventually(() => leaving.length === LISTENERS);
  await breathe(10);
  assert.equal(it.proxy.connections.length, 1 + LISTENERS);
  for (const [request, peer] of leaving) peer.answer(request);
  // Four lanes stay for the next starts.
  await eventually(() => it.proxy.connections.length === 1 + 4);
  it.clock.advance(5_000);
  await eventually(() => it.proxy.connections.length === 1);
});

test("a lane that does not answer when it should unsubscribe is dropped after a second", async () => {
  await using it = await workflowServer(({ method }) => method === "unsubscribe");
  const starts = startMany(it, 5);
  await eventually(() => it.runs.length === 5);
  for (const run of it.runs) run.end();
  await assertOwn(it, starts);
  await eventually(() => methodsOf(it.runs[4]!.lane).includes("unsubscribe"));
  assert.equal(it.proxy.connections.length, 6);
  it.clock.advance(1_000);
  await eventually(() => it.proxy.connections.length === 5);
});

for (const how of ["aborted", "late"] as const) {
  test(`the lane of a start that is ${how} unsubscribes before it drops`, async () => {
    await using it = await workflowServer();
    const controller = new AbortController();
    const starting = it.client.startWorkflow("noop", {}, {
      signal: controller.signal,
      timeout: 1_000,
    });
    starting.catch(() => {});
    await eventually(() => it.runs.length === 1);
    if (how === "aborted") controller.abort();
    else it.clock.advance(1_000);
    await assert.rejects(within(starting, "the start"));
    const { lane } = it.runs[0]!;
    await eventually(() => !lane.isOpen);
    assert.equal(methodsOf(lane).at(-1), "unsubscribe");
  });
}

test("sends no grant of 0 credits after a refused start, because servers refuse it", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  for (let i = 0; i < 5; i++) {
    await assert.rejects(within(it.client.startWorkflow("unknown", {}), "the start"), {
      code: 500,
    });
  }
  await breathe(10);
  assert.equal(it.proxy.accepted, 2, "the lane is used again");
  assert.deepEqual(it.status.of("anomaly"), []);
});

test("does not rely on a lane for which the server has no credits left", async () => {
  await using it = await workflowServer(({ method }) => method === "workflow.timeline", {
    credits: 5,
  });
  const [first] = startMany(it, 1);
  await eventually(() => it.runs.length === 1);
  const [run] = it.runs;
  it.publish(run!);
  await within(first!, "the first start");
  const events = new Recorder(it.client.watch(run!.id));
  await eventually(() => events.items.length === 1);
  for (let n = 0; n < 4; n++) it.publish(run!, "workflow.step_completed", { step_name: `${n}` });
  await eventually(() => events.items.length === 5);
  // The server has sent all it may on that lane, so what happens next is read from the timeline.
  await it.clock.runUntil(
    eventually(() => methodsOf(it.peers[0]).includes("workflow.timeline")),
    50,
  );
  // Seven more starts listen themselves, and an eighth takes the place of the first.
  const starts = Array.from({ length: LISTENERS }, () => it.client.startWorkflow("noop", {}));
  for (const start of starts) start.catch(() => {});
  await eventually(() => it.runs.length === 1 + LISTENERS);
  assert.equal(it.subscribed.size, 1 + LISTENERS);
});

test("reads a run again at its next event if it could not be read", async () => {
  let reads = 0;
  await using it = await workflowServer((request, peer) => {
    if (request.method !== "workflow.get" || ++reads > 2) return false;
    peer.refuse(request, 404, "run not found");
    return true;
  });
  const [start] = startMany(it, 1);
  await eventually(() => it.runs.length === 1);
  const [run] = it.runs;
  it.publish(run!);
  for (const n of [1, 2]) {
    await eventually(() => it.status.of("anomaly").length === n);
    assert.equal(reads, n);
    it.publish(run!, "workflow.step_completed", { step_name: `${n}` });
  }
  assert.equal(await within(start!, "the start"), run!.id);
  // Nothing that the lane delivered in the meantime is lost.
  const events = new Recorder(it.client.watch(run!.id));
  await eventually(() => events.items.length === 3);
});

test("finds a run whose `workflow.started` got lost by a later event", async () => {
  await using it = await workflowServer();
  const [start] = startMany(it, 1);
  await eventually(() => it.runs.length === 1);
  it.publish(it.runs[0]!, "workflow.step_completed", { step_name: "a" });
  await assertOwn(it, [start!]);
});

test("40 runs, most of them on lanes that do not listen, have all their events", async () => {
  await using server = await startServer();
  await using it = await faulty(server.url);
  const runs = await within(
    Promise.all(
      Array.from(
        { length: 40 },
        (_, n) => it.client.startWorkflow("order-pipeline", { order_id: `${n}`, items: [] }),
      ),
    ),
    "the starts",
  );
  const all = Promise.all(runs.map((run) => Array.fromAsync(run.events())));
  for (const events of await it.clock.runUntil(all, 50)) {
    assert.deepEqual(events.map(({ type }) => type), [
      "workflow.started",
      "workflow.step_completed",
      "workflow.step_completed",
      "workflow.step_completed",
      "workflow.completed",
    ]);
  }
});
