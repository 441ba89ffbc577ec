import { type Limit, momentIn } from "../events/deadline.ts";
import type { Clock } from "../../runtime/clock.ts";

/** How long the `always` part of a recipe may take, in milliseconds. */
export const ALWAYS_TIMEOUT = 10_000;

/**
 * The time that a case has for `always`. A nested recipe shares the outer case's budget once the
 * outer case was stopped or is cleaning up itself.
 */
export class CleanUpBudget {
  #clock: Clock;
  #outer: CleanUpBudget | undefined;
  #deadline: number | undefined;
  /** The limit of `always` while it runs, which `advance` can make later. */
  #limit: Limit | undefined;
  #grace = 0;
  #stop: AbortSignal | undefined;

  /** Creates the budget of a case, nested in another one if `outer` is given. */
  constructor(clock: Clock, outer?: CleanUpBudget) {
    this.#clock = clock;
    this.#outer = outer;
  }

  /** Names the signal that stops the steps of the case. */
  stopWith(signal: AbortSignal): void {
    this.#stop = signal;
  }

  /** Returns when `always` must be done, by the monotonic clock. The first call starts the time. */
  deadline(): number {
    if (this.#limit) return this.#limit.at - this.#grace;
    const outer = this.#outer?.isRunning ? this.#outer : undefined;
    return this.#deadline ??= outer?.deadline() ?? momentIn(this.#clock, ALWAYS_TIMEOUT);
  }

  /**
   * Returns the limit around `always`. It never ends; what `advance` skips makes the limits of the
   * outer case later.
   *
   * @param caller The limit of the step that runs the nested case.
   */
  around(caller: Limit | undefined): Limit {
    return {
      ...{ signal: new AbortController().signal, at: Infinity, name: "" },
      postpone: (ms) => {
        caller?.postpone(ms);
        this.#outer?.postpone(ms);
      },
    };
  }

  /** Names the limit of `always`, which begins; `grace` is what it has besides this time. */
  beginWith(limit: Limit, grace = 0): void {
    this.#limit = limit;
    this.#grace = grace;
  }

  /** Makes a time that a nested case has begun later by some milliseconds. */
  postpone(ms: number): void {
    // Once `always` runs, its limit is postponed itself.
    if (this.#limit) return;
    if (this.#deadline !== undefined) this.#deadline += ms;
    this.#outer?.postpone(ms);
  }

  /** Whether the steps were stopped or the clean-up has begun. */
  get isRunning(): boolean {
    return this.#deadline !== undefined || (this.#stop?.aborted ?? false);
  }
}
