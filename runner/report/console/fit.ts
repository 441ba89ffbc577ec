import { graphemes, width } from "../../language/render_diagnostic.ts";

/** A text, and how it is painted. */
export type Part = readonly [text: string, paint?: (text: string) => string];

/**
 * Parts as one line of at most so many columns; what is cut ends in `…`. Parts are cut before they
 * are painted, so no colour is left switched on.
 */
export function fitLine(parts: readonly Part[], columns: number): string {
  let left = columns;
  let line = "";
  for (const [text, paint = plain] of parts) {
    const shown = fit(text, left);
    line += paint(shown);
    if (shown !== text) break;
    left -= most(text);
  }
  return line;
}

/** As much of a text as has room, ending in `…` where something is cut. */
export function fit(text: string, columns: number): string {
  if (most(text) <= columns) return text;
  if (columns < 1) return "";
  let left = columns - 1;
  let shown = "";
  for (const { segment } of graphemes(text)) {
    left -= most(segment);
    if (left < 0) break;
    shown += segment;
  }
  return `${shown}…`;
}

/**
 * The most columns that a terminal may give a text. One that does not know a family of emoji shows
 * its members side by side.
 */
function most(text: string): number {
  if (!/[^ -~]/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes(text)) {
    let apart = 0;
    for (const char of segment) apart += width(char);
    columns += Math.max(width(segment), apart);
  }
  return columns;
}

function plain(text: string): string {
  return text;
}
