import type { Clock, TimerHandle } from "../../runtime/clock.ts";

import { onAbort } from "../_abort.ts";
import { nextTurn } from "../_turn.ts";

/**
 * Why a timer was set. A virtual clock skips to `work` when everything waits; a `deadline` is the
 * end of a patience, which only whoever moves the clock may use up; a `background` timer repeats for
 * ever and holds nobody up.
 */
export type TimerKind = "work" | "deadline" | "background";

/** A clock that is told why a timer is set; every other clock does not mind. */
export interface KindClock extends Clock {
  setTimeout(callback: () => void, ms: number, kind?: TimerKind): TimerHandle;
  /** Tells a virtual clock that somebody is at work; gives what says that it is done. */
  hold?(): () => void;
  /** Tells a virtual clock to stand still, also when it is moved; gives what ends that. */
  pend?(): () => void;
  /** Tells a virtual clock that something happened. */
  touch?(): void;
}

/** A timer longer than this fires at once on every runtime, so long ones are cut into pieces. */
const LONGEST = 2 ** 31 - 1;

interface Timer {
  handle: TimerHandle;
}

/** A server's timers: all of them end with it. */
export class Timers {
  readonly clock: KindClock;
  readonly #pending = new Set<Timer>();
  #closed = false;

  constructor(clock: KindClock) {
    this.clock = clock;
  }

  /** Calls back once, after any length of time. Gives what forgets it. */
  set(callback: () => void, ms: number, kind: TimerKind = "work"): () => void {
    if (this.#closed) return () => {};
    const due = this.clock.now() + ms;
    const timer: Timer = { handle: undefined };
    const arm = () => {
      const left = due - this.clock.now();
      timer.handle = this.clock.setTimeout(
        () => {
          if (left > LONGEST) return arm();
          this.#pending.delete(timer);
          callback();
        },
        Math.min(Math.max(left, 0), LONGEST),
        kind,
      );
    };
    this.#pending.add(timer);
    arm();
    return () => {
      if (this.#pending.delete(timer)) this.clock.clearTimeout(timer.handle);
    };
  }

  /**
   * Resolves after `ms`. Rejects with the signal's reason when it is aborted first; never settles
   * when the server is closed first.
   */
  sleep(ms: number, signal?: AbortSignal | null): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let unlisten = () => {};
      const forget = this.set(() => {
        unlisten();
        resolve();
      }, ms);
      if (!signal) return;
      unlisten = onAbort(signal, () => {
        forget();
        reject(signal.reason);
      });
    });
  }

  /** Notes that a handler is at work; gives what says that it is done. */
  hold(): () => void {
    return this.clock.hold?.() ?? (() => {});
  }

  /** Lets the event loop have its turn; no time passes. */
  async breathe(): Promise<void> {
    const go = this.clock.pend?.();
    await new Promise<void>((resolve) => nextTurn(resolve));
    go?.();
  }

  /** Forgets all timers and takes no more. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) this.clock.clearTimeout(timer.handle);
    this.#pending.clear();
  }
}
