import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { Lanes } from "../../client/start/lanes.ts";
import { ConnectionError, DispatchError } from "../../mod.ts";
import { encodeBase64 } from "../../protocol/base64.ts";
import { type FakeLink, FakeSession, settle } from "../helpers/fake_session.ts";
import { Recorder } from "../helpers/recorder.ts";
import { runRecord } from "../helpers/records.ts";

const WHAT = "start workflow 'noop'";

interface Start {
  link: FakeLink;
  /** The text of the input, as it was sent. */
  input: string;
  /** What the start has resolved or rejected with. */
  outcome: { run_id?: string; state?: string; error?: unknown };
}

function createLanes() {
  const session = new FakeSession();
  const lanes = new Lanes(session.asSession);

  /** Starts a workflow and sends it. */
  const start = async (
    input: unknown = {},
    options?: { signal?: AbortSignal; timeout?: number },
    name = "noop",
  ): Promise<Start> => {
    const outcome: Start["outcome"] = {};
    lanes.start(WHAT, name, JSON.stringify(input), options).then(
      (run) => Object.assign(outcome, run),
      (error) => outcome.error = error,
    );
    const before = session.links.flatMap(({ requests }) => requests);
    await settle();
    for (const link of session.links) {
      link.requests.find(({ method }) => method === "subscribe")?.answer({});
    }
    await settle();
    const isNew = (link: FakeLink) =>
      link.requests.some((it) => it.method === "workflow.start" && !before.includes(it));
    const link = session.links.find(isNew)!;
    const data = link?.last("workflow.start").data ?? "";
    return { link, input: /"input":(.*)\}$/s.exec(data)?.[1] ?? "", outcome };
  };

  /** Answers the read of a run, if there was one. */
  const describe = async (runId: string, input: string, more = {}): Promise<void> => {
    const read = reads().find(({ data }) => data.includes(`"${runId}"`))!;
    session.requests.splice(session.requests.indexOf(read), 1);
    read.answer(runRecord("running", { id: runId, input: encodeBase64(input), ...more }));
    await settle();
  };
  /** The reads of runs that have no answer yet. */
  const reads = () => session.requests.filter(({ method }) => method === "workflow.get");

  /** Publishes an event of a run on a lane. */
  const publish = (link: FakeLink, runId: string, type = "started", more = {}, name = "noop") =>
    link.publish(`workflow.${type}`, { run_id: runId, name, ...more });

  /** Starts a workflow whose run is found while it runs. */
  const running = async (runId: string): Promise<Start> => {
    const it = await start({ for: runId });
    publish(it.link, runId);
    await describe(runId, it.input);
    equal(it.outcome.run_id, runId);
    return it;
  };

  return { session, lanes, start, running, publish, describe, reads };
}

/** The types of the events that a tracker has now. */
async function eventsOf(lanes: Lanes, runId: string): Promise<string[]> {
  const events = new Recorder(lanes.tracker(runId).events());
  await settle();
  return events.items.map(({ type }) => type);
}

test("a start finds its run by the input in the run's record, while the run goes on", async () => {
  const { lanes, start, publish, describe, reads } = createLanes();
  const { link, input, outcome } = await start({ n: 1 });
  equal(lanes.inFlight, 1);
  publish(link, "wfrun_1");
  equal(reads()[0]!.what, "get workflow run 'wfrun_1'");
  await settle();
  deepEqual(outcome, {});
  await describe("wfrun_1", input, { state: "suspended" });
  deepEqual(outcome, { run_id: "wfrun_1", state: "suspended" });
  equal(lanes.inFlight, 0);
});

test("a record without a state counts as that of a running run", async () => {
  const { start, publish, describe } = createLanes();
  const { link, input, outcome } = await start();
  publish(link, "wfrun_1");
  await describe("wfrun_1", input, { state: undefined });
  deepEqual(outcome, { run_id: "wfrun_1", state: "running" });
});

