import type { Clock } from "../../../runtime/clock.ts";
import type { HealthStore } from "../../health/health_store.ts";
import type { Check, CheckProblem, CheckRun, Notice } from "../../health/model.ts";
import type { Beat, Heartbeat } from "../../notify/heartbeat.ts";
import type { Delivery } from "../../notify/notifier.ts";
import { windowAt } from "../../schedule/calendar.ts";
import type { RunEnd, RunStart, Scheduled, ScheduleEvent } from "../../schedule/scheduled.ts";
import { Scheduler } from "../../schedule/scheduler.ts";
import type { CheckPlan } from "./check_plans.ts";

/** A check that is scheduled. */
export interface MonitoredCheck extends Scheduled {
  /** The check. */
  readonly check: Check;
  /** Its plan. */
  readonly plan: CheckPlan;
  /** What is wrong with its file, whose last good version runs. */
  problem?: CheckProblem;
}

/** What happens to checks. The log, the page, metrics and heartbeats listen. */
export type HealthEvent =
  | { type: "added" | "removed" | "changed"; check: MonitoredCheck }
  | { type: "started"; check: MonitoredCheck; start: RunStart }
  | { type: "finished"; check: MonitoredCheck; run: CheckRun }
  | { type: "interrupted"; check: MonitoredCheck }
  | { type: "schedule"; event: ScheduleEvent<MonitoredCheck> }
  | { type: "notice"; notice: Notice; isTold: boolean }
  | { type: "delivery"; delivery: Delivery };

/** Settings of a {@linkcode Monitor}. */
export interface MonitorOptions {
  /** The clock. */
  clock: Clock;
  /** Returns random numbers from 0 up to, not including, 1. */
  random: () => number;
  /** Ends the schedule when aborted. */
  signal: AbortSignal;
  /** How many checks run at the same time. */
  parallel: number;
  /** What is kept. */
  store: HealthStore;
  /** Runs a check once; nothing comes of a run that was interrupted. */
  run(plan: CheckPlan, start: RunStart): Promise<CheckRun | undefined>;
  /** Sends what waits in the outbox. */
  wake(): void;
  /** Tells a beat. */
  beat(heartbeat: Heartbeat, beat: Beat, name: string): void;
  /** Called when a history that could not be opened or written has caught up. */
  onCaughtUp(): Promise<void>;
}

/** The time between two looks at reminders and the store, in milliseconds. */
const TICK = 1_000;

/** Runs checks on their schedules, records what comes of them, and tells everybody who listens. */
export class Monitor {
  #options: MonitorOptions;
  #scheduler: Scheduler<MonitoredCheck>;
  #checks = new Map<string, MonitoredCheck>();
  #listeners = new Set<(event: HealthEvent) => void>();
  #nextRefresh = 0;

