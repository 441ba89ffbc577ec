import { abortable } from "../../runtime/abortable.ts";

/** Limits how many callers run at the same time; the others take turns in order. */
export class Semaphore {
  readonly #limit: number;
  readonly #waiters = new Set<() => void>();
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `work` as soon as there is room; rejects if the signal aborts before that. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#limit) this.#running++;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.add(resolve);
      try {
        await abortable(promise, signal);
      } catch (error) {
        // The turn came in the same moment as the abort: pass it on.
        if (!this.#waiters.delete(resolve)) this.#release();
        throw error;
      }
    }
    try {
      return await work();
    } finally {
      this.#release();
    }
  }

  /** Gives the caller's place to the next waiter. */
  #release(): void {
    const [next] = this.#waiters;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiters.delete(next);
    next();
  }
}
