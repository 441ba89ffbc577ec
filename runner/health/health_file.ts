import { existsSync } from "node:fs";
import type { Clock } from "../../runtime/clock.ts";
import { steadyTime } from "../../runtime/steady_time.ts";
import { openDatabase, openLastState, openMemory, transaction } from "../history/database.ts";
import { type HistoryError, historyError } from "../history/error.ts";
import { quarantine } from "../history/quarantine.ts";
import { FileInspector } from "./file_inspector.ts";
import { HealthDatabase } from "./health_database.ts";
import type { KeepLimits } from "./keep.ts";
import type { Merge } from "./merge.ts";

/** The default of {@linkcode HealthFileOptions.busyTimeout}. */
const BUSY_TIMEOUT = 500;

/** The time between two attempts to use a file that could not be written, in milliseconds. */
const RETRY_INTERVAL = 2_000;

/** How many bytes the log beside the file keeps, after it was larger for a while. */
const LOG_BYTES = 4_000_000;

/** How many runs wait in memory for a file that cannot be written. */
const MOST_WAITING = 10_000;

/** Settings of {@linkcode HealthFile.open}. */
export interface HealthFileOptions {
  /** The clock. */
  clock: Clock;
  /** Called with a problem of the file, and with its end. */
  warn(text: string): void;
  /**
   * How long SQLite waits for another process that is writing, in milliseconds. Checks wait with it.
   * @default {500}
   */
  busyTimeout?: number;
}

/** Settings of a store that uses a file. */
export interface HealthStoreOptions extends HealthFileOptions {
  /** The name of this process, which no other one has at the same time. */
  sender: string;
  /** How long and how much is kept. */
  keep: KeepLimits;
}

/** What the owner of a file does when it fails and works again. */
export interface HealthFileOwner {
  /** Called when a file cannot be written any more. It may throw if it cannot be read either. */
  onFailure(database: HealthDatabase): void;
  /** Writes what is in memory into a file that is another one than before, as far as it lacks it. */
  onReplaced(database: HealthDatabase): void;
  /** Returns what joins the writes that were postponed with what the file says. */
  startMerge(database: HealthDatabase): Merge;
  /** Writes what else waits in memory, after all writes that were postponed. */
  onCatchUp(merge: Merge): void;
  /** Called when all of that is in the file. */
  onCaughtUp(): void;
}

/** A write that waits until the file can be used again. */
interface Postponed {
  write(merge: Merge): void;
  /** Whether it may be left out when too many wait. */
  mayBeLost: boolean;
}

/**
 * The database of checks: a file, which several processes can use at the same time, or memory. What
 * cannot be written waits until it can.
 */
export class HealthFile {
  #path: string | undefined;
  #options: HealthFileOptions;
  #database: HealthDatabase;
  #inspector: FileInspector | undefined;
  #now: () => number;
  #owner: HealthFileOwner | undefined;
  #problem: HistoryError | undefined;
  #retryAt = 0;
  #postponed: Postponed[] = [];
  #lost = 0;

  private constructor(
    path: string | undefined,
    database: HealthDatabase,
    options: HealthFileOptions,
    problem?: HistoryError,
  ) {
    this.#path = path;
    this.#options = options;
    this.#database = database;
    this.#now = steadyTime(options.clock);
    this.#problem = problem;
    if (problem) this.#retryAt = this.#now() + RETRY_INTERVAL;
    else if (path !== undefined) this.#inspector = new FileInspector(path);
  }

  /**
   * Opens a file, or a database in memory without a path. One that can be used later, once the disk or
   * another process lets it, is tried again; until then what can be read of it is known.
   *
   * @throws {HistoryError | FileError} If it is no history, or a newer one.
   */
  static async open(path: string | undefined, options: HealthFileOptions): Promise<HealthFile> {
    if (path === undefined) {
      return new HealthFile(path, new HealthDatabase(await openMemory()), options);
    }
    try {
      return new HealthFile(path, await openToWrite(path, options), options);
    } catch (cause) {
      const problem = historyError("open", path, cause);
      if (!problem.mayPass) throw problem;
      const last = await openLastState(path, problem);
      const unknown = last || !existsSync(path)
        ? ""
        : "; it cannot be read either, so an alert that it has as raised may be raised again";
      options.warn(`${problem.message}; checks go on in memory, and it is tried again${unknown}`);
      const database = new HealthDatabase(last ?? await openMemory());
      return new HealthFile(path, database, options, problem);
    }
  }

  /** Sets who is called when it fails and works again. */
  set owner(owner: HealthFileOwner) {
    this.#owner = owner;
  }

  /** Why the file cannot be written; absent while it can. */
  get problem(): string | undefined {
    return this.#problem?.message;
  }

