import { type CronRecord, decodeCron } from "../../protocol/admin.ts";
import { encodeBase64 } from "../../protocol/base64.ts";
import { decodeJob, decodeRun, type JobRecord, type WorkflowRun } from "../../protocol/entity.ts";
import { omitEmpty } from "../go/encode.ts";
import type {
  CheckpointRow,
  CronRow,
  DeadLetterRow,
  EventRow,
  JobRow,
  RunRow,
} from "./store_rows.ts";

// The members are in the order in which a Go server writes them.

/** Formats a job for `job.get` and `job.list`. */
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

/** Formats a run for `workflow.get`. */
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

/** Formats a checkpoint for `workflow.timeline`. */
export function wireCheckpoint(checkpoint: CheckpointRow): Record<string, unknown> {
  return {
    step_name: checkpoint.step,
    data: omitEmpty(checkpoint.data),
    created_at: checkpoint.createdAt,
  };
}

/** Formats a dead letter for `dlq.list` and the admin API. */
export function wireDeadLetter(entry: DeadLetterRow): Record<string, unknown> {
  return {
    id: entry.id,
    job_id: entry.job.id,
    job_name: entry.job.name,
    queue: entry.job.queue,
    payload: wireBytes(entry.job.payload) ?? null,
    error: entry.error,
    retry_count: entry.retryCount,
    max_retries: entry.job.maxRetries,
    scope_app_id: omitEmpty(entry.app),
    scope_org_id: omitEmpty(entry.org),
    failed_at: entry.failedAt,
    replayed_at: entry.replayedAt,
    created_at: entry.failedAt,
  };
}

/** Formats a cron entry for `cron.list` and the admin API. */
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
    enabled: entry.enabled,
  };
}

/** Formats an event for the checkpoint of the wait that received it. */
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

/** Converts a job to the record that a client would decode. */
export function toJobRecord(job: JobRow): JobRecord {
  return decodeJob(JSON.parse(JSON.stringify(wireJob(job))));
}

/** Converts a run to the record that a client would decode. */
export function toWorkflowRun(run: RunRow): WorkflowRun {
  return decodeRun(JSON.parse(JSON.stringify(wireRun(run))));
}

/** Converts a cron entry to the record that a client would decode. */
export function toCronRecord(entry: CronRow): CronRecord {
  return decodeCron(JSON.parse(JSON.stringify(wireCron(entry))));
}

/** Encodes a JSON text as Go encodes bytes. */
function wireBytes(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : encodeBase64(text);
}
