/** A length of time: milliseconds, or text like `"250ms"`, `"5s"`, `"1h30m"`, `"2d"`. */
export type Duration = number | string;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Thrown when a text is no length of time. */
export class DurationError extends Error {
  /** Always `"bad_duration"`. */
  readonly code = "bad_duration";

  /** Names the text that is none. */
  constructor(text: string) {
    super(`Cannot parse duration: ${JSON.stringify(text)} is none, write "250ms", "5s" or "1h30m"`);
    this.name = "DurationError";
  }
}

/**
 * A length of time in milliseconds.
 *
 * @example
 * ```ts
 * import { parseDuration } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseDuration("1h30m"), 5_400_000);
 * ```
 *
 * @throws {DurationError} When it is none.
 */
export function parseDuration(duration: Duration): number {
  if (typeof duration === "number") {
    if (duration >= 0) return duration;
    throw new DurationError(String(duration));
  }
  const text = duration.trim();
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) throw new DurationError(duration);
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(PART)) ms += Number(amount) * UNITS[unit!]!;
  return ms;
}