test("of three starts with the same name and input, each takes the run with its own mark", async () => {
  const { start, publish, describe } = createLanes();
  const starts = [await start({}), await start({}), await start({})];
  equal(new Set(starts.map(({ input }) => input)).size, 3);
  // Each lane hears of every run, in any order.
  for (const i of [2, 0, 1]) for (const { link } of starts) publish(link, `wfrun_${i}`);
  for (const i of [1, 2, 0]) {
    await describe(`wfrun_${i}`, starts[i]!.input);
    equal(starts[i]!.outcome.run_id, `wfrun_${i}`);
  }
});

test("a start takes neither a run with the plain input nor one with another name", async () => {
  const { session, start, publish, describe, reads } = createLanes();
  const { link, input, outcome } = await start({});
  publish(link, "wfrun_plain");
  await describe("wfrun_plain", "{}");
  publish(link, "wfrun_renamed");
  await describe("wfrun_renamed", input, { name: "other" });
  publish(link, "wfrun_empty");
  await describe("wfrun_empty", "", { input: undefined });
  publish(link, "wfrun_else", "started", {}, "other");
  link.publish("workflow.started", { name: "noop" });
  deepEqual(reads(), []);
  deepEqual(outcome, {});
  deepEqual(session.anomalies, []);
  publish(link, "wfrun_own");
  await describe("wfrun_own", input);
  equal(outcome.run_id, "wfrun_own");
});

test("an input with any characters is compared as it was sent", async () => {
  const { start, publish, describe } = createLanes();
  const { link, input, outcome } = await start({ text: 'ключ 漢字 🎉 "quoted" \\' });
  publish(link, "wfrun_1");
  await describe("wfrun_1", input);
  equal(outcome.run_id, "wfrun_1");
});

test("reads each run once, and none of a name that nobody starts", async () => {
  const { start, publish, reads, describe } = createLanes();
  const first = await start({ n: 1 });
  const second = await start({ n: 2 });
  for (const { link } of [first, second, first]) publish(link, "wfrun_1");
  equal(reads().length, 1);
  publish(first.link, "wfrun_foreign");
  await describe("wfrun_foreign", "{}");
  await describe("wfrun_1", first.input);
  // Known, or somebody else's: another event is no reason to read again.
  publish(second.link, "wfrun_1", "step_completed", { step_name: "a" });
  publish(second.link, "wfrun_foreign", "step_completed", { step_name: "a" });
  second.link.publish("job.started", { job_id: "job_1" });
  deepEqual(reads(), []);
  await describeOwn();
  // No start is pending.
  publish(first.link, "wfrun_later");
  deepEqual(reads(), []);

  async function describeOwn(): Promise<void> {
    publish(second.link, "wfrun_2");
    await describe("wfrun_2", second.input);
    equal(second.outcome.run_id, "wfrun_2");
  }
});

test("does not read a run that runs on a lane which does not listen", async () => {
  const { start, publish, reads, describe } = createLanes();
  const starts = [];
  for (let n = 0; n < 10; n++) starts.push(await start({ n }));
  const { link } = starts[0]!;
  const silent = starts[9]!;
  deepEqual(silent.link.log, ["workflow.start"]);
  publish(link, "wfrun_9");
  await describe("wfrun_9", silent.input);
  equal(silent.outcome.run_id, "wfrun_9");
  publish(link, "wfrun_9", "completed");
  deepEqual(reads(), []);
});

test("does not read a run again for later starts if it belongs to an earlier one", async () => {
  const { start, publish, reads, describe } = createLanes();
  const starts: Start[] = [];
  for (let n = 0; n < 9; n++) starts.push(await start({ n }));
  publish(starts[0]!.link, "wfrun_8");
  await describe("wfrun_8", starts[8]!.input);
  for (const [n, { link }] of starts.slice(0, 8).entries()) {
    link.last("workflow.start").answer({ run_id: `wfrun_${n}`, state: "completed" });
    await settle();
  }
  const { link } = await start();
  publish(link, "wfrun_8", "completed");
  deepEqual(reads(), []);
});

