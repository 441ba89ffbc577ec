import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { delay } from "../../runtime/clock.ts";
import { type HistoryError, historyError } from "./error.ts";

/** How long another process that sets the file aside is waited for, in milliseconds. */
const PATIENCE = 2000;
/** How often is looked whether it is done. */
const INTERVAL = 20;

/**
 * Renames a corrupt file and what SQLite keeps beside it, once, however many processes find it
 * corrupt at the same time: the new file that one of them begins is not taken for the corrupt one.
 *
 * @param inode Which file was found to be corrupt; absent where there was none.
 * @throws {HistoryError}
 */
export async function setAside(
  path: string,
  inode: number | undefined,
  error: HistoryError,
  { now, tell }: { now: number; tell(text: string): void },
): Promise<void> {
  const time = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  const aside = `${path}.corrupt-${time}`;
  const lock = `${path}.lock`;
  try {
    await take(lock);
    try {
      if (inodeOf(path) !== inode) return;
      for (const ending of ["", "-journal", "-wal", "-shm"]) {
        if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
      }
    } finally {
      rmSync(lock, { force: true });
    }
  } catch (cause) {
    throw historyError("set aside", path, cause);
  }
  tell(`${error.message}; it was set aside as '${aside}'`);
}

/** What tells a file from another one of its name; absent where there is none. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Creates a file that nobody else has created; one that is left from a crash is taken over. */
async function take(lock: string): Promise<void> {
  for (let waited = 0;; waited += INTERVAL) {
    try {
      return closeSync(openSync(lock, waited < PATIENCE ? "wx" : "w"));
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
    await delay(INTERVAL);
  }
}
