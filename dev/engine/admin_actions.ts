import type { JobEngine } from "./job_engine.ts";
import type { ServerState } from "./server_state.ts";
import type { CronRow, DeadLetterRow, JobRow } from "./store_rows.ts";

/** How many dead letters `replayAll` looks at. */
const REPLAY_LIMIT = 1000;
/** How old a dead letter must be to be purged. */
const PURGE_MS = 30 * 24 * 3600_000;

/** The parts of a server that the actions use. */
export interface AdminParts {
  readonly state: ServerState;
  readonly jobs: JobEngine;
}

/**
 * Cancels a job that waits; no event is published.
 * @returns Whether the job was waiting.
 */
export function cancelWaitingJob({ state }: AdminParts, job: JobRow): boolean {
  if (job.state !== "pending" && job.state !== "retrying") return false;
  job.state = "cancelled";
  job.completedAt = job.updatedAt = state.timestamps.now();
  for (const { cancelled } of state.observers) cancelled?.(job.id);
  return true;
}

/**
 * Queues a failed job again, as if it had never run. Its dead letter stays.
 * @returns Whether the job had failed.
 */
export function retryFailedJob({ state, jobs }: AdminParts, job: JobRow): boolean {
  if (job.state !== "failed") return false;
  job.state = "pending";
  job.retryCount = 0;
  job.lastError = "";
  job.startedAt = job.completedAt = undefined;
  job.runAt = job.updatedAt = state.timestamps.now();
  jobs.requeue(job);
  return true;
}

/**
 * Enqueues a dead letter's job as a new one, without priority and timeout. No event is published,
 * and the dead letter stays.
 */
export function replayDeadLetter({ state, jobs }: AdminParts, entry: DeadLetterRow): JobRow {
  const { name, queue, payload, maxRetries } = entry.job;
  const now = state.timestamps.now();
  const job: JobRow = {
    id: state.ids.next("job"),
    name,
    queue,
    payload,
    state: "pending",
    priority: 0,
    maxRetries,
    retryCount: 0,
    lastError: "",
    app: entry.app,
    org: entry.org,
    runAt: now,
    runAtMs: 0,
    startedMs: 0,
    timeoutMs: 0,
    createdAt: now,
    updatedAt: now,
    ticket: 0,
  };
  jobs.requeue(job);
  entry.replayedAt = state.timestamps.now();
  return job;
}

/**
 * Replays those of the 1,000 oldest dead letters that were not replayed yet.
 * @returns How many they were.
 */
export function replayDeadLetters(server: AdminParts): number {
  const oldest = [...server.state.store.deadLetterRows.values()].slice(0, REPLAY_LIMIT);
  const entries = oldest.filter(({ replayedAt }) => replayedAt === undefined);
  for (const entry of entries) replayDeadLetter(server, entry);
  return entries.length;
}

/**
 * Deletes the dead letters that are older than 30 days.
 * @returns How many they were.
 */
export function purgeDeadLetters({ state }: AdminParts): number {
  const { deadLetterRows } = state.store;
  const before = state.timers.clock.now() - PURGE_MS;
  const old = [...deadLetterRows.values()].filter(({ failedAt }) => Date.parse(failedAt) < before);
  for (const { id } of old) deadLetterRows.delete(id);
  return old.length;
}

/** Enables or disables a cron entry. Its next time stays, even if it has passed. */
export function enableCron({ state }: AdminParts, row: CronRow, enabled: boolean): void {
  row.enabled = enabled;
  row.updatedAt = state.timestamps.now();
  state.store.cronChanged();
}

/** Deletes a cron entry. The workload creates it again when it is loaded the next time. */
export function deleteCron({ state }: AdminParts, row: CronRow): void {
  state.store.cronRows.delete(row.name);
  state.store.cronChanged();
}
