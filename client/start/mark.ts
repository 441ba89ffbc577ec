/** How many characters mark an input, one random bit each. */
const MARK_LENGTH = 48;

/** How far into a text its mark may reach. */
const TEXT_LENGTH = 200;

/**
 * A character of a JSON text that can be written as an escape: neither part of one nor half of a
 * pair.
 */
const PLAIN = /(?<!\\|\\u.{0,3})[^"\\\ud800-\udfff]/g;

/**
 * Marks the JSON text of an input: the text becomes unique, and the value stays the same. An object
 * or array gets white space before its last bracket. In a text, some of the first characters are
 * written as escapes.
 *
 * @returns The marked text, or `undefined` if there is no room for a mark: in a number, a boolean,
 * `null` or a short text.
 */
export function markInput(json: string): string | undefined {
  // Not the client's `random`, which may be a fixed one: a mark proves whose run it is.
  const bits = Array.from(crypto.getRandomValues(new Uint8Array(MARK_LENGTH)), (byte) => byte % 2);
  if (/^[{[]/.test(json)) {
    return json.slice(0, -1) + bits.map((bit) => bit ? " " : "\t").join("") + json.slice(-1);
  }
  if (json[0] !== '"') return undefined;
  const escape = (char: string) =>
    bits.length === 0 || bits.pop()
      ? char
      : "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
  const marked = json.slice(0, TEXT_LENGTH).replace(PLAIN, escape) + json.slice(TEXT_LENGTH);
  return bits.length ? undefined : marked;
}
