/** Beyond this a source line is shown in part. */
const WIDTH = 160;

/** A line of a recipe, in the part before what is meant, what is meant, and the part after it. */
export interface Excerpt {
  before: string;
  meant: string;
  after: string;
}

/**
 * Takes a source line apart.
 * @param column The first character that is meant, from 1.
 * @param length How many are meant.
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
    meant: chars.slice(from, shownTo).join(""),
    after: chars.slice(shownTo, end).join("") + (end < chars.length ? "…" : ""),
  };
}

/** What kind of line of a failure this is: one of a difference's sides, or any other. */
export function lineKind(line: string): "expected" | "actual" | "plain" {
  if (/^-(\s|$)/.test(line)) return "expected";
  return /^\+(\s|$)/.test(line) ? "actual" : "plain";
}

/** A run of items that is shown, or one that is left out. */
export type Stretch<T> = { shown: T[] } | { hidden: number };

/**
 * The first items, and of the others those that matter; the rest is counted where it stands.
 * @param most How many of the first are shown in any case.
 */
export function shorten<T>(
  items: readonly T[],
  most: number,
  matters: (item: T) => boolean,
): Stretch<T>[] {
  const stretches: Stretch<T>[] = [];
  let important = 0;
  for (const [i, item] of items.entries()) {
    const last = stretches.at(-1);
    const shows = i < most || (matters(item) && important++ < most);
    if (shows) {
      if (last && "shown" in last) last.shown.push(item);
      else stretches.push({ shown: [item] });
    } else if (last && "hidden" in last) last.hidden++;
    else stretches.push({ hidden: 1 });
  }
  return stretches;
}
