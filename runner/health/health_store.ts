import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../runtime/clock.ts";
import { steadyTime } from "../../runtime/steady_time.ts";
import { openDatabase, openMemory, transaction } from "../history/database.ts";
import { HistoryError, historyError } from "../history/error.ts";
import { inodeOf, quarantine } from "../history/quarantine.ts";
import { type AlertRules, type AlertState, NEVER_RUN } from "./alert_rules.ts";
import { type CheckBefore, decideReminder, decideRun } from "./decide.ts";
import { type HealthChange, HealthDatabase } from "./health_database.ts";
import { freeId } from "./check_id.ts";
import { keep, type KeepLimits, type KeepProgress, startKeeping } from "./keep.ts";
import type { Check, CheckFigures, CheckKey, CheckRun, Incident, Notice, RunBar } from "./model.ts";
import {
  addNotice,
  allWaiting,
  claim,
  MemoryOutbox,
  type Next,
  settle,
  type Settled,
  type Waiting,
  waitingTargets,
} from "./outbox.ts";
import { figuresOf } from "./periods.ts";

/** How many bars of a check are kept in memory for its picture. */
export const BARS = 60;

/** How long SQLite waits for another process that is writing, in milliseconds. Checks wait with it. */
const BUSY_TIMEOUT = 500;

/** The time between two attempts to use a file that could not be written, in milliseconds. */
const RETRY_INTERVAL = 2_000;

/** How many runs wait in memory for a file that cannot be written. */
const MOST_WAITING = 10_000;

/** Settings of {@linkcode HealthStore.open}. */
export interface HealthStoreOptions {
  /** The clock. */
  clock: Clock;
  /** The name of this process, which no other one has at the same time. */
  sender: string;
  /** Called with a problem of the file, and with its end. */
  warn(text: string): void;
  /** How long and how much is kept. */
  keep: KeepLimits;
}

/** What is known about a check. */
export interface CheckStatus extends CheckBefore {
  /** The check. */
  check: Check;
  /** The last run. */
  last?: CheckRun;
  /** The newest runs, oldest first. */
  bars: RunBar[];
}

/** When and whom a run or a reminder alerts. */
export interface Alerting {
  /** When alerts are raised, repeated and resolved. */
  rules: AlertRules;
  /** The names of the targets that are told. */
  targets: readonly string[];
}

/** A write that waits until the file can be used again. */
interface Postponed {
  write(database: HealthDatabase): void;
  /** Whether it may be left out when too many wait. */
  isRun: boolean;
}

/**
 * Keeps the runs, incidents and alerts of checks: in a history, which several processes can use at the
 * same time, or in memory. A file that cannot be written is told; checks go on in memory, and the file
 * catches up as soon as it can.
 */
export class HealthStore {
  #path: string | undefined;
  #options: HealthStoreOptions;
  #database: HealthDatabase;
  #inode: number | undefined;
  #now: () => number;
  #checks = new Map<string, CheckStatus>();
  #figures = new Map<string, CheckFigures>();
  #problem: HistoryError | undefined;
  #retryAt = 0;
  #postponed: Postponed[] = [];
  #lost = 0;
  #outbox = new MemoryOutbox();
  #keeping: KeepProgress = startKeeping();

  private constructor(path: string | undefined, sql: DatabaseSync, options: HealthStoreOptions) {
    this.#path = path;
    this.#options = options;
    this.#database = prepare(sql);
    this.#now = steadyTime(options.clock);
    if (path !== undefined) this.#inode = inodeOf(path);
  }

  /**
   * Opens a store.
   *
   * @param path The history file; without it everything is kept in memory.
   * @throws {HistoryError | FileError}
   */
  static async open(path: string | undefined, options: HealthStoreOptions): Promise<HealthStore> {
    const { clock, warn } = options;
    const sql = path === undefined
      ? await openMemory()
      : await openDatabase(path, { create: true, clock, warn });
    return new HealthStore(path, sql, options);
  }

  /** Why the file cannot be written; absent while it can. */
  get problem(): string | undefined {
    return this.#problem?.message;
  }

