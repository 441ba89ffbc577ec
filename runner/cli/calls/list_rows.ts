import { DispatchError } from "../../../client/errors.ts";
import type { DispatchAdmin } from "../../../client/http/dispatch_admin.ts";
import { JOB_STATES, type JobRecord } from "../../../protocol/entity.ts";
import { canonicalJson, type Row } from "./read_rows.ts";
import type { RowJournal } from "./row_journal.ts";

/** How many jobs a page of a list has: the most that a server sends. */
const PAGE = 1000;

/** How far the clocks of a server's nodes may be apart, in milliseconds. */
const SKEW = 10_000;

/** What {@linkcode listRows} asks a server for. */
export interface ListOptions {
  admin: DispatchAdmin;
  /** The name and queue of the jobs. */
  name: string;
  queue: string;
  signal: AbortSignal;
}

/**
 * Looks in the server's lists of jobs for the rows whose answers were lost, and writes what it finds to
 * the journal: the id of the job, or that the row was not sent. Call it when the server has read what
 * a lost connection has left.
 *
 * A row stays unknown if the server has no such lists, as today's servers, or if a job with the same
 * payload may be older than the journal.
 */
export async function listRows(
  rows: readonly Row[],
  journal: RowJournal,
  options: ListOptions,
): Promise<void> {
  if (journal.unknown.size + journal.arrived.size === 0) return;
  const jobs = await listJobs(options);
  if (jobs === undefined) return;
  const known = journal.ids;
  // Jobs that are older than the first row are of somebody else.
  const began = Date.parse(jobs.find(({ id }) => known.has(id))?.created_at ?? "");
  /** Jobs that no row is known to have become, oldest first, by their payloads. */
  const free = Map.groupBy(
    jobs.filter(({ id, name }) => name === options.name && !known.has(id)),
    ({ payload }) => canonicalJson(payload),
  );
  // Those that are known to have arrived take their jobs first.
  for (const number of [...journal.arrived, ...journal.unknown]) {
    const same = free.get(canonicalJson(rows[number - 1]!.payload)) ?? [];
    const own = same.findIndex(({ created_at }) => Date.parse(created_at) >= began);
    // Without a first row, nothing tells how old a job of ours may be.
    const mayBeOwn = same.some(({ created_at }) => !(Date.parse(created_at) < began - SKEW));
    if (own !== -1) journal.sent(number, same.splice(own, 1)[0]!.id);
    else if (!mayBeOwn && journal.unknown.has(number)) journal.unsent(number);
  }
  journal.sync();
}

/** Lists the jobs of a queue, in every state; `undefined` if the server has no such list. */
async function listJobs(
  options: ListOptions,
): Promise<JobRecord[] | undefined> {
  const { admin, queue, signal } = options;
  const jobs = new Map<string, JobRecord>();
  try {
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
