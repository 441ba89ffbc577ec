import type { Dispatch } from "../../../client/dispatch.ts";
import { DispatchError } from "../../../client/errors.ts";
import type { Gap } from "../../../client/gap.ts";
import type { DispatchEvent } from "../../../protocol/event.ts";
import { type Clock, delay, monotonicNow } from "../../../runtime/clock.ts";
import { canonicalJson, type Row } from "./read_rows.ts";
import type { RowJournal } from "./row_journal.ts";
import { wouldHaveStarted } from "./start_order.ts";

/** How long events are waited for that do not come, and how often they are looked at, in milliseconds. */
const IDLE = 5_000;
const INTERVAL = 100;

/** What {@linkcode RowEvents} works with. */
export interface EventOptions {
  client: Dispatch;
  /** The name and queue of the jobs. */
  name: string;
  queue: string;
  clock: Clock;
  signal: AbortSignal;
}

/** The rows whose answers the same cut has swallowed, and the events since. */
interface LostRows {
  rows: number[];
  /** The youngest job when they were sent: theirs are younger. */
  after: string;
  /** Whether rows were sent and answered since. */
  isAnswered?: boolean;
  /** The youngest job when the rows after them were answered: theirs are not younger. */
  until?: string;
  /** The jobs that were seen to start since, in this order, with none missing in between. */
  started: string[];
}

/**
 * Finds rows that may have been sent by the events of their jobs. A job that waited for a worker when
 * the connection was lost is seen when it starts, and workers start jobs in their order: so a row
 * also did not arrive if the jobs of those before it and of those after it have started since.
 */
export class RowEvents {
  readonly #rows: readonly Row[];
  readonly #journal: RowJournal;
  readonly #options: EventOptions;
  readonly #lost: LostRows[] = [];
  /** The jobs that were seen, and may be of a row. */
  readonly #seen = new Set<string>();
  /** The jobs of others. */
  readonly #others = new Set<string>();
  #lastEvent = -Infinity;

  /** Watches for the rows of a journal. */
  constructor(rows: readonly Row[], journal: RowJournal, options: EventOptions) {
    this.#rows = rows;
    this.#journal = journal;
    this.#options = options;
  }

  /**
   * Watches from now on for rows whose answers were lost.
   * @param after The youngest job when they were sent.
   */
  async watch(rows: number[], after: string): Promise<void> {
    const lost: LostRows = { rows, after, started: [] };
    try {
      const { client, signal } = this.#options;
      // One for each cut: it has none of the events before the cut.
      void this.#read(await client.subscribe("jobs", { signal }), lost);
      this.#lost.push(lost);
    } catch (error) {
      // Without a permission to subscribe there are no events.
      if (!(error instanceof DispatchError)) throw error;
    }
  }

  /** Finds rows whose jobs were seen. Call it while no row is on its way. */
  async match(): Promise<void> {
    const { unknown, arrived, ids, youngest } = this.#journal;
    for (const lost of this.#lost) {
      lost.rows = lost.rows.filter((row) => unknown.has(row) || arrived.has(row));
      if (lost.isAnswered) lost.until ??= youngest;
      lost.isAnswered = true;
    }
    for (const id of [...this.#seen]) {
      this.#seen.delete(id);
      if (ids.has(id) || this.#others.has(id)) continue;
      const row = await this.#rowOf(id);
      if (row === undefined) this.#others.add(id);
      else this.#journal.sent(row, id);
    }
  }

  /** Waits until the events tell of all rows, or there are no more events. */
  async finish(): Promise<void> {
    const { clock } = this.#options;
    const { unknown } = this.#journal;
    const began = monotonicNow(clock);
    const isDone = () => !this.#lost.some(({ rows }) => rows.some((row) => unknown.has(row)));
    for (;;) {
      await this.match();
      this.#judgeOrder();
      if (isDone() || monotonicNow(clock) - Math.max(began, this.#lastEvent) > IDLE) break;
      await delay(INTERVAL, this.#options);
    }
    this.#journal.sync();
  }

  /** Marks rows as not sent if the jobs before and after them started in their order, without them. */
  #judgeOrder(): void {
    const { unknown, ids } = this.#journal;
    for (const { rows, after, started } of this.#lost) {
      const left = rows.filter((row) => unknown.has(row));
      if (left.length === 0 || !wouldHaveStarted(after, ids, started)) continue;
      for (const row of left) this.#journal.unsent(row);
    }
  }

  /** Returns the row that became a job. */
  async #rowOf(id: string): Promise<number | undefined> {
    const { client, signal } = this.#options;
    // With no job before them, nothing tells how old a job of theirs may be.
    const rows = this.#lost.flatMap(({ rows, after, until = "~" }) =>
      after !== "" && id > after && id <= until ? rows : []
    );
    if (rows.length === 0) return undefined;
    try {
      const text = canonicalJson((await client.getJob(id, { signal })).payload);
      const { unknown, arrived } = this.#journal;
      return rows.find((row) =>
        (unknown.has(row) || arrived.has(row)) &&
        canonicalJson(this.#rows[row - 1]!.payload) === text
      );
    } catch (error) {
      if (error instanceof DispatchError) return undefined;
      throw error;
    }
  }

  async #read(
    events: AsyncIterable<DispatchEvent | Gap>,
    { started }: LostRows,
  ): Promise<void> {
    const { name, queue, clock, signal } = this.#options;
    try {
      for await (const event of events) {
        // Workers may have started any of the jobs meanwhile.
        if (event.type === "gap") started.length = 0;
        else if ("job_name" in event.data) {
          const { job_id, job_name, queue: from } = event.data;
          if (job_name !== name || from !== queue) continue;
          this.#lastEvent = monotonicNow(clock);
          if (event.type === "job.started") started.push(job_id);
          this.#seen.add(job_id);
        }
      }
    } catch (error) {
      // The end of the client, or an interruption: whoever sends rows notices it, too.
      if (!(error instanceof DispatchError) && !signal.aborted) throw error;
    }
  }
}
