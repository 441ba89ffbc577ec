/** How much of one text a report shows: a payload can have megabytes. */
export const LONGEST_TEXT: number = 16_000;

/** A text, or its beginning and how much was left out. Never ends within a character. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 1)) ? limit - 1 : limit;
  return `${text.slice(0, end)}… (${text.length - end} more characters were cut)`;
}
