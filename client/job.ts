import { decodeJob, isTerminal, type JobEvent, type JobRecord } from "../protocol/mod.ts";
import { JobFailedError } from "./errors.ts";
import type { Gap } from "./gap.ts";
import type { CallOptions, WriteOptions } from "./options.ts";
import type { Transport } from "./_transport.ts";
import { Tracker } from "./tracker.ts";

/** A job on its way, as `enqueue` gives it back. */
export class Job {
  readonly #session: Transport;
  #tracked: Tracker<JobRecord, JobEvent> | undefined;
  readonly #state: string;
  /** The job's id. */
  readonly job_id: string;
  /** The queue it waits in; empty on a handle made from an id alone. */
  readonly queue: string;

  /** Made by `enqueue` and `client.job(id)`. */
  constructor(session: Transport, id: string, queue: string, state: string) {
    this.#session = session;
    this.job_id = id;
    this.queue = queue;
    this.#state = state;
  }

  /** Most jobs are enqueued and never followed. */
  get #tracker(): Tracker<JobRecord, JobEvent> {
    return this.#tracked ??= trackJob(this.#session, this.job_id);
  }

  /** The last state that was seen: `pending` at first. */
  get state(): string {
    return this.#tracked?.state ?? this.#state;
  }

  /** Reads the job as it is now. */
  get(options?: CallOptions): Promise<JobRecord> {
    return getJob(this.#session, this.job_id, options);
  }

  /**
   * Cancels the job. One that runs is not stopped: its end overwrites the state `cancelled`.
   */
  async cancel(options?: WriteOptions): Promise<void> {
    await cancelJob(this.#session, this.job_id, options);
  }

  /**
   * Resolves with the job once it has completed. A job whose name no worker knows never does: give
   * a `timeout` or a `signal`.
   *
   * @throws {JobFailedError} When it failed for good or was cancelled.
   * @throws {TimeoutError} When `timeout` milliseconds have passed; without it there is no deadline.
   */
  async wait(options?: CallOptions): Promise<JobRecord> {
    const job = await this.#tracker.wait(options);
    if (job.state !== "completed") throw new JobFailedError(job);
    return job;
  }

  /** The job's events from the first on, ended by `job.completed` or `job.dlq`. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<JobEvent | Gap, undefined> {
    return this.#tracker.events(options);
  }
}

/** Reads a job. */
export async function getJob(
  session: Transport,
  job_id: string,
  options?: CallOptions,
): Promise<JobRecord> {
  return decodeJob(
    await session.request({
      what: `get job '${job_id}'`,
      method: "job.get",
      data: JSON.stringify({ job_id }),
      subject: job_id,
      retry: "unknown",
      ...options,
    }),
  );
}

/** Cancels a job. */
export async function cancelJob(
  session: Transport,
  job_id: string,
  options?: WriteOptions,
): Promise<void> {
  await session.request({
    what: `cancel job '${job_id}'`,
    method: "job.cancel",
    data: JSON.stringify({ job_id }),
    subject: job_id,
    retry: "not-sent",
    ...options,
  });
}

function trackJob(session: Transport, id: string): Tracker<JobRecord, JobEvent> {
  return new Tracker<JobRecord, JobEvent>(session, {
    what: `job '${id}'`,
    channel: `job:${id}`,
    read: (options) => getJob(session, id, options),
    recall: (job, known) => Promise.resolve(recallJob(job, known)),
    isLast: (event) => event.type === "job.completed" || event.type === "job.dlq",
  });
}

/**
 * The events that a job's record tells of. It tells of the last attempt only: where earlier ones are
 * missing, and nothing known tells of them, stands a gap.
 */
export function recallJob(job: JobRecord, known: readonly (JobEvent | Gap)[]): (JobEvent | Gap)[] {
  const topic = `job:${job.id}`;
  const { scope_app_id, scope_org_id } = job;
  const data = {
    job_id: job.id,
    job_name: job.name,
    queue: job.queue,
    ...(scope_app_id ? { scope_app_id } : {}),
    ...(scope_org_id ? { scope_org_id } : {}),
  };
  const events: (JobEvent | Gap)[] = [
    { type: "job.enqueued", ts: job.created_at, topic, data },
  ];
  const attempts = job.state === "failed" ? job.retry_count - 1 : job.retry_count;
  if (attempts > known.filter(({ type }) => type === "job.retrying").length) {
    const until = job.started_at ?? job.updated_at;
    events.push({ type: "gap", reason: "unseen", since: job.created_at, until });
  }
  if (job.started_at && (isTerminal(job.state) || job.state === "running")) {
    events.push({ type: "job.started", ts: job.started_at, topic, data });
  }
  if (job.state === "completed") {
    events.push({ type: "job.completed", ts: job.completed_at ?? job.updated_at, topic, data });
  } else if (job.state === "failed") {
    const failed = { topic, ts: job.updated_at, data: { ...data, error: job.last_error ?? "" } };
    events.push({ type: "job.failed", ...failed }, { type: "job.dlq", ...failed });
  }
  return events;
}
