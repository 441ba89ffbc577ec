import { type Clock, monotonicNow, type TimerHandle } from "../../runtime/clock.ts";
import { windowAt } from "./calendar.ts";
import type { RunStart, Scheduled, ScheduleEvent } from "./scheduled.ts";

/** Settings of a {@linkcode Scheduler}. */
export interface SchedulerOptions<T> {
  /** The clock that schedules follow. */
  clock: Clock;
  /** Returns random numbers from 0 up to, not including, 1; for the jitter. */
  random: () => number;
  /** Ends the schedule when aborted; runs have to end on their own. */
  signal: AbortSignal;
  /** How many run at the same time. Others wait their turn. */
  parallel: number;
  /** Called with what happens besides runs. */
  onEvent(event: ScheduleEvent<T>): void;
}

/**
 * The longest time between two looks at the clock, in milliseconds. Timers stop while a machine sleeps,
 * and somebody may set its clock.
 */
const LONGEST_SLEEP = 10_000;

/** How late a run may start, in milliseconds; a later one counts as missed. */
const LATEST_START = 30_000;

/** If the wall clock is set back by more milliseconds than this, the next runs are scheduled anew. */
const MAX_CORRECTION = 1_000;

/** How many missed runs are counted. */
const MAX_COUNTED = 10_000;

/** An entry with the state of its schedule. */
interface Slot<T> {
  entry: T;
  /** The last scheduled time that has passed. */
  last: number;
  /** When that was, by the monotonic clock. */
  lastMonotonic: number;
  /** The scheduled time of the next run; absent when there is none. */
  slot?: number;
  /** When it is due by the wall clock, jitter included. */
  at: number;
  /** When it is due by the monotonic clock. */
  atMonotonic: number;
  /** When its run was due that waits or is in progress. */
  since?: number;
  isRunning: boolean;
  isRemoved: boolean;
}

/** Runs entries on their schedules. Runs of one entry never overlap. */
export class Scheduler<T extends Scheduled> {
  #options: SchedulerOptions<T>;
  #slots = new Map<T, Slot<T>>();
  #waiting: { slot: Slot<T>; due: number; at: number }[] = [];
  #running = new Set<Promise<void>>();
  #wasInterrupted = false;
  /** Whether it goes on when no entry has a further time. */
  #goesOn = false;
  #wake: (() => void) | undefined;
  /** The wall-clock time minus the monotonic time, when the clocks were last read. */
  #offset: number;
  #lastTick: number;

  /** Creates a scheduler; {@linkcode run} starts it. */
  constructor(options: SchedulerOptions<T>) {
    this.#options = options;
    const { clock } = options;
    this.#lastTick = monotonicNow(clock);
    this.#offset = clock.now() - this.#lastTick;
  }

