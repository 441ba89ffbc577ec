import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventFailure, RecipeEvent, StepFinished } from "../../runner/mod.ts";
import { type CliOptions, type CliResult, runnerCli } from "./_cli.ts";

/** The output, the exit code and the events of a recipe. */
export interface RecipeResult extends CliResult {
  events: RecipeEvent[];
}

/** Calls `use` with a temporary directory that contains the given files. */
export async function withFiles<T>(
  files: Record<string, string>,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "recipe-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(directory, name), text);
    }
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Runs a recipe against an embedded server. */
export function runRecipe(
  text: string,
  args: readonly string[] = [],
  options: CliOptions & { files?: Record<string, string> } = {},
): Promise<RecipeResult> {
  return withFiles({ "r.yaml": text, ...options.files }, async (directory) => {
    const result = await runnerCli(
      ["run", join(directory, "r.yaml"), "--reporter", "jsonl", ...args],
      options,
    );
    const lines = result.out.split("\n").filter((line) => line.startsWith("{"));
    return { ...result, events: lines.map((line) => JSON.parse(line) as RecipeEvent) };
  });
}

/** The `step.finished` events. */
export function ends(events: readonly RecipeEvent[]): StepFinished[] {
  return events.filter((event) => event.type === "step.finished");
}

/** The failure of the first step that failed. */
export function firstFailure(events: readonly RecipeEvent[]): EventFailure {
  const failed = ends(events).find(({ failure }) => failure !== undefined);
  if (!failed?.failure) throw new Error("no step has failed");
  return failed.failure;
}
