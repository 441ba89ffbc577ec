import { escapedByte } from "./utf8.ts";

/**
 * Serializes a value as Go's `json.Marshal` does: `<`, `>` and `&` are escaped. Members that are
 * `undefined` are left out.
 */
export function goStringify(value: unknown): string {
  const json = JSON.stringify(value);
  // Outside of strings JSON has none of these characters, so the whole text can be replaced at
  // once.
  return /[<>&\u2028\u2029]/.test(json)
    ? json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${hex(char.charCodeAt(0), 4)}`)
    : json;
}

/** Turns an empty text into `undefined`, for fields that Go marks `omitempty`. */
export function omitEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/**
 * Quotes the first byte of a character. Go reads bytes, so for a character beyond ASCII it reports
 * only the first byte of the UTF-8 encoding.
 */
export function quoteByte(char: string): string {
  const code = char.charCodeAt(0);
  if (code < 128) return goQuoteRune(char);
  const byte = escapedByte(code) ??
    (code < 0x800
      ? 0xc0 | (code >> 6)
      : code < 0xd800 || code > 0xdfff
      ? 0xe0 | (code >> 12)
      : 0xf0);
  return goQuoteRune(String.fromCharCode(byte));
}

/** Quotes a character as Go's `%q` does. */
export function goQuoteRune(char: string): string {
  if (char === "'") return "'\\''";
  return char === '"' ? `'"'` : `'${goQuote(char).slice(1, -1)}'`;
}

const ESCAPES: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

let unprintedPattern: RegExp | undefined;

/**
 * Matches the characters that Go does not print: all but letters, marks, numbers, signs and the
 * space. It is compiled on first use, which takes a millisecond.
 */
function unprinted(): RegExp {
  return unprintedPattern ??= new RegExp(String.raw`["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]`, "gu");
}

/** Quotes a text as Go's `%q` does. */
export function goQuote(text: string): string {
  const quoted = text.replace(unprinted(), (char) => {
    const code = char.codePointAt(0)!;
    if (ESCAPES[char] !== undefined) return ESCAPES[char];
    if (code < 0x80) return `\\x${hex(code, 2)}`;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
  return `"${quoted}"`;
}

function hex(code: number, length: number): string {
  return code.toString(16).padStart(length, "0");
}
