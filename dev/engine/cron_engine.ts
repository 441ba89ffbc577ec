import { intervalOf } from "../cron_pattern.ts";
import { checkSchedule, ScheduleError } from "../cron_schedule.ts";
import type { CronDefinition } from "../define.ts";
import { emitCron } from "./_emit.ts";
import { errorText } from "./errors.ts";
import type { JobEngine } from "./job_engine.ts";
import type { ServerState } from "./server_state.ts";
import type { CronRow, Tenant } from "./store_rows.ts";

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

async function parseSchedule({ name, options }: CronDefinition): Promise<Schedule> {
  const { schedule, timezone = "UTC" } = options;
  checkSchedule(name, schedule, timezone);
  const interval = intervalOf(schedule);
  if (interval !== undefined) {
    return (after) => Math.floor(after / 1000) * 1000 + interval;
  }
  const { Cron } = await import("croner");
  try {
    const pattern = new Cron(schedule, { timezone, paused: true });
    return (after) => pattern.nextRun(new Date(after))?.getTime();
  } catch (cause) {
    throw new ScheduleError(name, schedule, errorText(cause), { cause });
  }
}
