import { decodeJsonBase64 } from "./base64.ts";

/** The states of a job. `completed`, `failed` and `cancelled` are its ends. */
export type JobState = "pending" | "running" | "retrying" | "completed" | "failed" | "cancelled";

/** The states of a workflow run. `completed` and `failed` are its ends. */
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

/** Whether a job or run in this state is over. */
export function isTerminal(state: string): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

/** A job as a server keeps it. Times are RFC 3339. */
export interface JobRecord {
  /** `job_` and 26 characters. */
  id: string;
  /** The name its handler is registered under. */
  name: string;
  /** The queue it waits in. */
  queue: string;
  /** What the handler is given: decoded JSON. Bytes that are no JSON stay base64 text. */
  payload: unknown;
  /** Where it stands. */
  state: JobState;
  /** Higher runs first; 0 or more. */
  priority: number;
  /** How often it is tried again after its first failure. */
  max_retries: number;
  /** How many attempts have failed. */
  retry_count: number;
  /** What the last failed attempt said. */
  last_error?: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
  /** The worker that holds it; empty when none does. */
  worker_id: string;
  /** When it may run at the earliest. */
  run_at: string;
  /** When its last attempt began. */
  started_at?: string;
  /** When it completed. */
  completed_at?: string;
  /** When its worker last gave a sign of life. */
  heartbeat_at?: string;
  /** How long one attempt may take, in **nanoseconds**; 300000000000 is five minutes. */
  timeout: number;
  /** When it was enqueued. */
  created_at: string;
  /** When it last changed. */
  updated_at: string;
}

/** A workflow run as a server keeps it. Times are RFC 3339. */
export interface WorkflowRun {
  /** `wfrun_` and 26 characters. */
  id: string;
  /** The workflow's name. */
  name: string;
  /** Where it stands. */
  state: RunState;
  /** What it was started with: decoded JSON. Bytes that are no JSON stay base64 text. */
  input: unknown;
  /** What it gave, if it gave anything: decoded JSON. */
  output?: unknown;
  /** Why it failed. */
  error?: string;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
  /** When it began. */
  started_at: string;
  /** When it ended, in whichever way. */
  completed_at?: string;
  /** The run that spawned it. */
  parent_run_id?: string;
  /** The version of the workflow's definition. */
  version: number;
  /** When it was made. */
  created_at: string;
  /** When it last changed. */
  updated_at: string;
}

/** A checkpoint of a run: a step that succeeded, an event taken, a sleep slept. */
export interface TimelineEntry {
  /**
   * `<step>`, `wait:<event>`, `sleep:<name>`, `parallel:<group>:<i>`, `parallel:<group>`,
   * `child:<name>`, `spawn:<name>` or `compensate:<step>`.
   */
  step_name: string;
  /** What the step gave: decoded JSON. Bytes that are no JSON stay base64 text. */
  data?: unknown;
  /** When it was reached, RFC 3339. */
  created_at: string;
}

/** What a server says of itself. */
export interface Stats {
  /** The event broker of the server process that answered. */
  broker: {
    /** Channels with a subscriber. */
    topic_count: number;
    /** Connections that can take events. */
    subscriber_count: number;
    /** Events delivered, counted once per connection. */
    total_published: number;
    /** Stays 0 on today's servers, also when events were dropped. */
    total_dropped: number;
  };
  /** Stays 0 on today's servers. */
  connections: number;
}

/** Thrown by the decoders when a value is not the entity it should be. */
export class EntityError extends Error {
  /** Always `"bad_entity"`. */
  readonly code = "bad_entity";

  /** Says what is missing from what. */
  constructor(message: string) {
    super(message);
    this.name = "EntityError";
  }
}

/**
 * Decodes a job. Unknown fields are kept.
 * @throws {EntityError} When `id`, `name` or `state` is missing.
 */
export function decodeJob(value: unknown): JobRecord {
  const job = entity(value, "job");
  return { ...job, payload: decodeJsonBase64(job.payload) } as unknown as JobRecord;
}

/**
 * Decodes a run. Unknown fields are kept.
 * @throws {EntityError} When `id`, `name` or `state` is missing.
 */
export function decodeRun(value: unknown): WorkflowRun {
  const run = { ...entity(value, "workflow run") };
  run.input = decodeJsonBase64(run.input);
  if (run.output !== undefined) run.output = decodeJsonBase64(run.output);
  return run as unknown as WorkflowRun;
}

/**
 * Decodes a run's timeline. Go sends an empty list as `null` where it has none.
 * @throws {EntityError} When it is no list of entries with a `step_name`.
 */
export function decodeTimeline(value: unknown): TimelineEntry[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new EntityError("Cannot decode timeline: not a list");
  return value.map((item: unknown) => {
    if (!isRecord(item) || typeof item.step_name !== "string") {
      throw new EntityError("Cannot decode timeline: an entry without step_name");
    }
    const entry = { ...item };
    if (entry.data !== undefined) entry.data = decodeJsonBase64(entry.data);
    return entry as unknown as TimelineEntry;
  });
}

/**
 * Decodes a server's statistics.
 * @throws {EntityError} When there is no `broker` in it.
 */
export function decodeStats(value: unknown): Stats {
  if (!isRecord(value) || !isRecord(value.broker)) {
    throw new EntityError("Cannot decode stats: no broker in it");
  }
  return value as unknown as Stats;
}

function entity(value: unknown, what: string): Record<string, unknown> {
  if (!isRecord(value)) throw new EntityError(`Cannot decode ${what}: not an object`);
  for (const key of ["id", "name", "state"]) {
    if (typeof value[key] !== "string") {
      throw new EntityError(`Cannot decode ${what}: no ${key} in it`);
    }
  }
  return value;
}

/** Whether a value is an object that is neither `null` nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
