import { fromCel, InexactNumber } from "./convert.ts";
import { type Hide, showValue, typeName } from "./diff.ts";

/**
 * Shows a CEL value with its type, such as `3 (whole number)` or `3.0 (number)`. JSON has fewer
 * types, so the value must not be converted first.
 * @param value A value that is not absent.
 */
export function showCel(value: unknown, hide: Hide): string {
  const inner = unwrap(value);
  const type = typeOf(inner);
  const text = textOf(inner);
  return `${text === undefined ? showValue(fromCel(inner), hide) : hide(text)} (${type})`;
}

/** The value inside an optional value; any other value as it is. */
function unwrap(value: unknown): unknown {
  const optional = value as { hasValue?: () => boolean; value?: () => unknown } | null;
  return typeof optional?.hasValue === "function" && optional.hasValue()
    ? unwrap(optional.value?.())
    : value;
}

function typeOf(value: unknown): string {
  if (isWhole(value) || value instanceof InexactNumber) return "whole number";
  if (value instanceof Date) return "time";
  if (value instanceof Uint8Array) return "bytes, as base64";
  const tag = tagOf(value);
  if (tag === "google.protobuf.Duration") return "duration";
  return tag.startsWith("Type<") ? "type" : typeName(value);
}

/** The text of a value whose type JSON lacks, or would show as another type. */
function textOf(value: unknown): string | undefined {
  if (isWhole(value)) return String(value);
  // It is not the number that the server sent.
  if (value instanceof InexactNumber) return `about ${value.value}`;
  if (typeof value === "number") return /^-?\d+$/.test(`${value}`) ? `${value}.0` : String(value);
  if (value instanceof Uint8Array) return undefined;
  const tag = tagOf(value);
  if (tag.startsWith("Type<")) return tag.slice("Type<".length, -1);
  const json = fromCel(value);
  return typeof value === "object" && typeof json === "string" ? json : undefined;
}

/** Whether a value is an `int` or `uint`. */
function isWhole(value: unknown): boolean {
  return typeof value === "bigint" || typeof value?.valueOf() === "bigint";
}

function tagOf(value: unknown): string {
  return String((value as { [Symbol.toStringTag]?: string } | null)?.[Symbol.toStringTag] ?? "");
}
