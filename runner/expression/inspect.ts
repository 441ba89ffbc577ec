/**
 * Shows JavaScript values that are not plain JSON, such as dates and class instances.
 *
 * @module
 */
import { isPlain } from "./convert.ts";

/** A value as JSON, with text in place of what JSON cannot represent. */
export function inspect(value: unknown, ancestors: readonly unknown[] = []): unknown {
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "function":
      return `[function ${value.name}]`;
    case "symbol":
      return String(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (ancestors.includes(value)) return "[circular]";
  const path = [...ancestors, value];
  if (Array.isArray(value)) return value.map((item) => inspect(item, path));
  const fields = fieldsOf(value);
  if (!fields) return `[${className(value)}]`;
  const entries = Object.entries(fields);
  return Object.fromEntries(entries.map(([key, item]) => [key, inspect(item, path)]));
}

/** A value as one line: a string as it is, everything else as JSON. */
export function inspectLine(value: unknown): string {
  const shown = inspect(value);
  return typeof shown === "string" ? shown : JSON.stringify(shown) ?? String(shown);
}

/**
 * The contents of an object as a map. Those of a class instance are nested under the name of its
 * class, so that a date never equals a map.
 *
 * @returns `undefined` for an object without visible contents, such as a promise.
 */
export function fieldsOf(value: object): Record<string, unknown> | undefined {
  if (isPlain(value)) return value as Record<string, unknown>;
  const name = className(value);
  if (value instanceof Date) return { [name]: Number.isNaN(+value) ? "" : value.toISOString() };
  if (value instanceof RegExp || value instanceof URL) return { [name]: String(value) };
  if (value instanceof Map || value instanceof Set) return { [name]: [...value] };
  if (value instanceof Error) return { [value.name]: { ...value, message: value.message } };
  if (ArrayBuffer.isView(value)) return { [name]: { ...value } };
  return Object.keys(value).length > 0 ? { [name]: { ...value } } : undefined;
}

/** The name of an object's class. */
export function className(value: object): string {
  return (value.constructor as { name?: string } | undefined)?.name || "Object";
}
