/** Settings of {@linkcode fullJitter}. */
export interface BackoffOptions {
  /**
   * The longest the first delay may be, in milliseconds.
   * @default {1000}
   */
  base?: number;
  /**
   * The longest any delay may be, in milliseconds.
   * @default {45000}
   */
  cap?: number;
}

/**
 * How long to wait before an attempt: evenly spread between nothing and a bound that doubles with
 * each attempt ("full jitter"), so that clients of a restarted server do not come back all at once.
 *
 * @param attempt 1 for the first.
 * @param random A number from 0 up to, not including, 1.
 * @returns Whole milliseconds.
 *
 * @example
 * ```ts
 * import { fullJitter } from "@dispatch/sdk";
 * import { strict as assert } from "node:assert";
 *
 * assert.equal(fullJitter(3, 0.5), 2000);
 * ```
 */
export function fullJitter(attempt: number, random: number, options: BackoffOptions = {}): number {
  const { base = 1_000, cap = 45_000 } = options;
  return Math.floor(random * Math.min(cap, base * 2 ** (attempt - 1)));
}
