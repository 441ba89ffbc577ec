/** How long a day is, in milliseconds. */
const DAY = 86_400_000;

/**
 * Parses a time in RFC 3339, such as `2026-11-24T22:00:00Z`. Seconds can be left out.
 *
 * @returns The milliseconds since 1970; `undefined` if the text is no time.
 */
export function parseTime(text: string): number | undefined {
  const match = /^(.{10})T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[-+]\d\d:\d\d)$/.exec(text);
  if (!match || parseDay(match[1]!) === undefined) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Parses the end of a period: a time in RFC 3339, or a day, such as `2026-11-24`, which belongs to the
 * period and ends in UTC.
 *
 * @returns The milliseconds since 1970; `undefined` if the text is neither.
 */
export function parseEnd(text: string): number | undefined {
  const day = parseDay(text);
  return day === undefined ? parseTime(text) : day + DAY;
}

/** Parses a day; returns its beginning in UTC. */
function parseDay(text: string): number | undefined {
  const match = /^\d{4}-\d\d-(\d\d)$/.exec(text);
  if (!match) return undefined;
  const day = new Date(`${text}T00:00:00Z`);
  // Some engines accept the 31st of a shorter month as the 1st of the next.
  return day.getUTCDate() === Number(match[1]) ? day.getTime() : undefined;
}