test("reports the loss of a lane that does not listen", async () => {
  const { session, start, publish, describe } = createLanes();
  const starts = [];
  for (let n = 0; n < 9; n++) starts.push(await start({ n }));
  publish(starts[0]!.link, "wfrun_8");
  await describe("wfrun_8", starts[8]!.input);
  starts[8]!.link.lose();
  await settle();
  deepEqual(session.statuses.map((it) => it.type === "lane_lost" && it.runId), ["wfrun_8"]);
});

test("lanes go on listening while a start is pending, and stop when every start has its run", async () => {
  const { start } = createLanes();
  const starts: Start[] = [];
  for (let n = 0; n < 9; n++) starts.push(await start({ n }));
  const answer = async (n: number) => {
    const { link } = starts[n]!;
    link.last("workflow.start").answer({ run_id: `wfrun_${n}`, state: "completed" });
    await settle();
  };
  for (let n = 0; n < 8; n++) await answer(n);
  for (let n = 0; n < 8; n++) equal(starts[n]!.link.log.at(-1), "workflow.start");
  await answer(8);
  for (let n = 0; n < 8; n++) equal(starts[n]!.link.log.at(-1), "unsubscribe");
  // The next lane to become idle stops, too.
  const { link } = await start();
  link.last("workflow.start").answer({ run_id: "wfrun_9", state: "completed" });
  await settle();
  equal(link.log.at(-1), "unsubscribe");
});

test("reads a run again at its next event if it could not be read, once at a time", async () => {
  const { session, lanes, start, publish, reads, describe } = createLanes();
  const { link, input, outcome } = await start();
  publish(link, "wfrun_1");
  const failure = new DispatchError("Cannot get workflow run: not found", 404);
  session.requests.splice(0)[0]!.reject(failure);
  await settle();
  deepEqual(session.anomalies, [failure]);
  deepEqual(reads(), []);
  publish(link, "wfrun_1", "step_completed", { step_name: "a" });
  publish(link, "wfrun_1", "step_completed", { step_name: "b" });
  equal(reads().length, 1);
  await describe("wfrun_1", input);
  equal(outcome.run_id, "wfrun_1");
  deepEqual(await eventsOf(lanes, "wfrun_1"), [
    "workflow.started",
    "workflow.step_completed",
    "workflow.step_completed",
  ]);
});

test("a run that could not be read is forgotten once no start is pending", async () => {
  const { session, start, publish, reads, describe } = createLanes();
  const first = await start({ n: 1 });
  publish(first.link, "wfrun_1");
  session.requests.splice(0)[0]!.reject(new DispatchError("not found", 404));
  await settle();
  first.link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  const second = await start({ n: 2 });
  publish(second.link, "wfrun_1");
  equal(reads().length, 1);
  await describe("wfrun_1", "{}");
  publish(second.link, "wfrun_1", "completed");
  deepEqual(reads(), []);
});

test("reads a run again for later starts if it belonged to none of the earlier ones", async () => {
  const { start, publish, describe, reads } = createLanes();
  const first = await start({ n: 1 });
  publish(first.link, "wfrun_1");
  await describe("wfrun_1", "{}");
  first.link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  const second = await start({ n: 2 });
  publish(second.link, "wfrun_1");
  equal(reads().length, 1);
});

test("the answer settles its own start, with its state or `running`", async () => {
  const { start } = createLanes();
  const starts = [await start({}), await start({}), await start(5), await start(5)];
  for (const i of [3, 0, 2, 1]) {
    const { link, outcome } = starts[i]!;
    const state = i % 2 ? { state: "completed" } : {};
    link.last("workflow.start").answer({ run_id: `wfrun_${i}`, ...state });
    await settle();
    deepEqual(outcome, { run_id: `wfrun_${i}`, state: i % 2 ? "completed" : "running" });
  }
});

