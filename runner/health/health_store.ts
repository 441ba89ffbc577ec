import type { Clock } from "../../runtime/clock.ts";
import { steadyTime } from "../../runtime/steady_time.ts";
import { type AlertRules, NEVER_RUN } from "./alert_rules.ts";
import { BARS, type CheckStatus, freeId, statusIn } from "./check_status.ts";
import { type CheckBefore, decideEnd, decideReminder, decideRun } from "./decide.ts";
import type { HealthChange, HealthDatabase } from "./health_database.ts";
import { HealthFile, type HealthFileOptions } from "./health_file.ts";
import { isKeepingDue, keep, type KeepLimits, type KeepProgress, startKeeping } from "./keep.ts";
import type {
  Check,
  CheckFigures,
  CheckKey,
  CheckRun,
  Incident,
  Notice,
  Waiting,
} from "./model.ts";
import {
  allWaiting,
  claim,
  MemoryOutbox,
  type Next,
  settle,
  type Settled,
  waitingTargets,
} from "./outbox.ts";
import { figuresOf } from "./periods.ts";
import { RetentionClock } from "./retention_clock.ts";

/** Settings of {@linkcode HealthStore.open}. */
export interface HealthStoreOptions extends HealthFileOptions {
  /** The name of this process, which no other one has at the same time. */
  sender: string;
  /** How long and how much is kept. */
  keep: KeepLimits;
}

/** When and whom a run or a reminder alerts. */
export interface Alerting {
  /** When alerts are raised, repeated and resolved. */
  rules: AlertRules;
  /** The names of the targets that are told. */
  targets: readonly string[];
}

/**
 * Keeps the runs, incidents and alerts of checks: in a history, which several processes can use at the
 * same time, or in memory. A file that cannot be written is told; checks go on in memory, and the file
 * catches up as soon as it can.
 */
export class HealthStore {
  #file: HealthFile;
  #clock: Clock;
  #sender: string;
  #limits: KeepLimits;
  #now: () => number;
  #checks = new Map<string, CheckStatus>();
  #figures = new Map<string, CheckFigures>();
  /** Notices that the file could not take yet. */
  #outbox = new MemoryOutbox();
  #keeping: KeepProgress = startKeeping();
  #retention: RetentionClock;

