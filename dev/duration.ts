import { shown } from "../runtime/check_options.ts";

/** A duration: a number of milliseconds, or text such as `"250ms"`, `"5s"`, `"1h30m"` or `"2d"`. */
export type Duration = number | string;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Thrown when a value is not a duration.
 *
 * @example
 * ```ts
 * import { DurationError, parseDuration } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => parseDuration("soon"), DurationError);
 * ```
 */
export class DurationError extends Error {
  /** Always `"bad_duration"`. */
  readonly code = "bad_duration";

  /** Creates an error for a value. */
  constructor(value: unknown) {
    const found = typeof value === "string" ? JSON.stringify(value) : shown(value);
    super(`Cannot parse duration: ${found} is not like "250ms", "5s" or "1h30m"`);
    this.name = "DurationError";
  }
}

/**
 * Converts a duration to milliseconds.
 *
 * @example
 * ```ts
 * import { parseDuration } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseDuration("1h30m"), 5_400_000);
 * ```
 *
 * @throws {DurationError} If the value is not a duration.
 */
export function parseDuration(duration: Duration): number {
  if (typeof duration === "number") {
    if (duration >= 0) return duration;
    throw new DurationError(duration);
  }
  if (typeof duration !== "string") throw new DurationError(duration);
  const text = duration.trim();
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) throw new DurationError(duration);
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(PART)) ms += Number(amount) * UNITS[unit!]!;
  return ms;
}
