/** The zero value of Go's `time.Time`. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

const LAYOUT = "2006-01-02T15:04:05Z07:00";

/** The elements of {@linkcode LAYOUT}, each with the text it matches. */
const ELEMENTS: readonly [layout: string, pattern: RegExp][] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{1,2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
  ["05", /^\d{2}(?:[.,]\d+)?/],
  ["Z07:00", /^(?:Z|[+-]\d{2}:\d{2})/],
];

/** The ranges of elements. The day is not among them: its range depends on the month. */
const RANGES: Readonly<Record<string, readonly [name: string, least: number, most: number]>> = {
  "01": ["month", 1, 12],
  "15": ["hour", 0, 23],
  "04": ["minute", 0, 59],
  "05": ["second", 0, 59],
};

/**
 * The fast path: a time as JavaScript writes it, on a day that every month has, is always valid.
 */
const PLAIN_TIME =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d{1,9})?Z$/;

/**
 * Checks a time as Go's RFC 3339 parser does, which accepts an hour of one digit, and formats it as
 * Go would.
 *
 * @throws {Error} If the text is not a time; the message is Go's.
 */
export function normalizeTime(text: string): string {
  const plain = PLAIN_TIME.exec(text);
  if (plain) return `${plain[1]}${plain[2]?.replace(/\.?0+$/, "") ?? ""}Z`;
  const elements = parseElements(text);
  const { 2006: year, "01": month, "02": day, 15: hour, "04": minute, "05": seconds } = elements;
  const zone = elements["Z07:00"]!;
  if (Number(zone.slice(1, 3)) > 24) throw outOfRange(text, "time zone offset hour");
  if (Number(zone.slice(4)) > 60) throw outOfRange(text, "time zone offset minute");
  const days = new Date(Date.UTC(2000 + Number(year) % 400, Number(month), 0)).getUTCDate();
  if (Number(day) < 1 || Number(day) > days) throw outOfRange(text, "day");
  const nanos = seconds!.slice(3, 12).replace(/0+$/, "");
  const fraction = nanos === "" ? "" : `.${nanos}`;
  const time = `${hour!.padStart(2, "0")}:${minute}:${seconds!.slice(0, 2)}${fraction}`;
  return `${year}-${month}-${day}T${time}${normalizeZone(zone)}`;
}

/**
 * Whether Go writes a time that it has parsed. It reads a time zone of 24 hours and more, and fails
 * to write it.
 */
export function isWritableTime(time: string): boolean {
  return !/[+-]2[4-9]:\d\d$/.test(time);
}

/** Formats a time zone as Go does, whose parser accepts 60 minutes. */
function normalizeZone(zone: string): string {
  if (zone === "Z") return zone;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  if (minutes === 0) return "Z";
  const digits = (number: number) => String(number).padStart(2, "0");
  return `${zone[0]}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
}

/** Splits a time into its elements. Their keys are the elements of the layout. */
function parseElements(text: string): Record<string, string> {
  const elements: Record<string, string> = {};
  let rest = text;
  for (const [layout, pattern] of ELEMENTS) {
    const element = pattern.exec(rest)?.[0];
    if (element === undefined) {
      const where = `cannot parse ${quoteTime(rest)} as "${layout}"`;
      throw new Error(`parsing time ${quoteTime(text)} as "${LAYOUT}": ${where}`);
    }
    const range = RANGES[layout];
    const number = parseInt(element, 10);
    if (range && (number < range[1] || number > range[2])) throw outOfRange(text, range[0]);
    elements[layout] = element;
    rest = rest.slice(element.length);
  }
  if (rest !== "") {
    throw new Error(`parsing time ${quoteTime(text)}: extra text: ${quoteTime(rest)}`);
  }
  return elements;
}

function outOfRange(text: string, what: string): Error {
  return new Error(`parsing time ${quoteTime(text)}: ${what} out of range`);
}

/** Quotes a text as Go's time errors do: characters beyond printable ASCII as their UTF-8 bytes. */
function quoteTime(text: string): string {
  const quoted = text.replace(/["\\]/g, "\\$&").replace(/[^\x20-\x7f]/gu, (char) =>
    Array.from(
      new TextEncoder().encode(char),
      (byte) => `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join(""));
  return `"${quoted}"`;
}
