// What `wait()` promises, whatever happens in between. The test answers each request.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import {
  DispatchError,
  JobFailedError,
  RunFailedError,
  TimeoutError,
} from "../../client/errors.ts";
import { trackJob } from "../../client/follow/trackers.ts";
import { breathe } from "../helpers/eventually.ts";
import { FakeTransport } from "../helpers/fake_transport.ts";
import { at, Followed, Outcome, runEvent, step } from "../helpers/followed.ts";
import { hasCode } from "../helpers/has_code.ts";
import { JOB_ID, jobRecord, RUN_ID, runRecord } from "../helpers/records.ts";

const GET = `workflow.get {"run_id":"${RUN_ID}"}`;
const TIMELINE = `workflow.timeline {"run_id":"${RUN_ID}"}`;

test("wait reads the record once the channel is confirmed, and again until the run has ended", async () => {
  const it = new Followed();
  const { transport } = it;
  equal(it.tracker.state, undefined);
  const states: string[] = [];
  it.tracker.onState.add((state) => states.push(state));
  const wait = it.wait();
  deepEqual(transport.attached.map(({ channel }) => channel), [`workflow:${RUN_ID}`]);
  await breathe(1);
  deepEqual(transport.asked, []);
  await it.confirm();
  deepEqual(transport.asked, [GET]);
  await it.record("running");
  equal(it.tracker.state, "running");
  deepEqual(transport.asked, [TIMELINE]);
  await it.timeline();
  deepEqual([transport.asked, transport.clock.due], [[], [250]]);
  await transport.advance(250);
  await it.record("running");
  // The timeline is read once: later events arrive.
  deepEqual([transport.asked, transport.clock.due], [[], [375]]);
  equal(it.ends, 0);
  await transport.advance(375);
  await it.record("completed", { output: btoa("[1]") });
  deepEqual([wait.isSettled, states], [false, ["running", "running", "completed"]]);
  await it.timeline();
  const record = runRecord("completed", { started_at: at(0), input: {}, output: [1] });
  deepEqual([wait.value, wait.error], [record, undefined]);
  equal(it.ends, 1);
  transport.assertIdle();
});

test("wait rejects with the record of a run that failed", async () => {
  const it = new Followed();
  const wait = it.wait();
  await it.confirm();
  await it.record("failed", { error: "no stock" });
  await it.timeline();
  ok(wait.error instanceof RunFailedError);
  equal(wait.error.run.error, "no stock");
  it.transport.assertIdle();
});

for (const state of ["failed", "cancelled"]) {
  test(`wait rejects with the record of a job that is ${state}, and reads no timeline`, async () => {
    const transport = new FakeTransport();
    const wait = new Outcome(trackJob(transport, JOB_ID).wait(new AbortController().signal));
    deepEqual(transport.attached.map(({ channel }) => channel), [`job:${JOB_ID}`]);
    await transport.attached[0]!.confirm();
    deepEqual(transport.asked, [`job.get {"job_id":"${JOB_ID}"}`]);
    await transport.answer("job.get", jobRecord(state));
    ok(wait.error instanceof JobFailedError);
    equal(wait.error.job.state, state);
    transport.assertIdle();
  });
}

test("wait for a run that has ended resolves with its record at once", async () => {
  const it = new Followed();
  const first = it.wait();
  await it.confirm();
  await it.record("completed");
  await it.timeline();
  const again = it.wait();
  await breathe(1);
  equal(again.value, first.value);
  deepEqual([it.transport.attachments.length, it.ends], [1, 1]);
  const aborted = it.wait(AbortSignal.abort("enough"));
  await breathe(1);
  equal(aborted.error, "enough");
});

test("wait with an aborted signal sends nothing", async () => {
  const it = new Followed();
  const wait = it.wait(AbortSignal.abort("enough"));
  await breathe(1);
  equal(wait.error, "enough");
  deepEqual(it.transport.attachments, []);
});

test("waiters share one subscription, which ends when the last one leaves", async () => {
  const it = new Followed();
  const controllers = [new AbortController(), new AbortController()];
  const waits = controllers.map(({ signal }) => it.wait(signal));
  const reader = it.tracker.events();
  await it.confirm();
  deepEqual([it.transport.attachments.length, it.transport.asked], [1, [GET]]);
  controllers[0]!.abort("enough");
  await breathe(1);
  deepEqual(waits.map(({ error }) => error), ["enough", undefined]);
  await it.record("running");
  await reader.return!();
  await it.timeline();
  equal(it.transport.attached.length, 1);
  controllers[1]!.abort("enough");
  await breathe(1);
  it.transport.assertIdle();
});

/** The moments at which a wait can be interrupted, each with what leads to it. */
const MOMENTS: Record<string, (it: Followed) => Promise<void>> = {
  "before the channel is confirmed": () => breathe(1),
  "while the record is read": (it) => it.confirm(),
  "while the timeline is read": async (it) => {
    await it.confirm();
    await it.record("running");
  },
  "between two reads": async (it) => {
    await it.confirm();
    await it.record("running");
    await it.timeline();
    deepEqual(it.transport.clock.due, [250]);
  },
  "while the last event is awaited": async (it) => {
    await it.confirm();
    it.publish(step("a", 1));
    await it.record("completed");
    deepEqual(it.transport.clock.due, [20]);
  },
};

