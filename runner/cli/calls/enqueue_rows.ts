import type { ParsedArgs } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { numberOption } from "../options.ts";
import { publicUrl, serverOptions } from "../server.ts";
import { reportCallError } from "./call_error.ts";
import { type CallSession, reportStatus, withClient } from "./call_session.ts";
import { cellTypes } from "./cell_types.ts";
import { findRows } from "./find_rows.ts";
import { ProgressLine } from "./progress_line.ts";
import { readRows, type Row } from "./read_rows.ts";
import { RowJournal } from "./row_journal.ts";
import { printRows, rowResults } from "./row_results.ts";
import { sendRows } from "./send_rows.ts";
import { waitForRows } from "./wait_for_rows.ts";

/** How often rows that may have been sent are looked for, and sent again. */
const MAX_ROUNDS = 10;

/** Enqueues a job for each row of a file, each once, also over several calls of the command. */
export async function enqueueRows(
  name: string,
  args: ParsedArgs,
  context: CommandContext,
): Promise<number> {
  const { from = "", queue, journal: path = `${from}.journal` } = args.values;
  const priority = numberOption(args, "priority", 0, 0);
  const { url = "" } = serverOptions(args, context.env);
  const { rows, sha256 } = await readRows(from, cellTypes(args.lists.type ?? []));
  const server = publicUrl(url);
  const header = { sha256, rows: rows.length, name, queue: queue ?? "default", priority, server };
  using journal = await RowJournal.open(path, header);
  const { err } = context;
  if (journal.jobs.size + journal.unknown.size > 0) {
    err.write(`${path}: ${journal.jobs.size} of ${rows.length} rows were sent before\n`);
  }
  if (journal.server !== server) {
    err.write(`warning: they were sent to ${journal.server}, and this is ${server}\n`);
  }
  // The server may accept now what it refused before.
  for (const row of [...journal.refused.keys()]) journal.unsent(row);
  const settings = { writes: true, client: { maxQueue: rows.length + 1000 } };
  return await withClient(args, context, settings, async (session) => {
    // On a terminal, the progress is redrawn in the last line.
    if (!err.isTerminal) void reportStatus(session, context);
    const options = queue === undefined ? { priority } : { priority, queue };
    const isSent = await sendAll(name, options, rows, journal, session, args, context);
    const ends = isSent && args.flags.has("wait")
      ? await waitForRows(journal, session, context)
      : new Map<number, never>();
    return printRows(rowResults(rows, journal, ends), from, args, context);
  });
}

/**
 * Sends all rows, and looks for those that may have been sent.
 * @returns Whether all of them were sent or refused.
 */
async function sendAll(
  name: string,
  options: { queue?: string; priority: number },
  rows: readonly Row[],
  journal: RowJournal,
  { client, waitLimits }: CallSession,
  args: ParsedArgs,
  context: CommandContext,
): Promise<boolean> {
  const { clock, random, signal, err, env } = context;
  const { url = "", token } = serverOptions(args, env);
  using progress = new ProgressLine(err, clock);
  const onProgress = () => progress.show(journal.jobs.size, rows.length, "enqueued");
  const enqueue = () => ({ ...options, timeout: waitLimits().timeout });
  const queue = options.queue ?? "default";
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const error = await sendRows(rows, journal, {
      client,
      name,
      enqueue,
      clock,
      signal,
      onProgress,
    });
    signal.throwIfAborted();
    if (error) {
      progress[Symbol.dispose]();
      reportCallError(error, false, context);
      return false;
    }
    await findRows(rows, journal, { url, token, name, queue, clock, random, signal });
    if (args.flags.has("retry-unknown")) {
      for (const row of [...journal.unknown]) journal.unsent(row);
    }
    const known = journal.jobs.size + journal.refused.size + journal.unknown.size;
    if (known === rows.length) break;
  }
  return journal.jobs.size + journal.refused.size === rows.length;
}
