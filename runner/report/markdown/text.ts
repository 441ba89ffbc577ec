import { shown, shownInLine } from "../plain_text.ts";

/**
 * Text that is nothing but text: as code, in which Markdown, HTML, links and mentions mean nothing.
 */
export function code(text: string): string {
  const line = shownInLine(text);
  if (line.trim() === "") return "` `";
  const fence = "`".repeat(longestRun(line) + 1);
  // A backtick at an end would belong to the fence, and a blank on both ends would be dropped.
  const pad = /^`|`$|^ .* $/.test(line) ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** The same in a table, where a bar would end the cell, in code as well. */
export function codeInCell(text: string): string {
  if (!text.includes("|")) return code(text);
  const entities = shownInLine(text).replace(
    /[!-/:-@[-`{-~]/g,
    (char) => `&#${char.charCodeAt(0)};`,
  );
  return `<code>${entities}</code>`;
}

/** Lines as a block of code. */
export function codeBlock(lines: readonly string[]): string {
  const text = shown(lines.join("\n"), LONGEST);
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}text\n${text}\n${fence}\n`;
}

/** How much one block holds. */
const LONGEST = 32_000;

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}
