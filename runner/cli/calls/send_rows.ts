import type { Dispatch } from "../../../client/dispatch.ts";
import { DispatchError } from "../../../client/errors.ts";
import type { EnqueueOptions } from "../../../client/options.ts";
import { type Clock, monotonicNow } from "../../../runtime/clock.ts";
import { NOT_ALLOWED } from "./call_error.ts";
import type { RowFinder } from "./find_rows.ts";
import type { Row } from "./read_rows.ts";
import type { RowJournal } from "./row_journal.ts";

/**
 * How many rows are sent at a time, and how many are at most unknown after a cut. With fewer, the
 * journal would take longer than the server.
 */
const BATCH = 32;

/**
 * If the server cannot tell what arrived, one row is sent at a time for each of these milliseconds that
 * an answer takes: few rows on their way to a server nearby, and not much time lost with a far one.
 */
const ROW_TIME = 8;

/** How long the answers are waited for after an interruption, in milliseconds. */
const GRACE = 2_000;

/** What {@linkcode sendRows} works with. */
export interface SendOptions {
  client: Dispatch;
  /** The name of the jobs. */
  name: string;
  /** The options of the next call; its timeout is what is left of the time for all of them. */
  enqueue: () => EnqueueOptions;
  clock: Clock;
  signal: AbortSignal;
  /** Finds out what arrived when answers are lost. */
  finder: RowFinder;
  /** Called when the journal has changed. */
  onProgress: () => void;
}

/**
 * Sends the rows of which the journal knows nothing, in their order. A row is in the journal before it
 * is sent, so that no other process sends it again.
 *
 * @returns The error after which no more rows could be sent; `undefined` if all were.
 */
export async function sendRows(
  rows: readonly Row[],
  journal: RowJournal,
  options: SendOptions,
): Promise<DispatchError | undefined> {
  const { client, clock, signal, finder } = options;
  if (journal.unknown.size > 0 || journal.sentRows < rows.length) await finder.look();
  const pending = rows.keys().map((i) => i + 1)
    .filter((row) =>
      ![journal.jobs, journal.arrived, journal.unknown, journal.refused].some((rows) =>
        rows.has(row)
      )
    )
    .toArray();
  let timer: unknown;
  // What is on its way is waited for, but not for long.
  const onAbort = () => {
    timer = clock.setTimeout(() => void client.close(), GRACE);
  };
  signal.addEventListener("abort", onAbort);
  try {
    // The first row goes alone: its job tells how old the jobs of the others can be.
    let size = 1;
    for (let at = 0; at < pending.length;) {
      signal.throwIfAborted();
      const batch = pending.slice(at, at += size);
      journal.sending(batch);
      const began = monotonicNow(clock);
      let answerTime = Infinity;
      const ends = await Promise.allSettled(batch.map(async (row) => {
        const error = await sendRow(row, rows, journal, options);
        answerTime = Math.min(answerTime, monotonicNow(clock) - began);
        return error;
      }));
      for (const end of ends) {
        if (end.status === "rejected") throw end.reason;
        if (end.value) return end.value;
      }
      await finder.look();
      const few = Math.ceil(answerTime / ROW_TIME);
      size = finder.isExact ? BATCH : Math.min(BATCH, Math.max(1, few));
    }
    return undefined;
  } finally {
    journal.sync();
    clock.clearTimeout(timer as Parameters<Clock["clearTimeout"]>[0]);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Sends a row. Returns the error if no more rows can be sent after it. */
async function sendRow(
  row: number,
  rows: readonly Row[],
  journal: RowJournal,
  { client, name, enqueue, onProgress }: SendOptions,
): Promise<DispatchError | undefined> {
  try {
    const { job_id } = await client.enqueue(name, rows[row - 1]!.payload, enqueue());
    journal.sent(row, job_id);
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error;
    const { code, message, delivery } = error as DispatchError & { delivery?: string };
    if (delivery === "unknown" || code === "bad_answer") {
      // The journal says already that it may have been sent.
      return code === "connection_lost" ? undefined : error;
    }
    if (typeof code === "number" && !NOT_ALLOWED.has(code)) journal.refuse(row, message);
    else {
      journal.unsent(row);
      return error;
    }
  } finally {
    onProgress();
  }
  return undefined;
}
