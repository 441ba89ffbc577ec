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
  /** A row became a job whose id is not known. */
  | { row: number; arrived: true }
  /** A row was not sent, whatever was said before. */
  | { row: number; unsent: true }
  /** The connection was lost. */
  | { cut: true }
  /**
   * How many jobs the server had while no row was on its way; `others` if they are not as many as
   * there would be if nobody else had enqueued jobs.
   */
  | Counted
  /** Somebody else may have enqueued jobs since the last count. */
  | { doubted: true };

interface Counted {
  counted: number;
  /** When, in milliseconds since 1970. */
  at: number;
  others?: true;
}

/** What the server's number of jobs says about the rows that were sent since. */
export interface JobCount {
  /** How many jobs the server had. */
  jobs: number;
  /** When, in milliseconds since 1970. */
  at: number;
  /** How many rows were known to be jobs. */
  rows: number;
  /** The rows that may have been sent before, and so may be among those jobs. */
  before: ReadonlySet<number>;
  /** Whether others seem to enqueue jobs on the server, too. */
  others: boolean;
}

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
  /** The rows that are jobs whose ids are not known. */
  readonly arrived: Set<number> = new Set<number>();
  /** The rows that may have been sent, in the order in which they were. */
  readonly unknown: Set<number> = new Set<number>();
  /** The ids of all jobs. */
  readonly ids: Set<string> = new Set<string>();
  /** The greatest of the ids, which is that of the youngest job; empty if there is none. */
  youngest = "";
  /** The last count of the server's jobs. */
  count: JobCount | undefined;
  /** The last count that showed that nobody else had enqueued jobs. */
  lone: JobCount | undefined;
  /** Whether the server has had fewer jobs than before: it may have been restarted without them. */
  hasForgotten = false;
  /** How many connections were lost since rows were sent last; the end of a process loses one, too. */
  cuts = 0;
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
    this.cuts++;
  }

  /** How many rows are known to be jobs. */
  get sentRows(): number {
    return this.jobs.size + this.arrived.size;
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

  /** Writes that a row became a job, whose id is not known. */
  arrive(row: number): void {
    this.#add({ row, arrived: true });
  }

  /** Writes that the connection was lost. */
  cut(): void {
    this.#add({ cut: true });
  }

  /** Writes how many jobs the server has at a time when no row is on its way. */
  counted(jobs: number, at: number): void {
    const { lone } = this;
    const others = lone !== undefined && jobs - lone.jobs !== this.sentRows - lone.rows;
    if (lone !== undefined && jobs < lone.jobs) this.hasForgotten = true;
    this.#add({ counted: jobs, at, ...others ? { others } : {} });
  }

  /** Writes that counts do not show any more that nobody else enqueues jobs. */
  doubt(): void {
    this.#add({ doubted: true });
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
      this.cuts = 0;
      for (const row of entry.sending) this.unknown.add(row);
    } else if ("cut" in entry) this.cuts++;
    else if ("counted" in entry) this.#applyCount(entry);
    else if ("doubted" in entry) this.count = this.count && { ...this.count, others: true };
    else this.#applyRow(entry);
  }

  #applyCount({ counted: jobs, at, others }: Counted): void {
    this.count = {
      jobs,
      at,
      rows: this.sentRows,
      before: new Set(this.unknown),
      others: others === true,
    };
    if (!this.count.others) this.lone = this.count;
  }

  #applyRow(entry: Entry & { row: number }): void {
    const { row } = entry;
    const isSent = "job_id" in entry || "arrived" in entry;
    // A job that was among those counted is none that came since.
    for (const count of new Set([this.count, this.lone])) {
      if (isSent && this.unknown.has(row) && count?.before.has(row)) count.rows++;
    }
    for (const rows of [this.unknown, this.refused, this.arrived]) rows.delete(row);
    if ("job_id" in entry) {
      const { job_id } = entry;
      this.jobs.set(row, job_id);
      this.ids.add(job_id);
      if (job_id > this.youngest) this.youngest = job_id;
    } else if ("arrived" in entry) this.arrived.add(row);
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
    (Array.isArray(entry.sending) || Number.isSafeInteger(entry.row) || entry.cut === true ||
      entry.doubted === true || Number.isSafeInteger(entry.counted));
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
