import {
  isTerminal,
  type JobRecord,
  type TimelineEntry,
  type WorkflowRun,
} from "../../protocol/entity.ts";
import type { DispatchEvent, JobEvent, RunEvent } from "../../protocol/event.ts";
import type { Gap } from "../gap.ts";

/** Collects the events of one entity, which all have the same topic and tenant. */
function createEvents<E extends DispatchEvent>(
  topic: string,
  { scope_app_id, scope_org_id }: JobRecord | WorkflowRun,
  names: Record<string, string>,
) {
  const events: (E | Gap)[] = [];
  const data = {
    ...names,
    ...(scope_app_id && { scope_app_id }),
    ...(scope_org_id && { scope_org_id }),
  };
  return {
    events,
    add(type: E["type"], ts: string, more?: Record<string, string>) {
      events.push({ type, ts, topic, data: { ...data, ...more } } as unknown as E);
    },
    addGap(since: string, until: string) {
      events.push({ type: "gap", reason: "unseen", since, until });
    },
  };
}

/**
 * Creates the events that a job's record proves. The record describes only the last attempt; a gap
 * stands for earlier attempts that are not among the known events.
 */
export function eventsFromJob(
  job: JobRecord,
  known: readonly (JobEvent | Gap)[],
): (JobEvent | Gap)[] {
  const { id, name, queue, state, created_at, updated_at, started_at } = job;
  const { events, add, addGap } = createEvents<JobEvent>(`job:${id}`, job, {
    job_id: id,
    job_name: name,
    queue,
  });
  add("job.enqueued", created_at);
  const failedBefore = state === "failed" ? job.retry_count - 1 : job.retry_count;
  if (failedBefore > known.filter(({ type }) => type === "job.retrying").length) {
    addGap(created_at, started_at ?? updated_at);
  }
  if (started_at && (isTerminal(state) || state === "running")) add("job.started", started_at);
  if (state === "completed") add("job.completed", job.completed_at ?? updated_at);
  if (state === "failed") {
    const error = job.last_error ?? "";
    add("job.failed", updated_at, { error });
    add("job.dlq", updated_at, { error });
  }
  return events;
}

/** Matches checkpoints for which servers send no event. */
const WITHOUT_EVENT = /^(wait(all|any|match)?|sleep|fanout):|^parallel:[^:]*$|^child:.*:\d+$/;

/**
 * Creates the events that a run's record and timeline prove. They do not contain failed steps; a gap
 * stands for those, unless one is among the known events.
 */
export function eventsFromRun(
  run: WorkflowRun,
  timeline: TimelineEntry[],
  known: readonly (RunEvent | Gap)[],
): (RunEvent | Gap)[] {
  const { id, name, state, error, started_at, updated_at, completed_at } = run;
  const { events, add, addGap } = createEvents<RunEvent>(`workflow:${id}`, run, {
    run_id: id,
    name,
  });
  let last = started_at;
  let isGapNeeded = state === "failed" &&
    !known.some(({ type }) => type === "workflow.step_failed");
  // The step failed after the last regular step, before the compensations.
  const addFailure = (until: string) => {
    if (isGapNeeded) addGap(last, until);
    isGapNeeded = false;
  };
  add("workflow.started", started_at);
  for (const { step_name, created_at } of timeline) {
    if (WITHOUT_EVENT.test(step_name)) continue;
    if (step_name.startsWith("compensate:")) addFailure(created_at);
    add("workflow.step_completed", created_at, { step_name });
    last = created_at;
  }
  const ts = completed_at ?? updated_at;
  if (state === "completed") add("workflow.completed", ts);
  if (state === "failed") {
    addFailure(ts);
    add("workflow.failed", ts, error ? { error } : {});
  }
  return events;
}
