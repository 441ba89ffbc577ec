// What `events()` promises: each event once, from the first to the last, whatever arrives when.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Gap } from "../../client/gap.ts";
import { DispatchError, TimeoutError } from "../../client/errors.ts";
import { trackJob } from "../../client/follow/trackers.ts";
import type { JobEvent, RunEvent } from "../../protocol/event.ts";
import { breathe } from "../helpers/eventually.ts";
import { type FakeAttachment, FakeTransport } from "../helpers/fake_transport.ts";
import { at, Followed, names, reconnectGap, runEvent, step } from "../helpers/followed.ts";
import { hasCode } from "../helpers/has_code.ts";
import { Recorder } from "../helpers/recorder.ts";
import { JOB_ID, jobRecord } from "../helpers/records.ts";

const STARTED = "started";
const A = "step_completed a";
const B = "step_completed b";
const C = "step_completed c";
const D = "step_completed d";
const COMPLETED = "completed";

/** Starts a loop over the events. */
function follow(fed?: boolean): Followed & { seen: Recorder<RunEvent | Gap> } {
  const it = new Followed(fed);
  return Object.assign(it, { seen: new Recorder(it.tracker.events()) });
}

/** Starts a loop over the events of a run whose steps so far are known. */
async function joined(...steps: string[]) {
  const it = follow();
  await it.confirm();
  await it.record("running");
  await it.timeline(...steps);
  return it;
}

test("events of the past come from the timeline, later ones as they arrive", async () => {
  const it = await joined("a");
  deepEqual(names(it.seen.items), [STARTED, A]);
  it.publish(step("b", 2));
  await breathe(1);
  deepEqual(it.seen.items.slice(2), [step("b", 2)]);
  it.publish(runEvent("completed", 3, { elapsed_ms: 9 }));
  await breathe(1);
  // Something before the last event may be missing until the record is read.
  equal(it.seen.items.length, 3);
  await it.record("completed");
  await it.timeline("a", "b");
  ok(it.seen.isOver);
  deepEqual(names(it.seen.items), [STARTED, A, B, COMPLETED]);
  deepEqual(it.seen.items.at(-1), runEvent("completed", 3, { elapsed_ms: 9 }));
  it.transport.assertIdle();
});

test("events that arrive before the past is known are put in their place", async () => {
  const it = follow();
  await it.confirm();
  it.publish(step("b", 2));
  await it.record("running");
  it.publish(step("d", 4));
  await breathe(1);
  deepEqual(it.seen.items, []);
  await it.timeline("a", "b", "c", "d");
  deepEqual(names(it.seen.items), [STARTED, A, B, C, D]);
  // Those that arrived say more than the timeline.
  deepEqual([it.seen.items[2], it.seen.items[4]], [step("b", 2), step("d", 4)]);
});

test("held events that the timeline does not have keep their place", async () => {
  const it = follow();
  await it.confirm();
  it.publish(runEvent("step_failed", 2, { step_name: "a" }));
  it.publish(step("b", 3));
  it.publish(runEvent("step_failed", 4, { step_name: "c" }));
  await it.record("running");
  await it.timeline("a", "b");
  deepEqual(names(it.seen.items), [STARTED, A, "step_failed a", B, "step_failed c"]);
});

test("a synthesized event is not repeated when the real one arrives", async () => {
  const it = await joined("a");
  it.publish(runEvent("started", 0));
  it.publish(step("a", 1));
  it.publish(step("b", 2));
  it.publish(step("b", 2));
  await breathe(1);
  deepEqual(names(it.seen.items), [STARTED, A, B]);
});

test("a last event that arrives early is yielded after the others", async () => {
  const it = await joined();
  it.publish(runEvent("completed", 3));
  it.publish(step("a", 1));
  await it.record("running");
  it.publish(step("b", 2));
  it.publish(runEvent("completed", 3, { second: true }));
  // The event woke the timer while the record was being read.
  await breathe(1);
  await it.record("completed");
  await it.timeline("a", "b", "c");
  deepEqual(names(it.seen.items), [STARTED, A, B, C, COMPLETED]);
  deepEqual(it.seen.items.at(-1), runEvent("completed", 3));
});

