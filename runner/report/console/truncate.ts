import { graphemes, width } from "../../language/render_diagnostic.ts";

/** A text, and the function that adds its colour. */
export type Part = readonly [text: string, paint?: (text: string) => string];

/**
 * Joins parts into one line of at most `columns` columns, and ends it with `…` if it cuts something.
 * Parts are cut before they are coloured, so no colour stays switched on.
 */
export function truncateLine(parts: readonly Part[], columns: number): string {
  let left = columns;
  let line = "";
  for (const [text, paint = plain] of parts) {
    const shown = truncateToWidth(text, left);
    line += paint(shown);
    if (shown !== text) break;
    left -= maxWidth(text);
  }
  return line;
}

/** Cuts a text to a number of columns, and ends it with `…` if it cuts something. */
export function truncateToWidth(text: string, columns: number): string {
  if (maxWidth(text) <= columns) return text;
  if (columns < 1) return "";
  let left = columns - 1;
  let shown = "";
  for (const { segment } of graphemes(text)) {
    left -= maxWidth(segment);
    if (left < 0) break;
    shown += segment;
  }
  return `${shown}…`;
}

/**
 * The most columns that a text takes on any terminal: old ones show the members of a family emoji side
 * by side.
 */
function maxWidth(text: string): number {
  if (!/[^ -~]/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes(text)) {
    let separate = 0;
    for (const char of segment) separate += width(char);
    columns += Math.max(width(segment), separate);
  }
  return columns;
}

function plain(text: string): string {
  return text;
}
