import type { DispatchError } from "../../../client/errors.ts";
import type { ParsedArgs } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { numberOption } from "../options.ts";
import { publicUrl, serverOptions } from "../server.ts";
import { reportCallError } from "./call_error.ts";
import { type CallSession, reportStatus, withClient } from "./call_session.ts";
import { cellTypes } from "./cell_types.ts";
import { RowFinder } from "./find_rows.ts";
import { ProgressLine } from "./progress_line.ts";
import { readRows, type Row } from "./read_rows.ts";
import { RowJournal } from "./row_journal.ts";
import { printRows, rowResults } from "./row_results.ts";
import { type SendOptions, sendRows } from "./send_rows.ts";
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
  const { clock, random, signal, err, env } = context;
  const { url = "", token } = serverOptions(args, env);
  const { rows, sha256 } = await readRows(from, cellTypes(args.lists.type ?? []));
  const server = publicUrl(url);
  const header = { sha256, rows: rows.length, name, queue: queue ?? "default", priority, server };
  using journal = await RowJournal.open(path, header);
  if (journal.sentRows + journal.unknown.size > 0) {
    err.write(`${path}: ${journal.sentRows} of ${rows.length} rows were sent before\n`);
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
    void noteCuts(session, journal);
    const { client, waitLimits } = session;
    const { DispatchAdmin } = await import("../../../client/http/dispatch_admin.ts");
    using admin = new DispatchAdmin({ url, token, clock, random });
    const finder = new RowFinder(rows, journal, {
      client,
      admin,
      name,
      queue: header.queue,
      clock,
      signal,
    });
    using progress = new ProgressLine(err, clock);
    const sending: SendOptions = {
      client,
      name,
      enqueue: () => ({
        priority,
        ...queue === undefined ? {} : { queue },
        timeout: waitLimits().timeout,
      }),
      clock,
      signal,
      finder,
      onProgress: () => progress.show(journal.sentRows, rows.length, "enqueued"),
    };
    const error = await sendAll(rows, journal, sending, args.flags.has("retry-unknown"));
    progress[Symbol.dispose]();
    if (error) reportCallError(error, false, context);
    if (journal.hasForgotten) {
      err.write(
        "warning: the server has fewer jobs than before, so rows that were sent may be gone\n",
      );
    }
    const isSent = journal.sentRows + journal.refused.size === rows.length;
    const ends = isSent && args.flags.has("wait")
      ? await waitForRows(journal, finder, session, context)
      : new Map<number, never>();
    return printRows(rowResults(rows, journal, ends), from, args, context);
  });
}

/**
 * Sends all rows, and looks for those that may have been sent.
 * @returns The error after which no more rows could be sent; `undefined` if all were.
 */
async function sendAll(
  rows: readonly Row[],
  journal: RowJournal,
  options: SendOptions,
  retryUnknown: boolean,
): Promise<DispatchError | undefined> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const error = await sendRows(rows, journal, options);
    options.signal.throwIfAborted();
    if (error) return error;
    await options.finder.finish();
    if (retryUnknown) {
      for (const row of [...journal.unknown]) journal.unsent(row);
    }
    const known = journal.sentRows + journal.refused.size + journal.unknown.size;
    if (known === rows.length) break;
  }
  return undefined;
}

/** Notes each lost connection in the journal. Ends with the client. */
async function noteCuts({ client }: CallSession, journal: RowJournal): Promise<void> {
  for await (const { type } of client.status()) if (type === "disconnected") journal.cut();
}
