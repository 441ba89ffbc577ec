import type { Clock, TimerHandle } from "../runtime/clock.ts";
import { nextTurn } from "../runtime/real_timers.ts";
import { optional, type OptionRules, trueOrFalse } from "../runtime/check_options.ts";
import { checkOptions } from "./options_error.ts";
import { type Duration, parseDuration } from "./duration.ts";
import { Heap } from "./engine/heap.ts";
import type { SkippableClock, TimerKind } from "./engine/timers.ts";

/** How many turns of the event loop must pass without activity before the clock skips. */
const QUIET_TURNS = 6;

/** Settings of {@linkcode createVirtualClock}. */
export interface VirtualClockOptions {
  /**
   * The time the clock starts at: a date, or text that `new Date` can parse.
   * @default {"2026-01-01T00:00:00Z"}
   */
  start?: Date | string;
  /**
   * Whether the clock skips to the next end of a sleep or retry when everything waits. It never
   * skips to the timeout of a wait; only {@linkcode VirtualClock.advance} does.
   * @default {true}
   */
  autoSkip?: boolean;
}

/** A clock for tests whose time is independent of real time. */
export interface VirtualClock extends Clock {
  /**
   * Advances the clock. The timers on the way fire in order, and the work that one starts is done
   * before the next one fires.
   */
  advance(duration: Duration): Promise<void>;
}

/**
 * Creates a virtual clock, on which a workflow that sleeps a day ends in milliseconds.
 *
 * @example
 * ```ts
 * import { createDevServer, createVirtualClock } from "@dispatch/sdk/dev";
 *
 * const clock = createVirtualClock({ start: "2026-03-29T00:00:00Z" });
 * await using server = await createDevServer({ clock });
 * await clock.advance("1h");
 * ```
 *
 * @throws {OptionsError} If an option is not valid.
 */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  return new SkippingClock(options);
}

const VIRTUAL_CLOCK_RULES: OptionRules = {
  start: optional((value) => {
    const isDate = typeof value === "string" || value instanceof Date;
    return isDate && !Number.isNaN(new Date(value).getTime()) ? undefined : "a date";
  }),
  autoSkip: optional(trueOrFalse),
};

interface Timer {
  due: number;
  order: number;
  callback: () => void;
  isDone: boolean;
}

/** A virtual clock, with what a server needs of it. */
export class SkippingClock implements VirtualClock, SkippableClock {
  #now: number;
  readonly #autoSkip: boolean;
  readonly #skipsToAny: boolean;
  readonly #timers: Record<TimerKind, Heap<Timer>> = {
    work: new Heap(earlier),
    deadline: new Heap(earlier),
    background: new Heap(earlier),
  };
  #order = 0;
  #holds = new Set<object>();
  #excuses = 0;
  #freezes = 0;
  #advances = 0;
  #quietTurns = 0;
  #isWatching = false;
  #onReleased: (() => void)[] = [];

  /**
   * @param skipsToAny Whether it also skips to the timeouts of waits and to timers that repeat: where
   * all clients follow the clock, too, nothing can happen before the next timer.
   */
  constructor(options: VirtualClockOptions, skipsToAny = false) {
    checkOptions("create clock", options, VIRTUAL_CLOCK_RULES);
    const { start = "2026-01-01T00:00:00Z", autoSkip = true } = options;
    this.#now = new Date(start).getTime();
    this.#autoSkip = autoSkip;
    this.#skipsToAny = skipsToAny;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number, kind: TimerKind = "work"): TimerHandle {
    const due = this.#now + Math.max(0, ms);
    const timer = { due, order: this.#order++, callback, isDone: false };
    this.#timers[kind].push(timer);
    this.touch();
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    if (handle) (handle as Timer).isDone = true;
    this.touch();
  }

  /** Keeps the clock from skipping while other work runs; returns a release function. */
  hold(): () => void {
    const hold = {};
    this.#holds.add(hold);
    return () => {
      if (!this.#holds.delete(hold)) return;
      this.#onRelease();
    };
  }

  /** Lets the clock skip although it is held; returns a function that ends that. */
  excuse(): () => void {
    this.#excuses++;
    this.#onRelease();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#excuses--;
      this.touch();
    };
  }

  /** Ends all holds. */
  releaseAll(): void {
    this.#holds.clear();
    this.#onRelease();
  }

  /** Resolves when nothing happens any more without the time moving. The time stands meanwhile. */
  async settled(): Promise<void> {
    this.#advances++;
    try {
      do {
        if (this.#isHeld) await new Promise<void>((resolve) => this.#onReleased.push(resolve));
        await this.#settled();
      } while (this.#isHeld);
    } finally {
      this.#advances--;
      this.touch();
    }
  }

  /** Keeps the clock from moving at all, even by `advance`; returns a release function. */
  freeze(): () => void {
    this.#freezes++;
    return () => {
      this.#freezes--;
      this.touch();
    };
  }

  /** Reports activity, so that the clock waits a while before it skips. */
  touch(): void {
    this.#quietTurns = 0;
    if (!this.#autoSkip || this.#isWatching || !this.#target()) return;
    this.#isWatching = true;
    nextTurn(() => this.#watch());
  }

  async advance(duration: Duration): Promise<void> {
    const end = this.#now + parseDuration(duration);
    this.#advances++;
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
      this.#advances--;
      this.touch();
    }
  }

  get #isHeld(): boolean {
    return this.#holds.size > 0 && this.#excuses === 0;
  }

  #onRelease(): void {
    if (!this.#isHeld) { for (const resolve of this.#onReleased.splice(0)) resolve(); }
    this.touch();
  }

  /** Skips after enough quiet turns of the event loop. */
  #watch(): void {
    if (++this.#quietTurns >= QUIET_TURNS) {
      const isStopped = this.#isHeld || this.#freezes > 0 || this.#advances > 0;
      const target = isStopped ? undefined : this.#target();
      const deadline = this.#skipsToAny ? undefined : first(this.#timers.deadline);
      if (!target || (deadline && deadline.due < target.due)) {
        // Any change to these conditions calls `touch`, which starts watching again.
        this.#isWatching = false;
        return;
      }
      this.#quietTurns = 0;
      // Background timers that are due earlier fire on the way.
      this.#fire(this.#next()!);
    }
    nextTurn(() => this.#watch());
  }

  /** Waits until the work that a timer started is done, or needs something outside the process. */
  async #settled(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS || this.#freezes > 0; turn++) {
      await new Promise<void>((resolve) => nextTurn(resolve));
    }
  }

  /** The timer that the clock would skip to. */
  #target(): Timer | undefined {
    return this.#skipsToAny ? this.#next() : first(this.#timers.work);
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
    timer.isDone = true;
    this.#now = Math.max(this.#now, timer.due);
    timer.callback();
  }
}

/** Returns the next timer that has neither fired nor been cleared. */
function first(timers: Heap<Timer>): Timer | undefined {
  for (;;) {
    const timer = timers.peek();
    if (!timer || !timer.isDone) return timer;
    timers.pop();
  }
}

function earlier(a: Timer, b: Timer): boolean {
  return a.due === b.due ? a.order < b.order : a.due < b.due;
}
