/** The least bound, in milliseconds, and how much larger each bound is than the one before it. */
const [LEAST, RATIO] = [1, 1.25];

/** How many bounds there are: the last is about 19 days. */
const BOUNDS = 96;

/**
 * Counts durations by size, so that those of a quarter take no more room than those of an hour. What
 * it says about them is at most a quarter too large.
 */
export class Histogram {
  /** How many durations lie between each bound and the one before it. */
  #counts = new Map<number, number>();

  /** Reads what {@linkcode toString} wrote. */
  static parse(text: string): Histogram {
    const histogram = new Histogram();
    for (const [index, count] of JSON.parse(text)) histogram.#counts.set(index, count);
    return histogram;
  }

  /** Counts a duration in milliseconds. */
  add(ms: number): void {
    const steps = Math.ceil(Math.log(Math.max(ms, LEAST) / LEAST) / Math.log(RATIO));
    this.#count(Math.min(steps, BOUNDS - 1), 1);
  }

  /** Counts all durations of another histogram. */
  merge(other: Histogram): void {
    for (const [index, count] of other.#counts) this.#count(index, count);
  }

  /**
   * Returns the least bound that a share of the durations does not exceed, in milliseconds, or
   * `undefined` without any.
   *
   * @param share From 0 to 1: 0.5 is the median.
   */
  quantile(share: number): number | undefined {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    if (total === 0) return undefined;
    let left = Math.max(1, Math.ceil(total * share));
    const indexes = [...this.#counts.keys()].sort((a, b) => a - b);
    const found = indexes.find((index) => (left -= this.#counts.get(index)!) <= 0);
    return LEAST * RATIO ** found!;
  }

  /** Writes it as JSON: `[[bound, count], …]`. */
  toString(): string {
    return JSON.stringify([...this.#counts]);
  }

  #count(index: number, count: number): void {
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + count);
  }
}
