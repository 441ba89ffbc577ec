import type { HistoryRecorder } from "../history/recorder.ts";
import { type ParsedArgs, UsageError } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** The path of the history file: `--history`, or `DISPATCH_HISTORY`. */
export function historyPath(
  { values }: ParsedArgs,
  env: CommandContext["env"],
): string | undefined {
  if (values.history === "") throw new UsageError("--history needs a file");
  return values.history ?? (env("DISPATCH_HISTORY") || undefined);
}

/** What {@linkcode openHistory} needs besides the file. */
export interface HistoryContext extends Pick<CommandContext, "err" | "clock"> {
  /** Whether the clock of the run is virtual. */
  isVirtual: boolean;
  /** Whether the run has been stored, so that it may have been recorded before. */
  isStored?: boolean;
}

/**
 * Opens the history that a run is recorded in.
 *
 * @param isComplete Whether all steps run: the times of a partial run cannot be compared.
 * @throws {UsageError} When it cannot be opened.
 */
export async function openHistory(
  path: string | undefined,
  isComplete: boolean,
  { err, clock, isVirtual, isStored = false }: HistoryContext,
): Promise<HistoryRecorder | undefined> {
  if (path === undefined) return undefined;
  const warn = (text: string) => err.write(`warning: ${text}\n`);
  const why = isVirtual
    ? "its time is virtual"
    : isComplete
    ? undefined
    : "it does not run all steps";
  if (why !== undefined) {
    warn(`this run is not recorded in the history, because ${why}`);
    return undefined;
  }
  const [{ HistoryStore }, { HistoryRecorder }] = await Promise.all([
    import("../history/store.ts"),
    import("../history/recorder.ts"),
  ]);
  try {
    const store = await HistoryStore.open(path, { create: true, clock, warn });
    return new HistoryRecorder(store, warn, (text) => err.write(`error: ${text}\n`), isStored);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
