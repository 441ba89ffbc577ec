import { DispatchError } from "../../../client/errors.ts";
import type { DispatchAdmin } from "../../../client/http/dispatch_admin.ts";
import { JOB_STATES, type JobRecord } from "../../../protocol/entity.ts";
import { type Clock, delay } from "../../../runtime/clock.ts";
import type { Row } from "./read_rows.ts";
import type { RowJournal } from "./row_journal.ts";

/** How many jobs a page of a list has: the most that a server sends. */
const PAGE = 1000;

/**
 * A server may still read what a lost connection has left. So its jobs are counted until their number
 * stays the same for this many milliseconds, but not more often than this.
 */
const SETTLE = 500;
const MAX_COUNTS = 20;

/** How far the clocks of a server's nodes may be apart, in milliseconds. */
const SKEW = 10_000;

/** What {@linkcode findRows} needs to ask a server for its jobs. */
export interface FindOptions {
  url: string;
  token: string;
  name: string;
  queue: string;
  clock: Clock;
  random: () => number;
  signal: AbortSignal;
}

/**
 * Looks for the rows that may have been sent in the server's list of jobs, and writes what it finds
 * to the journal: the id of the job, or that the row was not sent.
 *
 * A row stays unknown if the server has no such list, as today's servers, or if a job with the same
 * payload may be older than the journal.
 */
export async function findRows(
  rows: readonly Row[],
  journal: RowJournal,
  options: FindOptions,
): Promise<void> {
  if (journal.unknown.size === 0) return;
  const jobs = await listJobs(options);
  if (jobs === undefined) return;
  const known = new Set(journal.jobs.values());
  // Jobs that are older than the first row are of somebody else.
  const began = Date.parse(jobs.find(({ id }) => known.has(id))?.created_at ?? "");
  /** Jobs that no row is known to have become, oldest first, by their payloads. */
  const free = Map.groupBy(
    jobs.filter(({ id, name }) => name === options.name && !known.has(id)),
    ({ payload }) => canonical(payload),
  );
  for (const number of [...journal.unknown].toSorted((a, b) => a - b)) {
    const same = free.get(canonical(rows[number - 1]!.payload)) ?? [];
    const own = same.findIndex(({ created_at }) => Date.parse(created_at) >= began);
    // Without a first row, nothing tells how old a job of ours may be.
    const mayBeOwn = same.some(({ created_at }) => !(Date.parse(created_at) < began - SKEW));
    if (own !== -1) journal.sent(number, same.splice(own, 1)[0]!.id);
    else if (!mayBeOwn) journal.unsent(number);
  }
  journal.sync();
}

/** Lists the jobs of a queue, in every state; `undefined` if the server has no such list. */
async function listJobs(options: FindOptions): Promise<JobRecord[] | undefined> {
  const { DispatchAdmin } = await import("../../../client/http/dispatch_admin.ts");
  const { url, token, clock, random, queue, signal } = options;
  using admin = new DispatchAdmin({ url, token, clock, random });
  const jobs = new Map<string, JobRecord>();
  try {
    await settle(admin, options);
    // A job that changes its state while the lists are read moves on to a later list. What leaves a
    // list moves the rest to lower offsets, and what enters it to higher ones: so both directions.
    for (const isUpwards of [true, false]) {
      for (const state of JOB_STATES) {
        const count = isUpwards ? Infinity : (await admin.counts({ signal }))[state] ?? 0;
        for (let i = 0; i * PAGE <= count; i++) {
          const offset = isUpwards ? i * PAGE : (Math.floor(count / PAGE) - i) * PAGE;
          const page = await admin.jobs({ state, queue, limit: PAGE, offset, signal });
          for (const job of page) jobs.set(job.id, job);
          if (isUpwards && page.length < PAGE) break;
        }
      }
    }
  } catch (error) {
    if (error instanceof DispatchError) return undefined;
    throw error;
  }
  return [...jobs.values()].toSorted((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
}

/** Waits until the number of jobs on the server does not change any more. */
async function settle(admin: DispatchAdmin, options: FindOptions): Promise<void> {
  let before = -1;
  for (let i = 0; i < MAX_COUNTS; i++) {
    const counts = await admin.counts({ signal: options.signal });
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    if (total === before) return;
    before = total;
    await delay(SETTLE, options);
  }
}

/** Returns the same text for equal JSON values: servers may change the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => a < b ? -1 : 1));
  });
}
