import type { JobState, RunState } from "../../protocol/entity.ts";

/** The application and organisation that something belongs to. */
export interface Tenant {
  app: string;
  org: string;
}

/** Whether two things belong to the same tenant. */
export function sameTenant(a: Tenant, b: Tenant): boolean {
  return a.app === b.app && a.org === b.org;
}

/**
 * A job in the store. Times are RFC 3339 text. Those in milliseconds are for calculations: they do
 * not change when somebody sets the clock.
 */
export interface JobRow extends Tenant {
  id: string;
  name: string;
  queue: string;
  /** The JSON text as it was sent; `undefined` if there was none. */
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
  /** Counts how often the job was queued, to recognise outdated queue entries. */
  ticket: number;
}

/** A checkpoint of a run in the store. */
export interface CheckpointRow {
  step: string;
  /** The base64 that the timeline shows; empty if there is none. */
  data: string;
  /** The value to return when a resumed run reaches the step again. */
  value: unknown;
  createdAt: string;
}

/** A workflow run in the store. */
export interface RunRow extends Tenant {
  id: string;
  name: string;
  state: RunState;
  /** The JSON text as it was sent; `undefined` if there was none. */
  input: string | undefined;
  output?: string;
  error: string;
  startedAt: string;
  completedAt?: string;
  version: number;
  /** The id of the run that started this one. */
  parent?: string;
  createdAt: string;
  updatedAt: string;
  checkpoints: Map<string, CheckpointRow>;
  /**
   * The server that executes the run. The next server of the store resumes a run without an owner.
   */
  owner?: object;
}

/** An event for workflows in the store. */
export interface EventRow extends Tenant {
  id: string;
  name: string;
  /** The JSON text as it was sent; `undefined` if there was none. */
  payload: string | undefined;
  acked: boolean;
  createdAt: string;
}

/** A dead letter in the store. */
export interface DeadLetterRow extends Tenant {
  id: string;
  job: JobRow;
  /** How many attempts had failed. The job may be retried since, and count from 0 again. */
  retryCount: number;
  error: string;
  failedAt: string;
  replayedAt?: string;
}

/** A cron entry in the store. */
export interface CronRow {
  id: string;
  name: string;
  schedule: string;
  timezone: string;
  job: string;
  queue: string;
  payload: string | undefined;
  lastRunAt?: string;
  nextRunAt?: string;
  /** When it fires next by the clock, in milliseconds since 1970; `Infinity` for never. */
  nextRunMs: number;
  /** The same by the time that nobody can set. */
  dueMs: number;
  /** Whether it fires. */
  enabled: boolean;
  createdAt: string;
  updatedAt: string;
}
