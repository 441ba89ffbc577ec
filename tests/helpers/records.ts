export const JOB_ID = "job_00000000000000000000000000";
export const RUN_ID = "wfrun_00000000000000000000000000";
export const STATS = {
  broker: { topic_count: 0, subscriber_count: 1, total_published: 0, total_dropped: 0 },
  connections: 0,
};
const TS = "2026-01-01T00:00:00Z";

/** Creates a job's record. */
export function jobRecord(
  state: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    created_at: TS,
    updated_at: TS,
    id: JOB_ID,
    name: "noop",
    queue: "default",
    payload: btoa("null"),
    state,
    priority: 0,
    max_retries: 3,
    retry_count: 0,
    worker_id: "",
    run_at: TS,
    timeout: 300_000_000_000,
    ...(state === "completed" ? { started_at: TS, completed_at: TS } : {}),
    ...more,
  };
}

/** Creates a run's record. */
export function runRecord(
  state: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    created_at: TS,
    updated_at: TS,
    id: RUN_ID,
    name: "noop",
    state,
    input: btoa("{}"),
    started_at: TS,
    version: 1,
    ...(state === "running" ? {} : { completed_at: TS }),
    ...more,
  };
}
