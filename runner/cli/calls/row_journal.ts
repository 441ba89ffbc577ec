import { FileError } from "../../../runtime/file.ts";
import { type Journal, openJournal } from "../../../runtime/journal.ts";
import { UsageError } from "../args.ts";

/** What a journal is about: the first line of its file. */
export interface JournalHeader {
  /** The hash of the file of rows, and of the types of its columns. */
  sha256: string;
  /** How many rows it has. */
  rows: number;
  /** The name of the jobs. */
  name: string;
  queue: string;
  priority: number;
  /** The server's address, without secrets. */
  server: string;
}

/** The other lines of a journal. Rows are counted from 1. */
type Entry =
  /** These rows are being sent from now on. */
  | { sending: number[] }
  /** A row became a job. */
  | { row: number; job_id: string }
  /** The server refused a row. */
  | { row: number; refused: string }
  /** A row was not sent, whatever was said before. */
  | { row: number; unsent: true };

/**
 * What has become of the rows of a file, on disk. Before a row is sent, its number is written; and
 * after the answer, what it became. A row whose number is the last thing known about it may have
 * been sent: it is `unknown`.
 */
export class RowJournal implements Disposable {
  readonly #journal: Journal;
  /** The ids of the jobs, by rows. */
  readonly jobs: Map<number, string> = new Map<number, string>();
  /** Why the server refused a row. */
  readonly refused: Map<number, string> = new Map<number, string>();
  /** The rows that may have been sent. */
  readonly unknown: Set<number> = new Set<number>();
  /** The address of the server that the rows were sent to at first. */
  readonly server: string;

  private constructor(path: string, journal: Journal, header: JournalHeader) {
    this.#journal = journal;
    const [first, ...entries] = journal.lines;
    if (first === undefined) {
      this.#write({ journal: 1, ...header });
      this.sync();
    }
    this.server = first === undefined ? header.server : checkHeader(path, first, header);
    for (const [i, line] of entries.entries()) this.#apply(parseEntry(path, line, i + 2));
  }

  /**
   * Opens the journal of a file of rows, or begins one.
   * @throws {UsageError} If it is about something else, or another process has it.
   */
  static async open(path: string, header: JournalHeader): Promise<RowJournal> {
    let journal: Journal;
    try {
      journal = await openJournal(path);
    } catch (error) {
      throw error instanceof FileError ? new UsageError(error.message) : error;
    }
    try {
      return new RowJournal(path, journal, header);
    } catch (error) {
      journal[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes that rows are being sent. They may be sent when it returns. */
  sending(rows: readonly number[]): void {
    this.#add({ sending: [...rows] });
    this.sync();
  }

  /** Writes that a row became a job. */
  sent(row: number, job_id: string): void {
    this.#add({ row, job_id });
  }

  /** Writes that the server refused a row. */
  refuse(row: number, refused: string): void {
    this.#add({ row, refused });
  }

  /** Writes that a row was not sent after all. */
  unsent(row: number): void {
    this.#add({ row, unsent: true });
  }

  /** Makes sure that what was written survives a power cut. */
  sync(): void {
    this.#journal.sync();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }

  #add(entry: Entry): void {
    this.#write(entry);
    this.#apply(entry);
  }

  #write(value: object): void {
    this.#journal.append(JSON.stringify(value));
  }

  #apply(entry: Entry): void {
    if ("sending" in entry) {
      for (const row of entry.sending) {
        this.unknown.add(row);
      }
      return;
    }
    const { row } = entry;
    this.unknown.delete(row);
    this.refused.delete(row);
    if ("job_id" in entry) this.jobs.set(row, entry.job_id);
    else if ("refused" in entry) this.refused.set(row, entry.refused);
  }
}

/** Checks that a journal is about these rows; returns the server that they were sent to. */
function checkHeader(path: string, line: string, header: JournalHeader): string {
  const found = parseObject(line);
  const problem = (why: string) =>
    new UsageError(`Cannot go on with journal '${path}': ${why}; name another one with --journal`);
  if (found?.journal !== 1) throw problem("it is not a journal of rows");
  if (found.sha256 !== header.sha256 || found.rows !== header.rows) {
    throw problem("it is about another file, or the file has changed since, or had other types");
  }
  for (const key of ["name", "queue", "priority"] as const) {
    if (found[key] === header[key]) continue;
    throw problem(`its jobs have the ${key} '${found[key]}', not '${header[key]}'`);
  }
  return String(found.server);
}

function parseEntry(path: string, line: string, number: number): Entry {
  const entry = parseObject(line);
  const isValid = entry !== undefined &&
    (Array.isArray(entry.sending) || Number.isSafeInteger(entry.row));
  if (isValid) return entry as unknown as Entry;
  throw new UsageError(`Cannot go on with journal '${path}': line ${number} is damaged`);
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch (_error) {
    // The caller says what is wrong.
    return undefined;
  }
}
