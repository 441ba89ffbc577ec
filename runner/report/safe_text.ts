import { UNSAFE_CHARACTERS } from "../language/render_diagnostic.ts";

/** The longest text a report shows, in characters: a payload can have megabytes. */
export const MAX_TEXT = 16_000;

/** Cuts a text after a number of characters, and appends how many are missing. */
export function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // A surrogate pair stays whole or goes as a whole.
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 1)) ? limit - 1 : limit;
  return `${text.slice(0, end)}… (${text.length - end} more characters)`;
}

/**
 * Matches texts that can have one of {@linkcode UNSAFE_CHARACTERS}: the unsafe ones of one unit, and all
 * of two. It takes a fraction of the time, and nearly no text has one.
 */
const MAY_BE_UNSAFE = new RegExp(UNSAFE_CHARACTERS.source.replace(/(\\u\{\w+\}-?)+/g, ""));

/**
 * Replaces characters that are invisible or change the direction of the text: control characters
 * by their symbols (`␀`), others by their code (`\u{d800}`). Line feeds and tabs stay.
 */
export function escapeInvisible(text: string): string {
  if (!MAY_BE_UNSAFE.test(text)) return text;
  return text.replace(UNSAFE_CHARACTERS, (char) => {
    const code = char.codePointAt(0)!;
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Breaks up what a CI system would run as a command when it reads the log: `::error::` at the
 * beginning of a line, and `##[error]` or `##vso[…]` anywhere in it.
 *
 * @param text A line or several. It can begin with colours.
 */
export function defuseCiCommands(text: string): string {
  return defuseHashCommands(text.replace(COLON_COMMAND, "$1: "));
}

/** Matches the first colon of a command, and the white space and colours before it. */
// deno-lint-ignore no-control-regex -- Colours begin with an escape character.
const COLON_COMMAND = /^((?:[^\S\n]|\x1b\[[\d;]*m)*):(?=:)/gm;

/** Matches the beginning of a command with a bracket. */
const HASH_COMMAND = /##(?=\w*\[)/g;

/** Breaks up `##[error]` and the like, but not `::error::`. */
export function defuseHashCommands(text: string): string {
  return text.replace(HASH_COMMAND, "# #");
}

/**
 * Writes the characters that begin a CI command as entities of XML and HTML, which leaves the text as
 * it is for a reader of the document.
 */
export function ciCommandsToEntities(markup: string): string {
  return markup.replace(COLON_COMMAND, "$1&#58;").replace(HASH_COMMAND, "#&#35;");
}

/** Formats a value as JSON that is safe to print. */
export function safeJson(value: unknown, indent?: number): string {
  return makeJsonSafe(JSON.stringify(value, undefined, indent));
}

/**
 * Makes JSON safe to print: what could control a terminal or a CI system is written as an escape
 * sequence, so the value stays the same.
 */
export function makeJsonSafe(json: string): string {
  if (!json.includes("##") && !MAY_BE_UNSAFE.test(json)) return json;
  return json.replace(UNSAFE_CHARACTERS, jsonEscape).replace(HASH_COMMAND, `#${jsonEscape("#")}`);
}

function jsonEscape(char: string): string {
  const units = Array.from({ length: char.length }, (_, i) => char.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