test("a start whose input cannot carry a mark does not listen and waits for its answer", async () => {
  const { lanes, start, publish, reads } = createLanes();
  const marked = await start({});
  const { link, input, outcome } = await start(5);
  equal(input, "5");
  deepEqual(link.log, ["workflow.start"]);
  publish(marked.link, "wfrun_1");
  equal(reads().length, 1);
  reads()[0]!.answer(runRecord("running", { id: "wfrun_1", input: encodeBase64("5") }));
  await settle();
  deepEqual(outcome, {});
  link.last("workflow.start").answer({ run_id: "wfrun_1", state: "completed" });
  await settle();
  equal(outcome.run_id, "wfrun_1");
  // The events that led to the answer were not kept for it.
  deepEqual(await eventsOf(lanes, "wfrun_1"), []);
});

test("does not read the runs of a name if only a start without a mark is pending", async () => {
  const { session, lanes, start, publish, reads } = createLanes();
  const first = await start({});
  first.link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  const { link, outcome } = await start("x");
  equal(link, first.link, "the idle lane is used again");
  publish(link, "wfrun_1");
  deepEqual(reads(), []);
  link.last("workflow.start").answer({ run_id: "wfrun_1", state: "completed" });
  await settle();
  deepEqual(outcome, { run_id: "wfrun_1", state: "completed" });
  equal(lanes.inFlight, 0);
  equal(session.anomalies.length, 0);
});

test("rejects an answer that names no run", async () => {
  const { start } = createLanes();
  const { link, outcome } = await start();
  link.last("workflow.start").answer({});
  await settle();
  equal((outcome.error as DispatchError).code, "bad_answer");
  equal((outcome.error as DispatchError).message, `Cannot ${WHAT}: the answer has no run_id`);
});

test("a refused start rejects, reports no lost lane, and its lane is used again", async () => {
  const { session, lanes, start, publish, reads } = createLanes();
  const { link, outcome } = await start();
  link.last("workflow.start").reject(new DispatchError("unknown workflow", 500));
  await settle();
  equal((outcome.error as DispatchError).code, 500);
  deepEqual(session.statuses, []);
  equal(lanes.inFlight, 0);
  publish(link, "wfrun_1");
  deepEqual(reads(), [], "nothing is pending");
  equal((await start()).link, link);
});

test("a lane that is lost before its run is known rejects the start", async () => {
  const { session, start } = createLanes();
  const { link, outcome } = await start();
  link.lose();
  await settle();
  equal((outcome.error as ConnectionError).code, "connection_lost");
  equal((outcome.error as ConnectionError).delivery, "unknown");
  deepEqual(session.statuses, []);
});

test("a lane that is lost while its run is known is reported with the run and the cause", async () => {
  const { session, running } = createLanes();
  const runs = [await running("wfrun_0"), await running("wfrun_1")];
  runs[1]!.link.lose();
  await settle();
  const [status] = session.statuses;
  equal(session.statuses.length, 1);
  equal(status!.type === "lane_lost" && status.runId, "wfrun_1");
  equal(
    status!.type === "lane_lost" && status.cause.message,
    `Cannot ${WHAT}: The connection was lost`,
  );
  runs[0]!.link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  equal(session.statuses.length, 1);
});

test("an error in answer to the start of a known run is not reported as a lost lane", async () => {
  const { session, running } = createLanes();
  const { link } = await running("wfrun_0");
  link.last("workflow.start").reject(new DispatchError("internal error", 500));
  await settle();
  deepEqual(session.statuses, []);
});

test("closing drops the lanes of all runs without reporting them as lost", async () => {
  const { session, start, running } = createLanes();
  const known = await running("wfrun_0");
  const pending = await start();
  const error = new ConnectionError("The client was closed", "closed");
  session.close(error);
  await settle();
  equal(known.link.isOpen, false);
  equal(pending.link.isOpen, false);
  equal((pending.outcome.error as ConnectionError).code, "closed");
  deepEqual(session.statuses, []);
  equal(session.clock.pending, 0);
});

