import { isRecord } from "./entity.ts";

/** The data of every event about a job. */
export interface JobEventData {
  /** The job's id. */
  job_id: string;
  /** The job's name. */
  job_name: string;
  /** The job's queue. */
  queue: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
}

/** The data of every event about a workflow run. */
export interface RunEventData {
  /** The run's id. */
  run_id: string;
  /** The workflow's name. */
  name: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
}

/** An event of a type. */
export interface EventOf<Type extends string, Data> {
  /** The type of the event. */
  type: Type;
  /** When it happened, RFC 3339 with nanoseconds. */
  ts: string;
  /** The topic of the job or run: `job:<id>` or `workflow:<id>`. Empty for `cron.fired`. */
  topic: string;
  /** The data. Servers leave out fields that are 0 or empty. */
  data: Data;
}

/** A job was enqueued. */
export type JobEnqueued = EventOf<"job.enqueued", JobEventData>;
/** A worker started an attempt. */
export type JobStarted = EventOf<"job.started", JobEventData>;
/** A job completed; `elapsed_ms` is whole milliseconds. */
export type JobCompleted = EventOf<"job.completed", JobEventData & { elapsed_ms?: number }>;
/** A job failed for good. A `job.dlq` event follows. */
export type JobFailed = EventOf<"job.failed", JobEventData & { error?: string }>;
/** An attempt failed; the next one starts at `next_run_at` (RFC 3339) or later. */
export type JobRetrying = EventOf<
  "job.retrying",
  JobEventData & { attempt?: number; next_run_at?: string }
>;
/** A job that failed for good was put into the dead letter queue. */
export type JobDead = EventOf<"job.dlq", JobEventData & { error?: string }>;

/** Any event about a job. */
export type JobEvent =
  | JobEnqueued
  | JobStarted
  | JobCompleted
  | JobFailed
  | JobRetrying
  | JobDead;

/** A run started. */
export type RunStarted = EventOf<"workflow.started", RunEventData>;
/** A step completed; `elapsed_ms` is whole milliseconds. */
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

/** Any event that a server publishes, discriminated by `type`. */
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
 * Decodes the data of an event frame. Accepts unknown types, so that the events of newer servers
 * are not lost.
 *
 * @returns The event, or `undefined` if the data is not an event.
 */
export function toEvent(data: unknown): DispatchEvent | undefined {
  const event = Object(data) as Record<string, unknown>;
  if (typeof event.type !== "string") return undefined;
  if (!isRecord(event.data)) return undefined;
  if (typeof event.ts !== "string") event.ts = "";
  if (typeof event.topic !== "string") event.topic = "";
  return event as unknown as DispatchEvent;
}
