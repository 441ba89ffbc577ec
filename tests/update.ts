/**
 * Writes generated files again: `deno task update`, or `deno task update golden` for one kind.
 * For each kind a test compares the files with what they are generated from.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { writeVersion } from "../packaging/version.ts";
import { eventSchema } from "../runner/report/json/event_schema.ts";
import { summarySchema } from "../runner/report/json/summary_schema.ts";
import { recipeSchema } from "../runner/recipe/json_schema.ts";
import { readTextFile } from "../runtime/file.ts";
import { withDevTables } from "./dev/_docs_tables.ts";
import { ROOT } from "./project/sources.ts";
import { withReporterTable } from "./report/_docs_reporters.ts";
import { makePageModule, PAGE_FILE } from "./report/html_build.ts";
import { withDiagnostics } from "./runner/_docs_diagnostics.ts";
import { withStepTable } from "./runner/_docs_steps.ts";
import { goldenRecipes, goldenText, goldenTextFile } from "./runner/_golden.ts";

/** The kinds of generated files, each with a function that writes them. */
const KINDS: Record<string, () => Promise<void>> = {
  /** What the command line prints for each recipe in tests/golden. */
  async golden() {
    for (const [code, file] of await goldenRecipes()) {
      await writeFile(goldenTextFile(code), (await goldenText(code, file)).text);
    }
  },
  /** The version of deno.json, in all files that have it. */
  version() {
    writeVersion(ROOT);
    return Promise.resolve();
  },
  /** The JSON Schemas of recipes, run events and run summaries. */
  async schemas() {
    await writeSchema("runner/recipe.schema.json", recipeSchema());
    await writeSchema("runner/report/json/run_event.schema.json", eventSchema());
    await writeSchema("runner/report/json/run_summary.schema.json", summarySchema());
  },
  /** The list of diagnostics at the end of docs/recipes.md. */
  async diagnostics() {
    const file = "docs/recipes.md";
    await writeFile(file, withDiagnostics(await readTextFile(file)));
  },
  /** The table of step kinds in docs/recipes.md. */
  async steps() {
    const file = "docs/recipes.md";
    await writeFile(file, withStepTable(await readTextFile(file)));
  },
  /** The table of reporters in docs/reports.md. */
  async reporters() {
    const file = "docs/reports.md";
    await writeFile(file, withReporterTable(await readTextFile(file)));
  },
  /** The tables of quirks and faults in docs/dev.md. */
  async dev() {
    const file = "docs/dev.md";
    await writeFile(file, withDevTables(await readTextFile(file)));
  },
  /** The script and style sheet of the HTML report. */
  async page() {
    await writeFile(PAGE_FILE, await makePageModule());
  },
};

async function writeSchema(file: string, schema: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(schema, undefined, 2)}\n`);
}

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(KINDS)) {
  const write = KINDS[name];
  if (!write) throw new Error(`there is no '${name}', only ${Object.keys(KINDS).join(", ")}`);
  await write();
}
