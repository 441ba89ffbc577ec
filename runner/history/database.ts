import { closeSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../runtime/clock.ts";
import { makeDirectory } from "../../runtime/file.ts";
import { HistoryError, historyError } from "./error.ts";
import { APPLICATION_ID, MIGRATIONS } from "./migrations.ts";
import { quarantine } from "./quarantine.ts";

/** How long to wait for another process that is writing, in milliseconds. */
export const BUSY_TIMEOUT = 5000;

/** How long to wait with the last state of a file, in milliseconds. */
const LAST_STATE_TIMEOUT = 100;

/** Settings of {@linkcode openDatabase}. */
export interface HistoryOptions {
  /** Whether to create a missing file and to replace a corrupt one. */
  create: boolean;
  /** The clock for the name of a quarantined file, and for waits. */
  clock: Clock;
  /** Called when a corrupt file was quarantined. */
  warn(text: string): void;
  /**
   * How long to wait for another process that is writing, in milliseconds.
   * @default {BUSY_TIMEOUT}
   */
  busyTimeout?: number;
  /**
   * The migrations to the current schema; tests add others.
   * @default {MIGRATIONS}
   */
  migrations?: readonly string[];
}

/**
 * Opens a history and migrates it to the current schema. A corrupt history is renamed and replaced
 * by a new one; the database of another application, or a file of another kind, is left alone.
 * @throws {HistoryError | FileError}
 */
export async function openDatabase(path: string, options: HistoryOptions): Promise<DatabaseSync> {
  const { DatabaseSync } = await import("node:sqlite");
  if (options.create) await makeDirectory(dirname(resolve(path)));
  const before = statOf(path);
  if (before && !before.isFile()) {
    const reason = before.isDirectory() ? "it is a directory" : "it is not a regular file";
    throw new HistoryError("refused", `Cannot open history '${path}': ${reason}`);
  }
  if (!before && !options.create) {
    throw new HistoryError("missing", `Cannot open history '${path}': no such file`);
  }
  if (before && before.size > 0 && !isDatabase(path)) {
    // SQLite would overwrite a short file, and call a long one corrupt.
    const reason = "it is not a history but another kind of file";
    throw new HistoryError("foreign", `Cannot open history '${path}': ${reason}`);
  }
  const open = () => connect(new DatabaseSync(resolve(path)), path, options);
  try {
    return open();
  } catch (cause) {
    const error = historyError("open", path, cause);
    if (error.code !== "corrupt" || !options.create) throw error;
    await quarantine(path, before?.ino, error, options);
  }
  try {
    return open();
  } catch (cause) {
    throw historyError("open", path, cause);
  }
}

/** Opens a new history that is kept in memory. */
export async function openMemory(): Promise<DatabaseSync> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(":memory:");
  for (const migration of MIGRATIONS) database.exec(migration);
  return database;
}

/**
 * Opens a history to read what it last said, although it cannot be opened to write: one that is locked
 * can often be read. Returns nothing if it cannot be read either, or has an older schema.
 *
 * @param error Why it cannot be opened.
 */
export async function openLastState(
  path: string,
  error: HistoryError,
): Promise<DatabaseSync | undefined> {
  const { DatabaseSync } = await import("node:sqlite");
  const address = pathToFileURL(resolve(path));
  // Where it can create no file, SQLite reads only one that says that nobody writes to it.
  address.search = "immutable=1";
  const isUsed = /locked/.test(error.message) ||
    ["-wal", "-journal"].some((ending) => (statOf(path + ending)?.size ?? 0) > 0);
  for (const name of isUsed ? [resolve(path)] : [resolve(path), address]) {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(name, { readOnly: true });
      database.exec(`PRAGMA busy_timeout = ${LAST_STATE_TIMEOUT}`);
      if (checkVersion(database, path, MIGRATIONS) === MIGRATIONS.length) return database;
    } catch {
      // The next way may work.
    }
    database?.close();
  }
  return undefined;
}

/** Checks that a database is a history, and migrates it. */
function connect(database: DatabaseSync, path: string, options: HistoryOptions): DatabaseSync {
  const { migrations = MIGRATIONS, busyTimeout = BUSY_TIMEOUT } = options;
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeout}; PRAGMA foreign_keys = ON`);
    // Read in a transaction: another process may be creating the file right now, and a half-created
    // history looks like the database of another application.
    database.exec("BEGIN");
    let version = checkVersion(database, path, migrations);
    database.exec("COMMIT");
    // Counts before the first table: so the file can get smaller a bit at a time.
    if (version === 0) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    if (version < migrations.length) {
      transaction(database, () => {
        // Another process may have migrated it since.
        version = checkVersion(database, path, migrations);
        for (const migration of migrations.slice(version)) database.exec(migration);
        database.exec(
          `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`,
        );
      });
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Returns how many migrations have been applied to a database: none to a new one.
 * @throws {HistoryError} If it is not a history, or newer than this runner.
 */
function checkVersion(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[],
): number {
  const read = (query: string) => Number(Object.values(database.prepare(query).get()!)[0]);
  const application = read("PRAGMA application_id");
  const version = read("PRAGMA user_version");
  const isOurs = application === APPLICATION_ID ||
    (application === 0 && version === 0 && read("SELECT count(*) FROM sqlite_schema") === 0);
  if (!isOurs) {
    throw new HistoryError(
      "foreign",
      `Cannot open history '${path}': it is the database of another application`,
    );
  }
  if (version > migrations.length) {
    throw new HistoryError(
      "newer",
      `Cannot open history '${path}': a newer version of the runner wrote it`,
    );
  }
  return version;
}

/** Runs writes in a transaction: all of them take effect, or none. */
export function transaction(database: DatabaseSync, write: () => void): void {
  // IMMEDIATE takes the write lock now. SQLite does not wait for it when a reader becomes a writer.
  database.exec("BEGIN IMMEDIATE");
  try {
    write();
    database.exec("COMMIT");
  } catch (error) {
    // SQLite has already rolled back after some errors.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The first bytes of every SQLite database. */
const HEADER = "SQLite format 3\0";

/** Whether a file is a database, corrupt or not. */
function isDatabase(path: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const bytes = new Uint8Array(HEADER.length);
    readSync(file, bytes, 0, bytes.length, 0);
    return new TextDecoder().decode(bytes) === HEADER;
  } catch (cause) {
    // Another process has found the file corrupt and renamed it since: now it will be a new one.
    if ((cause as { code?: string }).code === "ENOENT") return true;
    throw historyError("open", path, cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw historyError("open", path, cause);
  }
}
