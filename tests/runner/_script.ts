import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { RecipeEvent } from "../../runner/mod.ts";
import { runnerCli } from "./_cli.ts";
import { ends, type RecipeResult, withFiles } from "./_recipe.ts";

const MOD = pathToFileURL(join(process.cwd(), "runner/mod.ts")).href;

/** Returns the module of a recipe; `made` is the call of `recipe`. */
export function scriptModule(made: string): string {
  return `import { recipe } from ${JSON.stringify(MOD)};\nexport default ${made};\n`;
}

/** Runs a TypeScript recipe against an embedded server. */
export function runScript(made: string, args: readonly string[] = []): Promise<RecipeResult> {
  return withFiles({ "r.recipe.ts": scriptModule(made) }, async (directory) => {
    const file = join(directory, "r.recipe.ts");
    const result = await runnerCli([file, "--reporter", "jsonl", ...args]);
    const lines = result.out.split("\n").filter((line) => line.startsWith("{"));
    return { ...result, events: lines.map((line) => JSON.parse(line) as RecipeEvent) };
  });
}

/** Runs one line of a recipe, and returns the message and details of the failure, if any. */
export async function failureOf(line: string): Promise<string | undefined> {
  const { code, events, out, err } = await runScript(
    `recipe("Line", async (t) => {\n  ${line}\n})`,
  );
  const failed = ends(events).find(({ failure }) => failure !== undefined);
  assert.equal(code, failed ? 1 : 0, out + err);
  if (failed) assert.equal(failed.failure!.place?.line, 3);
  return failed && [failed.failure!.message, ...failed.failure!.lines].join("\n");
}
