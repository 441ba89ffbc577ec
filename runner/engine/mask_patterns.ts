import { encodeBase64 } from "../../protocol/base64.ts";

/** How many times a text can be JSON-encoded on its way: in a value, a payload and a frame. */
const MAX_DEPTH = 3;

/** Shorter lines of a secret with several lines occur in too many texts to be masked. */
const MIN_LINE_LENGTH = 8;

/**
 * Returns regular expressions that find a secret in each form that it can take. Each is returned as
 * the parts of its source.
 */
export function maskPatterns(secret: string): string[][] {
  const lines = secret.split("\n").map((line) => line.trim());
  return [
    textPattern(secret),
    ...lines.filter((line) => line.length >= MIN_LINE_LENGTH).map(textPattern),
    // Payloads are sent as base64. They can contain the secret in any other form.
    ...[...encodedForms(secret)].flatMap(base64Patterns),
  ];
}

/**
 * Matches a text whose characters are raw, URL-encoded or JSON-escaped. Each character can differ in
 * that, since libraries escape different characters, in capitals or not.
 */
function textPattern(text: string): string[] {
  // JSON doubles a sequence of backslashes as a whole at each level.
  return (text.match(/\\+|[^\\]/gu) ?? []).map((part) =>
    part.startsWith("\\") ? backslashes(part.length) : character(part)
  );
}

function backslashes(count: number): string {
  const levels = Array.from({ length: MAX_DEPTH + 1 }, (_, level) => count * 2 ** level);
  const raw = levels.toReversed().map((length) => `\\\\{${length}}`);
  const escaped = [urlEscape("\\"), `${ESCAPE_PREFIX}${unicodeEscape("\\")}`]
    .map((pattern) => repeat(pattern, count));
  return `(?:${[...raw, ...escaped].join("|")})`;
}

/** Matches the backslashes before a JSON escape, at any depth of nested JSON. */
const ESCAPE_PREFIX = `\\\\{1,${2 ** (MAX_DEPTH - 1)}}`;

/** The characters that JSON escapes with a letter. */
const LETTER_ESCAPES: Record<string, string> = {
  "\n": "n",
  "\r": "r",
  "\t": "t",
  "\b": "b",
  "\f": "f",
};

function character(char: string): string {
  if (/[A-Za-z0-9]/.test(char)) return char;
  const literal = char.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const raw = char === '"' || char === "/" ? `\\\\{0,${2 ** MAX_DEPTH - 1}}${literal}` : literal;
  const letter = LETTER_ESCAPES[char];
  const forms = [raw, urlEscape(char), `${ESCAPE_PREFIX}${unicodeEscape(char)}`];
  if (letter !== undefined) forms.push(`${ESCAPE_PREFIX}${letter}`);
  if (char === " ") forms.push("\\+");
  return `(?:${forms.join("|")})`;
}

/** Matches `%C3%A4`, in capitals or not. */
function urlEscape(char: string): string {
  return [...new TextEncoder().encode(char)].map((byte) => `%${hex(byte, 2)}`).join("");
}

/** Matches `u00e4`, in capitals or not, without the first backslash. */
function unicodeEscape(char: string): string {
  const units = Array.from({ length: char.length }, (_, i) => `u${hex(char.charCodeAt(i), 4)}`);
  return units.join(ESCAPE_PREFIX);
}

function hex(value: number, digits: number): string {
  const text = value.toString(16).padStart(digits, "0");
  return text.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function repeat(pattern: string, count: number): string {
  return count === 1 ? pattern : `(?:${pattern}){${count}}`;
}

/** Returns the forms in which common libraries encode a text before it is encoded as base64. */
function encodedForms(secret: string): Set<string> {
  return new Set([...jsonForms(secret), ...urlForms(secret), ...base64Forms(secret)]);
}

/** Returns the base64 of a text, in both alphabets. */
function base64Forms(text: string): string[] {
  const encoded = encodeBase64(text);
  return [encoded, encoded.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")];
}

/** Returns a text URL-encoded for a path segment, strictly, for a form, and for a whole URL. */
function urlForms(text: string): string[] {
  const wellFormed = text.toWellFormed();
  const component = encodeURIComponent(wellFormed);
  const forms = [
    component,
    component.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    component.replaceAll("%20", "+"),
    new URLSearchParams({ "": wellFormed }).toString().slice(1),
    encodeURI(wellFormed),
  ];
  return forms.flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]);
}

