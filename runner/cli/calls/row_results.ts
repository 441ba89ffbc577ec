import { printable } from "../../language/render_diagnostic.ts";
import { safeJson } from "../../report/safe_text.ts";
import type { ParsedArgs } from "../args.ts";
import { type CommandContext, COULD_NOT_RUN } from "../command.ts";
import type { Row } from "./read_rows.ts";
import type { RowJournal } from "./row_journal.ts";
import type { RowEnd } from "./wait_for_rows.ts";

/** What has become of a row, as `--json` prints it. */
export interface RowResult {
  /** The number of the row, counted from 1. */
  row: number;
  /** The line of the file that it begins on. */
  line: number;
  /** Its job, if it is known. */
  job_id?: string;
  /**
   * `enqueued`, or how its job has ended; `refused` by the server, `unknown` if it may have been
   * sent, `unsent`.
   */
  state: string;
  /** Why it was refused, or why its job failed. */
  error?: string;
}

/** The states of rows of which nothing went wrong. */
const GOOD: ReadonlySet<string> = new Set(["enqueued", "completed"]);

/** The states of rows that are not, or may not be, on the server. */
const NOT_SENT: ReadonlySet<string> = new Set(["unknown", "unsent"]);

/** Returns what has become of each row, in their order. */
export function rowResults(
  rows: readonly Row[],
  { jobs, arrived, refused, unknown }: RowJournal,
  ends: ReadonlyMap<number, RowEnd>,
): RowResult[] {
  return rows.map(({ line }, i) => {
    const row = i + 1;
    const job_id = jobs.get(row);
    if (job_id !== undefined) return { row, line, job_id, state: "enqueued", ...ends.get(row) };
    if (arrived.has(row)) return { row, line, state: "enqueued", ...ends.get(row) };
    const error = refused.get(row);
    if (error !== undefined) return { row, line, state: "refused", error };
    return { row, line, state: unknown.has(row) ? "unknown" : "unsent" };
  });
}

/** Prints what has become of the rows: all with `--json`, else what failed. Returns the exit code. */
export function printRows(
  results: readonly RowResult[],
  file: string,
  { flags }: ParsedArgs,
  { out, err, mask }: CommandContext,
): number {
  const counts = new Map<string, number>();
  for (const result of results) {
    const masked = mask.value(result);
    const { line, job_id, state, error } = masked;
    counts.set(state, (counts.get(state) ?? 0) + 1);
    if (flags.has("json")) out.write(`${safeJson(masked)}\n`);
    // Rows that were not sent have nothing to say one by one.
    else if (!isGood(result) && state !== "unsent") {
      const parts = [`${file}:${line}`, job_id, state, error];
      out.write(
        `${
          parts.filter((part) => part !== undefined).map((part) => printable(part!)).join("  ")
        }\n`,
      );
    }
  }
  if (!flags.has("json")) {
    const shown = [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
    out.write(`${results.length} ${results.length === 1 ? "row" : "rows"}: ${shown}\n`);
  }
  const { unknown = 0, unsent = 0 } = Object.fromEntries(counts);
  if (unsent > 0) {
    err.write(
      `${unsent} ${unsent === 1 ? "row was" : "rows were"} not sent: call the same command again\n`,
    );
  }
  if (unknown > 0) {
    err.write(
      `${unknown} ${
        unknown === 1 ? "row" : "rows"
      } may have been sent: the answer was lost, and the ` +
        "server does not tell whether they arrived. Look for the jobs, or use --retry-unknown\n",
    );
  }
  if (results.some(({ state }) => NOT_SENT.has(state))) return COULD_NOT_RUN;
  return results.every(isGood) ? 0 : 1;
}

/** Whether nothing went wrong with a row; with an error, its job may have failed. */
function isGood({ state, error }: RowResult): boolean {
  return GOOD.has(state) && error === undefined;
}
