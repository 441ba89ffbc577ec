import type { JobRecord } from "../protocol/entity.ts";
import type { JobEvent } from "../protocol/event.ts";
import { cancel, getJob, send } from "./connection/requests.ts";
import type { Transport } from "./connection/transport.ts";
import { EntityHandle, type Follower } from "./follow/entity_handle.ts";
import type { CallOptions, WriteOptions } from "./options.ts";

export type { EntityHandle } from "./follow/entity_handle.ts";

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
export class Job extends EntityHandle<JobRecord, JobEvent> {
  readonly #transport: Transport;
  /** The job's id. */
  declare readonly job_id: string;
  /** The job's queue; empty on a handle that was created from an id. */
  declare readonly queue: string;
  /** The last state that was seen; at first the state in the answer to `enqueue()`. */
  declare readonly state: string;

  /** Called by `enqueue()` and `client.job(id)`. */
  constructor(
    transport: Transport,
    createFollower: (jobId: string) => Follower<JobRecord, JobEvent>,
    jobId: string,
    queue: string,
    state: string,
  ) {
    super(transport, `job '${jobId}'`, () => createFollower(jobId));
    this.#transport = transport;
    this.job_id = jobId;
    this.queue = queue;
    this.state = state;
  }

  /** Reads the job's record. */
  async get(options?: CallOptions): Promise<JobRecord> {
    return await send(this.#transport, getJob(this.job_id, options));
  }

  /**
   * Cancels the job. Servers do not stop a running job: when it ends, its end overwrites the state
   * `cancelled`.
   */
  async cancel(options?: WriteOptions): Promise<void> {
    return await cancel(this.#transport, this.job_id, options);
  }
}
