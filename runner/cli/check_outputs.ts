import { FileError } from "../../runtime/file.ts";
import { currentDirectory } from "../../runtime/process.ts";
import { type ReporterRequest, REPORTERS } from "../report/registry.ts";
import { UsageError } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** What a run writes besides its output. */
export interface RunOutputs {
  /** The requested reporters. */
  reporters: readonly ReporterRequest[];
  /** The path of the history file, if the run is recorded. */
  history: string | undefined;
  /** The files of the recipes, which no report may replace. */
  recipes: readonly string[];
}

/**
 * Checks that a run can write its reports and its history, before it sends anything. Makes missing
 * directories.
 * @throws {UsageError} When something cannot be written, or would replace a recipe or another report.
 */
export async function checkOutputs(
  { reporters, history, recipes }: RunOutputs,
  { env, err, clock }: CommandContext,
): Promise<void> {
  for (const { name, file } of reporters) {
    const files = [...(file === undefined ? [] : [file]), ...REPORTERS[name]!.files?.(env) ?? []];
    for (const path of files) {
      const { checkWritable } = await import("../../runtime/write_file.ts");
      await refuseFailure(`reporter ${name}: `, () => checkWritable(path));
    }
  }
  await checkTargets(reporters, recipes);
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

/** Refuses a report that would replace a recipe or another report, whatever the paths are. */
async function checkTargets(
  reporters: readonly ReporterRequest[],
  recipes: readonly string[],
): Promise<void> {
  if (reporters.every(({ file }) => file === undefined)) return;
  const isRecipe = new Set(await Promise.all(recipes.map(realFile)));
  const writers = new Map<string, string>();
  for (const { name, file } of reporters) {
    if (file === undefined) continue;
    const real = await realFile(file);
    if (isRecipe.has(real)) {
      throw new UsageError(`reporter ${name}: '${file}' is a recipe of this run`);
    }
    const other = writers.get(real);
    if (other !== undefined) {
      throw new UsageError(`Reporters ${other} and ${name} both write '${file}'`);
    }
    writers.set(real, name);
  }
}

async function realFile(path: string): Promise<string> {
  const { resolveLinks } = await import("../../runtime/write_file.ts");
  return new URL(await resolveLinks(path), `file://${currentDirectory()}/`).href;
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
