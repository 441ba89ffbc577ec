/** Settings of {@linkcode fullJitter}. */
export interface BackoffOptions {
  /**
   * The upper bound of the first delay, in milliseconds.
   * @default {1000}
   */
  base?: number;
  /**
   * The upper bound of every delay, in milliseconds.
   * @default {45000}
   */
  cap?: number;
}

/**
 * A connection that lasted this many milliseconds has held: attempts are counted from 1 again. Without
 * that, a server that accepts each connection and then closes it would be asked without a pause.
 */
export const HOLD_TIME = 5_000;

/**
 * Calculates the delay before an attempt by exponential backoff with full jitter: a random time up
 * to a bound that doubles with each attempt. Clients of a restarted server then do not all reconnect
 * at the same moment.
 *
 * @example
 * ```ts
 * import { fullJitter } from "@dispatch/sdk";
 * import { strict as assert } from "node:assert";
 *
 * assert.equal(fullJitter(3, 0.5), 2000);
 * ```
 *
 * @param attempt The number of the attempt, counted from 1.
 * @param random A number from 0 up to, but not including, 1.
 * @returns Whole milliseconds.
 */
export function fullJitter(attempt: number, random: number, options: BackoffOptions = {}): number {
  const { base = 1_000, cap = 45_000 } = options;
  return Math.floor(random * Math.min(cap, base * 2 ** (attempt - 1)));
}
