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