for (const [moment, reach] of Object.entries(MOMENTS)) {
  test(`a wait aborted ${moment} leaves nothing behind, and the next one begins anew`, async () => {
    const it = new Followed();
    const controller = new AbortController();
    const wait = it.wait(controller.signal);
    await reach(it);
    equal(wait.isSettled, false);
    controller.abort("enough");
    await breathe(1);
    equal(wait.error, "enough");
    it.transport.assertIdle();
    const again = it.wait();
    await it.confirm();
    await it.record("completed");
    if (it.transport.clock.pending) await it.transport.advance(20);
    await it.timeline("a");
    equal((again.value as { state: string }).state, "completed");
    equal(it.ends, 1);
    it.transport.assertIdle();
  });

  test(`closing the client ${moment} ends the wait and every later one`, async () => {
    const it = new Followed();
    const wait = it.wait();
    await reach(it);
    await it.transport.close();
    const isClosed = hasCode(
      "closed",
      /^Cannot wait for workflow run 'wf.*': the client is closed$/,
    );
    ok(isClosed(wait.error));
    it.transport.assertIdle();
    await rejects(it.tracker.wait(new AbortController().signal), isClosed);
    it.transport.assertIdle();
    equal(it.ends, 0);
  });

  test(`a wait given up ${moment} can be repeated once the client is back online`, async () => {
    const it = new Followed();
    // A loop that is still open does not keep the old error alive.
    const open = it.tracker.events();
    const wait = it.wait();
    await reach(it);
    await it.transport.close("gave_up");
    const gaveUp = hasCode("gave_up", /^Cannot wait for workflow run .*: no attempt succeeded$/);
    ok(gaveUp(wait.error));
    it.transport.assertIdle();
    const offline = it.wait();
    await breathe(1);
    ok(gaveUp(offline.error));
    it.transport.reopen();
    const again = it.wait();
    await it.confirm();
    await it.record("completed");
    if (it.transport.clock.pending) await it.transport.advance(20);
    await it.timeline("a");
    equal((again.value as { state: string }).state, "completed");
    equal((await open.next()).done, false);
    it.transport.assertIdle();
  });
}

test("a wait on a closed client asks the server nothing", async () => {
  const it = new Followed();
  await it.transport.close();
  const wait = it.wait();
  await breathe(1);
  ok(hasCode("closed", /^Cannot wait for workflow run '.*': the client is closed$/)(wait.error));
  it.transport.assertIdle();
});

test("a wait on a client that was closed after an aborted wait says that it is closed", async () => {
  const it = new Followed();
  const controller = new AbortController();
  it.wait(controller.signal);
  await it.confirm();
  controller.abort("enough");
  await breathe(1);
  await it.transport.close();
  const wait = it.wait();
  await breathe(1);
  ok(hasCode("closed", /: the client is closed$/)(wait.error));
});

test("a wait on a client that was closed after a wait that failed says that it is closed", async () => {
  const it = new Followed();
  const first = it.wait();
  await it.confirm();
  await it.transport.refuse("workflow.get", new DispatchError("no such run", 404));
  ok(hasCode(404, /no such run/)(first.error));
  await it.transport.close();
  const wait = it.wait();
  await breathe(1);
  ok(hasCode("closed", /^Cannot wait for workflow run '.*': the client is closed$/)(wait.error));
  it.transport.assertIdle();
});

test("a wait that begins while the last loop is being left ends when the client closes", async () => {
  const it = new Followed();
  const reader = it.tracker.events();
  await it.confirm();
  // The loop releases the tracker only after the wait has begun.
  void reader.return!();
  const wait = it.wait();
  await it.confirm();
  deepEqual([wait.isSettled, it.transport.asked], [false, [GET]]);
  await it.transport.close();
  ok(hasCode("closed", /closed/)(wait.error));
  it.transport.assertIdle();
});

test("closing the client ends the wait for a job, too", async () => {
  const transport = new FakeTransport();
  const wait = new Outcome(trackJob(transport, JOB_ID).wait(new AbortController().signal));
  await transport.close();
  ok(hasCode("closed", /^Cannot wait for job 'job_0+': the client is closed$/)(wait.error));
});

test("keeps the first error when the channel ends before the client closes", async () => {
  const it = new Followed();
  const wait = it.wait();
  await it.confirm();
  const refused = new DispatchError("not allowed any more", 403);
  it.transport.attached[0]!.receiver.onEnd(refused);
  await it.transport.close();
  equal(wait.error, refused);
});

test("the end of the channel ends the wait with its error, or with `closed` if it has none", async () => {
  for (const error of [new DispatchError("not allowed any more", 403), undefined]) {
    const it = new Followed();
    const wait = it.wait();
    await it.confirm();
    it.transport.attached[0]!.receiver.onEnd(error);
    await breathe(1);
    if (error) equal(wait.error, error);
    else ok(hasCode("closed", /^Cannot wait for workflow run .* is closed$/)(wait.error));
    it.transport.assertIdle();
  }
});

