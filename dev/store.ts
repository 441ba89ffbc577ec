import type { CronRecord, JobRecord, WorkflowRun } from "../protocol/mod.ts";

/** A job that failed for good. */
export interface DeadLetter {
  /** `dlq_` and 26 characters. */
  id: string;
  /** The id of the job that failed. */
  job_id: string;
  /** The name of the job. */
  job_name: string;
  /** The job's queue. */
  queue: string;
  /** The error of the last attempt. */
  error: string;
  /** When the last attempt failed, RFC 3339. */
  failed_at: string;
}

/**
 * The jobs, runs and events of a server, kept for as long as the process lives. Servers that share
 * a store are the nodes of one cluster; each still publishes only its own events.
 */
export interface Store {
  /** Finds a job by its id. */
  job(id: string): JobRecord | undefined;
  /** Finds a run by its id. */
  run(id: string): WorkflowRun | undefined;
  /** Lists all jobs, oldest first. */
  jobs(): JobRecord[];
  /** Lists all runs, oldest first. */
  runs(): WorkflowRun[];
  /** Lists all dead letters, oldest first. */
  deadLetters(): DeadLetter[];
  /** Lists all cron entries, oldest first. */
  crons(): CronRecord[];
}
