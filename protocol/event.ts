/** What every event about a job says. */
export interface JobEventData {
  /** The job. */
  job_id: string;
  /** Its name. */
  job_name: string;
  /** The queue it is in. */
  queue: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
}

/** What every event about a workflow run says. */
export interface RunEventData {
  /** The run. */
  run_id: string;
  /** The workflow's name. */
  name: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
}

/** The part that all events have; `Type` tells them apart. */
export interface EventOf<Type extends string, Data> {
  /** What happened. */
  type: Type;
  /** When, RFC 3339 with nanoseconds. */
  ts: string;
  /** The entity it happened to: `job:<id>`, `workflow:<id>`, or empty for `cron.fired`. */
  topic: string;
  /** What is known of it. A field that is 0 or empty is left out. */
  data: Data;
}

/** A job was enqueued. */
export type JobEnqueued = EventOf<"job.enqueued", JobEventData>;
/** A worker began an attempt. */
export type JobStarted = EventOf<"job.started", JobEventData>;
/** A job completed; `elapsed_ms` is whole milliseconds. */
export type JobCompleted = EventOf<"job.completed", JobEventData & { elapsed_ms?: number }>;
/** A job failed for good. `job.dlq` follows. */
export type JobFailed = EventOf<"job.failed", JobEventData & { error?: string }>;
/** An attempt failed; the next begins at `next_run_at` (RFC 3339) or later. */
export type JobRetrying = EventOf<
  "job.retrying",
  JobEventData & { attempt?: number; next_run_at?: string }
>;
/** A job that failed for good went to the dead letters. */
export type JobDead = EventOf<"job.dlq", JobEventData & { error?: string }>;

/** Any event about a job. */
export type JobEvent =
  | JobEnqueued
  | JobStarted
  | JobCompleted
  | JobFailed
  | JobRetrying
  | JobDead;

/** A run began. */
export type RunStarted = EventOf<"workflow.started", RunEventData>;
/** A step succeeded; `elapsed_ms` is whole milliseconds. */
export type StepCompleted = EventOf<
  "workflow.step_completed",
  RunEventData & { step_name: string; elapsed_ms?: number }
>;
/** A step failed. */
export type StepFailed = EventOf<
  "workflow.step_failed",
  RunEventData & { step_name: string; error?: string }
>;
/** A run completed; `elapsed_ms` is whole milliseconds. */
export type RunCompleted = EventOf<"workflow.completed", RunEventData & { elapsed_ms?: number }>;
/** A run failed. */
export type RunFailed = EventOf<"workflow.failed", RunEventData & { error?: string }>;

/** Any event about a run. */
export type RunEvent = RunStarted | StepCompleted | StepFailed | RunCompleted | RunFailed;

/** A cron entry fired and enqueued a job. */
export type CronFired = EventOf<"cron.fired", { entry_name: string; job_id: string }>;

/** Any event a server publishes, discriminated by `type`. */
export type DispatchEvent = JobEvent | RunEvent | CronFired;

/** The `type` of a {@linkcode DispatchEvent}. */
export type EventType = DispatchEvent["type"];

/** Every value of {@linkcode EventType}. */
export const EVENT_TYPES: readonly EventType[] = [
  "job.enqueued",
  "job.started",
  "job.completed",
  "job.failed",
  "job.retrying",
  "job.dlq",
  "workflow.started",
  "workflow.step_completed",
  "workflow.step_failed",
  "workflow.completed",
  "workflow.failed",
  "cron.fired",
];

/**
 * Takes the event out of an event frame's data. An event of a type that is not known here passes
 * too, so that a newer server's events are not lost.
 *
 * @returns The event, or `undefined` when the data is none.
 */
export function toEvent(data: unknown): DispatchEvent | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const event = data as Record<string, unknown>;
  if (typeof event.type !== "string") return undefined;
  if (typeof event.data !== "object" || event.data === null) return undefined;
  if (typeof event.ts !== "string") event.ts = "";
  if (typeof event.topic !== "string") event.topic = "";
  return event as unknown as DispatchEvent;
}
