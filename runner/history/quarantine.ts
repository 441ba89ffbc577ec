import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { type Clock, delay } from "../../runtime/clock.ts";
import { type HistoryError, historyError } from "./error.ts";

/** How long to wait for a lock file, in milliseconds. After that, its process must have crashed. */
const LOCK_TIMEOUT = 2000;
/** The time between two attempts to take the lock, in milliseconds. */
const LOCK_INTERVAL = 20;

/**
 * Renames a corrupt file and the files that SQLite keeps beside it. When several processes find the
 * same file corrupt, only the first one renames it; the others keep the new file.
 *
 * @param inode The inode of the corrupt file; absent if it did not exist.
 * @throws {HistoryError}
 */
export async function quarantine(
  path: string,
  inode: number | undefined,
  error: HistoryError,
  { clock, warn }: { clock: Clock; warn(text: string): void },
): Promise<void> {
  const time = new Date(clock.now()).toISOString().replaceAll(/[:.]/g, "-");
  const target = `${path}.corrupt-${time}`;
  const lock = `${path}.lock`;
  try {
    await acquire(lock, clock);
    try {
      if (inodeOf(path) !== inode) return;
      for (const ending of ["", "-journal", "-wal", "-shm"]) {
        if (existsSync(path + ending)) renameSync(path + ending, target + ending);
      }
    } finally {
      rmSync(lock, { force: true });
    }
  } catch (cause) {
    throw historyError("rename", path, cause);
  }
  warn(`${error.message}; renamed it to '${target}'`);
}

/** The inode of a file, which identifies it across renames; absent if there is no file. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Creates the lock file. Waits while another process has one. */
async function acquire(lock: string, clock: Clock): Promise<void> {
  for (let waited = 0;; waited += LOCK_INTERVAL) {
    try {
      return closeSync(openSync(lock, waited < LOCK_TIMEOUT ? "wx" : "w"));
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
    await delay(LOCK_INTERVAL, { clock });
  }
}
