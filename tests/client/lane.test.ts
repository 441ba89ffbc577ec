import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Link } from "../../client/connection/link.ts";
import type { RunTracker } from "../../client/follow/trackers.ts";
import { Lane } from "../../client/start/lane.ts";
import { ConnectionError } from "../../mod.ts";
import { FakeLink, FakeSession, settle } from "../helpers/fake_session.ts";

const START = { what: "start workflow 'noop'", data: '{"name":"noop"}' };
const RUN = { run_id: "wfrun_1", name: "noop" };

function createLane(credits = 100) {
  const session = new FakeSession();
  const { clock } = session;
  const link = new FakeLink(session.deadlines, { onAnomaly() {} });
  const events: string[] = [];
  const lane = new Lane(link as unknown as Link, { clock, credits }, ({ type }) => {
    events.push(type);
  });
  return { session, link, lane, events };
}

test("a lane listens from its `subscribe` to its `unsubscribe`", async () => {
  const { lane, link } = createLane();
  equal(lane.isListening, false);
  lane.listen(true, 7);
  equal(lane.isListening, true);
  equal(link.requests[0]!.what, "subscribe to 'workflows'");
  equal(link.requests[0]!.deadline, 7);
  link.requests[0]!.answer({});
  await lane.answered;
  equal(lane.isListening, true);
  lane.listen(false, 8);
  equal(lane.isListening, false);
  equal(link.requests[1]!.what, "unsubscribe from 'workflows'");
  equal(link.requests[1]!.deadline, 8);
});

test("a lane unsubscribes only if it may be subscribed, and once", () => {
  const { lane, link } = createLane();
  lane.listen(false, 1);
  deepEqual(link.log, []);
  equal(lane.answered, undefined);
  lane.listen(true, 1);
  lane.listen(false, 1);
  lane.listen(false, 1);
  deepEqual(link.log, ["subscribe", "unsubscribe"]);
});

test("a lane whose subscription times out does not count as listening, but is unsubscribed", async () => {
  const { lane, link, session } = createLane();
  lane.listen(true, session.deadline(1_000));
  session.clock.advance(1_000);
  await lane.answered;
  equal(lane.isListening, false);
  lane.listen(false, session.deadline(1_000));
  deepEqual(link.log, ["subscribe", "unsubscribe"]);
});

test("a lane whose connection is lost does not listen", () => {
  const { lane, link } = createLane();
  lane.listen(true, Infinity);
  link.isOpen = false;
  equal(lane.isListening, false);
});

test("a lane passes on its events, and counts as not listening once the server has no credits left", () => {
  const { lane, link, events } = createLane(3);
  const order: string[] = [];
  const stopFeeding = () => order.push(`deaf after ${events.length} events`);
  lane.tracker = { stopFeeding } as unknown as RunTracker;
  lane.listen(true, Infinity);
  for (const n of [1, 2, 3, 4, 5]) {
    equal(lane.isListening, n <= 3);
    link.publish(`workflow.${n}`, RUN);
  }
  equal(events.length, 5);
  deepEqual(order, ["deaf after 3 events"]);
});

test("a start on a listening lane first grants the server all credits again", () => {
  const { lane, link } = createLane(5);
  let deaf = 0;
  lane.tracker = { stopFeeding: () => deaf++ } as unknown as RunTracker;
  lane.listen(true, Infinity);
  void lane.send(START);
  for (let i = 0; i < 4; i++) link.publish("workflow.started", RUN);
  void lane.send(START);
  deepEqual(link.log, ["subscribe", "grant 5", "workflow.start", "grant 4", "workflow.start"]);
  for (let i = 0; i < 4; i++) link.publish("workflow.started", RUN);
  deepEqual([deaf, lane.isListening], [0, true]);
  link.publish("workflow.started", RUN);
  deepEqual([deaf, lane.isListening], [1, false]);
});

test("a start grants nothing when the server has used up no credits, as after a refused start", () => {
  const { lane, link } = createLane(5);
  lane.listen(true, Infinity);
  void lane.send(START);
  void lane.send(START);
  deepEqual(link.log, ["subscribe", "grant 5", "workflow.start", "workflow.start"]);
});

test("a start on a lane that does not listen grants nothing and does not make it listen", () => {
  const { lane, link } = createLane(1);
  void lane.send(START);
  lane.listen(true, Infinity);
  link.publish("workflow.started", RUN);
  void lane.send(START);
  deepEqual(link.log, ["workflow.start", "subscribe", "workflow.start"]);
  equal(lane.isListening, false);
});

test("a start is sent as it is, without a deadline, and resolves with its answer", async () => {
  const { lane, link } = createLane();
  const started = lane.send(START);
  const { method, data, what, deadline, answer } = link.requests[0]!;
  deepEqual({ what, data }, START);
  deepEqual({ method, deadline }, { method: "workflow.start", deadline: Infinity });
  answer({ run_id: "wfrun_1" });
  deepEqual(await started, { run_id: "wfrun_1" });
});

test("`answered` resolves even when the connection is lost", async () => {
  const { lane, link } = createLane();
  lane.listen(true, Infinity);
  lane.listen(false, Infinity);
  link.lose(new ConnectionError("lost", "connection_lost"));
  await lane.answered;
  await settle();
  equal(lane.isListening, false);
});
