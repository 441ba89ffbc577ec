import { encodeBase64 } from "../../protocol/base64.ts";
import {
  decodeJob,
  decodeRun,
  type JobRecord,
  type JobState,
  type RunState,
  type WorkflowRun,
} from "../../protocol/entity.ts";
import { omitEmpty } from "../go/encode.ts";

/** Whose something is. */
export interface Tenant {
  app: string;
  org: string;
}

/** A job as a store keeps it. Times are RFC 3339, those to reckon with also milliseconds. */
export interface JobRow extends Tenant {
  id: string;
  name: string;
  queue: string;
  /** The JSON text as it was sent; `undefined` when none was. */
  payload: string | undefined;
  state: JobState;
  priority: number;
  maxRetries: number;
  retryCount: number;
  lastError: string;
  runAt: string;
  runAtMs: number;
  startedAt?: string;
  startedMs: number;
  completedAt?: string;
  timeoutMs: number;
  createdAt: string;
  updatedAt: string;
  /** Counts how often the job was queued, so that a queue's old entry for it is known as old. */
  ticket: number;
}

/** A step that was done, as a store keeps it. */
export interface CheckpointRow {
  step: string;
  /** The base64 that the wire shows; `""` for none. */
  data: string;
  /** What is given back when the run is taken up again. */
  value: unknown;
  createdAt: string;
}

/** A run as a store keeps it. */
export interface RunRow extends Tenant {
  id: string;
  name: string;
  state: RunState;
  input: string | undefined;
  output?: string;
  error: string;
  startedAt: string;
  completedAt?: string;
  version: number;
  parent?: string;
  createdAt: string;
  updatedAt: string;
  checkpoints: Map<string, CheckpointRow>;
  /** The server that runs it; a run without one is taken up by the next server. */
  owner?: object;
}

/** An event as a store keeps it. */
export interface EventRow extends Tenant {
  id: string;
  name: string;
  payload: string | undefined;
  acked: boolean;
  createdAt: string;
}

/** A dead letter as a store keeps it. */
export interface DeadLetterRow extends Tenant {
  id: string;
  job: JobRow;
  error: string;
  failedAt: string;
  replayedAt?: string;
}

/** A cron entry as a store keeps it. */
export interface CronRow {
  id: string;
  name: string;
  schedule: string;
  job: string;
  queue: string;
  payload: string | undefined;
  lastRunAt?: string;
  nextRunAt?: string;
  nextRunMs: number;
  createdAt: string;
  updatedAt: string;
}

/** A JSON text as the wire carries it. */
function wireBytes(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : encodeBase64(text);
}

/** A job as the wire shows it, its members in the server's order. */
export function wireJob(job: JobRow, heartbeatAt?: string): Record<string, unknown> {
  return {
    created_at: job.createdAt,
    updated_at: job.updatedAt,
    id: job.id,
    name: job.name,
    queue: job.queue,
    payload: wireBytes(job.payload) ?? null,
    state: job.state,
    priority: job.priority,
    max_retries: job.maxRetries,
    retry_count: job.retryCount,
    last_error: omitEmpty(job.lastError),
    scope_app_id: omitEmpty(job.app),
    scope_org_id: omitEmpty(job.org),
    worker_id: "",
    run_at: job.runAt,
    started_at: job.startedAt,
    completed_at: job.completedAt,
    heartbeat_at: heartbeatAt,
    timeout: job.timeoutMs === 0 ? undefined : Math.round(job.timeoutMs * 1e6),
  };
}

/** A run as the wire shows it. */
export function wireRun(run: RunRow): Record<string, unknown> {
  return {
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    id: run.id,
    name: run.name,
    state: run.state,
    input: wireBytes(run.input),
    output: wireBytes(run.output),
    error: omitEmpty(run.error),
    scope_app_id: omitEmpty(run.app),
    scope_org_id: omitEmpty(run.org),
    started_at: run.startedAt,
    completed_at: run.completedAt,
    version: run.version,
    parent_run_id: run.parent,
  };
}

/** A checkpoint as the wire shows it. */
export function wireCheckpoint(checkpoint: CheckpointRow): Record<string, unknown> {
  return {
    step_name: checkpoint.step,
    data: omitEmpty(checkpoint.data),
    created_at: checkpoint.createdAt,
  };
}

/** A dead letter as `dlq.list` shows it. */
export function wireDeadLetter(entry: DeadLetterRow): Record<string, unknown> {
  return {
    id: entry.id,
    job_id: entry.job.id,
    job_name: entry.job.name,
    queue: entry.job.queue,
    payload: wireBytes(entry.job.payload) ?? null,
    error: entry.error,
    retry_count: entry.job.retryCount,
    max_retries: entry.job.maxRetries,
    scope_app_id: omitEmpty(entry.app),
    scope_org_id: omitEmpty(entry.org),
    failed_at: entry.failedAt,
    replayed_at: entry.replayedAt,
    created_at: entry.failedAt,
  };
}

/** A cron entry as `cron.list` shows it. */
export function wireCron(entry: CronRow): Record<string, unknown> {
  return {
    created_at: entry.createdAt,
    updated_at: entry.updatedAt,
    id: entry.id,
    name: entry.name,
    schedule: entry.schedule,
    job_name: entry.job,
    queue: omitEmpty(entry.queue),
    payload: wireBytes(entry.payload),
    last_run_at: entry.lastRunAt,
    next_run_at: entry.nextRunAt,
    enabled: true,
  };
}

/** An event as the checkpoint of the wait that took it holds it. */
export function wireEvent(event: EventRow): Record<string, unknown> {
  return {
    id: event.id,
    name: event.name,
    payload: wireBytes(event.payload),
    scope_app_id: omitEmpty(event.app),
    scope_org_id: omitEmpty(event.org),
    acked: event.acked,
    created_at: event.createdAt,
  };
}

/** A job as a program reads it. */
export function publicJob(job: JobRow): JobRecord {
  return decodeJob(JSON.parse(JSON.stringify(wireJob(job))));
}

/** A run as a program reads it. */
export function publicRun(run: RunRow): WorkflowRun {
  return decodeRun(JSON.parse(JSON.stringify(wireRun(run))));
}
