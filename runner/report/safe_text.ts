/** The longest text a report shows, in characters: a payload can have megabytes. */
export const MAX_TEXT = 16_000;

/** Cuts a text after a number of characters, and appends how many are missing. */
export function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // A surrogate pair stays whole or goes as a whole.
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 1)) ? limit - 1 : limit;
  return `${text.slice(0, end)}… (${text.length - end} more characters)`;
}

const INVISIBLE =
  // deno-lint-ignore no-control-regex -- The pattern is about control characters.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff]|\p{Surrogate}/gu;

/**
 * Replaces characters that are invisible or change the direction of the text: control characters
 * by their symbols (`␀`), others by their code (`\u{d800}`). Line feeds and tabs stay.
 */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : code === 0xfffd ? char : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Breaks up what a CI system would run as a command when it reads the log: `::error::` at the
 * beginning of a line, and `##[error]` or `##vso[…]` anywhere in it.
 */
export function defuseCiCommands(line: string): string {
  return line.replace(/^(\s*):(?=:)/, "$1: ").replace(/##(?=\w*\[)/g, "# #");
}
