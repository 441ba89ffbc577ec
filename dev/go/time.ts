import type { Clock } from "../../runtime/clock.ts";

/** What Go writes for a time that was never set. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

const LAYOUT = "2006-01-02T15:04:05Z07:00";

/** What stands in a time, in order: a part of Go's layout, and what of a text fits it. */
const ELEMENTS: readonly [layout: string, fits: RegExp][] = [
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

/** The parts that have a range of their own; a day's depends on the month and is looked at last. */
const RANGES: Readonly<Record<string, readonly [name: string, least: number, most: number]>> = {
  "01": ["month", 1, 12],
  "15": ["hour", 0, 23],
  "04": ["minute", 0, 59],
  "05": ["second", 0, 59],
};

/** A time as JavaScript writes it, on a day that every month has: nothing of it can be wrong. */
const PLAIN_TIME =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d{1,9})?Z$/;

/**
 * Checks a time as Go's RFC 3339 parser does (an hour of one digit passes), and writes it as Go would.
 * @throws {Error} With Go's words.
 */
export function checkGoTime(text: string): string {
  const plain = PLAIN_TIME.exec(text);
  if (plain) return `${plain[1]}${plain[2]?.replace(/\.?0+$/, "") ?? ""}Z`;
  const parts: Record<string, string> = {};
  let rest = text;
  for (const [layout, fits] of ELEMENTS) {
    const part = fits.exec(rest)?.[0];
    if (part === undefined) {
      const where = `cannot parse ${timeQuote(rest)} as "${layout}"`;
      throw new Error(`parsing time ${timeQuote(text)} as "${LAYOUT}": ${where}`);
    }
    const range = RANGES[layout];
    const number = parseInt(part, 10);
    if (range && (number < range[1] || number > range[2])) throw outOfRange(text, range[0]);
    parts[layout] = part;
    rest = rest.slice(part.length);
  }
  if (rest !== "") {
    throw new Error(`parsing time ${timeQuote(text)}: extra text: ${timeQuote(rest)}`);
  }
  const { 2006: year, "01": month, "02": day, 15: hour, "04": minute, "05": seconds } = parts;
  const zone = parts["Z07:00"]!;
  if (Number(zone.slice(1, 3)) > 24) throw outOfRange(text, "time zone offset hour");
  if (Number(zone.slice(4)) > 60) throw outOfRange(text, "time zone offset minute");
  const days = new Date(Date.UTC(2000 + Number(year) % 400, Number(month), 0)).getUTCDate();
  if (Number(day) < 1 || Number(day) > days) throw outOfRange(text, "day");
  const nanos = seconds!.slice(3, 12).replace(/0+$/, "");
  const fraction = nanos === "" ? "" : `.${nanos}`;
  const tail = /00:00$/.test(zone) ? "Z" : zone;
  const time = `${hour!.padStart(2, "0")}:${minute}:${seconds!.slice(0, 2)}${fraction}`;
  return `${year}-${month}-${day}T${time}${tail}`;
}

function outOfRange(text: string, what: string): Error {
  return new Error(`parsing time ${timeQuote(text)}: ${what} out of range`);
}

/** A text as Go's times show it: what is no printable ASCII as the bytes of its UTF-8 form. */
function timeQuote(text: string): string {
  const quoted = text.replace(/["\\]/g, "\\$&").replace(/[^\x20-\x7f]/gu, (char) =>
    Array.from(
      new TextEncoder().encode(char),
      (byte) => `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join(""));
  return `"${quoted}"`;
}

/**
 * A server's stamps: times with more digits than the clock has, so that no two events carry the same
 * one, and in the order they were given out.
 */
export class Stamps {
  readonly #clock: Clock;
  #ms = 0;
  #sequence = 0;
  #second = -1;
  #prefix = "";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The present, RFC 3339 with up to nine digits. */
  now(): string {
    const nanos = this.#tick();
    return `${this.#prefix}${nanos === "" ? "" : `.${nanos.replace(/0+$/, "")}`}Z`
      .replace(".Z", "Z");
  }

  /** A frame's id: the present as digits. */
  frameId(): string {
    const nanos = this.#tick();
    return `${this.#prefix.replace(/[-:T]/g, "")}.${nanos}`;
  }

  /** Nanoseconds since 1970, as text. */
  unixNanos(): string {
    const nanos = this.#tick();
    return `${Math.floor(this.#ms / 1000)}${nanos}`;
  }

  /** Moves on and gives the nine digits of the second's fraction. */
  #tick(): string {
    const ms = Math.floor(this.#clock.now());
    if (ms === this.#ms) this.#sequence = Math.min(this.#sequence + 1, 9999);
    else {
      this.#ms = ms;
      this.#sequence = 0;
    }
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 19);
    }
    const millis = ms - second * 1000;
    return String(millis).padStart(3, "0") + String(this.#sequence).padStart(4, "0") + "00";
  }
}

/** A time in milliseconds since 1970, RFC 3339 with whole seconds. */
export function wholeSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
