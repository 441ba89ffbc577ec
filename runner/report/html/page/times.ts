import type { ReportIndex } from "../report_data.ts";

/** Formats times of a run, which are given in milliseconds after its start. */
export class Times {
  #startedAt: number;

  /** Uses the start of a run. */
  constructor({ startedAt }: ReportIndex) {
    this.#startedAt = startedAt;
  }

  /** The local time of day, to the millisecond. */
  clock(at: number): string {
    const date = new Date(this.#startedAt + at);
    const two = (n: number) => String(n).padStart(2, "0");
    const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
    return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
  }

  /** The local date and time, in the format of the browser's language. */
  date(at: number): string {
    return new Date(this.#startedAt + at).toLocaleString(undefined, {
      dateStyle: "medium",
      timeStyle: "medium",
    });
  }

  /** The date and time in UTC, as RFC 3339. */
  exact(at: number): string {
    return new Date(this.#startedAt + at).toISOString();
  }
}
