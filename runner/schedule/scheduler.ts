import { type Clock, delay, type TimerHandle } from "../../runtime/clock.ts";
import {
  afterRun,
  type AlertKind,
  type AlertRules,
  type AlertState,
  CALM,
  remindAt,
  reminded,
} from "./alerts.ts";
import type { Windows } from "./times.ts";

/** How a run ended, as far as the schedule cares. */
export interface Outcome {
  /** What a `run` of it would exit with. */
  exitCode: number;
  /** Why it did not pass, in one line. */
  failure?: string;
}

/** A recipe that runs by itself. */
export interface Scheduled {
  /** What people call it. */
  readonly name: string;
  /** The first of its times after another one. */
  next(after: number): number | undefined;
  /** How much later it may begin, in milliseconds. */
  readonly jitter: number;
  /** When it does not run. */
  readonly maintenance: readonly Windows[];
  /** When somebody is told that it fails. */
  readonly rules?: AlertRules;
  /** Runs it. */
  run(signal: AbortSignal): Promise<Outcome>;
}

/** An alert to tell. */
export interface Alert {
  /** What has changed. */
  kind: AlertKind;
  /** The recipe. */
  entry: Scheduled;
  /** When, in milliseconds since 1970. */
  at: number;
  /** Since when it fails. */
  since: number;
  /** How often it has failed in a row. */
  failures: number;
  /** Why it last failed. */
  failure?: string;
}

/** What a schedule needs. */
export interface SchedulerOptions {
  /** Where time comes from. */
  clock: Clock;
  /** Gives numbers from 0 up to, not including, 1. */
  random: () => number;
  /** Ends it: runs are interrupted, and no more begin. */
  signal: AbortSignal;
  /** Takes a line for people. */
  tell(line: string): void;
  /** Takes alerts. */
  alert(alert: Alert): void;
}

/** A machine that slept, or whose clock was set, is noticed after this long. */
const LONGEST_SLEEP = 60_000;

/** Runs recipes at their times until it is ended. A recipe never runs beside itself. */
export class Scheduler {
  #options: SchedulerOptions;
  #interrupted = false;

  /** Prepares it. */
  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /**
   * Runs recipes at their times, until the signal is aborted or there is no time any more.
   * @returns Whether a run was interrupted.
   */
  async keep(entries: readonly Scheduled[]): Promise<boolean> {
    await Promise.all(entries.map((entry) => new Keeper(entry, this.#options, this).keep()));
    return this.#interrupted;
  }

  /** Remembers that a run was interrupted. */
  interrupted(): void {
    this.#interrupted = true;
  }
}

/** Keeps the times of one recipe. */
class Keeper {
  #entry: Scheduled;
  #options: SchedulerOptions;
  #scheduler: Scheduler;
  #running: Promise<void> | undefined;
  #began = 0;
  #state: AlertState = CALM;
  #failure: string | undefined;
  #reminder: TimerHandle | undefined;

  constructor(entry: Scheduled, options: SchedulerOptions, scheduler: Scheduler) {
    this.#entry = entry;
    this.#options = options;
    this.#scheduler = scheduler;
  }

  async keep(): Promise<void> {
    const { clock, signal, random, tell } = this.#options;
    const { name, jitter } = this.#entry;
    try {
      for (let after = clock.now(); !signal.aborted;) {
        const slot = this.#entry.next(after);
        if (slot === undefined) {
          tell(`${name} has no more times`);
          break;
        }
        if (!await this.#sleepUntil(slot + Math.floor(random() * jitter))) break;
        this.#meet(slot);
        // Times that passed meanwhile, as while the machine slept, are not made up for.
        after = Math.max(slot, clock.now() - jitter);
      }
    } finally {
      await this.#running;
      clock.clearTimeout(this.#reminder);
    }
  }

  /** Resolves to `false` when the schedule is ended before. */
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

  /** Begins a run, unless there is a reason not to. */
  #meet(slot: number): void {
    const { clock, tell } = this.#options;
    const { name } = this.#entry;
    const window = this.#closed(clock.now());
    if (window) {
      return tell(`${name} is skipped at ${rfc(slot)}: maintenance until ${rfc(window.to)}`);
    }
    if (this.#running) {
      return tell(`${name} is skipped at ${rfc(slot)}: its run of ${rfc(this.#began)} goes on`);
    }
    this.#began = slot;
    this.#running = this.#run().finally(() => this.#running = undefined);
  }

  #closed(at: number) {
    for (const windows of this.#entry.maintenance) {
      const window = windows(at);
      if (window) return window;
    }
    return undefined;
  }

  async #run(): Promise<void> {
    const { clock, signal } = this.#options;
    const { exitCode, failure } = await this.#entry.run(signal);
    if (exitCode === 130) return this.#scheduler.interrupted();
    const passed = exitCode === 0;
    if (!passed) this.#failure = failure;
    const { rules } = this.#entry;
    if (!rules) return;
    const before = this.#state;
    const { state, kind } = afterRun(before, passed, clock.now(), rules);
    this.#state = state;
    if (kind) this.#alert(kind, kind === "resolved" ? before : state);
    this.#arm(rules);
  }

  #alert(kind: AlertKind, { since, failures }: AlertState): void {
    const { clock, alert } = this.#options;
    const at = clock.now();
    const why = kind === "resolved" || this.#failure === undefined
      ? {}
      : { failure: this.#failure };
    alert({ kind, entry: this.#entry, at, since: since ?? at, failures, ...why });
  }

  /** Sets the timer of the next reminder, or forgets it. */
  #arm(rules: AlertRules): void {
    const { clock, signal } = this.#options;
    clock.clearTimeout(this.#reminder);
    const at = remindAt(this.#state, rules);
    if (at === undefined || signal.aborted) return;
    const ms = Math.min(Math.max(0, at - clock.now()), LONGEST_SLEEP);
    this.#reminder = clock.setTimeout(() => {
      const now = clock.now();
      if (now >= at) {
        this.#state = reminded(this.#state, now);
        if (!this.#closed(now)) this.#alert("reminder", this.#state);
      }
      this.#arm(rules);
    }, ms);
  }
}

/** A time for people and machines: RFC 3339 in UTC, whole seconds. */
export function rfc(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
