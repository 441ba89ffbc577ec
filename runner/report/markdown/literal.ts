import { safeLine, safeText } from "../plain_text.ts";
import { defuseCiCommands } from "../safe_text.ts";

/** The longest block of code, in characters. */
const MAX_BLOCK = 32_000;

/** Quotes text as a code span, in which Markdown, HTML, links and mentions have no meaning. */
export function codeSpan(text: string): string {
  const line = defuseCiCommands(safeLine(text));
  if (line.trim() === "") return "` `";
  const fence = "`".repeat(longestFence(line) + 1);
  // Markdown reads a backtick at an end as part of the fence, and strips one space from both ends.
  const pad = /^`|`$|^ .* $/.test(line) ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** Quotes text for a table cell, which a `|` would end even inside a code span. */
export function codeSpanInCell(text: string): string {
  if (!text.includes("|")) return codeSpan(text);
  const entities = safeLine(text).replace(
    /[!-/:-@[-`{-~]/g,
    (char) => `&#${char.charCodeAt(0)};`,
  );
  return `<code>${entities}</code>`;
}

/** Quotes lines as a block of code. */
export function codeBlock(lines: readonly string[]): string {
  const text = defuseCiCommands(safeText(lines.join("\n"), MAX_BLOCK));
  const fence = "`".repeat(Math.max(3, longestFence(text) + 1));
  return `${fence}text\n${text}\n${fence}\n`;
}

/** The length of the longest run of backticks. */
function longestFence(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}
