/** Why a history cannot be used. */
export type HistoryErrorCode =
  /** The file does not exist. */
  | "missing"
  /** The file is damaged, or not a database. */
  | "corrupt"
  /** The file is the database of another application. */
  | "foreign"
  /** A newer version of the runner wrote the file. */
  | "newer"
  /** Somebody has deleted, renamed or replaced the file while it was used. */
  | "moved"
  /** The operating system or SQLite reported another error. */
  | "refused";

/** What SQLite and file systems say of disks, permissions and locks. */
const PASSING = new RegExp(
  "database is locked|disk is full|disk I/O error|no space left|readonly database|" +
    "unable to open database file|permission denied|system is read-only|not permitted",
  "i",
);

/** A history cannot be read or written. */
export class HistoryError extends Error {
  /** The reason. */
  readonly code: HistoryErrorCode;

  /** Creates an error with its reason and message. */
  constructor(code: HistoryErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = "HistoryError";
    this.code = code;
  }

  /** Whether the file can be used once the disk, its permissions or another process allow it. */
  get mayPass(): boolean {
    return this.code === "refused" && PASSING.test(this.message);
  }
}

/**
 * Wraps an error of SQLite or the file system in one that names the file.
 *
 * @param action What was tried, as a verb: `open`.
 */
export function historyError(action: string, path: string, cause: unknown): HistoryError {
  if (cause instanceof HistoryError) return cause;
  const { message } = cause as Error;
  // By the message, because not every runtime exposes SQLite's error code.
  const code = /not a database|malformed/.test(message) ? "corrupt" : "refused";
  return new HistoryError(code, `Cannot ${action} history '${path}': ${message}`, { cause });
}
