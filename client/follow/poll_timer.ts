import { type Clock, delay } from "../../runtime/clock.ts";
import { FIRST_PAUSE, LONGEST_PAUSE, SETTLE_PAUSE } from "../limits.ts";

/** Decides when to read a record again: at growing intervals, or as soon as something happens. */
export class PollTimer {
  #pause = FIRST_PAUSE;
  #settlePause = SETTLE_PAUSE;
  #wakeUp = new AbortController();

  /** Ends the current pause. */
  wake(): void {
    this.#wakeUp.abort();
  }

  /**
   * Waits for the next read.
   * @param hasEnded The last event has arrived, so that the record changes in a moment.
   * @param eventsArrive Events arrive, so that polling is only the fallback.
   */
  async next(
    hasEnded: boolean,
    eventsArrive: boolean,
    signal: AbortSignal,
    clock: Clock,
  ): Promise<void> {
    const either = AbortSignal.any([signal, this.#wakeUp.signal]);
    const pause = hasEnded ? this.#settlePause : this.#pause * (eventsArrive ? 3 : 1);
    // It rejects only when the pause is ended.
    await delay(pause, { signal: either, clock }).catch(() => {});
    this.#wakeUp = new AbortController();
    this.#pause = lengthen(this.#pause);
    if (hasEnded) this.#settlePause = lengthen(this.#settlePause);
  }
}

/** Returns the length of the pause after a pause of this length. */
export function lengthen(pause: number): number {
  return Math.min(pause * 1.5, LONGEST_PAUSE);
}
