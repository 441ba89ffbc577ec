import { DIAGNOSTIC_CODES } from "../../runner/mod.ts";

const HEADING = "## Diagnostics\n";

/** docs/recipes.md with the list of diagnostics at its end generated again. */
export function withDiagnostics(page: string): string {
  const [head] = page.split(HEADING);
  const sections = Object.entries(DIAGNOSTIC_CODES).map(([code, { title, explanation }]) =>
    `### ${code}\n\n${title}.\n\n${wrap(explanation)}\n`
  );
  return `${head}${HEADING}\n${sections.join("\n")}`;
}

function wrap(text: string, width = 100): string {
  const lines: string[] = [];
  let line = "";
  // Inline code is kept on one line, as deno fmt does.
  for (const word of text.match(/(`[^`]*`|[^\s`])+/g) ?? []) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  return [...lines, line].join("\n");
}