test("a run has all events that its lane received, from the first one on", async () => {
  const { session, lanes, running, publish } = createLanes();
  const { link } = await running("wfrun_0");
  publish(link, "wfrun_0", "step_completed", { step_name: "a" });
  equal(lanes.tracker("wfrun_0"), lanes.tracker("wfrun_0"));
  deepEqual(await eventsOf(lanes, "wfrun_0"), ["workflow.started", "workflow.step_completed"]);
  deepEqual(session.requests.filter(({ method }) => method === "workflow.timeline"), []);
});

test("a run takes its events from its own lane only, because another one may be late", async () => {
  const { lanes, start, running, publish } = createLanes();
  const { link } = await running("wfrun_0");
  const other = await start();
  publish(other.link, "wfrun_0", "step_completed", { step_name: "b" });
  publish(link, "wfrun_0", "step_completed", { step_name: "a" });
  deepEqual(await eventsOf(lanes, "wfrun_0"), ["workflow.started", "workflow.step_completed"]);
});

test("a run has no events of another run that its lane heard of", async () => {
  const { lanes, start, publish, describe } = createLanes();
  const { link, input } = await start();
  publish(link, "wfrun_0");
  publish(link, "wfrun_1", "step_completed", { step_name: "a" });
  await describe("wfrun_0", input);
  deepEqual(await eventsOf(lanes, "wfrun_0"), ["workflow.started"]);
});

test("a run that ended before it was known has all its events, too", async () => {
  const { lanes, start, publish } = createLanes();
  const { link } = await start();
  publish(link, "wfrun_0");
  publish(link, "wfrun_0", "step_completed", { step_name: "a" });
  link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  publish(link, "wfrun_0", "step_completed", { step_name: "b" });
  deepEqual(await eventsOf(lanes, "wfrun_0"), [
    "workflow.started",
    "workflow.step_completed",
    "workflow.step_completed",
  ]);
});

test("a run that is known only from the answer gets the later events of its lane", async () => {
  const { lanes, start, publish } = createLanes();
  const { link } = await start();
  link.last("workflow.start").answer({ run_id: "wfrun_0", state: "failed" });
  await settle();
  const events = new Recorder(lanes.tracker("wfrun_0").events());
  publish(link, "wfrun_0");
  await settle();
  equal(events.items.length, 1);
});

test("keeps the tracker of a run when the answer names it again", async () => {
  const { lanes, start, running } = createLanes();
  const { link } = await running("wfrun_0");
  const tracker = lanes.tracker("wfrun_0");
  // Another start is pending, so that the lane goes on listening.
  await start();
  link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  equal(lanes.tracker("wfrun_0"), tracker);
});

test("a run on a lane that does not listen is followed by reading it", async () => {
  const { session, lanes, start, publish, describe } = createLanes();
  const starts = [];
  for (let n = 0; n < 9; n++) starts.push(await start({ n }));
  publish(starts[0]!.link, "wfrun_8");
  await describe("wfrun_8", starts[8]!.input);
  equal(starts[8]!.outcome.run_id, "wfrun_8");
  deepEqual(await eventsOf(lanes, "wfrun_8"), []);
  equal(session.requests.at(-1)!.method, "workflow.get");
});

/** Reads the events of a run that goes on; returns whether the timeline is read to complete them. */
async function readsTimeline({ session, lanes }: ReturnType<typeof createLanes>, runId: string) {
  const reading = new AbortController();
  void new Recorder(lanes.tracker(runId).events({ signal: reading.signal }));
  await settle();
  const read = session.requests.findLast(({ method }) => method === "workflow.get")!;
  read.answer(runRecord("running", { id: runId }));
  await settle();
  reading.abort();
  return session.requests.some(({ method }) => method === "workflow.timeline");
}

test("a lane that listens delivers every event, so the timeline is not read", async () => {
  const it = createLanes();
  await it.running("wfrun_0");
  equal(await readsTimeline(it, "wfrun_0"), false);
});