  /** Creates a monitor; {@linkcode run} starts it. */
  constructor(options: MonitorOptions) {
    this.#options = options;
    const { clock, random, signal, parallel } = options;
    this.#scheduler = new Scheduler({
      ...{ clock, random, signal, parallel },
      onEvent: (event) => this.tell({ type: "schedule", event }),
    });
  }

  /** Calls back with what happens. Returns a function that ends this. */
  listen(listener: (event: HealthEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everybody who listens. */
  tell(event: HealthEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The checks. */
  checks(): MonitoredCheck[] {
    return [...this.#checks.values()];
  }

  /** Returns a check. */
  check(id: string): MonitoredCheck | undefined {
    return this.#checks.get(id);
  }

  /** When a check runs next, in milliseconds since 1970. */
  nextRun(check: MonitoredCheck): number | undefined {
    return this.#scheduler.nextRun(check);
  }

  /** Until when a check is in maintenance, in milliseconds since 1970. */
  maintenanceUntil(check: MonitoredCheck): number | undefined {
    return windowAt(check.maintenance, this.#options.clock.now())?.to;
  }

  /** The notices about the alerts that are raised, of which a target was told. */
  raised(target: string): Notice[] {
    const { store } = this.#options;
    return this.checks().flatMap(({ check }) =>
      store.status(check.id)?.incident?.targets.includes(target) ? store.raised(check) ?? [] : []
    );
  }

  /** How long ago the scheduler looked at the clock, in milliseconds. */
  get sinceTick(): number {
    return this.#scheduler.sinceTick;
  }

  /** What is kept. */
  get store(): HealthStore {
    return this.#options.store;
  }

  /** Adds a check. */
  add(plan: CheckPlan): MonitoredCheck {
    const monitored = this.#schedule(plan);
    this.tell({ type: "added", check: monitored });
    return monitored;
  }

  #schedule(plan: CheckPlan, old?: MonitoredCheck): MonitoredCheck {
    const check = this.#options.store.register(plan.key);
    const { next, jitter, maintenance, everyWhileFailing } = plan;
    const monitored: MonitoredCheck = {
      ...{ check, plan, next, jitter, maintenance },
      ...(everyWhileFailing === undefined ? {} : { everyWhileFailing }),
      run: (start) => this.#run(monitored, start),
    };
    this.#checks.set(check.id, monitored);
    if (old) this.#scheduler.replace(old, monitored);
    else this.#scheduler.add(monitored);
    return monitored;
  }

  /** Adds a check, or gives the one of the same recipe a new plan. */
  replace(plan: CheckPlan): void {
    const { name, file, server } = plan.key;
    const old = this.checks().find(({ check }) =>
      check.name === name && check.file === file && check.server === server
    );
    if (!old) return void this.add(plan);
    this.tell({ type: "changed", check: this.#schedule(plan, old) });
  }

  /** Records what is wrong with the file of a check. */
  markBroken(check: MonitoredCheck, problem: CheckProblem): void {
    check.problem = problem;
    this.tell({ type: "changed", check });
  }

  /** Removes a check and ends its alert. A run in progress ends as it would, and does not count. */
  remove(check: MonitoredCheck): void {
    this.#scheduler.remove(check);
    this.#checks.delete(check.check.id);
    this.tell({ type: "removed", check });
    const notice = this.#options.store.end(check.check, check.plan.alerting.targets);
    if (notice) this.#notify(notice, check.plan);
    this.#options.store.remove(check.check);
  }

  /**
   * Ends the alert of a check that an earlier schedule has left and that is not scheduled any more.
   *
   * @param targets The names of the targets that are told.
   */
  endRecorded(check: Check, targets: readonly string[]): void {
    const notice = this.#options.store.endRecorded(check, targets);
    // Whether its plan had an `alert` is not recorded.
    if (notice) this.#notify(notice, { isTold: true });
  }

  /**
   * Runs checks until the signal is aborted.
   *
   * @param goesOn Whether it goes on when no check has a further time: others may be added.
   * @returns Whether a run was interrupted.
   */
  async run(goesOn: boolean): Promise<boolean> {
    const { clock } = this.#options;
    let isOver = false;
    let timer = clock.setTimeout(onTick, TICK);
    const tick = () => this.#tick();
    async function onTick() {
      await tick();
      if (!isOver) timer = clock.setTimeout(onTick, TICK);
    }
    try {
      return await this.#scheduler.run(goesOn);
    } finally {
      isOver = true;
      clock.clearTimeout(timer);
    }
  }

  async #run(monitored: MonitoredCheck, start: RunStart): Promise<RunEnd> {
    const { store, run: runOnce } = this.#options;
    const { check, plan } = monitored;
    this.tell({ type: "started", check: monitored, start });
    this.#beat(plan, { kind: "start" });
    const run = await runOnce(plan, start);
    if (!run) {
      this.tell({ type: "interrupted", check: monitored });
      return "interrupted";
    }
    const passed = run.verdict === "passed";
    // The run of a check that was removed could raise an alert that nothing would end.
    if (this.#checks.has(check.id)) {
      const notice = store.record(check, run, plan.alerting);
      this.tell({ type: "finished", check: monitored, run });
      if (notice) this.#notify(notice, plan);
    }
    this.#beat(plan, {
      kind: passed ? "success" : "fail",
      exitCode: run.exitCode,
      duration_ms: run.duration_ms,
      log: run.diagnostics ?? run.failure ?? "",
    });
    return passed ? "passed" : "failed";
  }

  #notify(notice: Notice, { isTold }: Pick<CheckPlan, "isTold">): void {
    this.tell({ type: "notice", notice, isTold });
    this.#options.wake();
  }

  #beat({ heartbeat, key }: CheckPlan, beat: Beat): void {
    if (heartbeat) this.#options.beat(heartbeat, beat, key.name);
  }

  /** Makes reminders that are due, and gives the store time for its own work. */
  async #tick(): Promise<void> {
    const { store } = this.#options;
    if (await store.retry()) await this.#options.onCaughtUp();
    const checks = this.checks();
    for (const monitored of checks) {
      if (monitored.plan.alerting.rules.remind === undefined) continue;
      const isQuiet = this.maintenanceUntil(monitored) !== undefined;
      const notice = store.remind(monitored.check, monitored.plan.alerting, isQuiet);
      if (notice) this.#notify(notice, monitored.plan);
    }
    store.keep();
    // All figures are read anew within a minute.
    for (let left = Math.ceil(checks.length / 60); left > 0; left--) {
      this.#nextRefresh = (this.#nextRefresh + 1) % checks.length;
      store.refresh(checks[this.#nextRefresh]!.check.id);
    }
  }
}