test("a last event that arrives before the record is read ends the events", async () => {
  const it = follow();
  await it.confirm();
  it.publish(runEvent("completed", 3));
  await it.record("running");
  await it.timeline("a");
  deepEqual(names(it.seen.items), [STARTED, A]);
  await it.record("completed");
  await it.timeline("a");
  deepEqual(names(it.seen.items), [STARTED, A, COMPLETED]);
  ok(it.seen.isOver);
});

test("waits 20 ms for the last event of an ended run, which says more than the record", async () => {
  for (const arrives of [true, false]) {
    const it = await joined();
    it.publish(step("a", 1));
    await it.transport.advance(750);
    await it.record("completed", { completed_at: at(4) });
    deepEqual([it.transport.clock.due, it.transport.asked, it.seen.isOver], [[20], [], false]);
    const last = runEvent("completed", 3, { elapsed_ms: 9 });
    if (arrives) it.publish(last);
    await it.transport.advance(20);
    await it.timeline("a");
    deepEqual(names(it.seen.items), [STARTED, A, COMPLETED]);
    if (arrives) deepEqual(it.seen.items.at(-1), last);
    else equal((it.seen.items.at(-1) as RunEvent).ts, at(4));
    it.transport.assertIdle();
  }
});

test("yields a gap where it arrived, then the missed events before later ones", async () => {
  const it = await joined("a");
  it.publish(step("b", 2));
  it.reconnect(3);
  it.publish(step("d", 4));
  await breathe(1);
  deepEqual(names(it.seen.items), [STARTED, A, B, "reconnect"]);
  // The gap is a reason to read at once.
  await it.record("running");
  await it.timeline("a", "b", "c", "d");
  deepEqual(names(it.seen.items), [STARTED, A, B, "reconnect", C, D]);
  deepEqual(it.seen.items[3], reconnectGap(3));
  it.publish(step("e", 5));
  await breathe(1);
  equal(it.seen.items.length, 7);
});

test("a gap before the past is known keeps its place", async () => {
  const it = follow();
  await it.confirm();
  it.publish(step("b", 2));
  it.reconnect(3);
  it.publish(step("d", 4));
  await it.record("running");
  await it.timeline("a", "b", "c", "d");
  deepEqual(names(it.seen.items), [STARTED, A, B, C, "reconnect", D]);
});

test("reads everything again if a gap arrives while an answer is under way", async () => {
  const it = await joined("a");
  await it.transport.advance(250);
  it.reconnect(2);
  await it.record("running");
  // That record may be older than the gap.
  await it.record("running");
  it.reconnect(3);
  await it.timeline("a", "b");
  await it.record("running");
  await it.timeline("a", "b", "c");
  deepEqual(names(it.seen.items), [STARTED, A, "reconnect", B, "reconnect", C]);
  deepEqual([it.transport.asked, it.transport.clock.due.length], [[], 1]);
});

test("events go on after a gap whose read timed out", async () => {
  const it = await joined("a");
  it.reconnect(2);
  it.publish(step("c", 4));
  await breathe(1);
  await it.transport.refuse("workflow.get", new TimeoutError("too slow"));
  await it.transport.advance(1_200);
  await it.record("running");
  await it.timeline("a", "b", "c");
  deepEqual(names(it.seen.items), [STARTED, A, "reconnect", B, C]);
});

test("an unseen failed step leaves one gap, also when the timeline is read twice", async () => {
  const it = follow();
  await it.confirm();
  await it.record("failed", { error: "no stock", completed_at: at(9) });
  await it.transport.refuse("workflow.timeline", new TimeoutError("too slow"));
  await it.transport.advance(250);
  await it.record("failed", { error: "no stock", completed_at: at(9) });
  await it.timeline("a");
  deepEqual(names(it.seen.items), [STARTED, A, "unseen", "failed"]);
});

