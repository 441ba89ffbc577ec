// What a server says of a broken message, and what it keeps of a good one, depends on how Go's
// encoding/json reads text: it checks the whole text first, names the first character that does not
// fit, matches keys whatever their case, and hands `data` on byte for byte. JSON.parse does none of it.

/** A text that is no JSON, worded as Go words it. */
export class GoJsonError extends Error {
  /** Always `"bad_json"`. */
  readonly code = "bad_json";
}

/** What a JSON value is, in Go's words. */
export type GoKind = "object" | "array" | "string" | "number" | "bool" | "null";

/** A value inside a text: where it stands and what it is. */
export interface RawValue {
  kind: GoKind;
  /** The value's text, white space around it excluded. */
  raw: string;
}

/** A member of an object, in the order of the text. */
export interface RawMember extends RawValue {
  key: string;
}

const MAX_DEPTH = 10_000;

/**
 * Checks that a text is one JSON value.
 * @throws {GoJsonError} With Go's words when it is none.
 */
export function scanValue(text: string): RawValue {
  const start = skipSpace(text, 0);
  const end = skipValue(text, start);
  const rest = skipSpace(text, end);
  if (rest < text.length) throw unexpected(text, rest, "after top-level value");
  return { kind: kindAt(text, start), raw: text.slice(start, end) };
}

/** The members of an object's text that {@linkcode scanValue} has passed. */
export function membersOf(raw: string): RawMember[] {
  const members: RawMember[] = [];
  let at = skipSpace(raw, 1);
  while (raw[at] !== "}") {
    const keyEnd = skipString(raw, at);
    const key = unquote(raw.slice(at, keyEnd));
    const start = skipSpace(raw, skipSpace(raw, keyEnd) + 1);
    const end = skipValue(raw, start);
    members.push({ key, kind: kindAt(raw, start), raw: raw.slice(start, end) });
    at = skipSpace(raw, end);
    if (raw[at] === ",") at = skipSpace(raw, at + 1);
  }
  return members;
}

/** The items of an array's text that {@linkcode scanValue} has passed. */
export function itemsOf(raw: string): RawValue[] {
  const items: RawValue[] = [];
  let at = skipSpace(raw, 1);
  while (raw[at] !== "]") {
    const end = skipValue(raw, at);
    items.push({ kind: kindAt(raw, at), raw: raw.slice(at, end) });
    at = skipSpace(raw, end);
    if (raw[at] === ",") at = skipSpace(raw, at + 1);
  }
  return items;
}

/** The text of a JSON string; half a surrogate pair becomes U+FFFD. */
export function unquote(raw: string): string {
  return (JSON.parse(raw) as string).toWellFormed();
}

function kindAt(text: string, at: number): GoKind {
  switch (text[at]) {
    case "{":
      return "object";
    case "[":
      return "array";
    case '"':
      return "string";
    case "t":
    case "f":
      return "bool";
    case "n":
      return "null";
    default:
      return "number";
  }
}

function skipSpace(text: string, at: number): number {
  for (;;) {
    const c = text.charCodeAt(at);
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return at;
    at++;
  }
}

/** Where the value that begins at `at` ends. Not recursive: depth is the sender's choice. */
function skipValue(text: string, at: number): number {
  const stack: boolean[] = [];
  for (;;) {
    const c = text[at];
    if (c === "{" || c === "[") {
      const isObject = c === "{";
      stack.push(isObject);
      if (stack.length > MAX_DEPTH) throw new GoJsonError("exceeded max depth");
      at = skipSpace(text, at + 1);
      if (text[at] !== (isObject ? "}" : "]")) {
        if (isObject) at = skipKey(text, at);
        continue;
      }
      stack.pop();
      at++;
    } else {
      at = skipScalar(text, at);
    }
    // A value has ended: so may the containers around it.
    for (;;) {
      const isObject = stack.at(-1);
      if (isObject === undefined) return at;
      at = skipSpace(text, at);
      if (text[at] === ",") {
        at = skipSpace(text, at + 1);
        if (isObject) at = skipKey(text, at);
        break;
      }
      if (text[at] !== (isObject ? "}" : "]")) {
        throw unexpected(
          text,
          at,
          isObject ? "after object key:value pair" : "after array element",
        );
      }
      stack.pop();
      at++;
    }
  }
}

