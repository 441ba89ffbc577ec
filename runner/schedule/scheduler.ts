import { type Clock, delay, monotonicNow, type TimerHandle } from "../../runtime/clock.ts";
import {
  afterReminder,
  afterRun,
  type AlertKind,
  type AlertRules,
  type AlertState,
  nextReminder,
  NO_FAILURES,
} from "./alerts.ts";
import type { MaintenanceWindow, WindowAt } from "./calendar.ts";

/** The result of a scheduled run. */
export interface RunOutcome {
  /** The exit code that `run` would have. */
  exitCode: number;
  /** Why it did not pass, in one line. */
  failure?: string;
}

/** A recipe with its schedule. */
export interface ScheduledRecipe {
  /** The recipe's name. */
  readonly name: string;
  /** Returns the first scheduled time after another one. */
  next(after: number): number | undefined;
  /** The longest random delay of a run, in milliseconds. */
  readonly jitter: number;
  /** The maintenance windows, in which the recipe does not run. */
  readonly maintenance: readonly WindowAt[];
  /** When to raise alerts; without it there are none. */
  readonly rules?: AlertRules;
  /** Runs the recipe. */
  run(signal: AbortSignal): Promise<RunOutcome>;
}

/** A notification about an alert. Times are in milliseconds since 1970. */
export interface Alert {
  /** What the notification is about. */
  kind: AlertKind;
  /** The recipe. */
  entry: ScheduledRecipe;
  /** When it was sent. */
  at: number;
  /** When the recipe began to fail. */
  since: number;
  /** How often it has failed in a row. */
  failures: number;
  /** Why the last run failed. */
  failure?: string;
}

/** Settings of a {@linkcode Scheduler}. */
export interface SchedulerOptions {
  /** The clock that schedules follow. */
  clock: Clock;
  /** Returns random numbers from 0 up to, not including, 1; for the jitter. */
  random: () => number;
  /** Ends the schedule and interrupts runs when aborted. */
  signal: AbortSignal;
  /** Prints a line. */
  log(line: string): void;
  /** Sends a notification. */
  alert(alert: Alert): void;
}

/**
 * The longest timer, in milliseconds. Timers stop while a machine sleeps, so the clock is read this
 * often.
 */
const LONGEST_SLEEP = 60_000;

/** How late a run may start, in milliseconds; a later one counts as missed. */
const LATEST_START = 30_000;

/** If the wall clock is set back by more milliseconds than this, the next run is scheduled anew. */
const MAX_CORRECTION = 1_000;

/** How many missed runs are counted. */
const MAX_COUNTED = 10_000;

/** Runs recipes on their schedules. Runs of the same recipe never overlap. */
export class Scheduler {
  #options: SchedulerOptions;

