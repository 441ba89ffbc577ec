import type { JobRecord, WorkflowRun } from "../../protocol/entity.ts";
import type { JobEvent, RunEvent } from "../../protocol/event.ts";
import { getJob, getRun, getTimeline, send } from "../connection/requests.ts";
import type { EventTransport } from "../connection/transport.ts";
import { JobFailedError, RunFailedError } from "../errors.ts";
import { Tracker } from "./tracker.ts";
import { eventsFromJob, eventsFromRun } from "./synthesize_events.ts";

/** Follows one job. */
export type JobTracker = Tracker<JobRecord, JobEvent>;

/** Follows one run. */
export type RunTracker = Tracker<WorkflowRun, RunEvent>;

/** Creates the tracker of a job. */
export function trackJob(transport: EventTransport, id: string): JobTracker {
  return new Tracker<JobRecord, JobEvent>(transport, {
    what: `job '${id}'`,
    channel: `job:${id}`,
    read: (options) => send(transport, getJob(id, options)),
    synthesize: eventsFromJob,
    failure: (job) => new JobFailedError(job),
  });
}

/**
 * Creates the tracker of a run.
 * @param fed Whether a lane adds every event of the run, from the first on.
 * @param onEnd Called when the run has ended.
 */
export function trackRun(
  transport: EventTransport,
  id: string,
  fed?: boolean,
  onEnd?: () => void,
): RunTracker {
  return new Tracker<WorkflowRun, RunEvent>(transport, {
    what: `workflow run '${id}'`,
    channel: `workflow:${id}`,
    read: (options) => send(transport, getRun(id, options)),
    synthesize: async (run, known, options) =>
      eventsFromRun(run, await send(transport, getTimeline(id, options)), known),
    failure: (run) => new RunFailedError(run),
    onEnd,
  }, fed);
}
