import { decodeJsonBase64 } from "./base64.ts";
import { EntityError, isRecord, type JobState, type RunState } from "./entity.ts";

/** How many jobs there are in each state. */
export type JobCounts = Record<JobState, number>;

/** The statistics of a server's admin API. They count the jobs and runs of all tenants. */
export interface AdminStats {
  /** The jobs by state. */
  jobs: JobCounts;
  /** How many dead letters there are, replayed ones included. */
  dlq_count: number;
  /** The runs by state; child runs count as runs. */
  workflows: Record<RunState, number>;
}

/** The record of a job that failed for good. Times are RFC 3339. */
export interface DeadLetterRecord {
  /** `dlq_` and 26 characters. */
  id: string;
  /** The job that failed. */
  job_id: string;
  /** The name of the job. */
  job_name: string;
  /** The job's queue. */
  queue: string;
  /** The payload as decoded JSON. Bytes that are not JSON stay base64 text. */
  payload: unknown;
  /** The error of the last attempt. */
  error: string;
  /** How many attempts failed. */
  retry_count: number;
  /** How often the job was retried at most. */
  max_retries: number;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
  /** When the last attempt failed. */
  failed_at: string;
  /** When it was replayed last. */
  replayed_at?: string;
  /** When the record was created. */
  created_at: string;
}

/** The record of a cron entry. Times are RFC 3339. */
export interface CronRecord {
  /** `cron_` and 26 characters. */
  id: string;
  /** The entry's name. */
  name: string;
  /** When it fires: five fields in UTC, or `@every 30s`, `@daily` and the like. */
  schedule: string;
  /** The name of the job that it enqueues. */
  job_name: string;
  /** The queue of the job; without one, the job's default. */
  queue?: string;
  /** The payload of the job as decoded JSON. Bytes that are not JSON stay base64 text. */
  payload?: unknown;
  /** The tenant's application. */
  scope_app_id?: string;
  /** The tenant's organisation. */
  scope_org_id?: string;
  /** When it fired last. */
  last_run_at?: string;
  /** When it fires next. A disabled entry keeps its old time, which may have passed. */
  next_run_at?: string;
  /** The worker that is firing it. */
  locked_by?: string;
  /** Until when that worker may. */
  locked_until?: string;
  /** Whether it fires. */
  enabled: boolean;
  /** When the entry was created. */
  created_at: string;
  /** When the record last changed. */
  updated_at: string;
}

/**
 * Decodes a dead letter. Keeps unknown fields.
 * @throws {EntityError} If `id`, `job_id` or `job_name` is missing.
 */
export function decodeDeadLetter(value: unknown): DeadLetterRecord {
  const entry = withFields(value, "dead letter", "id", "job_id", "job_name");
  return { ...entry, payload: decodeJsonBase64(entry.payload) } as unknown as DeadLetterRecord;
}

/**
 * Decodes a cron entry. Keeps unknown fields.
 * @throws {EntityError} If `id`, `name` or `schedule` is missing.
 */
export function decodeCron(value: unknown): CronRecord {
  const entry = { ...withFields(value, "cron entry", "id", "name", "schedule") };
  if (entry.payload !== undefined) entry.payload = decodeJsonBase64(entry.payload);
  return entry as unknown as CronRecord;
}

function withFields(value: unknown, kind: string, ...keys: string[]): Record<string, unknown> {
  if (!isRecord(value)) throw new EntityError(kind, "not an object");
  const missing = keys.find((key) => typeof value[key] !== "string");
  if (missing === undefined) return value;
  throw new EntityError(kind, `${missing} is missing`);
}
