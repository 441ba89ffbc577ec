import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { EventLog, nameOf } from "../../client/follow/event_log.ts";
import type { Gap } from "../../client/gap.ts";
import { lengthen, PollTimer } from "../../client/follow/poll_timer.ts";
import { eventsFromJob, eventsFromRun } from "../../client/follow/synthesize_events.ts";
import type { JobRecord, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import type { JobEvent, JobFailed, RunEvent } from "../../protocol/event.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;

function job(more: Partial<JobRecord>): JobRecord {
  const times = { created_at: at(0), started_at: at(2), updated_at: at(4) };
  return { id: "j", name: "mail", queue: "q", retry_count: 0, ...times, ...more } as JobRecord;
}

function run(more: Partial<WorkflowRun>): WorkflowRun {
  return { id: "r", name: "w", started_at: at(0), updated_at: at(8), ...more } as WorkflowRun;
}

const summary = (items: { type: string; ts?: string; since?: string; until?: string }[]) =>
  items.map(({ type, ts, since, until }) => [type, ...(ts ? [ts] : [since, until])]);

const steps = (...names: string[]) =>
  names.map((step_name, i) => ({ step_name, created_at: at(i + 1) })) as TimelineEntry[];

test("a job's record proves the events of its last attempt", () => {
  const enqueued = ["job.enqueued", at(0)];
  const started = ["job.started", at(2)];
  deepEqual(summary(eventsFromJob(job({ state: "pending" }), [])), [enqueued]);
  deepEqual(summary(eventsFromJob(job({ state: "running" }), [])), [enqueued, started]);
  const completed = job({ state: "completed", completed_at: at(3) });
  deepEqual(summary(eventsFromJob(completed, [])), [enqueued, started, ["job.completed", at(3)]]);
  const failed = eventsFromJob(job({ state: "failed", retry_count: 1, last_error: "full" }), []);
  deepEqual(summary(failed), [enqueued, started, ["job.failed", at(4)], ["job.dlq", at(4)]]);
  const data = { job_id: "j", job_name: "mail", queue: "q", error: "full" };
  deepEqual(failed[3], { type: "job.dlq", topic: "job:j", ts: at(4), data });
});

test("both events of a failed job have its error, which is empty if the record has none", () => {
  const errors = (more: Partial<JobRecord>) =>
    eventsFromJob(job({ state: "failed", ...more }), [])
      .flatMap((it) => "error" in (it as JobEvent).data ? [(it as JobFailed).data.error] : []);
  deepEqual(errors({ last_error: "full" }), ["full", "full"]);
  deepEqual(errors({}), ["", ""]);
});

test("a gap stands for a job's earlier attempts, unless their events are known", () => {
  const record = job({ state: "running", retry_count: 1 });
  deepEqual(eventsFromJob(record, [])[1], {
    type: "gap",
    reason: "unseen",
    since: at(0),
    until: at(2),
  });
  const known = { type: "job.retrying", ts: at(1) } as JobEvent;
  equal(eventsFromJob(record, [known]).some(({ type }) => type === "gap"), false);
  // Another event of the attempt does not say that it failed.
  const other = { type: "job.started", ts: at(1) } as JobEvent;
  equal(eventsFromJob(record, [other])[1]!.type, "gap");
  const pending = eventsFromJob(
    job({ state: "retrying", retry_count: 1, started_at: undefined }),
    [],
  );
  deepEqual(summary(pending), [["job.enqueued", at(0)], ["gap", at(0), at(4)]]);
});

test("synthesized events have the scope of the record, if it has one", () => {
  const scope = { scope_app_id: "app", scope_org_id: "org" };
  const fromJob = eventsFromJob(job({ state: "pending", ...scope }), [])[0] as JobEvent;
  deepEqual(fromJob.data, { job_id: "j", job_name: "mail", queue: "q", ...scope });
  const [fromRun] = eventsFromRun(run({ state: "running", ...scope }), [], []);
  deepEqual(fromRun, {
    type: "workflow.started",
    topic: "workflow:r",
    ts: at(0),
    data: { run_id: "r", name: "w", ...scope },
  });
});

test("a timeline proves steps, but no event for checkpoints without one", () => {
  const silent = ["wait:a", "waitall:a", "waitany:a", "waitmatch:a", "sleep:a", "fanout:a"];
  const timeline = steps("a", ...silent, "parallel:p", "child:c:1");
  const loud = steps("my-wait:a", "parallel:p:1", "my-parallel:p", "child:c", "my-child:c:1");
  const record = run({ state: "completed", completed_at: at(9) });
  const names = (entries: TimelineEntry[]) =>
    eventsFromRun(record, entries, []).flatMap((it) =>
      it.type === "workflow.step_completed" ? [it.data.step_name] : []
    );
  deepEqual(names(timeline), ["a"]);
  deepEqual(names(loud), loud.map(({ step_name }) => step_name));
  deepEqual(eventsFromRun(record, [], []).map(({ type }) => type), [
    "workflow.started",
    "workflow.completed",
  ]);
});

test("a gap stands for the failed step of a run, before its compensations", () => {
  const record = run({ state: "failed", completed_at: at(9), error: "no stock" });
  deepEqual(summary(eventsFromRun(record, steps("pay", "compensate:pay"), [])), [
    ["workflow.started", at(0)],
    ["workflow.step_completed", at(1)],
    ["gap", at(1), at(2)],
    ["workflow.step_completed", at(2)],
    ["workflow.failed", at(9)],
  ]);
  const events = eventsFromRun(record, steps("pay"), []);
  deepEqual(summary(events.slice(2)), [["gap", at(1), at(9)], ["workflow.failed", at(9)]]);
  const data = { run_id: "r", name: "w", error: "no stock" };
  deepEqual(events[3], { type: "workflow.failed", topic: "workflow:r", ts: at(9), data });
});

test("adds no gap if the event of the failed step is known, or the run has not failed", () => {
  const count = (state: WorkflowRun["state"], type?: string) =>
    eventsFromRun(run({ state }), steps("compensate:pay"), type ? [{ type } as RunEvent] : [])
      .filter((it) => it.type === "gap").length;
  equal(count("failed"), 1);
  equal(count("failed", "workflow.step_completed"), 1);
  equal(count("failed", "workflow.step_failed"), 0);
  equal(count("running"), 0);
  equal(count("completed"), 0);
});

test("the log keeps an event once, unless it can occur again", () => {
  const log = new EventLog<RunEvent>();
  const add = (type: string, ts: string, step_name?: string) => {
    const item = { type, ts, topic: "", data: step_name ? { step_name } : {} };
    log.append(item as RunEvent);
  };
  add("workflow.started", at(0));
  add("workflow.started", at(1));
  for (const name of ["a", "b", "a"]) add("workflow.step_completed", at(2), name);
  for (const second of [3, 4, 4]) add("workflow.step_failed", at(second), "c");
  add("workflow.step_failed", at(3), "d");
  for (const second of [5, 5, 6]) add("job.retrying", at(second));
  deepEqual(log.items.map(nameOf), [
    "workflow.started",
    "workflow.step_completeda",
    "workflow.step_completedb",
    "workflow.step_failedc",
    "workflow.step_failedc",
    "workflow.step_failedd",
    ...["job.retrying", "job.retrying"],
  ]);
  equal(log.has("job.retrying"), true);
  equal(log.has("workflow.step_failede"), false);
});

test("the log keeps every gap, and each has a name of its own", () => {
  const log = new EventLog<JobEvent>();
  const gap = (second: number): Gap => ({
    type: "gap",
    reason: "reconnect",
    since: at(second),
    until: at(9),
  });
  const started = { type: "job.started", ts: at(1), data: {} } as JobEvent;
  for (const item of [gap(1), gap(1), gap(2)]) log.append(item);
  log.append(gap(1), true);
  log.append(started);
  equal(log.has(nameOf(gap(2))), true);
  deepEqual(log.items, [gap(1), gap(1), gap(2), gap(1), started]);
  deepEqual(log.items.map(nameOf), [
    `gap${at(1)}`,
    `gap${at(1)}`,
    `gap${at(2)}`,
    `gap${at(1)}`,
    "job.started",
  ]);
});

test("the log drops a real event within 25 ms of its synthesized one", () => {
  const started = (ms: string) =>
    ({ type: "job.started", ts: `2026-01-01T00:00:00.${ms}Z`, data: {} }) as JobEvent;
  const log = new EventLog<JobEvent>();
  log.append(started("100"), true);
  for (const ms of ["076", "100", "124"]) log.append(started(ms));
  equal(log.items.length, 1);
  for (const ms of ["075", "125", "125"]) log.append(started(ms));
  deepEqual(log.items, ["100", "075", "125"].map(started));
});

test("pauses between reads grow to 5 s, and are three times as long while events arrive", () => {
  const clock = new FakeClock();
  const timer = new PollTimer();
  const { signal } = new AbortController();
  void timer.next(false, false, signal, clock);
  deepEqual(clock.due, [250]);
  void timer.next(true, false, signal, clock);
  deepEqual(clock.due, [20, 250]);
  void timer.next(false, true, signal, clock);
  deepEqual(clock.due, [20, 250, 750]);
  deepEqual([lengthen(20), lengthen(4_000)], [30, 5_000]);
});

test("the next pause is longer, whether the last one passed or was ended early", async () => {
  const clock = new FakeClock();
  const timer = new PollTimer();
  const controller = new AbortController();
  const first = timer.next(false, false, controller.signal, clock);
  clock.advance(250);
  await first;
  const second = timer.next(true, false, controller.signal, clock);
  deepEqual(clock.due, [20]);
  timer.wake();
  await second;
  deepEqual(clock.due, []);
  const third = timer.next(true, false, controller.signal, clock);
  deepEqual(clock.due, [30]);
  controller.abort();
  await third;
  void timer.next(false, false, new AbortController().signal, clock);
  deepEqual(clock.due, [250 * 1.5 ** 3]);
});
