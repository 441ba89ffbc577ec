import type { Clock, TimerHandle } from "../runtime/clock.ts";
import { Heap } from "./engine/heap.ts";
import type { KindClock, TimerKind } from "./engine/timers.ts";
import { nextTurn } from "./_turn.ts";
import { type Duration, parseDuration } from "./duration.ts";

/** How many turns of the event loop nothing may happen before time is skipped. */
const QUIET_TURNS = 6;

/** Settings of {@linkcode createVirtualClock}. */
export interface VirtualClockOptions {
  /**
   * Where it begins: a date, or text that is one.
   * @default {"2026-01-01T00:00:00Z"}
   */
  start?: Date | string;
  /**
   * Whether it moves on its own to the next sleep's end or retry when everything waits. It never
   * uses up a timeout: that takes {@linkcode VirtualClock.advance}.
   * @default {true}
   */
  autoSkip?: boolean;
}

/** A clock that stands still until it is moved. */
export interface VirtualClock extends Clock {
  /**
   * Moves on. Every timer on the way fires in its turn, and what it sets off is done before the next
   * one does.
   */
  advance(duration: Duration): Promise<void>;
}

/**
 * Makes a clock for tests: a workflow that sleeps a day is over in milliseconds.
 *
 * @example
 * ```ts
 * import { createDevServer, createVirtualClock } from "@dispatch/sdk/dev";
 *
 * const clock = createVirtualClock({ start: "2026-03-29T00:00:00Z" });
 * await using server = await createDevServer({ clock });
 * await clock.advance("1h");
 * ```
 */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  return new SkippingClock(options);
}

interface Timer {
  due: number;
  order: number;
  callback: () => void;
  over: boolean;
}

class SkippingClock implements VirtualClock, KindClock {
  #now: number;
  readonly #autoSkip: boolean;
  readonly #timers: Record<TimerKind, Heap<Timer>> = {
    work: new Heap(earlier),
    deadline: new Heap(earlier),
    background: new Heap(earlier),
  };
  #order = 0;
  #holds = 0;
  #pending = 0;
  #quiet = 0;
  #watching = false;
  #advancing = 0;

  constructor({ start = "2026-01-01T00:00:00Z", autoSkip = true }: VirtualClockOptions) {
    this.#now = new Date(start).getTime();
    if (Number.isNaN(this.#now)) throw new RangeError(`Cannot make clock: ${start} is no date`);
    this.#autoSkip = autoSkip;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number, kind: TimerKind = "work"): TimerHandle {
    const due = this.#now + Math.max(0, ms);
    const timer = { due, order: this.#order++, callback, over: false };
    this.#timers[kind].push(timer);
    this.touch();
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    if (handle) (handle as Timer).over = true;
    this.touch();
  }

  /** Somebody is at work who does not wait for this clock. Gives what says that it is done. */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.touch();
    };
  }

  /** Somebody has only let the event loop have its turn. Gives what says that it goes on. */
  pend(): () => void {
    this.#pending++;
    return () => {
      this.#pending--;
      this.touch();
    };
  }

  /** Something happened: time is not skipped for a while. */
  touch(): void {
    this.#quiet = 0;
    if (!this.#autoSkip || this.#watching || !first(this.#timers.work)) return;
    this.#watching = true;
    nextTurn(() => this.#watch());
  }

  async advance(duration: Duration): Promise<void> {
    const end = this.#now + parseDuration(duration);
    this.#advancing++;
    try {
      await this.#settled();
      for (;;) {
        const timer = this.#next();
        if (!timer || timer.due > end) break;
        this.#fire(timer);
        await this.#settled();
      }
      this.#now = Math.max(this.#now, end);
    } finally {
      this.#advancing--;
      this.touch();
    }
  }

  #watch(): void {
    if (++this.#quiet >= QUIET_TURNS) {
      const goal = first(this.#timers.work);
      const deadline = first(this.#timers.deadline);
      const isHeld = this.#holds > 0 || this.#pending > 0 || this.#advancing > 0;
      if (isHeld || !goal || (deadline && deadline.due < goal.due)) {
        // Whatever could change that begins to watch anew.
        this.#watching = false;
        return;
      }
      this.#quiet = 0;
      // What repeats in the background fires on the way.
      this.#fire(this.#next()!);
    }
    nextTurn(() => this.#watch());
  }

  /** Waits until what was set off is done, as far as it does not wait for the world outside. */
  async #settled(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS || this.#pending > 0; turn++) {
      await new Promise<void>((resolve) => nextTurn(resolve));
    }
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timers of Object.values(this.#timers)) {
      const timer = first(timers);
      if (timer && (!next || earlier(timer, next))) next = timer;
    }
    return next;
  }

  #fire(timer: Timer): void {
    timer.over = true;
    this.#now = Math.max(this.#now, timer.due);
    timer.callback();
  }
}

function first(timers: Heap<Timer>): Timer | undefined {
  for (;;) {
    const timer = timers.peek();
    if (!timer || !timer.over) return timer;
    timers.pop();
  }
}

function earlier(a: Timer, b: Timer): boolean {
  return a.due === b.due ? a.order < b.order : a.due < b.due;
}
