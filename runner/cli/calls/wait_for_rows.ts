import { DispatchError, JobFailedError, TimeoutError } from "../../../client/errors.ts";
import type { CommandContext } from "../command.ts";
import type { CallSession } from "./call_session.ts";
import type { RowFinder } from "./find_rows.ts";
import { ProgressLine } from "./progress_line.ts";
import type { RowJournal } from "./row_journal.ts";

/** How many jobs are followed at a time. */
const WINDOW = 500;

/** How the job of a row has ended. */
export interface RowEnd {
  /** The job's state; `unfinished` if it did not end in time, `missing` if there is no such job. */
  state: string;
  /** Why it failed. */
  error?: string;
}

/** Waits until the jobs of all rows have ended, and returns how, by rows. */
export async function waitForRows(
  journal: RowJournal,
  finder: RowFinder,
  session: CallSession,
  context: CommandContext,
): Promise<Map<number, RowEnd>> {
  const ends = new Map<number, RowEnd>();
  await waitForJobs(journal.jobs, ends, session, context);
  if (journal.arrived.size === 0) return ends;
  await finder.findJobs();
  await waitForJobs(journal.jobs, ends, session, context);
  const bad = [...ends.values()].filter(({ state }) => state !== "completed").length;
  const end = await finder.allCompletedBut(bad)
    ? { state: "completed" }
    : { state: "enqueued", error: "it is not known how its job ended, because its id is not" };
  for (const row of journal.arrived) ends.set(row, end);
  return ends;
}

/** Waits for the jobs whose ends are not known. */
async function waitForJobs(
  jobs: ReadonlyMap<number, string>,
  ends: Map<number, RowEnd>,
  session: CallSession,
  { clock, err, signal }: CommandContext,
): Promise<void> {
  using progress = new ProgressLine(err, clock);
  let failed = 0;
  const waiting = [...jobs].filter(([row]) => !ends.has(row)).values();
  const follow = async () => {
    for (const [row, id] of waiting) {
      const end = await waitForJob(id, session);
      signal.throwIfAborted();
      ends.set(row, end);
      if (end.state !== "completed") failed++;
      progress.show(ends.size, jobs.size, failed === 0 ? "ended" : `ended, ${failed} failed`);
    }
  };
  // They share the iterator, so each takes the next job that nobody waits for.
  await Promise.all(Array.from({ length: WINDOW }, follow));
}

async function waitForJob(id: string, { client, waitLimits }: CallSession): Promise<RowEnd> {
  try {
    const { state } = await client.job(id).wait(waitLimits());
    return { state };
  } catch (error) {
    if (error instanceof JobFailedError) {
      const { state, last_error: reason } = error.job;
      return reason === undefined || state !== "failed" ? { state } : { state, error: reason };
    }
    if (error instanceof TimeoutError) return { state: "unfinished" };
    if (error instanceof DispatchError && error.code === 404) return { state: "missing" };
    throw error;
  }
}
