import { type Clock, delay, monotonicNow, type TimerHandle } from "../runtime/clock.ts";
import type { Duration } from "./duration.ts";
import type { SkippableClock, TimerKind } from "./engine/timers.ts";
import { SkippingClock, type VirtualClock } from "./virtual_clock.ts";

/** Work that takes less than about this many real milliseconds takes no virtual time. */
const TICK_MS = 10;
/** How often it looks whether other work does anything, in real milliseconds. */
const WATCH_MS = 25;
/** By which part of the quiet time before it a pause is lengthened. */
const PATIENCE = 0.1;

/** Settings of {@linkcode RunClock}. */
export interface RunClockOptions {
  /** The time that it starts at. */
  start: Date;
  /** Real time. */
  real: Clock;
  /**
   * How long the time waits for other work, in real milliseconds, before it skips all the same.
   * Without it, the time runs as fast as real time meanwhile.
   */
  patience?: number;
  /** Calls the callbacks of timers. */
  call?: (callback: () => void) => void;
}

/**
 * The virtual time of a program that contains both the server and its only clients. When everything
 * waits, it skips to the next timer of any kind, because nothing can happen before. While something
 * that does not follow the clock is at work, such as a handler that calls another service, the time
 * runs as fast as real time.
 */
export class RunClock implements VirtualClock, SkippableClock {
  /**
   * A clock for pauses between reads and pings, whose timers may be late. Where only such pauses
   * follow each other, they grow longer, so that a month takes hundreds of them and not millions.
   */
  readonly pauses: Clock;
  readonly #clock: SkippingClock;
  readonly #real: Clock;
  readonly #patience: number | undefined;
  readonly #call: (callback: () => void) => void;
  readonly #holds = new Set<object>();
  /** The real time until which the current hold has moved the clock. */
  #heldSince = 0;
  #pauses = 0;
  #isTicking = false;
  #tick: TimerHandle;
  /** Whether anything happened since the last tick. */
  #isActive = false;
  #quietMs = 0;
  #longestQuietMs = 0;
  #hasGivenUp = false;
  #isFlowing = false;
  /** When something other than a pause last happened. */
  #lastWork: number;

  constructor({ start, real, patience, call = (callback) => callback() }: RunClockOptions) {
    this.#patience = patience;
    this.#call = call;
    this.#clock = new SkippingClock({ start }, true);
    this.#real = real;
    this.#lastWork = this.now();
    this.pauses = {
      now: () => this.now(),
      monotonic: () => this.now(),
      setTimeout: (callback, ms) => {
        const pause = Math.max(ms, (this.now() - this.#lastWork) * PATIENCE);
        return this.#clock.setTimeout(() => this.#call(callback), pause);
      },
      clearTimeout: (handle) => this.clearTimeout(handle),
    };
  }

  /** How long it was held at most while nothing happened that it could see, in real milliseconds. */
  get longestQuietMs(): number {
    return this.#longestQuietMs;
  }

  /** Whether its patience was ever over. */
  get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.now();
  }

  setTimeout(callback: () => void, ms: number, kind?: TimerKind): TimerHandle {
    this.#isActive = true;
    this.#lastWork = this.now();
    const onTimer = () => {
      this.#lastWork = this.now();
      this.#call(callback);
    };
    return this.#clock.setTimeout(onTimer, ms, kind);
  }

  clearTimeout(handle: TimerHandle): void {
    this.#clock.clearTimeout(handle);
  }

  /** Keeps the clock from skipping while other work runs; returns a release function. */
  hold(): () => void {
    this.#isActive = true;
    const release = this.#clock.hold();
    const hold = {};
    this.#holds.add(hold);
    if (this.#holds.size === 1) {
      this.#heldSince = monotonicNow(this.#real);
      this.#tickLater();
    }
    return () => {
      if (!this.#holds.delete(hold)) return;
      this.#isActive = true;
      release();
    };
  }

  /**
   * Lets the time skip although it is held, because the work that holds it waits for a timer of this
   * clock; returns a function that ends that.
   */
  excuse(): () => void {
    return this.#clock.excuse();
  }

  /** Stops the time until the returned function is called. A paused clock has no real timer. */
  pause(): () => void {
    this.#pauses++;
    const release = this.#clock.hold();
    this.#real.clearTimeout(this.#tick);
    this.#isTicking = false;
    return () => {
      this.#pauses--;
      this.#heldSince = monotonicNow(this.#real);
      this.#tickLater();
      release();
    };
  }

  freeze(): () => void {
    return this.#clock.freeze();
  }

  touch(): void {
    this.#clock.touch();
  }

  advance(duration: Duration): Promise<void> {
    return this.#clock.advance(duration);
  }

  /** Lets time pass once all work is done that needs none. What it causes is done when it resolves. */
  async pass(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.settled();
    await delay(ms, { signal, clock: this });
    await this.#clock.settled();
  }

  #tickLater(): void {
    if (this.#isTicking || this.#pauses > 0 || this.#holds.size === 0) return;
    this.#isTicking = true;
    this.#tick = this.#real.setTimeout(() => {
      this.#isTicking = false;
      if (this.#holds.size === 0 || this.#pauses > 0) return;
      if (this.#patience === undefined) this.#flow();
      else this.#watch(this.#patience);
      this.#tickLater();
    }, this.#patience === undefined ? TICK_MS : WATCH_MS);
  }

  /** Waits no longer for work that does nothing which the clock could see. */
  #watch(patience: number): void {
    this.#quietMs = this.#isActive ? 0 : this.#quietMs + WATCH_MS;
    this.#isActive = false;
    this.#longestQuietMs = Math.max(this.#longestQuietMs, this.#quietMs);
    if (this.#quietMs < patience) return;
    this.#quietMs = 0;
    this.#hasGivenUp = true;
    this.#holds.clear();
    this.#clock.releaseAll();
  }

  /** Moves the clock by the real time for which it has been held. */
  #flow(): void {
    const elapsed = Math.floor(monotonicNow(this.#real) - this.#heldSince);
    if (this.#isFlowing || elapsed < TICK_MS / 2) return;
    this.#isFlowing = true;
    this.#heldSince += elapsed;
    void this.#clock.advance(elapsed).finally(() => this.#isFlowing = false);
  }
}
