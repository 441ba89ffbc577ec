/** Why a history cannot be used. */
export type HistoryErrorCode =
  /** There is no file. */
  | "missing"
  /** The file is no database, or a damaged one. */
  | "corrupt"
  /** It is the database of something else. */
  | "foreign"
  /** A later version of the runner wrote it. */
  | "newer"
  /** The system or SQLite refused. */
  | "refused";

/** A history that cannot be used. */
export class HistoryError extends Error {
  /** Why. */
  readonly code: HistoryErrorCode;

  /** Says what could not be done. */
  constructor(code: HistoryErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = "HistoryError";
    this.code = code;
  }
}

/** What SQLite threw, as an error that names the file. */
export function historyError(doing: string, path: string, cause: unknown): HistoryError {
  if (cause instanceof HistoryError) return cause;
  const { message } = cause as Error;
  // Not every runtime gives SQLite's number.
  const code = /not a database|malformed/.test(message) ? "corrupt" : "refused";
  return new HistoryError(code, `Cannot ${doing} history '${path}': ${message}`, { cause });
}
