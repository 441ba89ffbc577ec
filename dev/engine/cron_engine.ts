import type { CronDefinition } from "../define.ts";
import { parseDuration } from "../duration.ts";
import { emitCron } from "./_emit.ts";
import { errorText } from "./errors.ts";
import type { JobEngine } from "./job_engine.ts";
import type { ServerState } from "./server_state.ts";
import type { CronRow, Tenant } from "./store_rows.ts";

/**
 * Thrown when a cron entry's schedule is not valid.
 *
 * @example
 * ```ts
 * import { createDevServer, defineCron, ScheduleError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * const crons = [defineCron("report", { schedule: "every morning", job: "send-report" })];
 * await assert.rejects(createDevServer({ crons }), ScheduleError);
 * ```
 */
export class ScheduleError extends Error {
  /** Always `"bad_schedule"`. */
  readonly code = "bad_schedule";

  /** Creates an error for an entry. */
  constructor({ name, options }: CronDefinition, cause: unknown) {
    super(`Cannot register cron '${name}': '${options.schedule}': ${errorText(cause)}`, { cause });
    this.name = "ScheduleError";
  }
}

/** Returns the next time an entry fires after a time, both in milliseconds since 1970. */
type Schedule = (after: number) => number | undefined;

const NO_TENANT: Tenant = { app: "", org: "" };

/**
 * Enqueues the jobs of cron entries on schedule. If several servers share a store, only one of them
 * enqueues the job.
 */
export class CronEngine {
  readonly #server: ServerState;
  readonly #jobs: JobEngine;
  #clearTimers: (() => void)[] = [];

  constructor(server: ServerState, jobs: JobEngine) {
    this.#server = server;
    this.#jobs = jobs;
  }

  /**
   * Replaces the entries.
   * @throws {ScheduleError} If a schedule is not valid; the old entries stay.
   */
  async replace(crons: Iterable<CronDefinition>): Promise<void> {
    const entries: [CronDefinition, Schedule][] = [];
    for (const cron of crons) entries.push([cron, await parseSchedule(cron)]);
    for (const clear of this.#clearTimers) clear();
    this.#clearTimers = [];
    for (const [cron, schedule] of entries) this.#arm(cron, schedule, this.#rowOf(cron, schedule));
  }

  #rowOf(cron: CronDefinition, schedule: Schedule): CronRow {
    const { store, timestamps, ids } = this.#server;
    const { schedule: text, job, queue = "", payload = null } = cron.options;
    const existing = store.cronRows.get(cron.name);
    if (existing && existing.schedule === text) return existing;
    const now = timestamps.now();
    const row: CronRow = {
      id: existing?.id ?? ids.next("cron"),
      name: cron.name,
      schedule: text,
      job,
      queue,
      payload: JSON.stringify(payload),
      nextRunMs: 0,
      createdAt: existing?.createdAt ?? now,
      updatedAt: now,
    };
    setNextRun(row, schedule(this.#now));
    store.cronRows.set(cron.name, row);
    return row;
  }

  #arm(cron: CronDefinition, schedule: Schedule, row: CronRow): void {
    if (row.nextRunMs === Infinity) return;
    const index = this.#clearTimers.length;
    const arm = () => {
      const onTimer = () => {
        this.#fireIfDue(cron, schedule, row);
        if (row.nextRunMs !== Infinity) arm();
      };
      const wait = Math.max(0, row.nextRunMs - this.#now);
      this.#clearTimers[index] = this.#server.timers.set(onTimer, wait, "background");
    };
    if (row.nextRunMs < this.#now) this.#fireIfDue(cron, schedule, row);
    arm();
  }

  /** Fires an entry, unless another server of the store has fired it already. */
  #fireIfDue({ name, options }: CronDefinition, schedule: Schedule, row: CronRow): void {
    const now = this.#now;
    if (row.nextRunMs > now) return;
    const payload = JSON.stringify(options.payload ?? null);
    const job = this.#jobs.enqueue(NO_TENANT, options.job, payload, { queue: options.queue });
    row.lastRunAt = row.updatedAt = this.#server.timestamps.now();
    setNextRun(row, schedule(now));
    emitCron(this.#server, name, job);
  }

  get #now(): number {
    return this.#server.timers.clock.now();
  }
}

function setNextRun(row: CronRow, next: number | undefined): void {
  row.nextRunMs = next ?? Infinity;
  row.nextRunAt = next === undefined ? undefined : new Date(next).toISOString();
}

async function parseSchedule(cron: CronDefinition): Promise<Schedule> {
  const { schedule, timezone = "UTC" } = cron.options;
  try {
    const every = /^@every\s+(\S+)$/.exec(schedule.trim());
    if (every) {
      // Go's scheduler rounds down to whole seconds, and to at least one.
      const ms = Math.max(1000, Math.floor(parseDuration(every[1]!) / 1000) * 1000);
      return (after) => Math.floor(after / 1000) * 1000 + ms;
    }
    const { Cron } = await import("croner");
    const pattern = new Cron(schedule, { timezone, paused: true });
    return (after) => pattern.nextRun(new Date(after))?.getTime();
  } catch (cause) {
    throw new ScheduleError(cron, cause);
  }
}
