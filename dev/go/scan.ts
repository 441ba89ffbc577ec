// Go's encoding/json checks the whole text first, reports the first unexpected character, matches
// keys regardless of case, and passes `data` on byte for byte. JSON.parse does none of this, so a
// server that must answer malformed frames as Go does needs its own scanner.

import { quoteByte } from "./encode.ts";

/** Thrown when a JSON text is invalid or does not fit its type; the message is Go's. */
export class GoJsonError extends Error {
  /** Always `"bad_json"`. */
  readonly code = "bad_json";
}

/** The kind of a JSON value, as Go's messages name it. */
export type GoKind = "object" | "array" | "string" | "number" | "bool" | "null";

/** A JSON value that has been scanned but not parsed. */
export interface RawValue {
  kind: GoKind;
  /** The value's text without the white space around it. */
  raw: string;
}

/** A member of an object. */
export interface RawMember extends RawValue {
  key: string;
}

const MAX_DEPTH = 10_000;

/**
 * Checks that a text is exactly one JSON value.
 * @throws {GoJsonError} If it is not; the message is Go's.
 */
export function scanValue(text: string): RawValue {
  const start = skipSpace(text, 0);
  const end = skipValue(text, start);
  const rest = skipSpace(text, end);
  if (rest < text.length) throw unexpected(text, rest, "after top-level value");
  return { kind: kindAt(text, start), raw: text.slice(start, end) };
}

/** Splits an object's text, already checked by {@linkcode scanValue}, into its members. */
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

/** Splits an array's text, already checked by {@linkcode scanValue}, into its items. */
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

/** Decodes a JSON string; a lone surrogate becomes U+FFFD. */
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

/** Returns the end of the value at `at`. Not recursive, because the sender chooses the depth. */
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
    // A value has ended; the containers around it may end here too.
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

/** Skips a key and its colon; returns the start of the member's value. */
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

/**
 * A string without escapes. Nearly all are; the regular expression skips them faster than a loop.
 */
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
    // At the end of the text Go passes a space to its scanner, and reports it if it does not fit.
    const isInside = /^in (?!string literal)|^after decimal point/.test(where);
    if (isInside) return new GoJsonError(`invalid character ' ' ${where}`);
    return new GoJsonError("unexpected end of JSON input");
  }
  return new GoJsonError(`invalid character ${quoteByte(text[at]!)} ${where}`);
}
