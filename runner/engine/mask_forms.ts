import { encodeBase64 } from "../../protocol/base64.ts";

/** How often a text can be put into JSON inside JSON on its way: a value, a payload, a frame. */
const DEEPEST = 3;

/** A line of a secret of several lines that is shorter is in too many texts. */
const SHORTEST_LINE = 8;

/**
 * The sources of regular expressions that find a secret in each form it can take, each as the parts
 * it consists of.
 */
export function maskPatterns(secret: string): string[][] {
  const lines = secret.split("\n").map((line) => line.trim());
  return [
    textPattern(secret),
    ...lines.filter((line) => line.length >= SHORTEST_LINE).map(textPattern),
    // A payload goes over the wire as base64, whatever form of a secret is in it.
    ...[...writtenForms(secret)].flatMap(base64Patterns),
  ];
}

/**
 * Finds a text in which each character stands as it is, URL-encoded or escaped as in JSON: which of
 * them are escaped, and with capital letters or small ones, is another choice of each library.
 */
function textPattern(text: string): string[] {
  // A row of backslashes is doubled as a whole, once a level.
  return (text.match(/\\+|[^\\]/gu) ?? []).map((part) =>
    part.startsWith("\\") ? backslashes(part.length) : character(part)
  );
}

function backslashes(count: number): string {
  const levels = Array.from({ length: DEEPEST + 1 }, (_, level) => count * 2 ** level).toReversed();
  const rows = levels.map((length) => `\\\\{${length}}`);
  const coded = [urlCode("\\"), `${SLASHES}${unicodeCode("\\")}`].map((one) => repeat(one, count));
  return `(?:${[...rows, ...coded].join("|")})`;
}

/** What stands before an escape of JSON, inside as much JSON as there can be. */
const SLASHES = `\\\\{1,${2 ** (DEEPEST - 1)}}`;

/** What JSON has a letter for. */
const LETTERS: Record<string, string> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f" };

function character(char: string): string {
  if (/[A-Za-z0-9]/.test(char)) return char;
  const literal = char.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const raw = char === '"' || char === "/" ? `\\\\{0,${2 ** DEEPEST - 1}}${literal}` : literal;
  const letter = LETTERS[char];
  const forms = [raw, urlCode(char), `${SLASHES}${unicodeCode(char)}`];
  if (letter !== undefined) forms.push(`${SLASHES}${letter}`);
  if (char === " ") forms.push("\\+");
  return `(?:${forms.join("|")})`;
}

/** `%C3%A4`, in capitals or not. */
function urlCode(char: string): string {
  return [...new TextEncoder().encode(char)].map((byte) => `%${hex(byte, 2)}`).join("");
}

/** `u00e4`, in capitals or not; the backslash before the first is not part of it. */
function unicodeCode(char: string): string {
  const units = Array.from({ length: char.length }, (_, i) => `u${hex(char.charCodeAt(i), 4)}`);
  return units.join(SLASHES);
}

function hex(value: number, digits: number): string {
  const text = value.toString(16).padStart(digits, "0");
  return text.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function repeat(pattern: string, count: number): string {
  return count === 1 ? pattern : `(?:${pattern}){${count}}`;
}

/** The ways in which usual libraries write a text, as they are then put into base64. */
function writtenForms(secret: string): Set<string> {
  return new Set([...escapedForms(secret), ...urlForms(secret), ...wholeBase64(secret)]);
}

/** The base64 of a text by itself, in both alphabets. */
function wholeBase64(text: string): string[] {
  const encoded = encodeBase64(text);
  return [encoded, encoded.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")];
}

/** URL-encoded for a part of a path, strictly, for a form and for a whole URL. */
function urlForms(text: string): string[] {
  const whole = text.toWellFormed();
  const part = encodeURIComponent(whole);
  const forms = [
    part,
    part.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    part.replaceAll("%20", "+"),
    new URLSearchParams({ "": whole }).toString().slice(1),
    encodeURI(whole),
  ];
  return forms.flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]);
}

/** A text as it is, and as it stands in JSON, JSON inside JSON, and so on. */
function escapedForms(text: string): Set<string> {
  const forms = new Set([text, ...jsonForms(text), ...jsonForms(text).map(json)]);
  // What writes JSON into JSON does so in one way throughout.
  for (const write of [json, (form: string) => escape(json(form), GO)]) {
    let last = text;
    for (let depth = 0; depth < DEEPEST; depth++) forms.add(last = write(last));
  }
  return forms;
}

/** How usual libraries write a text in JSON. */
function jsonForms(text: string): string[] {
  const plain = json(text);
  const ascii = escape(plain, NOT_ASCII);
  const capitals = escape(plain, NOT_ASCII, true);
  return [plain, escape(plain, GO), ascii, capitals, slashed(plain), slashed(ascii)];
}

/** Servers written in Go escape `<>&` and two line separators as well. */
const GO = /[<>&\u2028\u2029]/g;
const NOT_ASCII = /[\u0080-\uffff]/g;

function json(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escape(text: string, pattern: RegExp, capitals = false): string {
  return text.replace(pattern, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${capitals ? code.toUpperCase() : code}`;
  });
}

function slashed(text: string): string {
  return text.replaceAll("/", "\\/");
}

/**
 * Finds the base64 of a text that stands anywhere in a longer one, for each of the three ways it can
 * be aligned. Of the characters that it shares with what stands around it, each is found that has a
 * bit of it.
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

/** The character that six bits are, the first of which is at `from`; what is outside is open. */
function base64Character(bytes: Uint8Array, from: number): string {
  const at = Math.floor(from / 8);
  const [left, right] = [bytes[at], bytes[at + 1]];
  const within = from - at * 8;
  // Only the bits of these two bytes that are in the six decide.
  const known = ((left === undefined ? 0 : 0xff00) | (right === undefined ? 0 : 0xff)) >>
      (10 - within) & 63;
  const bits = ((left ?? 0) << 8 | (right ?? 0)) >> (10 - within) & 63;
  return known === 63 ? CHARACTERS[bits]! : oneOf(VALUES.filter((n) => (n & known) === bits));
}

/** Finds the character of one of some numbers of six bits. */
function oneOf(values: readonly number[]): string {
  const plain = values.map((value) => ALPHABET[value]).join("");
  const forms = [/^\w$/.test(plain) ? plain : `[${plain}]`];
  if (values.includes(62)) forms.push("%2[bB]");
  if (values.includes(63)) forms.push("%2[fF]", "\\\\{1,7}/");
  return forms.length === 1 ? forms[0]! : `(?:${forms.join("|")})`;
}

/** What base64 has for each six bits; for the last two there are two alphabets. */
const ALPHABET: readonly string[] = [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  "+\\-",
  "/_",
];

const VALUES = ALPHABET.map((_, value) => value);
const CHARACTERS = VALUES.map((value) => oneOf([value]));
