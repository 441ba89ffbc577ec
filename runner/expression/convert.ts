/**
 * A JSON value as CEL takes it: whole numbers become integers of CEL, so that `x == 3` compares an
 * integer with an integer. What `undefined` stands for is absent.
 */
export function toCel(value: unknown, type?: string): unknown {
  if (typeof value === "number") {
    return type !== "double" && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => toCel(item, type?.slice(5, -1)));
  if (typeof value === "object" && value !== null && isPlain(value)) {
    // Assigning a key `__proto__` would set a prototype.
    return Object.fromEntries(
      Object.entries(value).filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, toCel(item)]),
    );
  }
  return value;
}

/** The JSON value of what an expression gave. Times become RFC 3339 text. */
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
  const own: unknown = value.valueOf();
  // `uint`
  if (typeof own === "bigint") return Number(own);
  // Milliseconds; the text of a negative duration would have its fraction wrong.
  return typeof own === "number" && own < 0 ? `${own / 1000}s` : String(value);
}

/** Whether an object is a map of JSON, and no instance of anything else. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
