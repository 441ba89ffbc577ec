/**
 * A whole number beyond 2^53, as JSON from a server is read: its last digits are lost, so it could
 * equal a number that the server did not send. Expressions fail when they use it.
 */
export class InexactNumber {
  /** The number as it was read. */
  readonly value: number;

  /** Wraps a number that has lost digits. */
  constructor(value: number) {
    this.value = value;
  }
}

/** Why a value with a whole number beyond 2^53 cannot be used. */
export const INEXACT: string =
  "a whole number beyond 2^53 loses digits in JSON, so it cannot be compared or passed on";

/** Whether a CEL value has a whole number in it that JSON does not keep. */
export function hasInexact(value: unknown): boolean {
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    if (one instanceof InexactNumber) return true;
    if (typeof one === "bigint" && !Number.isSafeInteger(Number(one))) return true;
    if (Array.isArray(one) || (typeof one === "object" && one !== null && isPlain(one))) {
      for (const item of Object.values(one)) rest.push(item);
    }
  }
  return false;
}

/** How deep a value may be nested. Servers nest up to 10,000 levels, which the stack cannot hold. */
const MAX_DEPTH = 1_000;

/** Why a value that is nested too deep cannot be used. */
export const TOO_DEEP: string =
  "a value from the server is nested more than 1,000 levels deep, which the runner cannot evaluate";

/** Whether a value is nested too deep to be evaluated or compared. One that contains itself is not. */
export function isTooDeep(value: unknown): boolean {
  const seen = new Set<unknown>();
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const objects = level.filter((one) =>
      typeof one === "object" && one !== null && !seen.has(one)
    );
    if (depth > MAX_DEPTH && objects.length > 0) return true;
    for (const one of objects) seen.add(one);
    level = objects.flatMap((one) => Object.values(one as object));
  }
  return false;
}

/**
 * Converts a JSON value for CEL. Whole numbers become CEL integers, so that `x == 3` compares two
 * integers; keys with the value `undefined` are left out.
 * @throws {RangeError} If the value is nested too deep.
 */
export function toCel(value: unknown, type?: string, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new RangeError(TOO_DEEP);
  if (typeof value === "number") {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) return new InexactNumber(value);
    return type !== "double" && Number.isInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => toCel(item, type?.slice(5, -1), depth + 1));
  if (typeof value === "object" && value !== null && isPlain(value)) {
    // `Object.fromEntries` keeps a key `__proto__`; an assignment would set the prototype.
    return Object.fromEntries(
      Object.entries(value).filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, toCel(item, undefined, depth + 1)]),
    );
  }
  return value;
}

/** Converts the value of an expression to JSON. Timestamps become RFC 3339 text. */
export function fromCel(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof InexactNumber) return value.value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value));
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), fromCel(item)]));
  }
  if (isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromCel(item)]));
  }
  const optional = value as { hasValue?: () => boolean; value?: () => unknown };
  if (typeof optional.hasValue === "function" && typeof optional.value === "function") {
    return optional.hasValue() ? fromCel(optional.value()) : undefined;
  }
  const primitive: unknown = value.valueOf();
  // A `uint`.
  if (typeof primitive === "bigint") return Number(primitive);
  // A duration in milliseconds. Its own `toString` gets the fraction of a negative one wrong.
  return typeof primitive === "number" && primitive < 0 ? `${primitive / 1000}s` : String(value);
}

/** Whether an object is a plain map, and not an instance of a class. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
