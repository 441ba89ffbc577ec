import type { Clock, TimerHandle } from "../../runtime/clock.ts";

/** Something that has to be over by a time. */
export interface Deadline {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Called once when that has come. */
  expire(): void;
}

/** Many deadlines on one timer: a call sets a timer only when none earlier is set. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #entries = new Set<Deadline>();
  #timer: TimerHandle;
  #armedFor = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expire` once `at` has come, unless the returned function is called before. */
  add(at: number, expire: () => void): () => void {
    const entry = { at, expire };
    this.set(entry);
    return () => this.delete(entry);
  }

  /** Lets a deadline expire when its time has come, unless it is deleted before. */
  set(deadline: Deadline): void {
    if (deadline.at === Infinity) return;
    this.#entries.add(deadline);
    if (deadline.at < this.#armedFor) this.#arm(deadline.at);
  }

  /** Forgets a deadline. */
  delete(deadline: Deadline): void {
    if (this.#entries.delete(deadline) && this.#entries.size === 0) this.#disarm();
  }

  #arm(at: number): void {
    this.#disarm();
    this.#armedFor = at;
    // Timers take 31 bits of milliseconds; a longer one would fire at once.
    const ms = Math.min(Math.max(0, at - this.#clock.now()), 0x7fffffff);
    this.#timer = this.#clock.setTimeout(() => this.#fire(), ms);
  }

  #disarm(): void {
    if (this.#armedFor === Infinity) return;
    this.#clock.clearTimeout(this.#timer);
    this.#armedFor = Infinity;
  }

  #fire(): void {
    this.#armedFor = Infinity;
    const now = this.#clock.now();
    let next = Infinity;
    for (const entry of [...this.#entries]) {
      if (entry.at <= now) {
        // One that fired before it may have forgotten it.
        if (this.#entries.delete(entry)) entry.expire();
      } else if (entry.at < next) next = entry.at;
    }
    if (next < this.#armedFor && this.#entries.size > 0) this.#arm(next);
  }
}