test("the timeline completes a run whose first event was missed", async () => {
  const it = createLanes();
  const { link, input } = await it.start();
  it.publish(link, "wfrun_0", "step_completed", { step_name: "b" });
  await it.describe("wfrun_0", input);
  equal(await readsTimeline(it, "wfrun_0"), true);
});

test("the events of a run that only the answer could identify are kept", async () => {
  const it = createLanes();
  const { link } = await it.start();
  it.publish(link, "wfrun_0");
  // Like a server that stores inputs in its own format.
  await it.describe("wfrun_0", "{ }");
  it.publish(link, "wfrun_0", "step_completed", { step_name: "a" });
  link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  equal(await readsTimeline(it, "wfrun_0"), false);
});

test("the timeline completes a run without a mark, although its lane listens for others", async () => {
  const it = createLanes();
  const first = await it.start();
  await it.start();
  first.link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  const { link } = await it.start(5, {}, "other");
  equal(link, first.link);
  equal(link.log.includes("unsubscribe"), false);
  it.publish(link, "wfrun_1", "started", {}, "other");
  link.last("workflow.start").answer({ run_id: "wfrun_1", state: "completed" });
  await settle();
  equal(await readsTimeline(it, "wfrun_1"), true);
});

test("the timeline completes a run whose lane was lost", async () => {
  const it = createLanes();
  (await it.running("wfrun_0")).link.lose();
  await settle();
  equal(await readsTimeline(it, "wfrun_0"), true);
});

test("the timeline completes a run whose lane is out of credits", async () => {
  const it = createLanes();
  const { link } = await it.running("wfrun_0");
  for (let i = 0; i < it.session.credits; i++) {
    it.publish(link, "wfrun_0", "step_completed", { step_name: `${i}` });
  }
  equal(await readsTimeline(it, "wfrun_0"), true);
});

test("the timeline completes a run whose answer came before its end", async () => {
  const it = createLanes();
  const { link } = await it.running("wfrun_0");
  link.last("workflow.start").answer({ run_id: "wfrun_0", state: "running" });
  await settle();
  equal(await readsTimeline(it, "wfrun_0"), true);
});

test("does not read the timeline after an answer if the lane delivers the last events", async () => {
  const it = createLanes();
  const { link } = await it.running("wfrun_0");
  link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  equal(await readsTimeline(it, "wfrun_0"), false);
});

test("keeps the trackers of the last 1,000 runs", async () => {
  const { session, lanes } = createLanes();
  // Without timers, because there are many.
  const turns = async () => {
    for (let i = 0; i < 30; i++) await Promise.resolve();
  };
  const begin = async (n: number) => {
    const starting = lanes.start(WHAT, "noop", "{}");
    await turns();
    const [link] = session.links;
    link!.last("workflow.start").answer({ run_id: `wfrun_${n}`, state: "completed" });
    equal((await starting).run_id, `wfrun_${n}`);
    await turns();
  };
  for (let n = 0; n < 1_000; n++) await begin(n);
  equal(session.links.length, 1);
  const [first, second] = [lanes.tracker("wfrun_0"), lanes.tracker("wfrun_1")];
  equal(lanes.tracker("wfrun_0"), first);
  void new Recorder(first.events());
  await begin(1_000);
  equal(lanes.tracker("wfrun_0") === first, false);
  equal(lanes.tracker("wfrun_1"), second);
  // Whoever follows the oldest run goes on by reading its record and timeline.
  session.requests[0]!.answer(runRecord("running", { id: "wfrun_0" }));
  await settle();
  equal(session.requests.at(-1)!.method, "workflow.timeline");
});

/** Reports that a run has ended before its lane has answered. */
async function seenToEnd(it: ReturnType<typeof createLanes>, runId: string): Promise<void> {
  const waiting = it.lanes.tracker(runId).wait(new AbortController().signal);
  await settle();
  it.publish(it.session.links[0]!, runId, "completed");
  const read = it.session.requests.findLast(({ data }) => data.includes(`"${runId}"`))!;
  read.answer(runRecord("completed", { id: runId }));
  await settle();
  await waiting;
}