test("a failed step that is known leaves no gap", async () => {
  for (const isHeld of [true, false]) {
    const it = follow();
    await it.confirm();
    const failed = runEvent("step_failed", 2, { step_name: "b" });
    if (isHeld) it.publish(failed);
    await it.record("running");
    await it.timeline("a");
    it.publish(failed);
    it.publish(runEvent("failed", 3));
    await breathe(1);
    await it.record("failed");
    await it.timeline("a");
    deepEqual(names(it.seen.items), [STARTED, A, "step_failed b", "failed"]);
  }
});

test("a fed tracker reads no timeline if the lane brought the last event", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  it.tracker.add(step("a", 1));
  await breathe(1);
  deepEqual(names(it.seen.items), [STARTED, A]);
  await it.record("running");
  // The control connection delivers the event again, and has a gap. The lane has none.
  it.publish(step("a", 1));
  it.reconnect(2);
  await breathe(1);
  deepEqual(it.transport.asked, []);
  it.tracker.add(runEvent("completed", 3));
  await it.transport.advance(250);
  await it.record("completed");
  ok(it.seen.isOver);
  deepEqual(names(it.seen.items), [STARTED, A, COMPLETED]);
  it.transport.assertIdle();
});

test("a fed tracker reads the timeline if the last event is missing when the run has ended", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  await it.record("completed");
  deepEqual(it.transport.clock.due, [20]);
  await it.transport.advance(20);
  await it.timeline("a");
  deepEqual(names(it.seen.items), [STARTED, A, COMPLETED]);
});

test("the timeline fills in what a lost lane did not deliver", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  await it.record("running");
  it.tracker.stopFeeding();
  await it.transport.advance(250);
  await it.record("running");
  await it.timeline("a");
  deepEqual(names(it.seen.items), [STARTED, A]);
  // From now on it has the gaps of the control connection.
  it.reconnect(2);
  await it.record("running");
  await it.timeline("a", "b");
  deepEqual(names(it.seen.items), [STARTED, A, "reconnect", B]);
});

test("a lane that is lost twice changes nothing the second time", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  await it.record("running");
  it.tracker.stopFeeding();
  await it.record("running");
  await it.timeline("a");
  it.tracker.stopFeeding();
  it.publish(step("b", 2));
  await breathe(1);
  deepEqual([names(it.seen.items), it.transport.asked], [[STARTED, A, B], []]);
});

test("the lane's last event is kept if it arrives before anybody follows the run", async () => {
  const it = new Followed(true);
  it.tracker.add(runEvent("started", 0));
  it.tracker.add(runEvent("completed", 1));
  const seen = new Recorder(it.tracker.events());
  await it.confirm();
  await it.record("completed");
  deepEqual(seen.items, [runEvent("started", 0), runEvent("completed", 1)]);
});

test("reads the record at the run's last event, even if its lane is silent", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  await it.record("running");
  it.publish(runEvent("completed", 2));
  await it.record("completed");
  await it.transport.advance(20);
  await it.timeline("a");
  deepEqual(names(it.seen.items), [STARTED, A, COMPLETED]);
  it.transport.assertIdle();
});

test("a fed tracker follows the control connection once its lane is silent", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  await it.record("running");
  it.publish(step("b", 2));
  deepEqual(names(it.seen.items), [STARTED]);
  await it.transport.advance(750);
  await it.record("running");
  it.publish(step("c", 3));
  await it.record("running");
  await it.timeline("a", "b");
  deepEqual(names(it.seen.items), [STARTED, A, B, "step_completed c"]);
});

test("a lane that is a little later than the control connection is not silent", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  it.publish(step("a", 1));
  it.tracker.add(step("a", 1));
  await it.record("running");
  it.publish(runEvent("completed", 2));
  it.tracker.add(runEvent("completed", 2));
  await breathe(1);
  await it.record("completed");
  ok(it.seen.isOver);
  deepEqual(names(it.seen.items), [STARTED, A, COMPLETED]);
  deepEqual(it.transport.asked, []);
});

