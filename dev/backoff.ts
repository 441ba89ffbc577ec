/** Settings of {@linkcode exponentialBackoff}. */
export interface ExponentialBackoffOptions {
  /**
   * The longest first wait, in milliseconds; it doubles with every failure.
   * @default {1000}
   */
  initial?: number;
  /**
   * The longest wait of all, in milliseconds.
   * @default {60000}
   */
  max?: number;
  /**
   * Where chance comes from: at least 0, less than 1.
   * @default {Math.random}
   */
  random?: () => number;
}

/** Waits a random time between nothing and a bound that doubles with every failure. */
export function exponentialBackoff(
  options: ExponentialBackoffOptions = {},
): (attempt: number) => number {
  const { initial = 1000, max = 60_000, random = Math.random } = options;
  return (attempt) => random() * Math.min(max, initial * 2 ** (attempt - 1));
}

/** Waits the same time, in milliseconds, after every failure. */
export function constantBackoff(ms: number): (attempt: number) => number {
  return () => ms;
}