test("a lane that does not answer after its run has ended is lost five seconds later", async () => {
  const it = createLanes();
  const { link } = await it.running("wfrun_0");
  it.session.clock.advance(60_000);
  await seenToEnd(it, "wfrun_0");
  it.session.clock.advance(4_999);
  equal(link.isOpen, true);
  it.session.clock.advance(1);
  await settle();
  equal(link.isOpen, false);
  equal(it.session.statuses[0]!.type, "lane_lost");
});

test("the end of an answered run does not drop its lane, which is in use again", async () => {
  const it = createLanes();
  const { link } = await it.running("wfrun_0");
  link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
  await settle();
  const next = await it.start({}, { timeout: 0 });
  equal(next.link, link);
  await seenToEnd(it, "wfrun_0");
  it.session.clock.advance(60_000);
  await settle();
  equal(link.isOpen, true);
});

test("a run whose end is read as its answer comes does not drop its lane, which is in use again", async () => {
  // How many turns the promises of the two answers take is not the same.
  for (let turns = 0; turns < 12; turns++) {
    const it = createLanes();
    const { link } = await it.running("wfrun_0");
    const waiting = it.lanes.tracker("wfrun_0").wait(new AbortController().signal);
    await settle();
    it.publish(link, "wfrun_0", "completed");
    const read = it.session.requests.findLast(({ data }) => data.includes('"wfrun_0"'))!;
    read.answer(runRecord("completed", { id: "wfrun_0" }));
    for (let turn = 0; turn < turns; turn++) await undefined;
    link.last("workflow.start").answer({ run_id: "wfrun_0", state: "completed" });
    await settle();
    await waiting;
    const next = await it.start({}, { timeout: 0 });
    equal(next.link, link);
    it.session.clock.advance(60_000);
    await settle();
    equal(link.isOpen, true, `${turns} turns`);
  }
});

test("aborting a start drops its lane, and rejects with the reason", async () => {
  const { session, lanes, start } = createLanes();
  const controller = new AbortController();
  const { link, outcome } = await start({}, { signal: controller.signal });
  const reason = new Error("enough");
  controller.abort(reason);
  await settle();
  equal(outcome.error, reason);
  deepEqual(link.log.slice(-2), ["unsubscribe", "close"]);
  deepEqual(session.statuses, []);
  equal(lanes.inFlight, 0);
  equal(session.clock.pending, 0);
});

test("a start that is aborted just as its run is found reports no lost lane", async () => {
  const { session, start, publish, reads } = createLanes();
  const controller = new AbortController();
  const { link, input, outcome } = await start({}, { signal: controller.signal });
  publish(link, "wfrun_0");
  reads()[0]!.answer(runRecord("running", { id: "wfrun_0", input: encodeBase64(input) }));
  const reason = new Error("enough");
  controller.abort(reason);
  await settle();
  equal(outcome.error, reason);
  equal(link.isOpen, false);
  deepEqual(session.statuses, []);
});

test("a start that is aborted while its lane subscribes is not sent", async () => {
  const { session, lanes, start } = createLanes();
  const eight = [];
  for (let n = 0; n < 8; n++) eight.push(await start({ n }));
  // The next one waits for a listening lane that has not confirmed.
  eight[0]!.link.lose();
  lanes.start(WHAT, "noop", "{}").catch(() => {});
  await settle();
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = lanes.start(WHAT, "noop", "{}", { signal: controller.signal });
  aborted.catch(() => {});
  await settle();
  controller.abort(reason);
  await rejects(aborted, (error) => error === reason);
  const late = lanes.start(WHAT, "noop", "{}", { timeout: 10 });
  late.catch(() => {});
  await settle();
  session.clock.advance(10);
  await rejects(late, ({ delivery }: ConnectionError) => delivery === "not-sent");
  session.links[8]!.last("subscribe").answer({});
  await settle();
  for (const link of session.links.slice(9)) deepEqual(link.log, ["close"]);
  equal(session.links.length, 11);
});

