import { momentIn } from "../events/deadline.ts";
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
    const outer = this.#outer?.isRunning ? this.#outer : undefined;
    return this.#deadline ??= outer?.deadline() ?? momentIn(this.#clock, ALWAYS_TIMEOUT);
  }

  /** Whether the steps were stopped or the clean-up has begun. */
  get isRunning(): boolean {
    return this.#deadline !== undefined || (this.#stop?.aborted ?? false);
  }
}
