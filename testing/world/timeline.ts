import type { Clock, TimerHandle } from "../../runtime/clock.ts";
import { nextTurn } from "../../runtime/real_timers.ts";

interface Timer {
  due: number;
  party: WorldClock;
  order: number;
  callback: () => void;
  isDone: boolean;
}

/** So many timers at one moment are a loop that never ends. */
const MOST_IN_MOMENT = 50_000;

/** The virtual time of a world, which all of its clocks share. */
export class Timeline {
  /** The time in milliseconds since the world began. */
  now = 0;
  readonly #timers: Timer[] = [];
  #freezes = 0;
  /** How many timers have fired since the time last moved. */
  #inMoment = 0;
  /** How many timers have fired. */
  steps = 0;

  /** Adds a timer. */
  add(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.length;
    timers.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isEarlier(timers[parent]!, timer)) break;
      timers[at] = timers[parent]!;
      at = parent;
    }
    timers[at] = timer;
  }

  /** Waits until all work that needs no time is done. */
  async settle(): Promise<void> {
    do await new Promise<void>((resolve) => nextTurn(resolve)); while (this.#freezes > 0);
  }

  /** Stops the time while work outside of promises goes on; returns a release function. */
  freeze(): () => void {
    this.#freezes++;
    let isFrozen = true;
    return () => {
      if (isFrozen) this.#freezes--;
      isFrozen = false;
    };
  }

  /** Moves the time to the next timer and fires it; returns false if none is due until `end`. */
  step(end: number): boolean {
    for (;;) {
      const next = this.#timers[0];
      if (!next || next.due > end) return false;
      this.#pop();
      if (next.isDone) continue;
      next.isDone = true;
      next.party.pending--;
      this.#inMoment = next.due > this.now ? 0 : this.#inMoment + 1;
      if (this.#inMoment > MOST_IN_MOMENT) {
        throw new Error(
          `${MOST_IN_MOMENT} timers of '${next.party.name}' fired, but no time passes`,
        );
      }
      this.now = Math.max(this.now, next.due);
      this.steps++;
      next.callback();
      return true;
    }
  }

  /** Delays all timers of a clock. */
  postpone(party: WorldClock, ms: number): void {
    const timers = this.#timers.splice(0);
    for (const timer of timers) {
      if (timer.party === party) timer.due += ms;
      this.add(timer);
    }
  }

  #pop(): void {
    const timers = this.#timers;
    const last = timers.pop()!;
    const { length } = timers;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isEarlier(timers[child + 1]!, timers[child]!)) child++;
      if (isEarlier(last, timers[child]!)) break;
      timers[at] = timers[child]!;
      at = child;
    }
    timers[at] = last;
  }
}

/**
 * Orders timers by time, then by the rank of their party, then by age. The rank keeps the order the
 * same where the order of unrelated work is not, such as that of two HTTP responses.
 */
function isEarlier(a: Timer, b: Timer): boolean {
  if (a.due !== b.due) return a.due < b.due;
  if (a.party !== b.party) return a.party.rank < b.party.rank;
  return a.order < b.order;
}

/**
 * The clock of one party of a {@linkcode World}: a client, or the nodes. It follows the time of the
 * world, and can be set or put to sleep apart from the others.
 *
 * @example
 * ```ts
 * import { createWorld } from "@dispatch/sdk/testing";
 * import assert from "node:assert/strict";
 *
 * await using world = await createWorld({ seed: 1 });
 * const clock = world.clock("client");
 * const before = clock.monotonic();
 * clock.set(-60_000);
 * assert.equal(clock.monotonic(), before);
 * ```
 */
export class WorldClock implements Clock {
  readonly #timeline: Timeline;
  readonly #start: number;
  #order = 0;
  #wallOffset = 0;
  #slept = 0;
  #asleepUntil = 0;
  /** The position among the clocks of the world. */
  readonly rank: number;
  /** The name of the party. */
  readonly name: string;
  /** How many timers have neither fired nor been cleared. */
  pending = 0;

  /** Called by `world.clock()`. */
  constructor(timeline: Timeline, name: string, rank: number, start: number) {
    this.#timeline = timeline;
    this.#start = start;
    this.name = name;
    this.rank = rank;
  }

  /** Whether the party sleeps. It does its pending work when it wakes. */
  get isAsleep(): boolean {
    return this.#asleepUntil > this.#timeline.now;
  }

  /** Returns the wall-clock time in milliseconds since 1970. */
  now(): number {
    return this.#start + this.#timeline.now + this.#wallOffset;
  }

  /** Returns the time to measure with, which stops while the party sleeps. */
  monotonic(): number {
    return Math.max(this.#timeline.now, this.#asleepUntil) - this.#slept;
  }

  /** Calls back once after `ms`. */
  setTimeout(callback: () => void, ms: number): TimerHandle {
    const due = Math.max(this.#timeline.now, this.#asleepUntil) + Math.max(0, ms);
    const timer = { due, party: this, order: this.#order++, callback, isDone: false };
    this.#timeline.add(timer);
    this.pending++;
    return timer;
  }

  /** Clears a timer. */
  clearTimeout(handle: TimerHandle): void {
    const timer = handle as Timer | undefined;
    if (!timer || timer.isDone) return;
    timer.isDone = true;
    this.pending--;
  }

  /** Keeps the time of the world from moving; returns a release function. */
  freeze(): () => void {
    return this.#timeline.freeze();
  }

  /** Sets the wall clock forward, or back with a negative number of milliseconds. */
  set(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Puts the party to sleep, as when a laptop is closed: its timers fire that much later. */
  sleep(ms: number): void {
    this.#slept += ms;
    this.#asleepUntil = Math.max(this.#timeline.now, this.#asleepUntil) + ms;
    this.#timeline.postpone(this, ms);
  }
}
