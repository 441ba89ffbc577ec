import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { EventLog } from "../../client/follow/event_log.ts";
import { lengthen, PollTimer } from "../../client/follow/poll_timer.ts";
import { eventsFromJob, eventsFromRun } from "../../client/follow/synthesize_events.ts";
import type { JobRecord, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import type { JobEvent } from "../../protocol/event.ts";
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

test("the log drops a real event within 25 ms of its synthesized one", () => {
  const started = (ms: string) =>
    ({ type: "job.started", ts: `2026-01-01T00:00:00.${ms}Z`, data: {} }) as JobEvent;
  const log = new EventLog<JobEvent>();
  log.append(started("100"));
  log.markSynthesized(started("100"));
  for (const ms of ["076", "100", "124"]) log.append(started(ms));
  equal(log.items.length, 1);
  for (const ms of ["075", "125", "125"]) log.append(started(ms));
  deepEqual(log.items, ["100", "075", "125"].map(started));
});

test("pauses between reads grow to 5 s, and are three times as long while events arrive", () => {
  const clock = new FakeClock();
  const timer = new PollTimer();
  const { signal } = new AbortController();
  void timer.next(false, signal, clock);
  deepEqual(clock.due, [250]);
  void timer.next(true, signal, clock);
  deepEqual(clock.due, [20, 250]);
  timer.eventsArrive = true;
  void timer.next(false, signal, clock);
  deepEqual(clock.due, [20, 250, 750]);
  deepEqual([lengthen(20), lengthen(4_000)], [30, 5_000]);
});

test("the next pause is longer, whether the last one passed or was ended early", async () => {
  const clock = new FakeClock();
  const timer = new PollTimer();
  const controller = new AbortController();
  const first = timer.next(false, controller.signal, clock);
  clock.advance(250);
  await first;
  const second = timer.next(true, controller.signal, clock);
  deepEqual(clock.due, [20]);
  timer.wake();
  await second;
  deepEqual(clock.due, []);
  const third = timer.next(true, controller.signal, clock);
  deepEqual(clock.due, [30]);
  controller.abort();
  await third;
  void timer.next(false, new AbortController().signal, clock);
  deepEqual(clock.due, [250 * 1.5 ** 3]);
});
