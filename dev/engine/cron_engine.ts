import { type Core, emitCron } from "./server_state.ts";
import { errorText } from "./handler_input.ts";
import type { JobEngine } from "./job_engine.ts";
import type { CronRow } from "./store_rows.ts";
import type { CronDefinition } from "../define.ts";
import { parseDuration } from "../duration.ts";

/** Thrown when a cron entry's schedule is none. */
export class ScheduleError extends Error {
  /** Always `"bad_schedule"`. */
  readonly code = "bad_schedule";

  /** Names the entry and its schedule. */
  constructor({ name, options }: CronDefinition, cause: unknown) {
    super(`Cannot register cron '${name}': '${options.schedule}': ${errorText(cause)}`, { cause });
    this.name = "ScheduleError";
  }
}

/** When an entry fires next, after a time; both in milliseconds since 1970. */
type Schedule = (after: number) => number | undefined;

const NOBODY = { app: "", org: "" };

/** Fires cron entries: each enqueues its job. Of several servers of a store only one does. */
export class CronEngine {
  readonly #core: Core;
  readonly #jobs: JobEngine;
  #forgetTimers: (() => void)[] = [];

  constructor(core: Core, jobs: JobEngine) {
    this.#core = core;
    this.#jobs = jobs;
  }

  /**
   * Fires these entries from now on, and no others.
   * @throws {ScheduleError} When a schedule is none.
   */
  async run(crons: Iterable<CronDefinition>): Promise<void> {
    const entries: [CronDefinition, Schedule][] = [];
    for (const cron of crons) entries.push([cron, await scheduleOf(cron)]);
    for (const forget of this.#forgetTimers) forget();
    this.#forgetTimers = [];
    for (const [cron, schedule] of entries) this.#arm(cron, schedule, this.#rowOf(cron, schedule));
  }

  #rowOf(cron: CronDefinition, schedule: Schedule): CronRow {
    const { store, stamps, ids } = this.#core;
    const { schedule: text, job, queue = "", payload = null } = cron.options;
    const known = store.cronRows.get(cron.name);
    if (known && known.schedule === text) return known;
    const at = stamps.now();
    const row: CronRow = {
      id: known?.id ?? ids.next("cron"),
      name: cron.name,
      schedule: text,
      job,
      queue,
      payload: JSON.stringify(payload),
      nextRunMs: 0,
      createdAt: known?.createdAt ?? at,
      updatedAt: at,
    };
    plan(row, schedule(this.#core.timers.clock.now()));
    store.cronRows.set(cron.name, row);
    return row;
  }

  #arm(cron: CronDefinition, schedule: Schedule, row: CronRow): void {
    if (row.nextRunMs === Infinity) return;
    const now = this.#core.timers.clock.now();
    const index = this.#forgetTimers.length;
    const arm = () => {
      const wait = Math.max(0, row.nextRunMs - this.#core.timers.clock.now());
      this.#forgetTimers[index] = this.#core.timers.set(
        () => {
          this.#fireIfDue(cron, schedule, row);
          if (row.nextRunMs !== Infinity) arm();
        },
        wait,
        "background",
      );
    };
    if (row.nextRunMs < now) this.#fireIfDue(cron, schedule, row);
    arm();
  }

  #fireIfDue({ name, options }: CronDefinition, schedule: Schedule, row: CronRow): void {
    const now = this.#core.timers.clock.now();
    if (row.nextRunMs > now) return;
    const payload = JSON.stringify(options.payload ?? null);
    const job = this.#jobs.enqueue(NOBODY, options.job, payload, { queue: options.queue });
    row.lastRunAt = row.updatedAt = this.#core.stamps.now();
    plan(row, schedule(now));
    emitCron(this.#core, name, job);
  }
}

function plan(row: CronRow, next: number | undefined): void {
  row.nextRunMs = next ?? Infinity;
  row.nextRunAt = next === undefined ? undefined : new Date(next).toISOString();
}

async function scheduleOf(cron: CronDefinition): Promise<Schedule> {
  const { schedule, timezone = "UTC" } = cron.options;
  try {
    const every = /^@every\s+(\S+)$/.exec(schedule.trim());
    if (every) {
      // Go's scheduler counts whole seconds, and at least one.
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
