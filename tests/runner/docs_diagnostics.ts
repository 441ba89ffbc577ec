/**
 * Writes the end of docs/recipes.md, which explains every code:
 * `deno run -A tests/runner/docs_diagnostics.ts`.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { DIAGNOSTIC_CODES } from "../../runner/mod.ts";
import { readTextFile, writeTextFile } from "../../runtime/file.ts";
import { mainModulePath } from "../../runtime/process.ts";

/** What stands under the heading of the diagnostics. */
export function diagnosticsSection(): string {
  return Object.entries(DIAGNOSTIC_CODES).map(([code, { title, explanation }]) =>
    `### ${code}\n\n${title}.\n\n${wrap(explanation)}\n`
  ).join("\n");
}

function wrap(text: string, width = 100): string {
  const lines: string[] = [];
  let line = "";
  // Code is not broken: a line break inside of it would be a part of it.
  for (const word of text.match(/(`[^`]*`|[^\s`])+/g) ?? []) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  return [...lines, line].join("\n");
}

if (pathToFileURL(mainModulePath() ?? "").href === import.meta.url) {
  const text = await readTextFile("docs/recipes.md");
  const [head] = text.split("## Diagnostics\n");
  await writeTextFile("docs/recipes.md", `${head}## Diagnostics\n\n${diagnosticsSection()}`);
}
