import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { RecipeEvent } from "../../runner/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { type CliResult, runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

/** A directory of recipes, and one for the streams of their runs. */
export interface Run {
  /** The directory of the recipes. */
  directory: string;
  /** Runs some cases, and stores the stream in a file. */
  store(file: string, args?: readonly string[], env?: Record<string, string>): Promise<CliResult>;
  /** Merges the stored streams, and returns the events as well. */
  merge(
    ...args: readonly string[]
  ): Promise<CliResult & { events: RecipeEvent[]; warnings: string[] }>;
  /** The path of a stream. */
  path(file: string): string;
}

/**
 * Calls back with a directory of recipes, and one for streams.
 *
 * @param apart How long after a run the next one begins, in milliseconds: two never begin together.
 */
export async function withRecipes(
  files: Record<string, string>,
  use: (run: Run) => Promise<void>,
  apart = 1,
): Promise<void> {
  await withFiles(files, async (directory) => {
    await mkdir(join(directory, "streams"));
    const path = (file: string) => join(directory, "streams", file);
    let begin = Date.UTC(2026, 0, 1);
    await use({
      directory,
      path,
      async store(file, args = [], env = {}) {
        const recipes = Object.keys(files).map((name) => join(directory, name));
        const clock = new FakeClock(begin += apart);
        const command = [...recipes, "--reporter", `jsonl=${path(file)}`, ...args];
        return await runnerCli(command, { env, clock });
      },
      async merge(...args) {
        const sources = args[0]?.startsWith("--") === false
          ? args
          : [join(directory, "streams"), ...args];
        const result = await runnerCli(["merge", ...sources, "--reporter", "jsonl"]);
        const events = eventsOf(result.out);
        const warnings = events.flatMap((event) =>
          event.type === "warning" ? event.text.replaceAll(path("/"), "") : []
        );
        return { ...result, events, warnings };
      },
    });
  });
}

/** Parses the events in what a command has printed. */
export function eventsOf(text: string): RecipeEvent[] {
  return text.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as RecipeEvent);
}
