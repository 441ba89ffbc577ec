/** How many jobs before and after a row have to start, and how far workers may mix up their order. */
const MARGIN = 100;
const MAX_SHIFT = 50;

/** How many rows are on their way at most: those before and after a cut are not told apart. */
const BATCH = 32;

/**
 * Tells whether a job that was enqueued after another one would have been seen when it started. That
 * is so if all jobs that were enqueued shortly before and after it were seen, about in their order.
 *
 * @param after The id of the job before it.
 * @param ids The ids of all known jobs of the same queue and priority; they sort by time.
 * @param started The ids of the jobs that were seen to start, in this order.
 */
export function wouldHaveStarted(
  after: string,
  ids: ReadonlySet<string>,
  started: readonly string[],
): boolean {
  const sorted = [...ids].sort();
  const middle = sorted.findLastIndex((id) => id <= after) + 1;
  const around = sorted.slice(Math.max(0, middle - MARGIN), middle + BATCH + MARGIN);
  if (middle < MARGIN || around.length < MARGIN + BATCH + MARGIN) return false;
  const place = new Map(around.map((id, i) => [id, i]));
  const places = started.flatMap((id) => {
    const at = place.get(id);
    // A job that is tried again starts again.
    place.delete(id);
    return at === undefined ? [] : [at];
  });
  return place.size === 0 && places.every((at, i) => Math.abs(at - i) <= MAX_SHIFT);
}
