/**
 * Converts a JSON value for CEL. Whole numbers become CEL integers, so that `x == 3` compares two
 * integers; keys with the value `undefined` are left out.
 */
export function toCel(value: unknown, type?: string): unknown {
  if (typeof value === "number") {
    return type !== "double" && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => toCel(item, type?.slice(5, -1)));
  if (typeof value === "object" && value !== null && isPlain(value)) {
    // `Object.fromEntries` keeps a key `__proto__`; an assignment would set the prototype.
    return Object.fromEntries(
      Object.entries(value).filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, toCel(item)]),
    );
  }
  return value;
}

/** Converts the value of an expression to JSON. Timestamps become RFC 3339 text. */
export function fromCel(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
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
