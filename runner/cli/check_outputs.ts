import { FileError } from "../../runtime/file.ts";
import { type ReporterRequest, REPORTERS } from "../report/registry.ts";
import { UsageError } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** What a run writes besides its output. */
export interface RunOutputs {
  /** The requested reporters. */
  reporters: readonly ReporterRequest[];
  /** The path of the history file, if the run is recorded. */
  history: string | undefined;
  /** Whether the history is only compared with the reports, because it is opened later. */
  opensLater?: boolean | undefined;
  /** The files that the run reads, which no report may replace. */
  inputs: RunInputs;
}

/** The files that a run reads. */
export interface RunInputs {
  /** The recipes, with those that they use. */
  recipes: Iterable<string>;
  /** The files of `--vars`. */
  variables: readonly string[];
  /** The file of `--dev`. */
  dev: string | undefined;
  /** The stored streams of events that the reports are made from. */
  streams?: readonly string[];
}

/**
 * Checks that a run can write its reports and its history, before it sends anything. Makes missing
 * directories.
 * @throws {UsageError} When something cannot be written, or would replace what the run reads
 * or another report.
 */
export async function checkOutputs(
  { reporters, history, opensLater, inputs }: RunOutputs,
  { env, err, clock }: CommandContext,
): Promise<void> {
  const targets = reporters.flatMap(({ name, file }) => {
    const files = [...(file === undefined ? [] : [file]), ...REPORTERS[name]!.files?.(env) ?? []];
    return files.map((path) => ({ name, path }));
  });
  if (targets.length > 0) {
    await checkTargets(targets, inputs, history);
    const { checkWritable } = await import("../../runtime/write_file.ts");
    for (const { name, path } of targets) {
      await refuseFailure(`reporter ${name}: `, () => checkWritable(path));
    }
  }
  if (history === undefined || opensLater) return;
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

/** Refuses a report that would replace another file of the run, whatever the paths are. */
async function checkTargets(
  targets: readonly { name: string; path: string }[],
  { recipes, variables, dev, streams = [] }: RunInputs,
  history: string | undefined,
): Promise<void> {
  const { fileIdentity } = await import("../../runtime/write_file.ts");
  const taken = new Map<string, string>();
  const take = async (what: string, paths: Iterable<string>) => {
    for (const path of paths) taken.set(await fileIdentity(path), what);
  };
  await take("a recipe of this run", recipes);
  await take("a file of `--vars`", variables);
  await take("the file of `--dev`", dev === undefined ? [] : [dev]);
  await take("a stream that is read", streams);
  await take("the history of this run", history === undefined ? [] : [history]);
  const writers = new Map<string, string>();
  for (const { name, path } of targets) {
    const file = await fileIdentity(path);
    const input = taken.get(file);
    if (input !== undefined) throw new UsageError(`reporter ${name}: '${path}' is ${input}`);
    const other = writers.get(file);
    if (other !== undefined) {
      throw new UsageError(`Reporters ${other} and ${name} both write '${path}'`);
    }
    writers.set(file, name);
  }
}

async function refuseFailure(prefix: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { name } = error as Error;
    if (!(error instanceof FileError) && name !== "HistoryError") throw error;
    throw new UsageError(`${prefix}${(error as Error).message}`, { cause: error });
  }
}
