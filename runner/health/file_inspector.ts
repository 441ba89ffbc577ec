import { accessSync, constants, type Stats, statSync } from "node:fs";
import { APPLICATION_ID } from "../history/migrations.ts";
import { HistoryError, historyError } from "../history/error.ts";

/** The largest file whose pages are all checked, in bytes: that takes some 20 ms. */
const MOST_CHECKED = 8_000_000;

/**
 * Looks from outside at a file that SQLite has open. SQLite itself reports no error while it writes to
 * a file that nobody finds any more or that has become read-only, and as long as it has the pages that
 * it needs in memory, it does not see that somebody has overwritten them.
 */
export class FileInspector {
  #path: string;
  #before: Stats;

  /** Remembers the file as it is now. */
  constructor(path: string) {
    this.#path = path;
    this.#before = statSync(path);
  }

  /** The inode of the file that was opened. */
  get inode(): number {
    return this.#before.ino;
  }

  /** Returns what is wrong with the file, if something is. */
  async inspect(): Promise<HistoryError | undefined> {
    const before = this.#before;
    let now: Stats | undefined;
    try {
      now = statSync(this.#path, { throwIfNoEntry: false });
    } catch (cause) {
      return historyError("write", this.#path, cause);
    }
    if (now?.ino !== before.ino) {
      return this.#error("moved", "somebody has deleted, renamed or replaced the file");
    }
    if (!isWritable(this.#path, now)) return this.#error("refused", "the file is read-only");
    const isSame = now.mtimeMs === before.mtimeMs && now.ctimeMs === before.ctimeMs;
    if (isSame && now.size === before.size) return undefined;
    // A checkpoint of SQLite changes the file, too, and makes it smaller after much was deleted.
    const problem = await this.#check(now.size, now.size < before.size);
    // One that cannot be checked now is checked next time.
    if (problem !== "busy") this.#before = now;
    return problem === "busy" ? undefined : problem;
  }

  /** Reads the file through another connection, which has no pages in memory. */
  async #check(size: number, isSmaller: boolean): Promise<HistoryError | "busy" | undefined> {
    const { DatabaseSync } = await import("node:sqlite");
    try {
      // Never by reading the file: to close it would end the locks of SQLite in this process.
      const database = new DatabaseSync(this.#path, { readOnly: true });
      try {
        const read = (pragma: string) =>
          Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
        const isOurs = read("application_id") === APPLICATION_ID;
        if (!isOurs) return this.#error("corrupt", "somebody has overwritten the file");
        const isCut = isSmaller && Number(read("page_count")) * Number(read("page_size")) > size;
        const isThorough = size <= MOST_CHECKED || isCut;
        if (!isThorough || read("quick_check(1)") === "ok") return undefined;
        return this.#error("corrupt", "database disk image is malformed");
      } finally {
        database.close();
      }
    } catch (cause) {
      const error = historyError("write", this.#path, cause);
      return error.code === "corrupt" ? error : "busy";
    }
  }

  #error(code: "moved" | "refused" | "corrupt", why: string): HistoryError {
    return new HistoryError(code, `Cannot write history '${this.#path}': ${why}`);
  }
}

/** Whether a file can be written. The administrator can write each file, also a protected one. */
function isWritable(path: string, { mode }: Stats): boolean {
  try {
    accessSync(path, constants.W_OK);
    return (mode & 0o222) !== 0;
  } catch {
    return false;
  }
}
