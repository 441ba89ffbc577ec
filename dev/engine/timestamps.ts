import type { Clock } from "../../runtime/clock.ts";

/**
 * Creates a server's timestamps. They have more digits than the clock, so that no two events have
 * the same one and they sort in the order they were created.
 */
export class Timestamps {
  readonly #clock: Clock;
  #ms = 0;
  #sequence = 0;
  #second = -1;
  #prefix = "";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The current time, RFC 3339 with up to nine digits of a second. */
  now(): string {
    const nanos = this.#tick().replace(/0+$/, "");
    return `${this.#prefix}${nanos === "" ? "" : `.${nanos}`}Z`;
  }

  /** A frame id: the current time as digits. */
  frameId(): string {
    const nanos = this.#tick();
    return `${this.#prefix.replace(/[-:T]/g, "")}.${nanos}`;
  }

  /** The current time in nanoseconds since 1970, as text. */
  unixNanos(): string {
    const nanos = this.#tick();
    return `${Math.floor(this.#ms / 1000)}${nanos}`;
  }

  /** Advances the sequence; returns the nine digits of the second's fraction. */
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

/** Formats a time as RFC 3339 with whole seconds. */
export function wholeSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