test("a start that times out says whether it was sent, and drops its lane", async () => {
  const { session, start } = createLanes();
  const { link, outcome } = await start({}, { timeout: 400 });
  session.clock.advance(399);
  await settle();
  deepEqual(outcome, {});
  session.clock.advance(1);
  await settle();
  const { name, message, delivery } = outcome.error as ConnectionError;
  deepEqual({ name, message, delivery }, {
    name: "TimeoutError",
    message: `Cannot ${WHAT}: no sign of the run within 400 ms`,
    delivery: "unknown",
  });
  equal(link.isOpen, false);
  let opening: AbortSignal | undefined;
  session.onOpen = (signal) => (opening = signal, new Promise(() => {}));
  const unsent = await start({}, { timeout: 400 });
  equal(opening!.aborted, false);
  session.clock.advance(400);
  await settle();
  equal((unsent.outcome.error as ConnectionError).delivery, "not-sent");
  equal(opening!.aborted, true);
});

test("a start waits for the control link until its own deadline", async () => {
  const { session, start } = createLanes();
  const calls: unknown[] = [];
  const failure = new ConnectionError("Cannot connect", "connect_failed");
  session.ready = (...args) => Promise.reject((calls.push(args), failure));
  const { signal } = new AbortController();
  const { outcome } = await start({}, { signal, timeout: 50 });
  deepEqual(calls, [[{ what: WHAT, timeout: 50, signal, awaited: "sign of the run" }]]);
  equal(outcome.error, failure);
  deepEqual(session.links, []);
});

test("the hook sees a start with its name, and how it ended", async () => {
  const { session, lanes, start } = createLanes();
  const calls: unknown[] = [];
  session.hooks = {
    request: (info) => {
      calls.push(info);
      return (error) => calls.push(error);
    },
  };
  const { link } = await start();
  const failure = new DispatchError("unknown workflow", 500);
  link.last("workflow.start").reject(failure);
  await settle();
  deepEqual(calls[0], { method: "workflow.start", subject: "noop" });
  equal((calls[1] as DispatchError).code, 500);
  const calling = lanes.call({
    what: "call",
    method: "workflow.start",
    data: "{}",
    retry: "not-sent",
  });
  await settle();
  link.last("workflow.start").answer({});
  await calling;
  deepEqual(calls.slice(2), [{ method: "workflow.start", subject: undefined }, undefined]);
});

test("a call sends its data as it is, and resolves with the answer alone", async () => {
  const { session, lanes, publish, reads } = createLanes();
  const data = '{"name":"noop","input":{}}';
  const calling = lanes.call({ what: "call", method: "workflow.start", data, retry: "not-sent" });
  await settle();
  equal(lanes.inFlight, 1);
  const [link] = session.links;
  deepEqual(link!.log, ["workflow.start"]);
  equal(link!.last("workflow.start").data, data);
  equal(link!.last("workflow.start").what, "call");
  publish(link!, "wfrun_0");
  deepEqual(reads(), []);
  link!.last("workflow.start").answer({ any: "thing" });
  deepEqual(await calling, { any: "thing" });
  equal(lanes.inFlight, 0);
});

test("a call that is aborted or times out drops its lane", async () => {
  const { session, lanes } = createLanes();
  const controller = new AbortController();
  const request = {
    what: "call",
    method: "workflow.start",
    data: "{}",
    retry: "not-sent",
  } as const;
  const aborted = lanes.call({ ...request, signal: controller.signal });
  aborted.catch(() => {});
  await settle();
  const reason = new Error("enough");
  controller.abort(reason);
  await rejects(aborted, (error) => error === reason);
  await settle();
  equal(session.links[0]!.isOpen, false);
  const late = lanes.call({ ...request, timeout: 10 });
  late.catch(() => {});
  await settle();
  session.clock.advance(10);
  await rejects(late, { code: "timeout", delivery: "unknown" });
  await settle();
  equal(session.links[1]!.isOpen, false);
});
