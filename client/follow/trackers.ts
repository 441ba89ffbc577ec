import type { JobRecord, WorkflowRun } from "../../protocol/entity.ts";
import type { JobEvent, RunEvent } from "../../protocol/event.ts";
import { getJob, getRun, getTimeline, JobFailedError, RunFailedError } from "../_core.ts";
import { recallJob, recallRun } from "./synthesize_events.ts";
import type { Transport } from "../connection/transport.ts";
import { Tracker } from "./tracker.ts";

/** Follows one run. */
export type RunTracker = Tracker<WorkflowRun, RunEvent>;

/** Makes what follows a job. */
export function trackJob(session: Transport, id: string): Tracker<JobRecord, JobEvent> {
  return new Tracker<JobRecord, JobEvent>(session, {
    what: `job '${id}'`,
    channel: `job:${id}`,
    read: (options) => getJob(session, id, options),
    recall: (job, known) => Promise.resolve(recallJob(job, known)),
    isLast: (event) => event.type === "job.completed" || event.type === "job.dlq",
    failed: (job) => new JobFailedError(job),
  });
}

/** Makes what follows a run; `fed` says that every event is handed in from the first on. */
export function trackRun(
  session: Transport,
  id: string,
  fed = false,
  onEnd?: () => void,
): RunTracker {
  return new Tracker<WorkflowRun, RunEvent>(session, {
    what: `workflow run '${id}'`,
    channel: `workflow:${id}`,
    read: (options) => getRun(session, id, options),
    recall: async (run, known, options) =>
      recallRun(run, await getTimeline(session, id, options), known),
    isLast: (event) => event.type === "workflow.completed" || event.type === "workflow.failed",
    failed: (run) => new RunFailedError(run),
    onEnd,
  }, fed);
}
