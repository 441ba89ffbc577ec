import type { Clock, TimerHandle } from "../../runtime/clock.ts";
import { type LongTimer, setLongTimeout } from "../../runtime/long_timers.ts";
import { nextTurn } from "../../runtime/real_timers.ts";
import { steadyTime } from "../../runtime/steady_time.ts";

/**
 * Why a timer was set. A virtual clock skips to the next `work` timer when everything waits. A
 * `deadline` limits a wait, so only {@linkcode VirtualClock.advance} may reach it. A `background`
 * timer repeats forever and never makes the clock skip.
 */
export type TimerKind = "work" | "deadline" | "background";

/** What a virtual clock needs to know to decide when to skip; other clocks ignore it. */
export interface SkippableClock extends Clock {
  setTimeout(callback: () => void, ms: number, kind?: TimerKind): TimerHandle;
  /** Keeps the clock from skipping while other work runs; returns a release function. */
  hold?(): () => void;
  /** Keeps the clock from moving at all, even by `advance`; returns a release function. */
  freeze?(): () => void;
  /** Reports activity, so that the clock waits a while before it skips. */
  touch?(): void;
}

/** The timers of one server; closing it clears them all. */
export class Timers {
  readonly clock: SkippableClock;
  /**
   * Returns the time to measure with, in milliseconds. Unlike the clock's, it does not change when
   * somebody sets the clock.
   */
  readonly now: () => number;
  readonly #pending = new Set<LongTimer>();
  #closed = false;

  constructor(clock: SkippableClock) {
    this.clock = clock;
    this.now = steadyTime(clock);
  }

  /** Calls `callback` once after `ms`; returns a function that clears the timer. */
  set(callback: () => void, ms: number, kind: TimerKind = "work"): () => void {
    if (this.#closed) return () => {};
    const timer = setLongTimeout(
      (part, partMs) => this.clock.setTimeout(part, partMs, kind),
      () => {
        this.#pending.delete(timer);
        callback();
      },
      Math.max(ms, 0),
    );
    this.#pending.add(timer);
    return () => {
      if (this.#pending.delete(timer)) this.clock.clearTimeout(timer.handle);
    };
  }

  /**
   * Resolves after `ms`. Rejects with the signal's reason if the signal aborts first; never settles
   * if the server closes first.
   */
  sleep(ms: number, signal?: AbortSignal | null): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let removeListener = () => {};
      const clear = this.set(() => {
        removeListener();
        resolve();
      }, ms);
      if (!signal) return;
      removeListener = onAbort(signal, () => {
        clear();
        reject(signal.reason);
      });
    });
  }

  /** Keeps a virtual clock from skipping while a handler works; returns a release function. */
  hold(): () => void {
    return this.clock.hold?.() ?? (() => {});
  }

  /** Resolves after the event loop has turned. No time passes on a virtual clock. */
  async yield(): Promise<void> {
    const release = this.clock.freeze?.();
    await new Promise<void>((resolve) => nextTurn(resolve));
    release?.();
  }

  /** Clears all timers and sets no more. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) this.clock.clearTimeout(timer.handle);
    this.#pending.clear();
  }
}

/** What waits for a signal to abort. */
interface AbortCallbacks {
  readonly all: Set<() => void>;
  /** Calls them. */
  readonly listener: () => void;
}

const abortCallbacks = new WeakMap<AbortSignal, AbortCallbacks>();

/**
 * Calls back when a signal aborts; returns a function that removes the callback. Thousands of runs
 * may wait for one signal: `addEventListener` takes time proportional to the listeners already
 * there, this does not.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { all, listener } = abortCallbacks.get(signal) ?? listenTo(signal);
  all.add(callback);
  return () => {
    // Node keeps a signal of several others, with all that its listeners hold, until it has none.
    if (!all.delete(callback) || all.size > 0) return;
    signal.removeEventListener("abort", listener);
    abortCallbacks.delete(signal);
  };
}

function listenTo(signal: AbortSignal): AbortCallbacks {
  const all = new Set<() => void>();
  const callbacks = { all, listener: () => [...all].forEach((call) => call()) };
  abortCallbacks.set(signal, callbacks);
  signal.addEventListener("abort", callbacks.listener, { once: true });
  return callbacks;
}