test("a loss while the timeline is read makes the past unknown again", async () => {
  const it = follow();
  await it.confirm();
  await it.record("running");
  it.reconnect(2);
  await it.timeline("a");
  it.publish(step("c", 3));
  await it.record("running");
  await it.timeline("a", "b", "c");
  deepEqual(names(it.seen.items), [STARTED, A, "reconnect", B, "step_completed c"]);
});

test("an event after the loss of a lane waits for those before it", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  it.tracker.stopFeeding();
  it.tracker.add(step("b", 2));
  await it.record("running");
  await it.timeline("a", "b");
  deepEqual(names(it.seen.items), [STARTED, A, B]);
});

test("after an error, a fed tracker keeps the events of its lane for the next loop", async () => {
  const it = follow(true);
  it.tracker.add(runEvent("started", 0));
  await it.confirm();
  const error = new DispatchError("internal", 500);
  await it.transport.refuse("workflow.get", error);
  equal(it.seen.error, error);
  it.tracker.add(step("a", 1));
  const again = new Recorder(it.tracker.events());
  await it.confirm();
  it.tracker.add(runEvent("completed", 2));
  await it.record("completed");
  deepEqual(names(again.items), [STARTED, A, COMPLETED]);
  equal(again.error, undefined);
});

test("after an error the next loop reads each event once and in order", async () => {
  const it = follow();
  await it.confirm();
  it.publish(step("b", 2));
  it.publish(runEvent("completed", 3));
  const error = new DispatchError("internal", 500);
  await it.transport.refuse("workflow.get", error);
  deepEqual([it.seen.items, it.seen.error], [[], error]);
  const again = new Recorder(it.tracker.events());
  await it.confirm();
  await it.record("running");
  await it.timeline("a", "b");
  deepEqual(names(again.items), [STARTED, A, B]);
  // The last event is here already, so the record changes in a moment.
  await it.transport.advance(20);
  await it.transport.refuse("workflow.get", error);
  const third = new Recorder(it.tracker.events());
  await it.confirm();
  await it.record("completed");
  await it.timeline("a", "b");
  deepEqual(names(third.items), [STARTED, A, B, COMPLETED]);
});

test("a new loop yields what was missed while nobody was reading", async () => {
  const it = follow();
  await it.confirm();
  it.publish(step("b", 2));
  const reader = it.tracker.events();
  await it.record("running");
  await it.timeline("a", "b");
  deepEqual(names([(await reader.next()).value!]), [STARTED]);
  await it.transport.close("gave_up");
  it.transport.reopen();
  const again = new Recorder(it.tracker.events());
  await it.confirm();
  it.publish(step("d", 4));
  await it.record("running");
  await it.timeline("a", "b", "c", "d");
  deepEqual(names(again.items), [STARTED, A, B, C, D]);
  // The loop that was open goes on where it was.
  deepEqual(names([(await reader.next()).value!]), [A]);
});

test("a loop that is left while events are held leaves them to the next one", async () => {
  const it = new Followed();
  const first = it.tracker.events();
  await it.confirm();
  it.publish(step("b", 2));
  await first.return!();
  await breathe(1);
  it.transport.assertIdle();
  const seen = new Recorder(it.tracker.events());
  await it.confirm();
  it.publish(step("d", 4));
  await it.record("running");
  await it.timeline("a", "b", "c", "d");
  deepEqual(names(seen.items), [STARTED, A, B, C, D]);
});

test("each loop reads all events, also after the run has ended", async () => {
  const it = await joined("a");
  const late = new Recorder(it.tracker.events());
  await breathe(1);
  deepEqual(names(late.items), [STARTED, A]);
  it.publish(runEvent("completed", 3));
  await breathe(1);
  await it.record("completed");
  await it.timeline("a");
  const after = new Recorder(it.tracker.events());
  await breathe(1);
  for (const { items, isOver } of [it.seen, late, after]) {
    deepEqual([names(items), isOver], [[STARTED, A, COMPLETED], true]);
  }
  it.tracker.add(step("b", 4));
  it.tracker.add(runEvent("completed", 5));
  deepEqual(names(await Array.fromAsync(it.tracker.events())), [STARTED, A, COMPLETED]);
  equal(it.transport.attachments.length, 1);
});

