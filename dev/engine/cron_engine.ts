import { intervalOf } from "../cron_pattern.ts";
import { checkSchedule, ScheduleError } from "../cron_schedule.ts";
import type { CronDefinition } from "../define_cron.ts";
import { emitCron } from "./_emit.ts";
import { errorText } from "./errors.ts";
import type { JobEngine } from "./job_engine.ts";
import type { ServerState } from "./server_state.ts";
import type { CronRow, Tenant } from "./store_rows.ts";

/** When an entry fires: at an interval in milliseconds, or at the times that a function returns. */
type Schedule =
  | { interval: number }
  /** Returns the next time after a time, both in milliseconds since 1970. */
  | { next: (after: number) => number | undefined };

interface Entry {
  cron: CronDefinition;
  schedule: Schedule;
  row: CronRow;
  clearTimer: () => void;
}

const NO_TENANT: Tenant = { app: "", org: "" };
/** How long it may take to notice that the clock was set. */
const CLOCK_CHECK_MS = 30_000;
/** A smaller difference between the two clocks does not mean that one was set. */
const CLOCK_TOLERANCE_MS = 500;
/** How often a server looks for entries that are due. */
const TICK_MS = 1000;

/**
 * Enqueues the jobs of cron entries on schedule. If several servers share a store, only one of them
 * enqueues the job. Setting the clock does not change a wait that has begun; entries with a pattern
 * are then planned again.
 */
export class CronEngine {
  readonly #server: ServerState;
  readonly #jobs: JobEngine;
  readonly #longestWait: number;
  readonly #removeListener: () => void;
  #entries: Entry[] = [];

  constructor(server: ServerState, jobs: JobEngine) {
    this.#server = server;
    this.#jobs = jobs;
    // A virtual clock is never set, and extra timers would make advancing it slow.
    this.#longestWait = server.timers.clock.touch ? Infinity : CLOCK_CHECK_MS;
    this.#removeListener = server.store.onCronChange(() => {
      for (const entry of this.#entries) this.#arm(entry, this.#untilTick());
    });
  }

  /**
   * Replaces the entries.
   * @throws {ScheduleError} If a schedule is not valid; the old entries stay.
   */
  async replace(crons: Iterable<CronDefinition>): Promise<void> {
    const parsed: [CronDefinition, Schedule][] = [];
    for (const cron of crons) parsed.push([cron, await parseSchedule(cron)]);
    for (const entry of this.#entries) entry.clearTimer();
    this.#entries = [];
    for (const [cron, schedule] of parsed) {
      const entry = { cron, schedule, row: this.#rowOf(cron, schedule), clearTimer: () => {} };
      this.#entries.push(entry);
      this.#fireIfDue(entry);
      this.#arm(entry);
    }
  }

  /** Stops following changes of the store. */
  close(): void {
    this.#removeListener();
  }

  #rowOf(cron: CronDefinition, schedule: Schedule): CronRow {
    const { store, timestamps, ids } = this.#server;
    const { schedule: text, timezone = "", job, queue = "" } = cron.options;
    const work = { job, queue, payload: payloadOf(cron.options) };
    const existing = store.cronRows.get(cron.name);
    if (existing && existing.schedule === text && existing.timezone === timezone) {
      return Object.assign(existing, work);
    }
    const now = timestamps.now();
    const row: CronRow = {
      id: existing?.id ?? ids.next("cron"),
      name: cron.name,
      schedule: text,
      timezone,
      ...work,
      nextRunMs: 0,
      dueMs: 0,
      enabled: existing?.enabled ?? cron.options.enabled ?? true,
      createdAt: existing?.createdAt ?? now,
      updatedAt: now,
    };
    this.#plan(row, schedule, this.#wall);
    store.cronRows.set(cron.name, row);
    return row;
  }

  /**
   * Sets the timer of an entry, if it is enabled.
   * @param late How long to wait if it is due already.
   */
  #arm(entry: Entry, late: number = 0): void {
    entry.clearTimer();
    entry.clearTimer = () => {};
    if (!this.#isEnabled(entry)) return;
    const onTimer = () => {
      this.#fireIfDue(entry);
      this.#arm(entry);
    };
    const left = entry.row.dueMs - this.#now;
    const wait = Math.min(left > 0 ? left : late, this.#longestWait);
    if (wait === Infinity) return;
    entry.clearTimer = this.#server.timers.set(onTimer, wait, "background");
  }

  /** Whether an entry fires: it is neither disabled nor deleted. */
  #isEnabled({ row }: Entry): boolean {
    return this.#server.store.cronRows.get(row.name)?.enabled ?? false;
  }

  /** How long it takes until the next tick, in milliseconds. */
  #untilTick(): number {
    return Math.ceil(this.#now / TICK_MS) * TICK_MS - this.#now;
  }

  /** Fires an entry, unless another server of the store has fired it already. */
  #fireIfDue(entry: Entry): void {
    const { cron: { name, options }, schedule, row } = entry;
    if (!this.#isEnabled(entry)) return;
    this.#followClock(row, schedule);
    if (row.dueMs > this.#now) return;
    const payload = payloadOf(options);
    const job = this.#jobs.enqueue(NO_TENANT, options.job, payload, { queue: options.queue });
    row.lastRunAt = row.updatedAt = this.#server.timestamps.now();
    // The clock may be a little behind the timer. The entry must not fire twice for one time.
    this.#plan(row, schedule, Math.max(this.#wall, row.nextRunMs));
    emitCron(this.#server, name, job);
  }

  /** Corrects the plan of an entry if somebody has set the clock since. */
  #followClock(row: CronRow, schedule: Schedule): void {
    const shift = (this.#now - this.#wall) - (row.dueMs - row.nextRunMs);
    if (!(Math.abs(shift) > CLOCK_TOLERANCE_MS)) return;
    // Times that were skipped fire once.
    if ("next" in schedule && row.nextRunMs <= this.#wall) row.dueMs = this.#now;
    else if ("next" in schedule || row.dueMs - this.#now > schedule.interval) {
      this.#plan(row, schedule, this.#wall);
    } else this.#setNextRun(row, this.#wall + row.dueMs - this.#now);
  }

  /** Plans the next time after a time of the clock. */
  #plan(row: CronRow, schedule: Schedule, after: number): void {
    if ("next" in schedule) {
      this.#setNextRun(row, schedule.next(after) ?? Infinity);
      row.dueMs = this.#now + row.nextRunMs - this.#wall;
    } else {
      row.dueMs = Math.floor(this.#now / TICK_MS) * TICK_MS + schedule.interval;
      this.#setNextRun(row, this.#wall + row.dueMs - this.#now);
    }
  }

  #setNextRun(row: CronRow, next: number): void {
    row.nextRunMs = next;
    row.nextRunAt = next === Infinity ? undefined : new Date(next).toISOString();
  }

  get #now(): number {
    return this.#server.timers.now();
  }

  get #wall(): number {
    return this.#server.timers.clock.now();
  }
}

function payloadOf({ payload = {} }: CronDefinition["options"]): string {
  return JSON.stringify(payload);
}

async function parseSchedule({ name, options }: CronDefinition): Promise<Schedule> {
  const { schedule, timezone = "UTC" } = options;
  checkSchedule(name, schedule, timezone);
  const interval = intervalOf(schedule);
  if (interval !== undefined) return { interval };
  const { Cron } = await import("croner");
  try {
    const pattern = new Cron(schedule, { timezone, paused: true });
    return { next: (after) => pattern.nextRun(new Date(after))?.getTime() };
  } catch (cause) {
    throw new ScheduleError(name, schedule, errorText(cause), { cause });
  }
}
