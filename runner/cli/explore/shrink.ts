// Short, because it is one algorithm.

/**
 * Returns a smallest list for which a test still holds, by delta debugging: it leaves out parts of
 * the list, half of it first and single items last. No single item of the result can be left out.
 *
 * @param holds Must hold for the whole list.
 */
export async function shrink<T>(
  list: readonly T[],
  holds: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let size = list.length;
  while (size >= 1) {
    let removed = false;
    for (let start = 0; start < list.length;) {
      const rest = [...list.slice(0, start), ...list.slice(start + size)];
      if (await holds(rest)) {
        list = rest;
        removed = true;
      } else {
        start += size;
      }
    }
    // After an item was left out, others may have become unnecessary.
    if (size > 1) size = Math.ceil(size / 2);
    else if (!removed) break;
    size = Math.min(size, list.length);
  }
  return list;
}
