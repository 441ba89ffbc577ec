import type { Clock, TimerHandle } from "../../runtime/mod.ts";

// The command `explore` replaces the global one while it runs.
const { setTimeout } = globalThis;

interface Timer {
  at: number;
  callback: () => void;
}

/** A clock that moves only when the test moves it. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;
  /** How far the wall clock was set from the time that has passed. */
  #offset = 0;

  /** @param now The time at first, in milliseconds since 1970. */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  /** The number of timers. */
  get pending(): number {
    return this.#timers.size;
  }

  /** The milliseconds until each timer is due, in order. */
  get due(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  now(): number {
    return this.#now + this.#offset;
  }

  monotonic(): number {
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

  /** Moves the time on and calls each timer at its time, including new ones. */
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

  /** Moves the wall clock alone, forward or back, as when somebody sets the machine's clock. */
  setWall(ms: number): void {
    this.#offset += ms;
  }

  /** Moves the time on without calling timers, like a machine that sleeps. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  /**
   * Moves the time on in steps until a promise settles; sockets can work between the steps.
   * @param step The length of a step in milliseconds.
   * @throws {Error} If the promise has not settled after 2,000 steps.
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
