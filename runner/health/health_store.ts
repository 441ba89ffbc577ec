import type { Clock } from "../../runtime/clock.ts";
import { steadyTime } from "../../runtime/steady_time.ts";
import { NEVER_RUN } from "./alert_rules.ts";
import {
  addRun,
  type CheckStatus,
  copyStatuses,
  readStatusAgain,
  statusIn,
} from "./check_status.ts";
import { type Alerting, decideEnd, decideReminder, decideRun, raisedNotice } from "./decide.ts";
import { type HealthChange, type HealthDatabase, noticesOf } from "./health_database.ts";
import { HealthFile, type HealthStoreOptions } from "./health_file.ts";
import { isKeepingDue, keep, type KeepLimits, type KeepProgress, startKeeping } from "./keep.ts";
import { type Decide, Merge } from "./merge.ts";
import {
  type Check,
  type CheckFigures,
  type CheckKey,
  type CheckRun,
  freeId,
  type Incident,
  type Notice,
  type Waiting,
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
  /** The checks whose last state is in a new file, before what led to it is written there. */
  #copied = new Set<string>();

  private constructor(file: HealthFile, { clock, sender, keep }: HealthStoreOptions) {
    this.#file = file;
    this.#clock = clock;
    this.#sender = sender;
    this.#limits = keep;
    this.#now = steadyTime(clock);
    this.#retention = new RetentionClock(clock);
    // Notices in the file go before those to come.
    const takeWaiting = (database: HealthDatabase) =>
      allWaiting(database).forEach((one) => this.#outbox.add(one));
    // It may be readable from the beginning, though it cannot be written.
    if (file.problem !== undefined) file.read(takeWaiting);
    file.owner = {
      onFailure: takeWaiting,
      onReplaced: (database) => {
        this.#copied = copyStatuses([...this.#checks.values()], database);
      },
      startMerge: (database) =>
        new Merge({
          database,
          isCopied: ({ id }) => this.#copied.has(id),
          isUntold: (target, notice) => this.#outbox.isUntold(target, notice),
        }),
      onCatchUp: (merge) => {
        for (const waiting of this.#outbox.all()) {
          const { target, notice } = waiting;
          if (!merge.isWithdrawn(target, notice)) merge.database.addNotice(waiting);
        }
      },
      onCaughtUp: () => {
        this.#outbox.clear();
        this.#copied.clear();
        file.read((database) => {
          for (const status of this.#checks.values()) readStatusAgain(status, database);
        });
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
    const hasWritten = this.#file.write((database) => {
      status = find(database);
      // So that no other process gives the same `id` to another check.
      database.rowOf(status.check);
    });
    const known = this.#registered(key);
    if (!hasWritten && known) {
      // Its file may have changed since.
      status = { ...known, check: { ...known.check, ...key } };
    } else if (!hasWritten) status = this.#file.read(find);
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
  record({ id }: Check, run: CheckRun, alerting: Alerting): Notice | undefined {
    const settings = { ...alerting, now: this.#clock.now(), at: this.#now() };
    const status = this.#checks.get(id)!;
    return this.#change(status, (before) => decideRun(status.check, run, before, settings));
  }

  /**
   * Ends the alert of a check that is not scheduled any more, because nothing else would. Returns the
   * notice about it, if one was raised.
   */
  end({ id }: Check, targets: readonly string[]): Notice | undefined {
    const status = this.#checks.get(id);
    return status && this.#end(status, targets);
  }

  /** Ends the alert of a check that an earlier process has left; see {@linkcode end}. */
  endRecorded(check: Check, targets: readonly string[]): Notice | undefined {
    const status = this.#file.read((database) => statusIn(database, check, () => false));
    return status && this.#end({ ...status, check }, targets);
  }

  /** Returns the recorded checks that are in an incident but not registered, with whom it was told. */
  unregistered(): { check: Check; targets: string[] }[] {
    const all = this.#file.read((database) => database.inIncident()) ?? [];
    return all.filter(({ check }) => !this.#registered(check));
  }

  /** Makes a reminder if one is due; see {@linkcode decideReminder}. */
  remind({ id }: Check, alerting: Alerting, isQuiet: boolean): Notice | undefined {
    const settings = { ...alerting, now: this.#clock.now(), at: this.#now() };
    const status = this.#checks.get(id)!;
    const decide: Decide = (before) => decideReminder(status.check, before, settings, isQuiet);
    // Most of the time none is due: then the file is left alone.
    return decide(status) && this.#change(status, decide);
  }

  /** What is known about a check. */
  status(id: string): CheckStatus | undefined {
    return this.#checks.get(id);
  }

  /** The notice about the alert of a check, if it is raised, also by what another process has done. */
  raised({ id }: Check): Notice | undefined {
    const status = this.#checks.get(id);
    if (!status?.alert.raised) return undefined;
    const read = () => this.#file.read((database) => statusIn(database, status.check, () => true));
    // A file that cannot be written may be older than memory.
    const before = this.problem === undefined ? read() : undefined;
    return raisedNotice(status.check, before ?? status, this.#clock.now());
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
    if (!this.#file.write(write)) this.#file.postpone(({ database }) => write(database), false);
  }

  /**
   * Tries again to use a file that could not be opened or written. Does nothing while it can. Returns
   * whether it has caught up now.
   *
   * @param isLast Whether there is no later attempt.
   */
  retry(isLast = false): Promise<boolean> {
    return this.#file.retry(isLast);
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

  /** A check that was registered before. Its `id` in the file may be another one. */
  #registered({ name, file, server }: CheckKey): CheckStatus | undefined {
    return [...this.#checks.values()].find(({ check }) =>
      check.name === name && check.file === file && check.server === server
    );
  }

  #end(status: CheckStatus, targets: readonly string[]): Notice | undefined {
    const { check, alert } = status;
    if (!alert.raised) return undefined;
    const settings = { targets, now: this.#clock.now() };
    return this.#change(status, (before) => decideEnd(check, before, settings));
  }

  #change(status: CheckStatus, decide: Decide): Notice | undefined {
    const { check } = status;
    let change: HealthChange | undefined;
    const hasWritten = this.#file.write((database) => {
      // Another process may run the same check: what it has decided counts here too.
      const alert = database.alert(check) ?? NEVER_RUN;
      change = decide({ alert, incident: database.incident(check) });
      if (change) database.write(change);
    });
    if (!hasWritten) change = decide(status);
    if (!change) return undefined;
    if (!hasWritten) {
      const unwritten = { check, decide, change };
      for (const waiting of noticesOf(change)) this.#outbox.add(waiting);
      this.#file.postpone((merge) => merge.write(unwritten), change.notice === undefined);
    }
    status.alert = change.alert;
    if (change.incident) status.incident = change.incident;
    if (change.run) addRun(status, change.run);
    return change.notice;
  }
}
