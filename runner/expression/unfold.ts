import { isPlain } from "./convert.ts";

/**
 * What an object holds, as a map: a plain one as it is, another one under the name of what it is.
 *
 * @returns `undefined` for what holds nothing that can be seen, such as a promise.
 */
export function unfold(value: object): Record<string, unknown> | undefined {
  if (isPlain(value)) return value as Record<string, unknown>;
  const name = nameOf(value);
  if (value instanceof Date) return { [name]: Number.isNaN(+value) ? "" : value.toISOString() };
  if (value instanceof RegExp || value instanceof URL) return { [name]: String(value) };
  if (value instanceof Map || value instanceof Set) return { [name]: [...value] };
  if (value instanceof Error) return { [value.name]: { ...value, message: value.message } };
  if (ArrayBuffer.isView(value)) return { [name]: { ...value } };
  return Object.keys(value).length > 0 ? { [name]: { ...value } } : undefined;
}

/** What an object is: the name of its class. */
export function nameOf(value: object): string {
  return (value.constructor as { name?: string } | undefined)?.name || "Object";
}