  /** Adds a check, with what an earlier process has recorded about it. */
  register(key: CheckKey): Check {
    const isKnown = (id: string) => this.#checks.has(id);
    const status = this.#write((database) => statusIn(database, key, isKnown)) ??
      { check: { ...key, id: freeId(key.name, isKnown) }, alert: NEVER_RUN, bars: [] };
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
    const settings = { ...alerting, now: this.#options.clock.now(), at: this.#now() };
    return this.#change(check, (before) => decideRun(check, run, before, settings))?.notice;
  }

  /** Makes a reminder if one is due; see {@linkcode decideReminder}. */
  remind(check: Check, alerting: Alerting, isQuiet: boolean): Notice | undefined {
    const settings = { ...alerting, now: this.#options.clock.now(), at: this.#now() };
    const decide = (before: CheckBefore) => decideReminder(check, before, settings, isQuiet);
    // Most of the time none is due: then the file is left alone.
    if (!decide(this.status(check.id)!)) return undefined;
    return this.#change(check, decide)?.notice;
  }

  /** What is known about a check. */
  status(id: string): CheckStatus | undefined {
    return this.#checks.get(id);
  }

  /** What is known about all checks. */
  statuses(): CheckStatus[] {
    return [...this.#checks.values()];
  }

  /** The figures of a check as {@linkcode refresh} last saw them. */
  figures(id: string): CheckFigures | undefined {
    return this.#figures.get(id);
  }

  /** Reads the figures of a check anew. */
  refresh(id: string): CheckFigures | undefined {
    const status = this.#checks.get(id);
    if (!status) return undefined;
    const now = this.#options.clock.now();
    const figures = this.#read((database) => figuresOf(database, status.check, now));
    if (figures) this.#figures.set(id, figures);
    return figures;
  }

  /** Returns runs of a check, newest first, each with a number to continue `before`. */
  runs(id: string, limit: number, before?: number): (CheckRun & { id: number })[] {
    const status = this.#checks.get(id);
    if (!status) return [];
    return this.#read((database) => database.runs(status.check, limit, before)) ?? [];
  }

  /** Returns incidents, newest first: of a check, or of all. */
  incidents(limit: number, id?: string): Incident[] {
    const check = id === undefined ? undefined : this.#checks.get(id)?.check;
    if (id !== undefined && !check) return [];
    const filter = { limit, ...(check ? { check } : {}) };
    return this.#read((database) => database.incidents(filter)) ??
      this.statuses().flatMap(({ incident }) => incident ?? []);
  }

  /** Returns the targets that notices wait for. */
  waitingTargets(): string[] {
    const stored = this.#problem ? [] : this.#read(waitingTargets) ?? [];
    return [...new Set([...stored, ...this.#outbox.targets()])];
  }

  /** Takes the oldest notice for a target; see {@linkcode claim}. */
  next(target: string): Next {
    const { sender, clock } = this.#options;
    const now = clock.now();
    return this.#write((database) => claim(database, target, sender, now)) ??
      this.#outbox.next(target, now);
  }

  /** Removes a notice from the outbox, or lets it wait for its next attempt. */
  settle(waiting: Waiting, how: Settled): void {
    const write = (database: HealthDatabase) => settle(database, waiting, how);
    this.#outbox.settle(waiting, how);
    if (!this.#tries(write)) this.#postpone({ write, isRun: false });
  }

  /** Tries again to use a file that could not be written. Does nothing while it can. */
  async retry(): Promise<void> {
    const { clock, warn } = this.#options;
    if (!this.#problem || this.#now() < this.#retryAt) return;
    try {
      if (this.#problem.code === "corrupt") await this.#replace(this.#problem);
      transaction(this.#database.sql, () => this.#catchUp());
    } catch (cause) {
      this.#database.forget();
      this.#problem = historyError("write", this.#path!, cause);
      this.#retryAt = this.#now() + RETRY_INTERVAL;
      return;
    }
    const lost = this.#lost === 0 ? "" : `; ${this.#lost} runs are missing in it`;
    warn(`history '${this.#path}' can be written again since ${iso(clock.now())}${lost}`);
    this.#postponed = [];
    this.#outbox.clear();
    this.#lost = 0;
    this.#problem = undefined;
  }

  /** Does a small part of the work of keeping the file small; see {@linkcode keep}. */
  keep(): void {
    if (this.#problem) return;
    const { clock, keep: limits } = this.#options;
    this.#write((database) => keep(database, this.#keeping, limits, clock.now()));
  }

  /** Closes the file. */
  close(): void {
    this.#database.sql.close();
  }

  #change(
    check: Check,
    decide: (before: CheckBefore) => HealthChange | undefined,
  ): HealthChange | undefined {
    const status = this.#checks.get(check.id)!;
    let change: HealthChange | undefined;
    const hasWritten = this.#tries((database) => {
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
    this.#postpone({ write, isRun: notice === undefined });
    return change;
  }

  #postpone(write: Postponed): void {
    this.#postponed.push(write);
    if (this.#postponed.length <= MOST_WAITING) return;
    const index = this.#postponed.findIndex(({ isRun }) => isRun);
    if (index === -1) return;
    this.#postponed.splice(index, 1);
    this.#lost++;
  }

  /** Writes all that waits. */
  #catchUp(): void {
    for (const { write } of this.#postponed) write(this.#database);
    for (const waiting of this.#outbox.all()) addNotice(this.#database, waiting);
  }

  /** Reads. A file that cannot be written can often be read. */
  #read<T>(work: (database: HealthDatabase) => T): T | undefined {
    try {
      return work(this.#database);
    } catch (cause) {
      this.#fail(cause);
      return undefined;
    }
  }

  /** Works in a transaction. Returns nothing if the file cannot be used. */
  #write<T>(work: (database: HealthDatabase) => T): T | undefined {
    let result: T | undefined;
    this.#tries((database) => result = work(database));
    return result;
  }

  /** Works in a transaction. Returns whether the file could be used. */
  #tries(work: (database: HealthDatabase) => void): boolean {
    if (this.#problem) return false;
    try {
      transaction(this.#database.sql, () => work(this.#database));
      return true;
    } catch (cause) {
      this.#database.forget();
      this.#fail(cause);
      return false;
    }
  }

  #fail(cause: unknown): void {
    // A database in memory has no reason to fail, so this is a mistake of ours.
    if (this.#path === undefined) throw cause;
    this.#retryAt = this.#now() + RETRY_INTERVAL;
    if (this.#problem) return;
    this.#problem = historyError("write", this.#path, cause);
    this.#options.warn(`${this.#problem.message}; checks go on, and it is tried again`);
    this.#takeNotices();
  }

  /** Reads the notices that wait in a file that can still be read: they go before those to come. */
  #takeNotices(): void {
    try {
      for (const waiting of allWaiting(this.#database)) this.#outbox.add(waiting);
    } catch {
      // It cannot be read either: they are sent when it can.
    }
  }

  /** Replaces a corrupt file with a new one, and writes what is in memory into it. */
  async #replace(error: HistoryError): Promise<void> {
    const { clock, warn } = this.#options;
    this.#database.sql.close();
    await quarantine(this.#path!, this.#inode, error, { clock, warn });
    this.#database = prepare(await openDatabase(this.#path!, { create: true, clock, warn }));
    this.#inode = inodeOf(this.#path!);
    for (const { check, alert, incident } of this.#checks.values()) {
      const known = incident ? { incident } : {};
      this.#database.write({ check, alert, targets: [], ...known });
    }
  }
}

/** Sets up a database that a schedule writes to often. */
function prepare(sql: DatabaseSync): HealthDatabase {
  // With a log beside the file a commit is quick, readers do not wait, and a killed process tears nothing.
  sql.exec(
    `PRAGMA busy_timeout = ${BUSY_TIMEOUT}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`,
  );
  return new HealthDatabase(sql);
}

/** Reads what is recorded about a check, and adds it if it is new. */
function statusIn(
  database: HealthDatabase,
  key: CheckKey,
  isKnown: (id: string) => boolean,
): CheckStatus {
  const isTaken = (id: string) => isKnown(id) || database.hasSlug(id);
  const check = { ...key, id: database.slugOf(key) ?? freeId(key.name, isTaken) };
  const [incident] = database.incidents({ check, limit: 1 });
  const [last] = database.runs(check, 1);
  return {
    check,
    alert: database.alert(check) ?? NEVER_RUN,
    bars: database.bars(check, BARS),
    ...(incident ? { incident } : {}),
    ...(last ? { last } : {}),
  };
}

function addRun(status: CheckStatus, run: CheckRun): void {
  const { at, verdict, duration_ms } = run;
  status.last = run;
  status.bars.push({ at, verdict, duration_ms });
  if (status.bars.length > BARS) status.bars.shift();
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
