import { type Clock, delay, type TimerHandle } from "../../runtime/clock.ts";
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

  constructor(entry: ScheduledRecipe, options: SchedulerOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  /** Runs until the schedule ends. Resolves to whether a run was interrupted. */
  async run(): Promise<boolean> {
    const { clock, signal, random, log } = this.#options;
    const { name, jitter } = this.#entry;
    try {
      for (let after = clock.now(); !signal.aborted;) {
        const slot = this.#entry.next(after);
        if (slot === undefined) {
          log(`${name}: no further runs`);
          break;
        }
        if (!await this.#sleepUntil(slot + Math.floor(random() * jitter))) break;
        this.#startRun(slot);
        // Skips the times that passed while the machine slept.
        after = Math.max(slot, clock.now() - jitter);
      }
    } finally {
      await this.#running;
      clock.clearTimeout(this.#reminder);
    }
    return this.#wasInterrupted;
  }

  /** Resolves to `false` when the schedule ends first. */
  async #sleepUntil(at: number): Promise<boolean> {
    const { clock, signal } = this.#options;
    while (clock.now() < at) {
      try {
        await delay(Math.min(at - clock.now(), LONGEST_SLEEP), { signal, clock });
      } catch (error) {
        if (signal.aborted) return false;
        throw error;
      }
    }
    return !signal.aborted;
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
    const ms = Math.min(Math.max(0, at - clock.now()), LONGEST_SLEEP);
    this.#reminder = clock.setTimeout(() => {
      const now = clock.now();
      if (now >= at) {
        this.#state = afterReminder(this.#state, now);
        if (!this.#maintenanceAt(now)) this.#notify("reminder", this.#state);
      }
      this.#setReminder(rules);
    }, ms);
  }
}

/** Formats a time as RFC 3339 in UTC, to the second. */
export function formatTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