  /** Reads. A file that cannot be written can often be read. Returns nothing if it cannot. */
  read<T>(work: (database: HealthDatabase) => T): T | undefined {
    try {
      return work(this.#database);
    } catch (cause) {
      this.#fail(cause);
      return undefined;
    }
  }

  /** Works in a transaction. Returns whether the file could be written. */
  write(work: (database: HealthDatabase) => void): boolean {
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

  /** Writes once the file can be written. When too many wait, those that may be lost are. */
  postpone(write: Postponed["write"], mayBeLost: boolean): void {
    this.#postponed.push({ write, mayBeLost });
    if (this.#postponed.length <= MOST_WAITING) return;
    const index = this.#postponed.findIndex((one) => one.mayBeLost);
    if (index === -1) return;
    this.#postponed.splice(index, 1);
    this.#lost++;
  }

  /**
   * Looks at the file, which somebody may have deleted, overwritten or protected, and tries again to use
   * one that could not be opened or written. Returns whether it has caught up now.
   *
   * @param isLast Whether it is tried now, because there is no later attempt.
   */
  async retry(isLast = false): Promise<boolean> {
    if (!this.#problem) {
      const found = await this.#inspector?.inspect();
      if (!found) return false;
      this.#fail(found);
      this.#retryAt = this.#now();
    }
    if (this.#now() < this.#retryAt && !isLast) return false;
    this.#retryAt = this.#now() + RETRY_INTERVAL;
    try {
      await this.#mend(this.#problem!);
      transaction(this.#database.sql, () => {
        const merge = this.#owner!.startMerge(this.#database);
        for (const { write } of this.#postponed) write(merge);
        this.#owner!.onCatchUp(merge);
      });
    } catch (cause) {
      this.#database.forget();
      this.#problem = historyError(this.#inspector ? "write" : "open", this.#path!, cause);
      return false;
    }
    const lost = this.#lost === 0 ? "" : `; ${this.#lost} runs are missing in it`;
    this.#options.warn(`history '${this.#path}' can be written again${lost}`);
    this.#postponed = [];
    this.#lost = 0;
    this.#problem = undefined;
    this.#owner!.onCaughtUp();
    return true;
  }

  /** Closes the file. Says so if something was not written to it. */
  close(): void {
    const isLost = this.#problem && this.#postponed.length > 0;
    if (isLost) this.#options.warn(`${this.#problem!.message}; what was kept in memory is lost`);
    this.#database.sql.close();
  }

  #fail(cause: unknown): void {
    // A database in memory has no reason to fail, so this is a mistake of ours.
    if (this.#path === undefined) throw cause;
    if (this.#problem) return;
    this.#retryAt = this.#now() + RETRY_INTERVAL;
    this.#problem = historyError("write", this.#path, cause);
    this.#options.warn(`${this.#problem.message}; checks go on, and it is tried again`);
    try {
      this.#owner?.onFailure(this.#database);
    } catch {
      // It cannot be read either.
    }
  }

  /**
   * Opens a file that could not be opened, replaces a corrupt one with a new one, and goes on in the file
   * that is where another one was.
   *
   * @throws {HistoryError} If nothing has changed.
   */
  async #mend(error: HistoryError): Promise<void> {
    const { clock, warn } = this.#options;
    const isOpen = this.#inspector !== undefined;
    if (isOpen && error.code !== "corrupt" && error.code !== "moved") {
      const found = await this.#inspector!.inspect();
      if (found) throw found;
      return;
    }
    if (isOpen) {
      this.#closeDatabase();
      if (error.code === "corrupt") {
        await quarantine(this.#path!, this.#inspector!.inode, error, { clock, warn });
      }
    }
    const database = await openToWrite(this.#path!, this.#options);
    // Until here, what can be read of a file that cannot be opened is still of use.
    if (!isOpen) this.#closeDatabase();
    this.#database = database;
    this.#inspector = new FileInspector(this.#path!);
    transaction(this.#database.sql, () => this.#owner?.onReplaced(this.#database));
  }

  #closeDatabase(): void {
    try {
      this.#database.sql.close();
    } catch {
      // An earlier attempt has closed it.
    }
  }
}

/** Opens a file and sets it up to be written often. */
async function openToWrite(path: string, options: HealthFileOptions): Promise<HealthDatabase> {
  const { clock, warn, busyTimeout = BUSY_TIMEOUT } = options;
  const sql = await openDatabase(path, { create: true, clock, warn, busyTimeout });
  // With a log beside the file a commit is quick, readers do not wait, and a killed process tears nothing.
  try {
    sql.exec(
      `PRAGMA busy_timeout = ${busyTimeout}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
       PRAGMA journal_size_limit = ${LOG_BYTES}`,
    );
  } catch (error) {
    sql.close();
    throw error;
  }
  return new HealthDatabase(sql);
}
