import { caseName, type NamedCase } from "../engine/case_names.ts";
import { caseKey } from "../history/case_key.ts";
import { type ParsedArgs, UsageError } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { publicUrl, serverOptions } from "./server.ts";

/** The history of a run, while it is read. */
export type OpenHistory = import("../history/store.ts").HistoryStore;

/**
 * Leaves the cases that did not pass in their last run, for `--last-failed`, and those that the
 * history does not know: nobody has seen them pass. Says on standard error what it leaves out.
 *
 * @throws {UsageError} Without a history, or when it cannot be read.
 */
export async function lastFailed<C extends NamedCase>(
  cases: readonly C[],
  history: string | undefined,
  args: ParsedArgs,
  context: CommandContext,
): Promise<C[]> {
  if (history === undefined) throw new UsageError("--last-failed needs --history FILE");
  const failed: C[] = [];
  const unknown: C[] = [];
  const left = await readHistory(
    history,
    cases,
    args,
    context,
    (store, keys) => {
      const runs = [...store.runsOf(keys, 1)];
      return cases.filter((one, i) => {
        const [last] = runs[i]!;
        if (!last) unknown.push(one);
        else if (last.status !== "passed") failed.push(one);
        return !last || last.status !== "passed";
      });
    },
  );
  const passed = cases.length - left.length;
  const { err } = context;
  if (cases.length > 0 && unknown.length === cases.length) {
    err.write(`--last-failed: '${history}' has no run of these cases, so all of them run\n`);
  } else if (left.length > 0) {
    const others = unknown.length > 0 ? `, ${unknown.length} not in the history` : "";
    const rest = `${passed} passed in their last run and are left out`;
    err.write(`--last-failed: ${failed.length} failed in their last run${others}; ${rest}\n`);
  }
  return left;
}

/**
 * Reads something from the history about cases.
 * @throws {UsageError} When it cannot be read.
 */
export async function readHistory<T>(
  history: string,
  cases: readonly NamedCase[],
  args: ParsedArgs,
  { env, err, clock }: CommandContext,
  read: (store: OpenHistory, keys: ReturnType<typeof caseKey>[]) => T,
): Promise<T> {
  const { url } = serverOptions(args, env);
  const server = url === undefined ? "embedded" : publicUrl(url);
  const keys = cases.map((one) => caseKey(server, one.recipe.source.name, caseName(one)));
  const { HistoryStore } = await import("../history/store.ts");
  const warn = (text: string) => err.write(`warning: ${text}\n`);
  try {
    const store = await HistoryStore.open(history, { create: true, clock, warn });
    try {
      return read(store, keys);
    } finally {
      store.close();
    }
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
