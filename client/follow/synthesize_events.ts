import {
  isTerminal,
  type JobRecord,
  type TimelineEntry,
  type WorkflowRun,
} from "../../protocol/entity.ts";
import type { JobEvent, RunEvent } from "../../protocol/event.ts";
import type { Gap } from "../gap.ts";

/**
 * Creates the events that a job's record proves. The record describes only the last attempt; a gap
 * stands for earlier attempts that are not among the known events.
 */
export function eventsFromJob(
  job: JobRecord,
  known: readonly (JobEvent | Gap)[],
): (JobEvent | Gap)[] {
  const topic = `job:${job.id}`;
  const { scope_app_id, scope_org_id } = job;
  const data = {
    job_id: job.id,
    job_name: job.name,
    queue: job.queue,
    ...(scope_app_id ? { scope_app_id } : {}),
    ...(scope_org_id ? { scope_org_id } : {}),
  };
  const events: (JobEvent | Gap)[] = [
    { type: "job.enqueued", ts: job.created_at, topic, data },
  ];
  const failedBefore = job.state === "failed" ? job.retry_count - 1 : job.retry_count;
  if (failedBefore > known.filter(({ type }) => type === "job.retrying").length) {
    const until = job.started_at ?? job.updated_at;
    events.push({ type: "gap", reason: "unseen", since: job.created_at, until });
  }
  if (job.started_at && (isTerminal(job.state) || job.state === "running")) {
    events.push({ type: "job.started", ts: job.started_at, topic, data });
  }
  if (job.state === "completed") {
    events.push({ type: "job.completed", ts: job.completed_at ?? job.updated_at, topic, data });
  } else if (job.state === "failed") {
    const failed = { topic, ts: job.updated_at, data: { ...data, error: job.last_error ?? "" } };
    events.push({ type: "job.failed", ...failed }, { type: "job.dlq", ...failed });
  }
  return events;
}

/** Matches checkpoints for which servers send no event. */
const WITHOUT_EVENT =
  /^(wait|waitall|waitany|waitmatch|sleep|fanout):|^parallel:[^:]*$|^child:.*:\d+$/;

/**
 * Creates the events that a run's record and timeline prove. They do not contain failed steps; a gap
 * stands for those, unless one is among the known events.
 */
export function eventsFromRun(
  run: WorkflowRun,
  timeline: TimelineEntry[],
  known: readonly (RunEvent | Gap)[],
): (RunEvent | Gap)[] {
  const topic = `workflow:${run.id}`;
  const { scope_app_id, scope_org_id } = run;
  const data = {
    run_id: run.id,
    name: run.name,
    ...(scope_app_id ? { scope_app_id } : {}),
    ...(scope_org_id ? { scope_org_id } : {}),
  };
  const events: RunEvent[] = [{ type: "workflow.started", ts: run.started_at, topic, data }];
  for (const { step_name, created_at } of timeline) {
    if (WITHOUT_EVENT.test(step_name)) continue;
    events.push({
      type: "workflow.step_completed",
      ts: created_at,
      topic,
      data: { ...data, step_name },
    });
  }
  const ts = run.completed_at ?? run.updated_at;
  if (run.state === "completed") events.push({ type: "workflow.completed", ts, topic, data });
  if (run.state !== "failed") return events;
  events.push({
    type: "workflow.failed",
    ts,
    topic,
    data: { ...data, ...(run.error ? { error: run.error } : {}) },
  });
  if (known.some(({ type }) => type === "workflow.step_failed")) return events;
  // The step failed after the last regular step, before the compensations.
  const after = events.findIndex((event) =>
    event.type === "workflow.failed" ||
    "step_name" in event.data && event.data.step_name.startsWith("compensate:")
  );
  const [since, until] = [events[after - 1]!, events[after]!];
  const unseen: Gap = { type: "gap", reason: "unseen", since: since.ts, until: until.ts };
  return [...events.slice(0, after), unseen, ...events.slice(after)];
}