/** Skips a key and its colon; gives where the member's value begins. */
function skipKey(text: string, at: number): number {
  if (text[at] !== '"') throw unexpected(text, at, "looking for beginning of object key string");
  at = skipSpace(text, skipString(text, at));
  if (text[at] !== ":") throw unexpected(text, at, "after object key");
  return skipSpace(text, at + 1);
}

function skipScalar(text: string, at: number): number {
  switch (text[at]) {
    case '"':
      return skipString(text, at);
    case "t":
      return skipWord(text, at, "true");
    case "f":
      return skipWord(text, at, "false");
    case "n":
      return skipWord(text, at, "null");
    default:
      return skipNumber(text, at);
  }
}

/** A string without escapes, as nearly all are; it is passed over without a look at each character. */
// deno-lint-ignore no-control-regex
const PLAIN_STRING = /"[^"\\\x00-\x1f]*"/y;

function skipString(text: string, at: number): number {
  PLAIN_STRING.lastIndex = at;
  if (PLAIN_STRING.test(text)) return PLAIN_STRING.lastIndex;
  for (at++;; at++) {
    const c = text.charCodeAt(at);
    if (c === 34) return at + 1;
    if (c === 92) {
      at++;
      if (text[at] === "u") {
        for (let i = 0; i < 4; i++) {
          at++;
          if (!isHex(text.charCodeAt(at))) {
            throw unexpected(text, at, "in \\u hexadecimal character escape");
          }
        }
      } else if (at >= text.length || !'"\\/bfnrt'.includes(text[at]!)) {
        throw unexpected(text, at, "in string escape code");
      }
    } else if (!(c >= 32)) {
      throw unexpected(text, at, "in string literal");
    }
  }
}

function skipWord(text: string, at: number, word: string): number {
  for (let i = 1; i < word.length; i++) {
    if (text[at + i] !== word[i]) {
      throw unexpected(text, at + i, `in literal ${word} (expecting ${quoteByte(word[i]!)})`);
    }
  }
  return at + word.length;
}

function skipNumber(text: string, at: number): number {
  const negative = text[at] === "-";
  if (negative) at++;
  if (text[at] === "0") at++;
  else if (isDigit(text.charCodeAt(at))) at = skipDigits(text, at);
  else {
    throw unexpected(text, at, negative ? "in numeric literal" : "looking for beginning of value");
  }
  if (text[at] === ".") {
    at++;
    if (!isDigit(text.charCodeAt(at))) {
      throw unexpected(text, at, "after decimal point in numeric literal");
    }
    at = skipDigits(text, at);
  }
  if (text[at] === "e" || text[at] === "E") {
    at++;
    if (text[at] === "+" || text[at] === "-") at++;
    if (!isDigit(text.charCodeAt(at))) {
      throw unexpected(text, at, "in exponent of numeric literal");
    }
    at = skipDigits(text, at);
  }
  return at;
}

function skipDigits(text: string, at: number): number {
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function isHex(c: number): boolean {
  return isDigit(c) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
}

function unexpected(text: string, at: number, where: string): GoJsonError {
  if (at >= text.length) {
    // At a text's end Go looks whether a space would do.
    const isInside = /^in (?!string literal)|^after decimal point/.test(where);
    if (isInside) return new GoJsonError(`invalid character ' ' ${where}`);
    return new GoJsonError("unexpected end of JSON input");
  }
  return new GoJsonError(`invalid character ${quoteByte(text[at]!)} ${where}`);
}

/** Go looks at bytes: of a character beyond ASCII it names the first byte of its UTF-8 form. */
export function quoteByte(char: string): string {
  const code = char.charCodeAt(0);
  if (code < 128) return goQuoteRune(char);
  const byte = code < 0x800
    ? 0xc0 | (code >> 6)
    : code < 0xd800 || code > 0xdfff
    ? 0xe0 | (code >> 12)
    : 0xf0;
  return goQuoteRune(String.fromCharCode(byte));
}

/** A character as Go's `%q` shows it. */
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

/** A text as Go's `%q` shows it. */
export function goQuote(text: string): string {
  // deno-lint-ignore no-control-regex
  const quoted = text.replace(/[\x00-\x1f\x7f-\xa0\xad"\\]/g, (char) => {
    const code = char.charCodeAt(0);
    if (ESCAPES[char] !== undefined) return ESCAPES[char];
    return code < 0x80
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${quoted}"`;
}
