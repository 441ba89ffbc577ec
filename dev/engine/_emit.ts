import { toEvent } from "../../protocol/event.ts";
import { goStringify, omitEmpty } from "../go/encode.ts";
import type { ServerState } from "./server_state.ts";
import type { JobRow, RunRow, Tenant } from "./store_rows.ts";

/** The data that only some events about jobs have. */
export interface JobEventExtra {
  elapsed_ms?: number;
  error?: string;
  attempt?: number;
  next_run_at?: string;
}

/** The data that only some events about runs have. */
export interface RunEventExtra {
  step_name?: string;
  elapsed_ms?: number;
  error?: string;
}

/** Publishes an event about a job. */
export function emitJob(
  server: ServerState,
  type: string,
  job: JobRow,
  extra: JobEventExtra = {},
): void {
  emit(server, { type, topic: `job:${job.id}`, tenant: job, queue: job.queue }, {
    job_id: job.id,
    job_name: job.name,
    queue: job.queue,
    scope_app_id: omitEmpty(job.app),
    scope_org_id: omitEmpty(job.org),
    elapsed_ms: extra.elapsed_ms || undefined,
    error: omitEmpty(extra.error),
    attempt: extra.attempt,
    next_run_at: extra.next_run_at,
  });
}

/** Publishes an event about a workflow run. */
export function emitRun(
  server: ServerState,
  type: string,
  run: RunRow,
  extra: RunEventExtra = {},
): void {
  emit(server, { type, topic: `workflow:${run.id}`, tenant: run }, {
    run_id: run.id,
    name: run.name,
    step_name: omitEmpty(extra.step_name),
    scope_app_id: omitEmpty(run.app),
    scope_org_id: omitEmpty(run.org),
    elapsed_ms: extra.elapsed_ms || undefined,
    error: omitEmpty(extra.error),
  });
}

/** Publishes that a cron entry fired. The event has no topic. */
export function emitCron(server: ServerState, entry: string, job: JobRow): void {
  emit(server, { type: "cron.fired", topic: "", tenant: job }, {
    entry_name: entry,
    job_id: job.id,
  });
}

function emit(
  server: ServerState,
  { type, topic, tenant, queue }: { type: string; topic: string; tenant: Tenant; queue?: string },
  data: Record<string, unknown>,
): void {
  const json = goStringify({ type, ts: server.timestamps.now(), topic, data });
  server.events.publish({ type, topic, json, tenant, queue });
  for (const { event } of server.observers) event?.(toEvent(JSON.parse(json))!);
}