  /** Creates a scheduler; {@linkcode run} starts it. */
  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /**
   * Runs recipes until the signal is aborted or no recipe has a further scheduled time.
   * @returns Whether a run was interrupted.
   */
  async run(entries: readonly ScheduledRecipe[]): Promise<boolean> {
    const interrupted = await Promise.all(
      entries.map((entry) => new RecipeScheduler(entry, this.#options).run()),
    );
    return interrupted.includes(true);
  }
}

/** Runs one recipe on its schedule. */
class RecipeScheduler {
  #entry: ScheduledRecipe;
  #options: SchedulerOptions;
  #running: Promise<void> | undefined;
  #startedAt = 0;
  #wasInterrupted = false;
  #state: AlertState = NO_FAILURES;
  #failure: string | undefined;
  #reminder: TimerHandle | undefined;
  /** When the last notification was sent, by the monotonic clock. */
  #notifiedAt = 0;

  constructor(entry: ScheduledRecipe, options: SchedulerOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  /** Runs until the schedule ends. Resolves to whether a run was interrupted. */
  async run(): Promise<boolean> {
    const { clock, random, log } = this.#options;
    const { name, jitter } = this.#entry;
    try {
      for (let last = clock.now();;) {
        const slot = this.#entry.next(this.#resumeAfter(last));
        if (slot === undefined) {
          log(`${name}: no further runs`);
          break;
        }
        const at = slot + Math.floor(random() * jitter);
        const reason = await this.#sleepUntil(at);
        if (reason === "ended") break;
        if (reason === "set back") continue;
        const isMissed = clock.now() - at > LATEST_START;
        if (!isMissed) this.#startRun(slot);
        last = this.#skipMissed(slot, isMissed);
      }
    } finally {
      await this.#running;
      clock.clearTimeout(this.#reminder);
    }
    return this.#wasInterrupted;
  }

  /**
   * Returns the time after which the next run is scheduled. If the clock was set back, that is the
   * time it shows now; but a small correction repeats no run.
   */
  #resumeAfter(last: number): number {
    const now = this.#options.clock.now();
    const next = last > now ? this.#entry.next(now) : undefined;
    return next !== undefined && next < last ? now : last;
  }

  /**
   * Waits for a time of the wall clock. The wait is over when either clock says so: the monotonic
   * one may stop while the machine sleeps, and the wall clock may be set back.
   */
  async #sleepUntil(at: number): Promise<"due" | "ended" | "set back"> {
    const { clock, signal } = this.#options;
    const start = clock.now();
    const startMonotonic = monotonicNow(clock);
    while (!signal.aborted) {
      const passed = monotonicNow(clock) - startMonotonic;
      const left = Math.min(at - clock.now(), at - start - passed);
      if (left <= 0) return "due";
      if (start + passed - clock.now() > MAX_CORRECTION) return "set back";
      try {
        await delay(Math.min(left, LONGEST_SLEEP), { signal, clock });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
    return "ended";
  }

  /**
   * Logs the scheduled times that have passed without a run, from `slot` on or after it. Returns the
   * last scheduled time that has passed.
   */
  #skipMissed(slot: number, isMissed: boolean): number {
    const { clock, log } = this.#options;
    const { name, jitter, next } = this.#entry;
    const until = clock.now() - jitter;
    let [first, last, count] = [isMissed ? slot : undefined, slot, isMissed ? 1 : 0];
    for (; count < MAX_COUNTED; count++) {
      const time = next(last);
      if (time === undefined || time > until) break;
      first ??= time;
      last = time;
    }
    if (first === undefined) return slot;
    const many = count === MAX_COUNTED ? `at least ${count} runs` : `${count} runs`;
    log(
      `${name}: missed ${count === 1 ? "the run" : many} of ${formatTime(first)}${
        count === 1 ? "" : ` to ${formatTime(count === MAX_COUNTED ? until : last)}`
      }, while the machine slept or was busy, or its clock was set; not made up for`,
    );
    return count === MAX_COUNTED ? Math.max(last, until) : last;
  }

  /** Starts a run, except in a maintenance window or while the last run is in progress. */
  #startRun(slot: number): void {
    const { clock, log } = this.#options;
    const { name } = this.#entry;
    const window = this.#maintenanceAt(clock.now());
    if (window) {
      log(`${name}: skipped at ${formatTime(slot)}: maintenance until ${formatTime(window.to)}`);
    } else if (this.#running) {
      const since = formatTime(this.#startedAt);
      log(`${name}: skipped at ${formatTime(slot)}: its run of ${since} is still in progress`);
    } else {
      this.#startedAt = slot;
      this.#running = this.#runOnce().finally(() => this.#running = undefined);
    }
  }

  #maintenanceAt(at: number): MaintenanceWindow | undefined {
    for (const windowAt of this.#entry.maintenance) {
      const window = windowAt(at);
      if (window) return window;
    }
    return undefined;
  }

  async #runOnce(): Promise<void> {
    const { clock, signal } = this.#options;
    const { exitCode, failure } = await this.#entry.run(signal);
    if (exitCode === 130) {
      this.#wasInterrupted = true;
      return;
    }
    const passed = exitCode === 0;
    if (!passed) this.#failure = failure;
    const { rules } = this.#entry;
    if (!rules) return;
    const before = this.#state;
    const { state, kind } = afterRun(before, passed, clock.now(), rules);
    this.#state = state;
    if (kind) this.#notify(kind, kind === "resolved" ? before : state);
    this.#setReminder(rules);
  }

  #notify(kind: AlertKind, { since, failures }: AlertState): void {
    const { clock, alert } = this.#options;
    const at = clock.now();
    this.#notifiedAt = monotonicNow(clock);
    const why = kind === "resolved" || this.#failure === undefined
      ? {}
      : { failure: this.#failure };
    alert({ kind, entry: this.#entry, at, since: since ?? at, failures, ...why });
  }

  /** Sets the timer of the next reminder, or clears it. */
  #setReminder(rules: AlertRules): void {
    const { clock, signal } = this.#options;
    clock.clearTimeout(this.#reminder);
    const at = nextReminder(this.#state, rules);
    if (at === undefined || signal.aborted) return;
    // The wall clock may be set back, and the monotonic one may stop while the machine sleeps.
    const left = () =>
      Math.min(at - clock.now(), this.#notifiedAt + rules.remind! - monotonicNow(clock));
    this.#reminder = clock.setTimeout(() => {
      if (left() <= 0) {
        const now = clock.now();
        this.#state = afterReminder(this.#state, now);
        if (this.#maintenanceAt(now)) this.#notifiedAt = monotonicNow(clock);
        else this.#notify("reminder", this.#state);
      }
      this.#setReminder(rules);
    }, Math.min(Math.max(0, left()), LONGEST_SLEEP));
  }
}

/** Formats a time as RFC 3339 in UTC, to the second. */
export function formatTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
