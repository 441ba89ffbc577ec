import { type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { makeDirectory } from "../../runtime/file.ts";
import { HistoryError, historyError } from "./error.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import { setAside } from "./set_aside.ts";

/** How long another run's writing is waited for, in milliseconds. */
export const BUSY_LIMIT = 5000;

/** Settings of {@linkcode openDatabase}. */
export interface OpenOptions {
  /** Whether a file is made where there is none, and one that is corrupt is set aside. */
  create: boolean;
  /** What time it is, in milliseconds since 1970, for the name of what is set aside. */
  now: number;
  /** Told what was set aside. */
  tell(text: string): void;
  /** The steps to the present form; tests have others. */
  migrations?: readonly string[];
}

/**
 * Opens a history. A corrupt file is renamed, so that nothing is lost, and a new one begun; what
 * belongs to something else is not touched.
 * @throws {HistoryError | FileError}
 */
export async function openDatabase(path: string, options: OpenOptions): Promise<DatabaseSync> {
  const { DatabaseSync } = await import("node:sqlite");
  if (options.create) await makeDirectory(dirname(resolve(path)));
  const before = statOf(path);
  if (before && !before.isFile()) {
    const what = before.isDirectory() ? "it is a directory" : "it is no regular file";
    throw new HistoryError("refused", `Cannot open history '${path}': ${what}`);
  }
  if (!before && !options.create) {
    throw new HistoryError("missing", `Cannot open history '${path}': no such file`);
  }
  const open = () => connect(new DatabaseSync(resolve(path)), path, options);
  try {
    return open();
  } catch (cause) {
    const error = historyError("open", path, cause);
    if (error.code !== "corrupt" || !options.create) throw error;
    await setAside(path, before?.ino, error, options);
  }
  try {
    return open();
  } catch (cause) {
    throw historyError("open", path, cause);
  }
}

/** Checks whose database it is, and brings it to its present form. */
function connect(database: DatabaseSync, path: string, options: OpenOptions): DatabaseSync {
  const { migrations = MIGRATIONS } = options;
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_LIMIT}; PRAGMA foreign_keys = ON`);
    // In a transaction, as another process may just be beginning it: half of what it is would be
    // that of another application.
    database.exec("BEGIN");
    let version = checkedVersion(database, path, migrations);
    database.exec("COMMIT");
    if (version < migrations.length) {
      transaction(database, () => {
        // Another process may have done it meanwhile.
        version = checkedVersion(database, path, migrations);
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

/** How many migrations a database has had; 0 for a new one. */
function checkedVersion(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[],
): number {
  const read = (what: string) => Number(Object.values(database.prepare(what).get()!)[0]);
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
      `Cannot open history '${path}': a later version of the runner wrote it`,
    );
  }
  return version;
}

/** Runs some writes, all or none of them. */
export function transaction(database: DatabaseSync, write: () => void): void {
  // The lock is taken at the beginning: one that becomes a writer's later is not waited for.
  database.exec("BEGIN IMMEDIATE");
  try {
    write();
    database.exec("COMMIT");
  } catch (error) {
    // On some errors SQLite has done this already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw historyError("open", path, cause);
  }
}
