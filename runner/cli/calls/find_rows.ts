import type { Dispatch } from "../../../client/dispatch.ts";
import type { DispatchAdmin } from "../../../client/http/dispatch_admin.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { RowCounter } from "./count_rows.ts";
import { listRows } from "./list_rows.ts";
import type { Row } from "./read_rows.ts";
import { RowEvents } from "./row_events.ts";
import type { RowJournal } from "./row_journal.ts";

/** What {@linkcode RowFinder} works with. */
export interface FindOptions {
  client: Dispatch;
  admin: DispatchAdmin;
  /** The name and queue of the jobs. */
  name: string;
  queue: string;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Finds out whether rows arrived whose answers were lost, by all that a server tells: the number of
 * its jobs, the events of those that start later, and lists of jobs. What it finds it writes to the
 * journal.
 */
export class RowFinder {
  readonly #rows: readonly Row[];
  readonly #journal: RowJournal;
  readonly #options: FindOptions;
  readonly #counter: RowCounter;
  readonly #events: RowEvents;
  /** The rows that were looked for. */
  readonly #lookedFor = new Set<number>();
  /** The youngest job when the last rows were sent. */
  #youngest: string;

  /** Finds rows of a journal. */
  constructor(rows: readonly Row[], journal: RowJournal, options: FindOptions) {
    this.#rows = rows;
    this.#journal = journal;
    this.#options = options;
    this.#counter = new RowCounter(journal, options);
    this.#events = new RowEvents(rows, journal, options);
    this.#youngest = journal.youngest;
  }

  /** Whether the server is sure to tell which rows arrived. */
  get isExact(): boolean {
    return this.#counter.isExact;
  }

  /**
   * Looks for rows whose answers were lost just now. Call it before and after rows are sent, while
   * none is on its way.
   */
  async look(): Promise<void> {
    const { unknown, youngest } = this.#journal;
    const lost = [...unknown].filter((row) => !this.#lookedFor.has(row));
    if (lost.length > 0) {
      for (const row of lost) this.#lookedFor.add(row);
      await this.#events.watch(lost, this.#youngest);
      await this.#counter.resolve();
    } else await this.#counter.note();
    await this.#events.match();
    this.#youngest = youngest;
    // What turns out not to have been sent is sent, and may be lost, again.
    for (const row of this.#lookedFor) if (!unknown.has(row)) this.#lookedFor.delete(row);
  }

  /** Looks for all that are not found, when all rows are sent. */
  async finish(): Promise<void> {
    await listRows(this.#rows, this.#journal, this.#options);
    if (this.#journal.unknown.size > 0) await this.#events.finish();
  }

  /** Looks for the jobs of rows that arrived, when all jobs that are known have ended. */
  async findJobs(): Promise<void> {
    await this.#events.match();
  }

  /** Whether all jobs on the server have ended well, apart from this many. */
  async allCompletedBut(bad: number): Promise<boolean> {
    return await this.#counter.allCompletedBut(bad);
  }
}
