/** The most characters of a source line that are shown. */
const WIDTH = 160;

/** A source line in three parts: before the marked part, the marked part, and after it. */
export interface Excerpt {
  before: string;
  marked: string;
  after: string;
}

/**
 * Splits a source line around its marked part, and shortens it to that part and its surroundings.
 *
 * @param column The first marked character, from 1.
 * @param length The number of marked characters.
 */
export function excerpt(text: string, column: number, length: number): Excerpt {
  const chars = [...text];
  const from = Math.min(Math.max(0, column - 1), chars.length);
  const to = Math.min(from + Math.max(1, length), chars.length);
  const start = from > WIDTH - 40 ? from - 40 : 0;
  const end = Math.max(Math.min(to, start + WIDTH), Math.min(chars.length, start + WIDTH));
  const shownTo = Math.min(to, end);
  return {
    before: (start > 0 ? "…" : "") + chars.slice(start, from).join(""),
    marked: chars.slice(from, shownTo).join(""),
    after: chars.slice(shownTo, end).join("") + (end < chars.length ? "…" : ""),
  };
}

/** Whether a line of a failure is a side of a difference. */
export function lineKind(line: string): "expected" | "actual" | "plain" {
  if (/^-(\s|$)/.test(line)) return "expected";
  return /^\+(\s|$)/.test(line) ? "actual" : "plain";
}

/** Consecutive items of a list: to show, or hidden and only counted. */
export type Section<T> = { shown: T[] } | { hidden: number };

/**
 * Shortens a list to its first items and the important ones after them.
 *
 * @param most How many of the first items, and of the important ones, are shown.
 */
export function collapse<T>(
  items: readonly T[],
  most: number,
  isImportant: (item: T) => boolean,
): Section<T>[] {
  const sections: Section<T>[] = [];
  let importantShown = 0;
  for (const [i, item] of items.entries()) {
    const last = sections.at(-1);
    if (i < most || (isImportant(item) && importantShown++ < most)) {
      if (last && "shown" in last) last.shown.push(item);
      else sections.push({ shown: [item] });
    } else if (last && "hidden" in last) last.hidden++;
    else sections.push({ hidden: 1 });
  }
  return sections;
}
