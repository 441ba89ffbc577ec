import { type Clock, monotonicNow, type TimerHandle } from "../../runtime/clock.ts";
import { MAX_TIMER_MS } from "../../runtime/long_timers.ts";

/** Something that must be done by a given time. */
export interface Deadline {
  /** The time, on the monotonic clock. */
  readonly deadline: number;
  /** Called once when the time has come. */
  expire(): void;
}

/** Many deadlines on one timer: a call sets a new timer only if none fires earlier. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #entries = new Set<Deadline>();
  #timer: TimerHandle;
  #armedFor = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expire` at the given time of the monotonic clock; the returned function cancels that. */
  add(deadline: number, expire: () => void): () => void {
    const entry = { deadline, expire };
    this.set(entry);
    return () => this.delete(entry);
  }

  /** Adds a deadline. */
  set(entry: Deadline): void {
    if (entry.deadline === Infinity) return;
    this.#entries.add(entry);
    if (entry.deadline < this.#armedFor) this.#arm(entry.deadline);
  }

  /** Removes a deadline, so that it does not expire. */
  delete(entry: Deadline): void {
    if (this.#entries.delete(entry) && this.#entries.size === 0) this.#disarm();
  }

  #arm(time: number): void {
    this.#disarm();
    this.#armedFor = time;
    const ms = Math.min(Math.max(0, time - monotonicNow(this.#clock)), MAX_TIMER_MS);
    this.#timer = this.#clock.setTimeout(() => this.#fire(), ms);
  }

  #disarm(): void {
    if (this.#armedFor === Infinity) return;
    this.#clock.clearTimeout(this.#timer);
    this.#armedFor = Infinity;
  }

  #fire(): void {
    this.#armedFor = Infinity;
    const now = monotonicNow(this.#clock);
    let next = Infinity;
    for (const entry of [...this.#entries]) {
      if (entry.deadline <= now) {
        // An entry that expired before this one may have removed it.
        if (this.#entries.delete(entry)) entry.expire();
      } else if (entry.deadline < next) next = entry.deadline;
    }
    if (next < this.#armedFor && this.#entries.size) this.#arm(next);
  }
}
