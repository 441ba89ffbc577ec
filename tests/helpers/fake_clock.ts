import type { Clock, TimerHandle } from "../../runtime/mod.ts";

interface Timer {
  at: number;
  callback: () => void;
}

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;

  /** @param now Where it stands, in milliseconds since 1970. */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** In how many milliseconds each timer is due, the next one first. */
  get due(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): TimerHandle {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle as Timer);
  }

  /** Moves on, calling every timer that comes due at its time, also those set meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.at <= end && (!next || timer.at < next.at)) next = timer;
      }
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }

  /** Moves on without calling a timer, as while a machine sleeps; what is due fires next. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  /**
   * Moves on step by step until a promise settles, letting sockets work between the steps.
   * @param step Milliseconds.
   * @throws {Error} When it has not settled after 2,000 steps.
   */
  async runUntil<T>(promise: PromiseLike<T>, step: number = 50): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    for (let i = 0; !settled; i++) {
      if (i === 2_000) throw new Error(`it did not settle in ${i * step} ms of the clock`);
      this.advance(step);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return await promise;
  }
}
