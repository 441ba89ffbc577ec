import type { ReportIndex } from "../report_data.ts";

/** Tells times of a run as clocks would show them. */
export class Times {
  #startedAt: number;

  /** Knows when the run startedAt. */
  constructor({ startedAt }: ReportIndex) {
    this.#startedAt = startedAt;
  }

  /** The time of day, in the reader's own zone, to the millisecond. */
  clock(at: number): string {
    const date = new Date(this.#startedAt + at);
    const two = (n: number) => String(n).padStart(2, "0");
    const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
    return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
  }

  /** The date and time as people write them. */
  date(at: number): string {
    return new Date(this.#startedAt + at).toLocaleString(undefined, {
      dateStyle: "medium",
      timeStyle: "medium",
    });
  }

  /** RFC 3339. */
  exact(at: number): string {
    return new Date(this.#startedAt + at).toISOString();
  }
}
