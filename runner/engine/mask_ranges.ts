/** The text that replaces a secret. */
export const MASK = "***";

/** A shorter text can be spread over the items of a list by chance, such as `12` and `3`. */
const MIN_SHARED_LENGTH = 8;

/** A range of characters in a text. */
export interface Range {
  start: number;
  end: number;
}

/** Sorts ranges, and joins those that overlap. */
export function mergeRanges(ranges: Range[]): Range[] {
  const merged: Range[] = [];
  for (const { start, end } of ranges.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && start < last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** Returns a text with ranges masked, which must be in order. */
export function replaceRanges(text: string, ranges: readonly Range[]): string {
  let masked = "";
  let at = 0;
  for (const { start, end } of ranges) {
    masked += text.slice(at, start) + MASK;
    at = end;
  }
  return masked + text.slice(at);
}

/**
 * Splits the ranges of joined texts into ranges of each text. A text gets none unless one of its
 * ranges extends into another text.
 *
 * @param ranges Ranges in the texts joined by one character, in order.
 */
export function sharedRanges(texts: readonly string[], ranges: readonly Range[]): Range[][] {
  const borders: number[] = [];
  for (const text of texts) borders.push((borders.at(-1) ?? -1) + text.length + 1);
  const covered: Range[][] = texts.map(() => []);
  const shared = new Set<number>();
  let first = 0;
  for (const { start, end } of ranges) {
    while (borders[first]! <= start) first++;
    let last = first;
    while (borders[last]! < end) last++;
    const isShared = last > first && end - start - (last - first) >= MIN_SHARED_LENGTH;
    if (last > first && !isShared) continue;
    for (let i = first; i <= last; i++) {
      const offset = borders[i]! - texts[i]!.length;
      const part = { start: Math.max(start - offset, 0), end: Math.min(end, borders[i]!) - offset };
      if (part.end > part.start) covered[i]!.push(part);
      if (isShared) shared.add(i);
    }
  }
  return covered.map((parts, i) => shared.has(i) ? parts : []);
}