test("a loop that is left ends, and the others go on", async () => {
  const it = await joined("a");
  const reader = it.tracker.events();
  equal(reader[Symbol.asyncIterator](), reader);
  await reader.next();
  await reader.next();
  const pending = reader.next();
  deepEqual(await reader.return!(), { done: true, value: undefined });
  deepEqual(await pending, { done: true, value: undefined });
  await reader.return!();
  it.publish(step("b", 2));
  deepEqual(await reader.next(), { done: true, value: undefined });
  await breathe(1);
  deepEqual(names(it.seen.items), [STARTED, A, B]);
});

test("an ended loop stays ended", async () => {
  const it = follow();
  const reader = it.tracker.events();
  await it.confirm();
  await it.record("completed");
  await it.timeline();
  deepEqual(names([(await reader.next()).value!, (await reader.next()).value!]), [
    STARTED,
    COMPLETED,
  ]);
  for (let i = 0; i < 2; i++) deepEqual(await reader.next(), { done: true, value: undefined });
});

test("aborting a loop rejects its pending read and releases the channel", async () => {
  const it = new Followed();
  const controller = new AbortController();
  const reader = it.tracker.events({ signal: controller.signal });
  const pending = reader.next();
  await it.confirm();
  controller.abort("enough");
  await rejects(pending, (error) => error === "enough");
  await breathe(1);
  it.transport.assertIdle();
  await rejects(reader.next(), (error) => error === "enough");
  deepEqual(await reader.return!(), { done: true, value: undefined });
});

test("a loop that has ended or was left has no listener on the caller's signal", async () => {
  const listeners = new Set<unknown>();
  const { any } = AbortSignal;
  AbortSignal.any = (signals) => {
    const signal = any.call(AbortSignal, signals);
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    return Object.assign(signal, {
      addEventListener(type: string, listener: EventListener) {
        listeners.add(listener);
        add(type, listener);
      },
      removeEventListener(type: string, listener: EventListener) {
        listeners.delete(listener);
        remove(type, listener);
      },
    });
  };
  try {
    const { signal } = new AbortController();
    const it = new Followed();
    const seen = new Recorder(it.tracker.events({ signal }));
    const left = it.tracker.events({ signal });
    ok(listeners.size > 0);
    await left.return!();
    await it.confirm();
    await it.record("completed");
    await it.timeline();
    deepEqual(names(seen.items), [STARTED, COMPLETED]);
    await breathe(1);
    equal(listeners.size, 0);
  } finally {
    AbortSignal.any = any;
  }
});

test("an aborted loop rejects even if there is a next event", async () => {
  const it = await joined("a");
  const controller = new AbortController();
  const reader = it.tracker.events({ signal: controller.signal });
  deepEqual(names([(await reader.next()).value!]), [STARTED]);
  controller.abort("enough");
  await rejects(reader.next(), (error) => error === "enough");
  equal(it.transport.attached.length, 1);
});

test("a loop with an aborted signal rejects and sends nothing", async () => {
  const it = new Followed();
  const reader = it.tracker.events({ signal: AbortSignal.abort("enough") });
  await rejects(reader.next(), (error) => error === "enough");
  await reader.return!();
  deepEqual(it.transport.attachments, []);
  // The aborted loop did not count as a user, so the next one is the first.
  const seen = new Recorder(it.tracker.events());
  await it.confirm();
  await it.record("completed");
  await it.timeline();
  deepEqual(names(seen.items), [STARTED, COMPLETED]);
});

