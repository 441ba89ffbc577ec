import type { JobRecord } from "../protocol/entity.ts";
import type { JobEvent } from "../protocol/event.ts";
import { cancelJob, getJob, send } from "./connection/requests.ts";
import type { Transport } from "./connection/transport.ts";
import { EntityHandle, type Follower } from "./follow/entity_handle.ts";
import type { Gap } from "./gap.ts";
import type { CallOptions, WriteOptions } from "./options.ts";

/**
 * A handle on one job.
 *
 * @example
 * ```ts
 * import { defineJob } from "@dispatch/sdk/dev";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * const noop = defineJob("noop", () => {});
 * await using env = await createTestDispatch({ jobs: [noop] });
 * const job = await env.client.enqueue("noop");
 * const record = await job.wait({ timeout: 60_000 });
 * assert.equal(record.state, "completed");
 * ```
 */
export class Job {
  readonly #transport: Transport;
  readonly #createFollower: (jobId: string) => Follower<JobRecord, JobEvent>;
  readonly #initialState: string;
  #handle: EntityHandle<JobRecord, JobEvent> | undefined;
  /** The job's id. */
  readonly job_id: string;
  /** The job's queue; empty on a handle that was created from an id. */
  readonly queue: string;

  /** Called by `enqueue()` and `client.job(id)`. */
  constructor(
    transport: Transport,
    createFollower: (jobId: string) => Follower<JobRecord, JobEvent>,
    jobId: string,
    queue: string,
    state: string,
  ) {
    this.#transport = transport;
    this.#createFollower = createFollower;
    this.job_id = jobId;
    this.queue = queue;
    this.#initialState = state;
  }

  /** The last state that was seen; at first the state in the answer to `enqueue()`. */
  get state(): string {
    return this.#handle?.state ?? this.#initialState;
  }

  /** Reads the job's record. */
  get(options?: CallOptions): Promise<JobRecord> {
    return send(this.#transport, getJob(this.job_id, options));
  }

  /**
   * Cancels the job. Servers do not stop a running job: when it ends, its end overwrites the state
   * `cancelled`.
   */
  cancel(options?: WriteOptions): Promise<void> {
    return send(this.#transport, cancelJob(this.job_id, options));
  }

  /**
   * Resolves with the job's record once it has completed. That never happens if no worker knows the
   * job's name, so pass a `timeout` or a `signal`.
   *
   * @throws {JobFailedError} If the job failed for good or was cancelled.
   * @throws {TimeoutError} If `timeout` milliseconds have passed. The default is no timeout.
   */
  wait(options?: CallOptions): Promise<JobRecord> {
    return this.#getHandle().wait(options);
  }

  /** Reads the job's events from the first to the last, `job.completed` or `job.dlq`. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<JobEvent | Gap, undefined> {
    return this.#getHandle().events(options);
  }

  /** Creates the handle on first use: most jobs are enqueued and never followed. */
  #getHandle(): EntityHandle<JobRecord, JobEvent> {
    return this.#handle ??= new EntityHandle(
      this.#transport,
      `job '${this.job_id}'`,
      () => this.#createFollower(this.job_id),
    );
  }
}