  private constructor(file: HealthFile, { clock, sender, keep }: HealthStoreOptions) {
    this.#file = file;
    this.#clock = clock;
    this.#sender = sender;
    this.#limits = keep;
    this.#now = steadyTime(clock);
    this.#retention = new RetentionClock(clock);
    file.owner = {
      // Notices in the file go before those to come.
      onFailure: (database) => allWaiting(database).forEach((one) => this.#outbox.add(one)),
      onReplaced: (database) => this.#writeAll(database),
      onCatchUp: (database) => {
        for (const waiting of this.#outbox.all()) database.addNotice(waiting);
        this.#outbox.clear();
      },
    };
  }

  /**
   * Opens a store.
   *
   * @param path The history file; without it everything is kept in memory.
   * @throws {HistoryError | FileError}
   */
  static async open(path: string | undefined, options: HealthStoreOptions): Promise<HealthStore> {
    return new HealthStore(await HealthFile.open(path, options), options);
  }

  /** Why the file cannot be written; absent while it can. */
  get problem(): string | undefined {
    return this.#file.problem;
  }

  /** Adds a check, with what an earlier process has recorded about it. */
  register(key: CheckKey): Check {
    const isKnown = (id: string) => this.#checks.has(id);
    let status: CheckStatus | undefined;
    const find = (database: HealthDatabase) => statusIn(database, key, isKnown);
    const hasWritten = this.#file.write((database) => status = find(database));
    if (!hasWritten) status = this.#statusInMemory(key) ?? this.#file.read(find);
    status ??= { check: { ...key, id: freeId(key.name, isKnown) }, alert: NEVER_RUN, bars: [] };
    this.#checks.set(status.check.id, status);
    return status.check;
  }

  /** Forgets a check that is not scheduled any more. What was recorded about it stays. */
  remove(check: Check): void {
    this.#checks.delete(check.id);
    this.#figures.delete(check.id);
  }

  /** Records a run. Returns the notice that it causes, if any, which also waits in the outbox. */
  record(check: Check, run: CheckRun, alerting: Alerting): Notice | undefined {
    const settings = { ...alerting, now: this.#clock.now(), at: this.#now() };
    return this.#change(check, (before) => decideRun(check, run, before, settings))?.notice;
  }

  /**
   * Ends the alert of a check that is not scheduled any more, because nothing else would. Returns the
   * notice about it, if one was raised.
   */
  end(check: Check, targets: readonly string[]): Notice | undefined {
    if (!this.status(check.id)?.alert.raised) return undefined;
    const settings = { targets, now: this.#clock.now() };
    return this.#change(check, (before) => decideEnd(check, before, settings))?.notice;
  }

  /** Returns the recorded checks that are in an incident but not registered, with whom it was told. */
  unregistered(): { check: Check; targets: string[] }[] {
    const all = this.#file.read((database) => database.inIncident()) ?? [];
    return all.filter(({ check }) => !this.#checks.has(check.id));
  }

  /** Makes a reminder if one is due; see {@linkcode decideReminder}. */
  remind(check: Check, alerting: Alerting, isQuiet: boolean): Notice | undefined {
    const settings = { ...alerting, now: this.#clock.now(), at: this.#now() };
    const decide = (before: CheckBefore) => decideReminder(check, before, settings, isQuiet);
    // Most of the time none is due: then the file is left alone.
    if (!decide(this.status(check.id)!)) return undefined;
    return this.#change(check, decide)?.notice;
  }

  /** What is known about a check. */
  status(id: string): CheckStatus | undefined {
    return this.#checks.get(id);
  }

  /** The figures of a check as {@linkcode refresh} last saw them. */
  figures(id: string): CheckFigures | undefined {
    return this.#figures.get(id);
  }

  /** Reads the figures of a check anew. */
  refresh(id: string): CheckFigures | undefined {
    const check = this.#checks.get(id)?.check;
    if (!check) return undefined;
    const now = this.#clock.now();
    const figures = this.#file.read((database) => figuresOf(database, check, now));
    if (figures) this.#figures.set(id, figures);
    return figures;
  }

  /** Returns runs of a check, newest first, each with a number to continue `before`. */
  runs(id: string, limit: number, before?: number): (CheckRun & { id: number })[] {
    const check = this.#checks.get(id)?.check;
    if (!check) return [];
    return this.#file.read((database) => database.runs(check, limit, before)) ?? [];
  }

  /** Returns incidents, newest first: of a check, or of all. */
  incidents(limit: number, id?: string): Incident[] {
    const check = id === undefined ? undefined : this.#checks.get(id)?.check;
    if (id !== undefined && !check) return [];
    const filter = { limit, ...(check ? { check } : {}) };
    return this.#file.read((database) => database.incidents(filter)) ??
      [...this.#checks.values()].flatMap(({ incident }) => incident ?? []);
  }

  /** Returns the targets that notices wait for. */
  waitingTargets(): string[] {
    const stored = this.problem === undefined ? this.#file.read(waitingTargets) ?? [] : [];
    return [...new Set([...stored, ...this.#outbox.targets()])];
  }

  /** Takes the oldest notice for a target; see {@linkcode claim}. */
  next(target: string): Next {
    const now = this.#clock.now();
    let next: Next;
    this.#file.write((database) => next = claim(database, target, this.#sender, now));
    return next ?? this.#outbox.next(target, now);
  }

  /** Removes a notice from the outbox, or lets it wait for its next attempt. */
  settle(waiting: Waiting, how: Settled): void {
    const write = (database: HealthDatabase) => settle(database, waiting, how);
    this.#outbox.settle(waiting, how);
    if (!this.#file.write(write)) this.#file.postpone(write, false);
  }

  /** Tries again to use a file that could not be written. Does nothing while it can. */
  retry(): Promise<void> {
    return this.#file.retry();
  }

  /** Does a small part of the work of keeping the file small; see {@linkcode keep}. */
  keep(): void {
    const times = { now: this.#clock.now(), at: this.#now(), retention: this.#retention };
    if (!isKeepingDue(this.#keeping, times.at)) return;
    this.#file.write((database) => keep(database, this.#keeping, this.#limits, times));
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  /** What is known about a check that was registered before: its file may have changed since. */
  #statusInMemory({ name, file, server, ...rest }: CheckKey): CheckStatus | undefined {
    const known = [...this.#checks.values()].find(({ check }) =>
      check.name === name && check.file === file && check.server === server
    );
    return known && { ...known, check: { ...known.check, ...rest } };
  }

  #change(
    check: Check,
    decide: (before: CheckBefore) => HealthChange | undefined,
  ): HealthChange | undefined {
    const status = this.#checks.get(check.id)!;
    let change: HealthChange | undefined;
    const hasWritten = this.#file.write((database) => {
      // Another process may run the same check: what it has decided counts here too.
      const alert = database.alert(check) ?? NEVER_RUN;
      change = decide({ alert, incident: database.incident(check) });
      if (change) database.write(change);
    });
    if (!hasWritten) change = this.#changeInMemory(decide(status));
    if (!change) return undefined;
    status.alert = change.alert;
    if (change.incident) status.incident = change.incident;
    if (change.run) addRun(status, change.run);
    return change;
  }

  #changeInMemory(change: HealthChange | undefined): HealthChange | undefined {
    if (!change) return undefined;
    // The notice waits in memory. What is left of it when the file can be written goes there then.
    const { notice, targets, ...rest } = change;
    if (notice) { for (const target of targets) this.#outbox.add({ target, notice, attempts: 0 }); }
    const write = (database: HealthDatabase) => database.write({ ...rest, targets: [] });
    this.#file.postpone(write, notice === undefined);
    return change;
  }

  /** Writes the state of all checks into a new file, except those that another process has written. */
  #writeAll(database: HealthDatabase): void {
    for (const { check, alert, incident } of this.#checks.values()) {
      if (database.alert(check)) continue;
      database.write({ check, alert, targets: [], ...(incident ? { incident } : {}) });
    }
  }
}

function addRun(status: CheckStatus, run: CheckRun): void {
  const { at, verdict, duration_ms } = run;
  status.last = run;
  status.bars.push({ at, verdict, duration_ms });
  if (status.bars.length > BARS) status.bars.shift();
}
