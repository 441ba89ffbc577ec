import { systemClock } from "../../runtime/clock.ts";
import type { HistoryStage } from "../history/stage.ts";
import type { Output } from "../report/reporter.ts";
import type { ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** The file of the history that a command line or the environment names. */
export function historyFile(
  { values }: ParsedArgs,
  env: CommandContext["env"],
): string | undefined {
  if (values.history === "") throw new UsageError("--history takes a file");
  return values.history ?? (env("DISPATCH_HISTORY") || undefined);
}

/**
 * Opens the history that a run is to be kept in. One that cannot be opened is told of.
 *
 * @param isWhole Whether all steps are to run: the times of others cannot be compared.
 */
export async function keepHistory(
  file: string | undefined,
  isWhole: boolean,
  err: Output,
): Promise<HistoryStage | undefined> {
  if (file === undefined) return undefined;
  const tell = (text: string) => err.write(`warning: ${text}\n`);
  if (!isWhole) {
    tell("a run of some of the steps is not kept in the history");
    return undefined;
  }
  const [{ HistoryStore }, { HistoryStage }] = await Promise.all([
    import("../history/store.ts"),
    import("../history/stage.ts"),
  ]);
  try {
    const store = await HistoryStore.open(file, { create: true, now: systemClock.now(), tell });
    return new HistoryStage(store, tell);
  } catch (error) {
    tell((error as Error).message);
    return undefined;
  }
}
