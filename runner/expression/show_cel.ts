import { fromCel } from "./convert.ts";
import { type Hide, showValue, typeName } from "./diff.ts";

/**
 * A value of an expression for people, with its type: `3 (whole number)`, `3.0 (number)`. It is taken
 * before it becomes JSON, which has fewer types.
 * @param value A value that is there.
 */
export function showCel(value: unknown, hide: Hide): string {
  const held = contentOf(value);
  const type = typeOf(held);
  const text = ownText(held);
  return `${text === undefined ? showValue(fromCel(held), hide) : hide(text)} (${type})`;
}

/** What an optional value holds. */
function contentOf(value: unknown): unknown {
  const optional = value as { hasValue?: () => boolean; value?: () => unknown } | null;
  return typeof optional?.hasValue === "function" && optional.hasValue()
    ? contentOf(optional.value?.())
    : value;
}

function typeOf(value: unknown): string {
  if (isWhole(value)) return "whole number";
  if (value instanceof Date) return "time";
  if (value instanceof Uint8Array) return "bytes, as base64";
  const tag = tagOf(value);
  if (tag === "google.protobuf.Duration") return "duration";
  return tag.startsWith("Type<") ? "type" : typeName(value);
}

/** The text of a value that JSON has no type for, or would show as another one. */
function ownText(value: unknown): string | undefined {
  if (isWhole(value)) return String(value);
  if (typeof value === "number") return /^-?\d+$/.test(`${value}`) ? `${value}.0` : String(value);
  if (value instanceof Uint8Array) return undefined;
  const tag = tagOf(value);
  if (tag.startsWith("Type<")) return tag.slice("Type<".length, -1);
  const json = fromCel(value);
  return typeof value === "object" && typeof json === "string" ? json : undefined;
}

/** Whether a value is `int` or `uint`. */
function isWhole(value: unknown): boolean {
  return typeof value === "bigint" || typeof value?.valueOf() === "bigint";
}

function tagOf(value: unknown): string {
  return String((value as { [Symbol.toStringTag]?: string } | null)?.[Symbol.toStringTag] ?? "");
}
