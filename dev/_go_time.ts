import type { Clock } from "../runtime/clock.ts";
import { goQuote } from "./_go_scan.ts";

/** What Go writes for a time that was never set. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

const LAYOUT = "2006-01-02T15:04:05Z07:00";
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Checks a time as Go's strict RFC 3339 parser does, and writes it as Go would.
 * @throws {Error} With Go's words.
 */
export function checkGoTime(text: string): string {
  const match = RFC3339.exec(text);
  if (!match) throw new Error(badTime(text));
  const [, year, month, day, hour, minute, second, fraction = "", zone] = match;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const quoted = goQuote(text);
  const outOfRange = Number(month) < 1 || Number(month) > 12
    ? "month"
    : Number(hour) > 23
    ? "hour"
    : Number(minute) > 59
    ? "minute"
    : Number(second) > 59
    ? "second"
    : Number(day) < 1 || Number(day) > days
    ? "day"
    : undefined;
  if (outOfRange) throw new Error(`parsing time ${quoted}: ${outOfRange} out of range`);
  const nanos = fraction.slice(0, 9).replace(/0+$/, "");
  const tail = zone === "+00:00" || zone === "-00:00" ? "Z" : zone;
  const dot = nanos === "" ? "" : `.${nanos}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${dot}${tail}`;
}

/** Go names the first part of its layout that the text does not fit, and what is left of the text. */
function badTime(text: string): string {
  const parts: [RegExp, string][] = [
    [/^\d{4}/, "2006"],
    [/^-/, "-"],
    [/^\d{2}/, "01"],
    [/^-/, "-"],
    [/^\d{2}/, "02"],
    [/^T/, "T"],
    [/^\d{2}/, "15"],
    [/^:/, ":"],
    [/^\d{2}/, "04"],
    [/^:/, ":"],
    [/^\d{2}(?:[.,]\d+)?/, "05"],
    [/^(?:Z|[+-]\d{2}:\d{2})/, "Z07:00"],
  ];
  let rest = text;
  for (const [pattern, name] of parts) {
    const match = pattern.exec(rest);
    if (!match) {
      return `parsing time ${goQuote(text)} as "${LAYOUT}": cannot parse ${
        goQuote(rest)
      } as "${name}"`;
    }
    rest = rest.slice(match[0].length);
  }
  return `parsing time ${goQuote(text)}: extra text: ${goQuote(rest)}`;
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
