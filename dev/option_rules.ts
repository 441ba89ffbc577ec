import { type Duration, parseDuration } from "./duration.ts";

/** A duration. */
export function aDuration(value: unknown): string | undefined {
  try {
    parseDuration(value as Duration);
    return undefined;
  } catch {
    return 'a duration: milliseconds, or text like "250ms", "5s" or "1h30m"';
  }
}

/** A Standard Schema. */
export function aSchema(value: unknown): string | undefined {
  const standard = (value as { "~standard"?: { validate?: unknown } } | null)?.["~standard"];
  return typeof standard?.validate === "function"
    ? undefined
    : "a Standard Schema, such as one of valibot, zod or arktype";
}

/** A value that JSON can hold. */
export function jsonValue(value: unknown): string | undefined {
  try {
    if (JSON.stringify(value) !== undefined) return undefined;
  } catch {
    // It is circular, or holds a BigInt.
  }
  return "a value that JSON can hold";
}

/** A text, which may be empty. */
export function aText(value: unknown): string | undefined {
  return typeof value === "string" ? undefined : "a text";
}
