import { DispatchError } from "../../../client/errors.ts";
import type { DispatchAdmin } from "../../../client/http/dispatch_admin.ts";
import { type Clock, delay, monotonicNow } from "../../../runtime/clock.ts";
import type { JobCounts } from "../../../protocol/admin.ts";
import type { RowJournal } from "./row_journal.ts";

/**
 * How often jobs are counted while rows are sent, in milliseconds; less often if that would take more
 * than this part of the time.
 */
const INTERVAL = 2_000;
const SHARE = 10;
const MAX_PAUSE = 20_000;

/**
 * A server may still read what a lost connection has left. So its jobs are counted until their number
 * stays the same for this many milliseconds, but not more often than this.
 */
const SETTLE = 500;
const MAX_COUNTS = 6;

/**
 * A server counts one state after the other, so it counts a job that moves on meanwhile twice. While
 * its workers are busy, most counts are too high, many by the same number. So a count is believed if
 * nothing has moved between this many.
 */
const STILL = 6;
const MAX_READINGS = 24;
const PAUSE = 30;

/** How old a count may be that is compared: later, somebody else may have enqueued jobs. */
const MAX_AGE = 60_000;

/** How long a count may take, and how often it is tried when the server cannot be reached. */
const TIMEOUT = 5_000;
const MAX_TRIES = 3;

/** What {@linkcode RowCounter} works with. */
export interface CountOptions {
  admin: DispatchAdmin;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Finds out from the number of jobs on the server how many of the rows arrived whose answers were
 * lost. A server reads a connection in order, so these are the first ones.
 */
export class RowCounter {
  readonly #journal: RowJournal;
  readonly #options: CountOptions;
  #isAvailable = true;
  #next = -Infinity;

  /** Counts for the rows of a journal. */
  constructor(journal: RowJournal, options: CountOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /** Whether a count tells how many rows arrived: no longer once others enqueue jobs, too. */
  get isExact(): boolean {
    return this.#isAvailable && this.#journal.count?.others === false;
  }

  /** Notes how many jobs there are, from time to time. Call it while no row is on its way. */
  async note(): Promise<void> {
    const { clock } = this.#options;
    const now = monotonicNow(clock);
    if (!this.#isAvailable || now < this.#next) return;
    const { count, lone, sentRows } = this.#journal;
    const expected = [count, lone].map((base) => base && base.jobs + sentRows - base.rows);
    const total = await this.#total(expected);
    if (total !== undefined) this.#journal.counted(total, clock.now());
    else if (count?.others === false) this.#journal.doubt();
    const end = monotonicNow(clock);
    const pause = Math.min(MAX_PAUSE, SHARE * (end - now));
    this.#next = end + (this.isExact ? Math.max(INTERVAL, pause) : pause);
  }

  /**
   * Finds out which of the rows arrived that may have been sent since the last count, if their
   * connection was the only one that was lost. Without a word it does nothing if that cannot be told.
   */
  async resolve(): Promise<void> {
    const { unknown, count, cuts, sentRows } = this.#journal;
    if (!this.#isAvailable || count === undefined) return;
    const now = this.#options.clock.now();
    const total = await this.#settled();
    if (total === undefined) return;
    const rows = [...unknown].filter((row) => !count.before.has(row));
    const arrived = total - count.jobs - (sentRows - count.rows);
    const isAlone = !count.others && now - count.at < MAX_AGE;
    // However many others came, no job came if there is none that is not known.
    const isKnown = arrived === 0 ||
      isAlone &&
        (arrived === rows.length || arrived > 0 && arrived < rows.length && cuts < 2);
    if (isKnown) {
      for (const [i, row] of rows.entries()) {
        if (i < arrived) this.#journal.arrive(row);
        else this.#journal.unsent(row);
      }
    }
    this.#journal.counted(total, now);
    this.#journal.sync();
  }

  /** Whether all jobs on the server have ended well, apart from this many. */
  async allCompletedBut(bad: number): Promise<boolean> {
    if (!this.isExact) return false;
    // A job that is tried again may be in none of the states that one count has seen.
    for (let i = 0; i < STILL; i++) {
      if (i > 0) await delay(PAUSE, this.#options);
      const counts = await this.#count();
      if (counts === undefined || counts.completed + bad !== totalOf(counts)) return false;
    }
    return true;
  }

  /** Counts the jobs until their number does not change any more. */
  async #settled(): Promise<number | undefined> {
    let before: number | undefined;
    for (let i = 0; this.#isAvailable && i < MAX_COUNTS; i++) {
      const total = await this.#total();
      if (total !== undefined && total === before) return total;
      // While jobs are in motion, counts may not agree.
      before = total;
      await delay(SETTLE, this.#options);
    }
    return undefined;
  }

  /**
   * Counts the jobs until a count can be believed, or is as low as expected: nearly none is too low.
   * @returns Nothing if workers were in motion all the time.
   */
  async #total(expected: readonly (number | undefined)[] = []): Promise<number | undefined> {
    const readings: JobCounts[] = [];
    while (readings.length < MAX_READINGS) {
      const counts = await this.#count();
      if (counts === undefined) return undefined;
      readings.push(counts);
      const total = totalOf(counts);
      // A job that is tried again goes back to a state that was counted before, and is not counted.
      const isTooLow = counts.retrying !== readings.at(-2)?.retrying;
      if (expected.includes(total) && !isTooLow) return total;
      if (areAlike(readings.slice(-STILL))) return total;
      await delay(PAUSE, this.#options);
    }
    return undefined;
  }

  async #count(): Promise<JobCounts | undefined> {
    const { admin, signal } = this.#options;
    for (let i = 1; this.#isAvailable; i++) {
      try {
        return await admin.counts({ signal, timeout: TIMEOUT });
      } catch (error) {
        if (!(error instanceof DispatchError)) throw error;
        // A server that answers something else has no such route, or guards it.
        if (typeof error.code === "number" || i === MAX_TRIES) this.#isAvailable = false;
        else await delay(SETTLE, this.#options);
      }
    }
    return undefined;
  }
}

function totalOf(counts: JobCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Whether no job has moved between these counts. */
function areAlike(readings: readonly JobCounts[]): boolean {
  if (readings.length < STILL) return false;
  const [first, ...others] = readings.map((counts) => JSON.stringify(counts));
  return others.every((text) => text === first);
}