/** Returns a text as it is, in JSON, in JSON inside JSON, and so on. */
function jsonForms(text: string): Set<string> {
  const escaped = escapedForms(text);
  const forms = new Set([text, ...escaped, ...escaped.map(json)]);
  // Deeper nesting is only covered for encoders that escape in the same way at each level.
  for (const encode of [json, (form: string) => escape(json(form), GO_ESCAPED)]) {
    let last = text;
    for (let depth = 0; depth < MAX_DEPTH; depth++) forms.add(last = encode(last));
  }
  return forms;
}

/** Returns the ways in which common libraries escape a text in JSON. */
function escapedForms(text: string): string[] {
  const plain = json(text);
  const ascii = escape(plain, NON_ASCII);
  const capitals = escape(plain, NON_ASCII, true);
  return [
    plain,
    escape(plain, GO_ESCAPED),
    ascii,
    capitals,
    escapeSlashes(plain),
    escapeSlashes(ascii),
  ];
}

/** The characters that servers written in Go also escape. */
const GO_ESCAPED = /[<>&\u2028\u2029]/g;
const NON_ASCII = /[\u0080-\uffff]/g;

function json(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escape(text: string, pattern: RegExp, capitals = false): string {
  return text.replace(pattern, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${capitals ? code.toUpperCase() : code}`;
  });
}

function escapeSlashes(text: string): string {
  return text.replaceAll("/", "\\/");
}

/**
 * Matches the base64 of a text inside the base64 of a longer one, for each of the three alignments.
 * The first and last characters also encode bits of the surrounding text, so every character that
 * agrees in the text's own bits matches there.
 */
function base64Patterns(text: string): string[][] {
  const bytes = new TextEncoder().encode(text);
  return [0, 1, 2].map((shift) => {
    const size = shift + bytes.length;
    const pattern: string[] = [];
    for (let at = Math.floor(shift * 8 / 6); at * 6 < size * 8; at++) {
      pattern.push(base64Character(bytes, at * 6 - shift * 8));
    }
    return size % 3 === 0 ? pattern : [...pattern, "={0,2}"];
  });
}

/** Matches the character for the six bits from `from` on. Bits outside of `bytes` can be anything. */
function base64Character(bytes: Uint8Array, from: number): string {
  const at = Math.floor(from / 8);
  const [left, right] = [bytes[at], bytes[at + 1]];
  const shift = 10 - (from - at * 8);
  const known = ((left === undefined ? 0 : 0xff00) | (right === undefined ? 0 : 0xff)) >> shift &
    63;
  const bits = ((left ?? 0) << 8 | (right ?? 0)) >> shift & 63;
  return known === 63 ? CHARACTERS[bits]! : oneOf(SIX_BITS.filter((n) => (n & known) === bits));
}

/** Matches the base64 character of one of the values, which have six bits. */
function oneOf(values: readonly number[]): string {
  const plain = values.map((value) => ALPHABET[value]).join("");
  const forms = [/^\w$/.test(plain) ? plain : `[${plain}]`];
  if (values.includes(62)) forms.push("%2[bB]");
  if (values.includes(63)) forms.push("%2[fF]", "\\\\{1,7}/");
  return forms.length === 1 ? forms[0]! : `(?:${forms.join("|")})`;
}

/** The characters of base64 for each value of six bits, of both alphabets. */
const ALPHABET: readonly string[] = [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  "+\\-",
  "/_",
];

const SIX_BITS = ALPHABET.map((_, value) => value);
const CHARACTERS = SIX_BITS.map((value) => oneOf([value]));