test("closing the client ends a loop, and no further loop can begin", async () => {
  const it = await joined("a");
  const idle = it.tracker.events();
  await it.transport.close();
  deepEqual([names(it.seen.items), it.seen.isOver, it.seen.error], [[STARTED, A], true, undefined]);
  // What the loop has not read yet stays readable.
  deepEqual(names(await Array.fromAsync(idle)), [STARTED, A]);
  const late = new Recorder(it.tracker.events());
  await late.over;
  deepEqual(names(late.items), [STARTED, A]);
  ok(hasCode("closed", /^Cannot wait for workflow run '.*': the client is closed$/)(late.error));
  it.transport.assertIdle();
});

test("a loop over a run that has ended goes on after the client is closed", async () => {
  const it = follow();
  await it.confirm();
  await it.record("completed");
  await it.timeline();
  await it.transport.close();
  deepEqual(names(await Array.fromAsync(it.tracker.events())), [STARTED, COMPLETED]);
});

test("a loop rejects when the client gives up", async () => {
  const it = await joined("a");
  await it.transport.close("gave_up");
  deepEqual(names(it.seen.items), [STARTED, A]);
  ok(
    hasCode("gave_up", /^Cannot wait for workflow run '.*': no attempt succeeded$/)(it.seen.error),
  );
  it.transport.assertIdle();
});

test("a loop that failed does not keep the channel of the next one", async () => {
  const it = follow();
  await it.confirm();
  await it.transport.refuse("workflow.get", new DispatchError("internal", 500));
  ok(it.seen.isOver);
  const reader = it.tracker.events();
  await it.confirm();
  await reader.return!();
  await breathe(1);
  it.transport.assertIdle();
});

test("a synthesized `job.started` is not repeated when the real event arrives", async () => {
  const transport = new FakeTransport();
  const seen = new Recorder(trackJob(transport, JOB_ID).events());
  await transport.attached[0]!.confirm();
  await transport.answer("job.get", jobRecord("running", { started_at: at(1) }));
  const started = (ts: string): JobEvent => ({
    type: "job.started",
    ts,
    topic: `job:${JOB_ID}`,
    data: { job_id: JOB_ID, job_name: "noop", queue: "default" },
  });
  transport.attached[0]!.receiver.onEvent(started(at(1).replace("000Z", "010Z")));
  transport.attached[0]!.receiver.onEvent(started(at(2)));
  await breathe(1);
  deepEqual(seen.items.slice(1), [started(at(1)), started(at(2))]);
});

test("an attempt that the record of a job shows first is yielded as its events arrive", async () => {
  const transport = new FakeTransport();
  const seen = new Recorder(trackJob(transport, JOB_ID).events());
  const [{ confirm, receiver }] = transport.attached as [FakeAttachment];
  await confirm();
  await transport.answer("job.get", jobRecord("running", { started_at: at(1) }));
  receiver.onGap(reconnectGap(2));
  await breathe(1);
  const times = { started_at: at(4), updated_at: at(4) };
  await transport.answer("job.get", jobRecord("running", { retry_count: 1, ...times }));
  const data = { job_id: JOB_ID, job_name: "noop", queue: "default" };
  for (const [i, type] of ["job.retrying", "job.started"].entries()) {
    receiver.onEvent({ type, ts: at(i + 3), topic: `job:${JOB_ID}`, data } as unknown as JobEvent);
  }
  await breathe(1);
  deepEqual(seen.items.map((it) => it.type === "gap" ? it.reason : it.type.replace("job.", "")), [
    ...["enqueued", "started", "reconnect", "unseen", "retrying", "started"],
  ]);
});

