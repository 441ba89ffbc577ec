import { decodeJsonBase64 } from "./base64.ts";
import { DispatchError } from "./dispatch_error.ts";

/** The state of a job. `completed`, `failed` and `cancelled` are terminal. */
export type JobState = "pending" | "running" | "retrying" | "completed" | "failed" | "cancelled";

/** The state of a workflow run. `completed` and `failed` are terminal. */
export type RunState = "running" | "completed" | "failed";

/** Every state of a job. */
export const JOB_STATES: readonly JobState[] = [
  "pending",
  "running",
  "retrying",
  "completed",
  "failed",
  "cancelled",
];

/** Every state of a run. */
export const RUN_STATES: readonly RunState[] = ["running", "completed", "failed"];

/** Whether a state of a job or run is terminal. */
export function isTerminal(state: string): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

/** The record of a job. Times are RFC 3339. */
export interface JobRecord {
  /** `job_` and 26 characters. */
  id: string;
  /** The name, which selects the handler. */
  name: string;
  /** The queue. */
  queue: string;
  /** The payload as decoded JSON. Bytes that are not JSON stay base64 text. */
  payload: unknown;
  /** The current state. */
  state: JobState;
  /** The priority, at least 0. Jobs with a higher priority run first. */
  priority: number;
  /** How often the job is retried after its first failure. */
  max_retries: number;
  /** How many attempts have failed. */
  retry_count: number;
  /** The error of the last failed attempt. */
  last_error?: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
  /** The worker that runs the job, or an empty string. */
  worker_id: string;
  /** The earliest time at which the job may run. */
  run_at: string;
  /** When the last attempt started. */
  started_at?: string;
  /** When the job completed. */
  completed_at?: string;
  /** When the worker sent its last heartbeat. */
  heartbeat_at?: string;
  /**
   * The timeout of an attempt in **nanoseconds**; 300000000000 is five minutes. Absent if there is
   * none, as for a job that was replayed from the dead letters.
   */
  timeout?: number;
  /** When the job was enqueued. */
  created_at: string;
  /** When the record last changed. */
  updated_at: string;
}

/** The record of a workflow run. Times are RFC 3339. */
export interface WorkflowRun {
  /** `wfrun_` and 26 characters. */
  id: string;
  /** The workflow's name. */
  name: string;
  /** The current state. */
  state: RunState;
  /** The input as decoded JSON. Bytes that are not JSON stay base64 text. */
  input: unknown;
  /** The output as decoded JSON, if there is one. */
  output?: unknown;
  /** The error, if the run failed. */
  error?: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
  /** When the run started. */
  started_at: string;
  /** When the run completed or failed. */
  completed_at?: string;
  /** The run that started this one, if it is a child. */
  parent_run_id?: string;
  /** The version of the workflow's definition. */
  version: number;
  /** When the run was created. */
  created_at: string;
  /** When the record last changed. */
  updated_at: string;
}

/** A checkpoint of a run: a step that completed, an event received, or a sleep that ended. */
export interface TimelineEntry {
  /**
   * `<step>`, `wait:<event>`, `waitall:<event>`, `waitall:<events>`, `waitany:<events>`,
   * `waitmatch:<event>`, `sleep:<name>`, `parallel:<group>:<i>`, `parallel:<group>`,
   * `child:<name>`, `child:<name>:<i>`, `fanout:<name>`, `spawn:<name>` or `compensate:<step>`.
   */
  step_name: string;
  /**
   * The result as decoded JSON; for `wait:<event>` the event with its payload. Bytes that are not
   * JSON stay base64 text.
   */
  data?: unknown;
  /** When the checkpoint was saved, RFC 3339. */
  created_at: string;
}

/** The statistics of a server. */
export interface Stats {
  /** The event broker of the process that answered. */
  broker: {
    /** How many channels have a subscriber. */
    topic_count: number;
    /** How many connections can receive events. */
    subscriber_count: number;
    /** How many events were delivered, counted once per connection. */
    total_published: number;
    /** How many events were dropped. Servers today always report 0. */
    total_dropped: number;
  };
  /** How many connections are open. Servers today always report 0. */
  connections: number;
}

/**
 * Thrown when a value cannot be decoded as a job, run, timeline or statistics. The code is
 * `"bad_entity"`.
 */
export class EntityError extends DispatchError {
  /** Always `"EntityError"`. */
  override name = "EntityError";

  /** Creates an error with the code `"bad_entity"`. */
  constructor(what: string, why: string) {
    super(`Cannot decode ${what}: ${why}`, "bad_entity");
  }
}

/**
 * Decodes a job. Keeps unknown fields.
 * @throws {EntityError} If `id`, `name` or `state` is missing.
 */
export function decodeJob(value: unknown): JobRecord {
  const job = entity(value, "job");
  return { ...job, payload: decodeJsonBase64(job.payload) } as unknown as JobRecord;
}

/**
 * Decodes a run. Keeps unknown fields.
 * @throws {EntityError} If `id`, `name` or `state` is missing.
 */
export function decodeRun(value: unknown): WorkflowRun {
  const run = { ...entity(value, "workflow run") };
  run.input = decodeJsonBase64(run.input);
  if (run.output !== undefined) run.output = decodeJsonBase64(run.output);
  return run as unknown as WorkflowRun;
}

/**
 * Decodes a run's timeline. A Go server may send `null` for an empty list.
 * @throws {EntityError} If the value is not a list of entries with a `step_name`.
 */
export function decodeTimeline(value: unknown): TimelineEntry[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new EntityError("timeline", "not a list");
  return value.map((item: unknown) => {
    if (!isRecord(item) || typeof item.step_name !== "string") {
      throw new EntityError("timeline", "step_name is missing");
    }
    const entry = { ...item };
    if (entry.data !== undefined) entry.data = decodeJsonBase64(entry.data);
    // The data of `wait:<event>` and its like is an event or a list of events, with encoded payloads.
    if (/^wait(all|any|match)?:/.test(item.step_name)) {
      for (const event of [entry.data].flat() as { payload?: unknown }[]) {
        if (event?.payload) event.payload = decodeJsonBase64(event.payload);
      }
    }
    return entry as unknown as TimelineEntry;
  });
}

/**
 * Decodes a server's statistics.
 * @throws {EntityError} If `broker` is missing.
 */
export function decodeStats(value: unknown): Stats {
  if (!isRecord(value) || !isRecord(value.broker)) {
    throw new EntityError("stats", "broker is missing");
  }
  return value as unknown as Stats;
}

function entity(value: unknown, kind: string): Record<string, unknown> {
  if (!isRecord(value)) throw new EntityError(kind, "not an object");
  for (const key of ["id", "name", "state"]) {
    if (typeof value[key] !== "string") {
      throw new EntityError(kind, `${key} is missing`);
    }
  }
  return value;
}

/** Whether a value is an object that is neither `null` nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