  /** Adds an entry. Its first run comes after the time now. */
  add(entry: T): void {
    const [now, never] = [this.#options.clock.now(), { at: 0, atMonotonic: 0, lastMonotonic: 0 }];
    const slot = { entry, last: now, ...never, isRunning: false, isRemoved: false };
    this.#slots.set(entry, slot);
    this.#setLast(slot, now);
    this.#plan(slot, now);
    this.#wake?.();
  }

  /**
   * Gives an entry's place to another one, which does not run before the run of the first has ended.
   * Its first run comes after the time now.
   */
  replace(old: T, entry: T): void {
    const slot = this.#slots.get(old);
    if (!slot) return this.add(entry);
    this.#slots.delete(old);
    this.#slots.set(entry, slot);
    slot.entry = entry;
    this.#setLast(slot, this.#options.clock.now());
    this.#plan(slot, slot.last);
    this.#wake?.();
  }

  /**
   * Removes an entry. A run in progress ends as it would. The schedule goes on even if no entry is
   * left, because who removes one may add it again.
   */
  remove(entry: T): void {
    this.#goesOn = true;
    const slot = this.#slots.get(entry);
    if (slot) slot.isRemoved = true;
    this.#slots.delete(entry);
    this.#waiting = this.#waiting.filter((one) => one.slot !== slot);
  }

  /** Returns when an entry runs next, in milliseconds since 1970. */
  nextRun(entry: T): number | undefined {
    const slot = this.#slots.get(entry);
    return slot?.slot === undefined ? undefined : slot.at;
  }

  /** How long ago it looked at the clock, in milliseconds. More than a minute means that it hangs. */
  get sinceTick(): number {
    return monotonicNow(this.#options.clock) - this.#lastTick;
  }

  /**
   * Runs entries until the signal is aborted.
   *
   * @param goesOn Whether it goes on when no entry has a further time: others may be added.
   * @returns Whether a run was interrupted.
   */
  async run(goesOn = false): Promise<boolean> {
    this.#goesOn ||= goesOn;
    const { signal } = this.#options;
    const onAbort = () => this.#wake?.();
    signal.addEventListener("abort", onAbort);
    while (!signal.aborted) {
      this.#tick();
      const hasWork = [...this.#slots.values()].some(({ slot }) => slot !== undefined);
      if (!hasWork && !this.#goesOn && this.#running.size === 0) break;
      await this.#sleep();
    }
    signal.removeEventListener("abort", onAbort);
    this.#waiting = [];
    await Promise.all(this.#running);
    return this.#wasInterrupted;
  }

  /** Looks at the clocks and starts what is due. */
  #tick(): void {
    const { clock } = this.#options;
    const [now, monotonic] = [clock.now(), monotonicNow(clock)];
    this.#lastTick = monotonic;
    const due = [...this.#slots.values()]
      .filter(({ slot, at, atMonotonic }) =>
        slot !== undefined && (at <= now || atMonotonic <= monotonic)
      )
      .sort((a, b) => a.at - b.at);
    for (const slot of due) this.#handle(slot, now);
    const offset = now - monotonic;
    if (this.#offset - offset > MAX_CORRECTION) {
      for (const slot of this.#slots.values()) {
        if (slot.slot !== undefined) this.#plan(slot, now);
      }
    }
    this.#offset = offset;
  }

  /** Starts a run that is due, or tells that it was missed, and plans the next one. */
  #handle(slot: Slot<T>, now: number): void {
    const due = slot.slot!;
    const isMissed = now - slot.at > LATEST_START;
    if (!isMissed) this.#start(slot, due, now);
    this.#setLast(slot, this.#skipMissed(slot, due, isMissed, now));
    this.#plan(slot, now);
  }

  #setLast(slot: Slot<T>, last: number): void {
    const { clock } = this.#options;
    slot.last = last;
    slot.lastMonotonic = monotonicNow(clock) + Math.min(0, last - clock.now());
  }

  /**
   * Returns the time after which the next run is scheduled. If the clock was set back, that is the time
   * it shows now; but a run is not repeated that the small correction of a clock makes due again.
   */
  #resumeAfter({ entry, last, lastMonotonic }: Slot<T>, now: number): number {
    const again = last > now ? entry.next(now) : undefined;
    if (again === undefined || again > last) return last;
    if (again < last) return now;
    const distance = monotonicNow(this.#options.clock) - lastMonotonic + again - now;
    const usual = (entry.next(last) ?? Infinity) - last;
    return distance < usual / 2 ? last : now;
  }

  #plan(slot: Slot<T>, now: number): void {
    const { clock, random, onEvent } = this.#options;
    const { entry } = slot;
    const after = this.#resumeAfter(slot, now);
    if (after !== slot.last) this.#setLast(slot, after);
    const next = entry.next(after);
    if (next === undefined) {
      delete slot.slot;
      return onEvent({ type: "ended", entry });
    }
    slot.slot = next;
    this.#setDue(slot, next + Math.floor(random() * entry.jitter), clock.now());
  }

  #setDue(slot: Slot<T>, at: number, now: number): void {
    slot.at = at;
    slot.atMonotonic = monotonicNow(this.#options.clock) + at - now;
  }

  /**
   * Tells the scheduled times that have passed without a run, from `due` on or after it. Returns the
   * last scheduled time that has passed.
   */
  #skipMissed({ entry }: Slot<T>, due: number, isMissed: boolean, now: number): number {
    const until = now - entry.jitter;
    let [first, last, count] = [isMissed ? due : undefined, due, isMissed ? 1 : 0];
    for (; count < MAX_COUNTED; count++) {
      const time = entry.next(last);
      if (time === undefined || time > until) break;
      first ??= time;
      last = time;
    }
    if (first === undefined) return due;
    const isAtLeast = count === MAX_COUNTED;
    if (isAtLeast) last = Math.max(last, until);
    this.#options.onEvent({ type: "missed", entry, first, last, count, isAtLeast });
    return last;
  }

  /** Starts a run, except in a maintenance window or while the last run is not over. */
  #start(slot: Slot<T>, due: number, now: number): void {
    const { onEvent } = this.#options;
    const { entry, since, isRunning } = slot;
    const window = windowAt(entry.maintenance, now);
    if (window) {
      onEvent({ type: "skipped", entry, slot: due, until: window.to, why: "maintenance" });
    } else if (since !== undefined) {
      const why = isRunning ? "running" : "waiting";
      onEvent({ type: "skipped", entry, slot: due, since, why });
    } else {
      slot.since = due;
      this.#waiting.push({ slot, due, at: slot.at });
      this.#startWaiting();
    }
  }

  #startWaiting(): void {
    const { parallel, signal, clock } = this.#options;
    while (this.#running.size < parallel && this.#waiting.length > 0 && !signal.aborted) {
      const { slot, due, at } = this.#waiting.shift()!;
      // A clock that was set back makes nothing early.
      const lateness = Math.max(0, clock.now() - at);
      const run = this.#runOnce(slot, { slot: due, lateness }).finally(() => {
        this.#running.delete(run);
        this.#startWaiting();
        this.#wake?.();
      });
      this.#running.add(run);
    }
  }

  async #runOnce(slot: Slot<T>, start: RunStart): Promise<void> {
    const { clock } = this.#options;
    slot.isRunning = true;
    const end = await slot.entry.run(start);
    slot.isRunning = false;
    delete slot.since;
    if (end === "interrupted") this.#wasInterrupted = true;
    const { everyWhileFailing } = slot.entry;
    if (end !== "failed" || everyWhileFailing === undefined || slot.isRemoved) return;
    const now = clock.now();
    const again = now + everyWhileFailing;
    if (slot.slot !== undefined && slot.at <= again) return;
    slot.slot = again;
    this.#setDue(slot, again, now);
  }

  /** Waits until the next run is due or something has changed, but not for long. */
  #sleep(): Promise<void> {
    const { clock, signal } = this.#options;
    if (signal.aborted) return Promise.resolve();
    const [now, monotonic] = [clock.now(), monotonicNow(clock)];
    let left = LONGEST_SLEEP;
    for (const { slot, at, atMonotonic } of this.#slots.values()) {
      if (slot !== undefined) left = Math.min(left, at - now, atMonotonic - monotonic);
    }
    return new Promise((resolve) => {
      let timer: TimerHandle = undefined;
      this.#wake = () => {
        clock.clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      timer = clock.setTimeout(this.#wake, Math.max(0, left));
    });
  }
}