test("a read that times out is repeated; any other failure ends the wait", async () => {
  const it = new Followed();
  const wait = it.wait();
  await it.confirm();
  await it.transport.refuse("workflow.get", new TimeoutError("too slow"));
  deepEqual(it.transport.clock.due, [250]);
  await it.transport.advance(250);
  await it.record("running");
  await it.transport.refuse("workflow.timeline", new TimeoutError("too slow"));
  await it.transport.advance(375);
  await it.record("running");
  // The past is still unknown.
  deepEqual(it.transport.asked, [TIMELINE]);
  equal(wait.isSettled, false);
  const missing = new DispatchError("no such run", 404);
  await it.transport.refuse("workflow.timeline", missing);
  equal(wait.error, missing);
  equal(it.ends, 0);
  it.transport.assertIdle();
  const again = [it.wait(), it.wait()];
  equal(it.transport.attached.length, 1);
  await it.confirm();
  await it.record("completed");
  await it.timeline();
  for (const { error, value } of again) {
    equal(error, undefined);
    equal((value as { state: string }).state, "completed");
  }
});

test("without the permission to subscribe, polling alone finds the end", async () => {
  const it = new Followed();
  const wait = it.wait();
  await it.transport.attachments[0]!.refuse(new DispatchError("not allowed", 403));
  await it.record("completed");
  await it.timeline();
  ok(wait.value);
  it.transport.assertIdle();
});

test("a subscription that is refused ends the wait; one that times out is repeated", async () => {
  const it = new Followed();
  const wait = it.wait();
  const [first] = it.transport.attachments;
  first!.isDetached = true; // A router removes a receiver whose subscription failed.
  await first!.refuse(new TimeoutError("too slow"));
  deepEqual([it.transport.attachments.length, it.transport.asked], [2, []]);
  const malformed = new DispatchError("malformed id", 400);
  await it.transport.attachments[1]!.refuse(malformed);
  equal(wait.error, malformed);
  it.transport.assertIdle();
});

test("a failure to unsubscribe is reported, and does not fail the wait", async () => {
  const it = new Followed();
  const refused = it.transport.detachError = new DispatchError("internal", 500);
  const wait = it.wait();
  await it.confirm();
  await it.record("completed");
  await it.timeline();
  ok(wait.value);
  deepEqual(it.transport.anomalies, [refused]);
});

test("reads the record when its own job is cancelled, and not when another one is", async () => {
  const transport = new FakeTransport();
  const wait = new Outcome(trackJob(transport, JOB_ID).wait(new AbortController().signal));
  await transport.attached[0]!.confirm();
  await transport.answer("job.get", jobRecord("pending"));
  for (const listener of transport.onCancel) listener("job_other");
  // Not a part of an id, either.
  for (const listener of transport.onCancel) listener(JOB_ID.slice(0, -1));
  await breathe(1);
  deepEqual(transport.asked, []);
  for (const listener of transport.onCancel) listener(JOB_ID);
  await transport.answer("job.get", jobRecord("cancelled"));
  ok(wait.error instanceof JobFailedError);
  transport.assertIdle();
});

test("pauses are three times as long once an event has arrived", async () => {
  const it = new Followed();
  it.wait();
  await it.confirm();
  await it.record("running");
  it.publish(step("a", 1));
  await it.timeline("a");
  deepEqual(it.transport.clock.due, [750]);
  it.publish(step("b", 2));
  await breathe(1);
  // An event in the middle is no reason to read the record.
  deepEqual([it.transport.clock.due, it.transport.asked], [[750], []]);
});

test("reads the record at the last event, and soon again while the record lags behind", async () => {
  for (const type of ["completed", "failed"]) {
    const it = new Followed();
    const wait = it.wait();
    await it.confirm();
    await it.record("running");
    await it.timeline();
    it.publish(runEvent(type, 3));
    await breathe(1);
    deepEqual(it.transport.asked, [GET]);
    await it.record("running");
    deepEqual(it.transport.clock.due, [20]);
    await it.transport.advance(20);
    await it.record("running");
    deepEqual(it.transport.clock.due, [30]);
    await it.transport.advance(30);
    await it.record(type);
    // The last event is here, so there is nothing to wait for.
    deepEqual(it.transport.clock.due, []);
    await it.timeline();
    ok(wait.isSettled);
    it.transport.assertIdle();
  }
});

test("a job's last events are those of its completion and of the dead letter queue", async () => {
  for (const [type, isLast] of [["completed", true], ["dlq", true], ["failed", false]] as const) {
    const transport = new FakeTransport();
    new Outcome(trackJob(transport, JOB_ID).wait(new AbortController().signal));
    await transport.attached[0]!.confirm();
    await transport.answer("job.get", jobRecord("running"));
    transport.attached[0]!.receiver.onEvent({
      type: `job.${type}`,
      topic: `job:${JOB_ID}`,
      ts: at(1),
      data: { job_id: JOB_ID, job_name: "noop", queue: "default" },
    });
    await breathe(1);
    equal(transport.asked.length, isLast ? 1 : 0, type);
  }
});
