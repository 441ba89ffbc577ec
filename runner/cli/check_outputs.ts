import { FileError } from "../../runtime/file.ts";
import { checkWritable } from "../../runtime/write_file.ts";
import { type ReporterRequest, REPORTERS } from "../report/registry.ts";
import { UsageError } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** What a run writes besides its output. */
export interface RunOutputs {
  /** The requested reporters. */
  reporters: readonly ReporterRequest[];
  /** The path of the history file, if the run is recorded. */
  history: string | undefined;
}

/**
 * Checks that a run can write its reports and its history, before it sends anything. Makes missing
 * directories.
 * @throws {UsageError} When something cannot be written.
 */
export async function checkOutputs(
  { reporters, history }: RunOutputs,
  { env, err, clock }: CommandContext,
): Promise<void> {
  for (const { name, file } of reporters) {
    const files = [...(file === undefined ? [] : [file]), ...REPORTERS[name]!.files?.(env) ?? []];
    for (const path of files) await refuseFailure(`reporter ${name}: `, () => checkWritable(path));
  }
  if (history === undefined) return;
  const { HistoryStore } = await import("../history/store.ts");
  await refuseFailure("", async () => {
    const warn = (text: string) => err.write(`warning: ${text}\n`);
    const store = await HistoryStore.open(history, { create: true, clock, warn });
    try {
      store.checkWritable();
    } finally {
      store.close();
    }
  });
}

async function refuseFailure(prefix: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { name } = error as Error;
    if (!(error instanceof FileError) && name !== "HistoryError") throw error;
    throw new UsageError(`${prefix}${(error as Error).message}`);
  }
}
