import { aFunction, numberFrom, optional, type OptionRules } from "../runtime/check_options.ts";
import { checkArgument, checkOptions } from "./options_error.ts";

/** Settings of {@linkcode exponentialBackoff}. */
export interface ExponentialBackoffOptions {
  /**
   * The longest wait after the first failure, in milliseconds. It doubles with every failure.
   * @default {1000}
   */
  initial?: number;
  /**
   * The longest wait after any failure, in milliseconds.
   * @default {60000}
   */
  max?: number;
  /**
   * Returns a random number, at least 0 and less than 1.
   * @default {Math.random}
   */
  random?: () => number;
}

/**
 * Creates a backoff that waits a random time, up to a limit that doubles with every failure.
 *
 * @example
 * ```ts
 * import { exponentialBackoff } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * const backoff = exponentialBackoff({ initial: 100, random: () => 0.5 });
 * assert.deepEqual([1, 2, 3].map(backoff), [50, 100, 200]);
 * ```
 *
 * @throws {OptionsError} If an option is not valid.
 */
export function exponentialBackoff(
  options: ExponentialBackoffOptions = {},
): (attempt: number) => number {
  checkOptions("create backoff", options, BACKOFF_RULES);
  const { initial = 1000, max = 60_000, random = Math.random } = options;
  return (attempt) => random() * Math.min(max, initial * 2 ** (attempt - 1));
}

/**
 * Creates a backoff that waits the same time, in milliseconds, after every failure.
 *
 * @example
 * ```ts
 * import { constantBackoff } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([1, 2, 3].map(constantBackoff(50)), [50, 50, 50]);
 * ```
 *
 * @throws {OptionsError} If it is not a number of at least 0.
 */
export function constantBackoff(ms: number): (attempt: number) => number {
  checkArgument("create backoff", "time", ms, numberFrom(0));
  return () => ms;
}

const BACKOFF_RULES: OptionRules = {
  initial: optional(numberFrom(0)),
  max: optional(numberFrom(0, Infinity)),
  random: optional(aFunction),
};
