import { isRecord } from "../../protocol/entity.ts";
import { className, fieldsOf } from "./inspect.ts";

/** A place where two values differ. */
export interface Difference {
  /** The path from the root of the values, such as `items[2].price`. */
  path: string;
  /** The expected value; absent if there should be none. */
  expected?: unknown;
  /** The actual value; absent if there is none. */
  actual?: unknown;
}

/**
 * Finds the differences between two values. Numbers are compared by value, class instances by their
 * contents.
 *
 * @throws {TypeError} If an object has no visible contents, such as a promise.
 */
export function diff(expected: unknown, actual: unknown, limit = 20): Difference[] {
  const out: Difference[] = [];
  compare(expected, actual, "", out, limit, []);
  return out;
}

/** Whether two values are equal in value and type. */
export function equal(a: unknown, b: unknown): boolean {
  return diff(a, b, 1).length === 0;
}

function compare(
  expected: unknown,
  actual: unknown,
  path: string,
  out: Difference[],
  limit: number,
  around: readonly (readonly [unknown, unknown])[],
): void {
  if (out.length >= limit || Object.is(expected, actual) || expected === actual) return;
  // Cyclic values: this pair is being compared already.
  if (around.some(([a, b]) => a === expected && b === actual)) return;
  const within = [...around, [expected, actual] as const];
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      const at = `${path}[${i}]`;
      if (i >= actual.length) push(out, limit, { path: at, expected: expected[i] });
      else if (i >= expected.length) push(out, limit, { path: at, actual: actual[i] });
      else compare(expected[i], actual[i], at, out, limit, within);
    }
    return;
  }
  if (isUnordered(expected, Set, actual) || isUnordered(expected, Map, actual)) {
    const [wanted, there] = [[...expected], [...actual as Iterable<unknown>]];
    const same = wanted.length === there.length &&
      wanted.every((item) => there.some((other) => equal(item, other)));
    if (!same) push(out, limit, { path, expected, actual });
    return;
  }
  if (isRecord(expected) && isRecord(actual)) {
    compareFields(comparableFields(expected), comparableFields(actual), path, out, limit, within);
    return;
  }
  push(out, limit, { path, expected, actual });
}

function compareFields(
  expected: Record<string, unknown>,
  actual: Record<string, unknown>,
  path: string,
  out: Difference[],
  limit: number,
  within: readonly (readonly [unknown, unknown])[],
): void {
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const at = /^[A-Za-z_]\w*$/.test(key)
      ? (path === "" ? key : `${path}.${key}`)
      : `${path}[${JSON.stringify(key)}]`;
    const inExpected = Object.hasOwn(expected, key) && expected[key] !== undefined;
    const inActual = Object.hasOwn(actual, key) && actual[key] !== undefined;
    if (inExpected && inActual) compare(expected[key], actual[key], at, out, limit, within);
    else if (inExpected) push(out, limit, { path: at, expected: expected[key] });
    else if (inActual) push(out, limit, { path: at, actual: actual[key] });
  }
}

/** Whether both values are sets or both are maps, whose order does not matter. */
function isUnordered(
  expected: unknown,
  of: typeof Set | typeof Map,
  actual: unknown,
): expected is Iterable<unknown> {
  return expected instanceof of && actual instanceof of;
}

function comparableFields(value: object): Record<string, unknown> {
  const fields = fieldsOf(value);
  if (fields) return fields;
  throw new TypeError(`a ${className(value)} cannot be compared: it has no visible contents`);
}

function push(out: Difference[], limit: number, difference: Difference): void {
  if (out.length < limit) out.push(difference);
}

/** Whether to show two values by their differences: maps, lists and long texts. */
export function worthDiff(a: unknown, b: unknown): boolean {
  if (typeof a === "string" && typeof b === "string") return Math.max(a.length, b.length) > LIMIT;
  return typeof a === "object" && a !== null && typeof b === "object" && b !== null;
}

/**
 * Masks the secrets in a value. Mask a value before you cut it: half a secret would not be found.
 */
export type Hide = (value: unknown) => unknown;

/** The differences between two values as lines: `-` for expected, `+` for actual. */
export function diffLines(expected: unknown, actual: unknown, hide: Hide): string[] {
  const differences = diff(expected, actual, MOST + 1);
  const lines = differences.slice(0, MOST).flatMap(({ path, ...sides }) => {
    const at = path === "" ? "" : `${path}: `;
    const [was, is] = [hide(sides.expected), hide(sides.actual)];
    const from = firstDifference(was, is);
    return [
      ...("expected" in sides ? [`- ${at}${cutValue(was, LIMIT, from)}`] : []),
      ...("actual" in sides ? [`+ ${at}${cutValue(is, LIMIT, from)}`] : []),
    ];
  });
  return differences.length > MOST ? [...lines, "… and more"] : lines;
}

/** How many differences are shown. */
const MOST = 20;
/** How many characters of a value are shown. */
const LIMIT = 120;

/** The offset to show long texts from: shortly before they differ. */
function firstDifference(a: unknown, b: unknown): number {
  if (!worthDiff(a, b) || typeof a !== "string" || typeof b !== "string") return 0;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return wholeCharacters(a, Math.max(0, at - 20));
}

/** An offset of a text, moved back by one if it would split a surrogate pair. */
function wholeCharacters(text: string, at: number): number {
  const between = /[\ud800-\udbff]/.test(text[at - 1] ?? "") &&
    /[\udc00-\udfff]/.test(text[at] ?? "");
  return between ? at - 1 : at;
}

/** A value as masked JSON, cut to a limit. */
export function showValue(value: unknown, hide: Hide, limit: number = LIMIT): string {
  return cutValue(hide(value), limit, 0);
}

/** A masked value as JSON, cut to a limit. A long text begins at the offset `from`. */
function cutValue(value: unknown, limit: number, from: number): string {
  if (value === undefined) return "(absent)";
  const start = from > 0 ? "…" : "";
  const text = start + (JSON.stringify(from > 0 ? (value as string).slice(from) : value) ??
    String(value));
  if (text.length <= limit && from === 0) return text;
  const size = Array.isArray(value)
    ? `${value.length} items`
    : typeof value === "string"
    ? `${value.length} characters`
    : `${text.length} characters of JSON`;
  return `${text.slice(0, wholeCharacters(text, limit))}${
    text.length > limit ? "…" : ""
  } (${size})`;
}

/** The name of a JSON value's type. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "absent";
  if (Array.isArray(value)) return "list";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
    case "bigint":
      return "number";
    case "boolean":
      return "boolean";
    default:
      return "map";
  }
}

/** The type of a JSON value as messages show it: as {@linkcode typeName}, but for whole numbers. */
export function shownType(value: unknown): string {
  return typeof value === "bigint" || Number.isInteger(value) ? "whole number" : typeName(value);
}
