import type { Clock, TimerHandle } from "../runtime/mod.ts";

interface Entry {
  at: number;
  expire: () => void;
}

/** Many deadlines on one timer: a call sets a timer only when none earlier is set. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  #timer: TimerHandle;
  #armedFor = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expire` once `at` has come, unless the returned function is called before. */
  add(at: number, expire: () => void): () => void {
    if (at === Infinity) return () => {};
    const entry = { at, expire };
    this.#entries.add(entry);
    if (at < this.#armedFor) this.#arm(at);
    return () => {
      if (this.#entries.delete(entry) && this.#entries.size === 0) this.#disarm();
    };
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
