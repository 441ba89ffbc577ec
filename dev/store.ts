import type { JobRecord, WorkflowRun } from "../protocol/mod.ts";
import { MemoryStore } from "./engine/memory_store.ts";

/** A job that failed for good. */
export interface DeadLetter {
  /** `dlq_` and 26 characters. */
  id: string;
  /** The job that failed. */
  job_id: string;
  /** Its name. */
  job_name: string;
  /** The queue it was in. */
  queue: string;
  /** What its last attempt said. */
  error: string;
  /** When it failed, RFC 3339. */
  failed_at: string;
}

/**
 * What a server keeps, for as long as the process lives. Servers that are given the same one are the
 * nodes of one cluster: they share jobs, runs and events, and each has its own broker.
 */
export interface Store {
  /** The job of an id. */
  job(id: string): JobRecord | undefined;
  /** The run of an id. */
  run(id: string): WorkflowRun | undefined;
  /** Every job, the oldest first. */
  jobs(): JobRecord[];
  /** Every run, the oldest first. */
  runs(): WorkflowRun[];
  /** Every dead letter, the oldest first. */
  deadLetters(): DeadLetter[];
}

/**
 * Makes an empty store, to be shared by several servers or to outlive one.
 *
 * @example
 * ```ts
 * import { createDevServer, createStore, referenceWorkload } from "@dispatch/sdk/dev";
 *
 * const store = createStore();
 * await using a = await createDevServer({ ...referenceWorkload(), store });
 * await using b = await createDevServer({ ...referenceWorkload(), store });
 * ```
 */
export function createStore(): Store {
  return new MemoryStore();
}