/** Follows a job whose first start and this event of it have arrived; returns what it sees. */
async function followJob(...events: [type: string, second: number][]) {
  const transport = new FakeTransport();
  const seen = new Recorder(trackJob(transport, JOB_ID).events());
  const [{ confirm, receiver }] = transport.attached as [FakeAttachment];
  await confirm();
  await transport.answer("job.get", jobRecord("running", { started_at: at(1) }));
  const data = { job_id: JOB_ID, job_name: "noop", queue: "default" };
  for (const [type, second] of events) {
    const event = { type: `job.${type}`, ts: at(second), topic: `job:${JOB_ID}`, data };
    receiver.onEvent(event as unknown as JobEvent);
  }
  const read = async (state: string, started_at: string, retry_count = 0) => {
    receiver.onGap(reconnectGap(5));
    await breathe(1);
    const times = { started_at, updated_at: at(8), completed_at: at(8) };
    await transport.answer("job.get", jobRecord(state, { ...times, retry_count }));
    await transport.advance(20);
    return seen.items.slice(2 + events.length).map((it) =>
      it.type === "gap" ? it.reason : `${it.type.replace("job.", "")} ${it.ts}`
    );
  };
  return { read };
}

test("a start that only the record of a job shows is yielded, also while it runs", async () => {
  for (const state of ["running", "completed"]) {
    const { read } = await followJob();
    const end = state === "completed" ? [`completed ${at(8)}`] : [];
    deepEqual(await read(state, at(7)), ["reconnect", `started ${at(7)}`, ...end]);
  }
});

test("each start that only the record of a job shows is yielded once", async () => {
  const { read } = await followJob();
  await read("running", at(4));
  await read("running", at(4));
  deepEqual(await read("completed", at(7)), [
    ...["reconnect", `started ${at(4)}`, "reconnect", "reconnect", `started ${at(7)}`],
    `completed ${at(8)}`,
  ]);
});

test("a start is not yielded again if the clock of the database is half a second ahead", async () => {
  const { read } = await followJob();
  deepEqual(await read("running", at(1, 500)), ["reconnect"]);
  const other = await followJob();
  deepEqual(await other.read("running", at(1, 501)), ["reconnect", `started ${at(1, 501)}`]);
});

test("the start after a retry that arrived is yielded, however soon it was", async () => {
  const { read } = await followJob(["retrying", 2]);
  deepEqual(await read("completed", at(2, 1), 1), [
    ...["reconnect", `started ${at(2, 1)}`, `completed ${at(8)}`],
  ]);
});

test("a job that is cancelled after a retry arrived has no further start", async () => {
  const { read } = await followJob(["retrying", 2]);
  deepEqual(await read("cancelled", at(1), 1), ["reconnect"]);
});

test("a start is not yielded after a later event that has arrived", async () => {
  const { read } = await followJob(["failed", 7]);
  deepEqual(await read("failed", at(6), 1), ["reconnect", `dlq ${at(8)}`]);
});

test("every attempt of a job that arrived comes before the events that its record proves", async () => {
  const transport = new FakeTransport();
  const seen = new Recorder(trackJob(transport, JOB_ID).events());
  await transport.attached[0]!.confirm();
  const data = { job_id: JOB_ID, job_name: "noop", queue: "default" };
  for (const [i, type] of ["job.started", "job.retrying", "job.started"].entries()) {
    const event = { type, ts: at(i + 1), topic: `job:${JOB_ID}`, data } as unknown as JobEvent;
    transport.attached[0]!.receiver.onEvent(event);
  }
  const times = { started_at: at(3), updated_at: at(4) };
  await transport.answer("job.get", jobRecord("failed", { retry_count: 2, ...times }));
  await transport.advance(20);
  deepEqual(seen.items.map(({ type }) => type.replace("job.", "")), [
    ...["enqueued", "started", "retrying", "started", "failed", "dlq"],
  ]);
  ok(seen.isOver);
});

test("the events of a cancelled job end without a last event", async () => {
  const transport = new FakeTransport();
  const seen = new Recorder(trackJob(transport, JOB_ID).events());
  await transport.attached[0]!.confirm();
  await transport.answer("job.get", jobRecord("pending"));
  await transport.advance(250);
  await transport.answer("job.get", jobRecord("cancelled"));
  deepEqual([seen.items.map(({ type }) => type), seen.isOver], [["job.enqueued"], true]);
  transport.assertIdle();
});
