import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../runtime/clock.ts";
import { steadyTime } from "../../runtime/steady_time.ts";
import { openDatabase, openMemory, transaction } from "../history/database.ts";
import { type HistoryError, historyError } from "../history/error.ts";
import { quarantine } from "../history/quarantine.ts";
import { FileInspector } from "./file_inspector.ts";
import { HealthDatabase } from "./health_database.ts";

/** How long SQLite waits for another process that is writing, in milliseconds. Checks wait with it. */
const BUSY_TIMEOUT = 500;

/** The time between two attempts to use a file that could not be written, in milliseconds. */
const RETRY_INTERVAL = 2_000;

/** How many runs wait in memory for a file that cannot be written. */
const MOST_WAITING = 10_000;

/** Settings of {@linkcode HealthFile.open}. */
export interface HealthFileOptions {
  /** The clock. */
  clock: Clock;
  /** Called with a problem of the file, and with its end. */
  warn(text: string): void;
}

/** What the owner of a file does when it fails and works again. */
export interface HealthFileOwner {
  /** Called when a file cannot be written any more. It may throw if it cannot be read either. */
  onFailure(database: HealthDatabase): void;
  /** Writes what is in memory into a new file, after a corrupt or deleted one was replaced. */
  onReplaced(database: HealthDatabase): void;
  /** Writes what else waits in memory, after all writes that were postponed. */
  onCatchUp(database: HealthDatabase): void;
}

/** A write that waits until the file can be used again. */
interface Postponed {
  write(database: HealthDatabase): void;
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

  private constructor(path: string | undefined, sql: DatabaseSync, options: HealthFileOptions) {
    this.#path = path;
    this.#options = options;
    this.#database = prepare(sql);
    this.#now = steadyTime(options.clock);
    if (path !== undefined) this.#inspector = new FileInspector(path);
  }

  /**
   * Opens a file, or a database in memory without a path.
   * @throws {HistoryError | FileError}
   */
  static async open(path: string | undefined, options: HealthFileOptions): Promise<HealthFile> {
    if (path === undefined) return new HealthFile(path, await openMemory(), options);
    try {
      return new HealthFile(path, await openDatabase(path, { ...options, create: true }), options);
    } catch (cause) {
      throw historyError("open", path, cause);
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
   * one that could not be written.
   */
  async retry(): Promise<void> {
    if (!this.#problem) {
      const found = await this.#inspector?.inspect();
      if (!found) return;
      this.#fail(found);
      this.#retryAt = this.#now();
    }
    if (this.#now() < this.#retryAt) return;
    this.#retryAt = this.#now() + RETRY_INTERVAL;
    try {
      await this.#mend(this.#problem!);
      transaction(this.#database.sql, () => {
        for (const { write } of this.#postponed) write(this.#database);
        this.#owner?.onCatchUp(this.#database);
      });
    } catch (cause) {
      this.#database.forget();
      this.#problem = historyError("write", this.#path!, cause);
      return;
    }
    const lost = this.#lost === 0 ? "" : `; ${this.#lost} runs are missing in it`;
    this.#options.warn(`history '${this.#path}' can be written again${lost}`);
    this.#postponed = [];
    this.#lost = 0;
    this.#problem = undefined;
  }

  /** Closes the file. */
  close(): void {
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
   * Replaces a corrupt file with a new one, and goes on in the file that is where another one was.
   * @throws {HistoryError} If nothing has changed.
   */
  async #mend(error: HistoryError): Promise<void> {
    const { clock, warn } = this.#options;
    if (error.code !== "corrupt" && error.code !== "moved") {
      const found = await this.#inspector!.inspect();
      if (found) throw found;
      return;
    }
    try {
      this.#database.sql.close();
    } catch {
      // An earlier attempt has closed it.
    }
    if (error.code === "corrupt") {
      await quarantine(this.#path!, this.#inspector!.inode, error, { clock, warn });
    }
    this.#database = prepare(await openDatabase(this.#path!, { create: true, clock, warn }));
    this.#inspector = new FileInspector(this.#path!);
    transaction(this.#database.sql, () => this.#owner?.onReplaced(this.#database));
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
