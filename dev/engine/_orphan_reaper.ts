import type { ServerState } from "./server_state.ts";
import type { JobRow } from "./store_rows.ts";

/** How long a running job may go without a worker, and how often the reaper runs. */
const STALE_MS = 30_000;

/**
 * Queues orphans again: jobs that are running but have had no worker for 30 seconds. Checks happen
 * at multiples of 30 seconds after the server's start, as on a Go server.
 */
export class OrphanReaper {
  readonly #server: ServerState;
  readonly #serverStart: number;
  #isScheduled = false;

  constructor(server: ServerState) {
    this.#server = server;
    this.#serverStart = server.timers.now();
  }

  /** Schedules the next check, if there are orphans and none is scheduled. */
  schedule(): void {
    const { store, timers } = this.#server;
    if (this.#isScheduled || store.orphans.size === 0) return;
    this.#isScheduled = true;
    const sinceCheck = (timers.now() - this.#serverStart) % STALE_MS;
    const check = () => {
      this.#isScheduled = false;
      this.#reap();
      this.schedule();
    };
    timers.set(check, STALE_MS - sinceCheck, "background");
  }

  #reap(): void {
    const { store, timers } = this.#server;
    const now = timers.now();
    for (const job of store.orphans) {
      if (job.state !== "running") store.orphans.delete(job);
      else if (job.startedMs < now - STALE_MS) {
        store.orphans.delete(job);
        requeueOrphan(this.#server, job);
      }
    }
  }
}

/** Queues a job again whose worker has died. That is no retry. */
export function requeueOrphan({ store, timers, timestamps }: ServerState, job: JobRow): void {
  const now = timers.now();
  job.state = "pending";
  job.runAtMs = now;
  job.runAt = job.updatedAt = timestamps.now();
  job.startedAt = undefined;
  store.enqueue(job, now);
}
