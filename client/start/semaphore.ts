import { abortable } from "../_core.ts";

/** Lets a limited number of callers in at a time, in the order they came. */
export class Gate {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `work` once there is room, unless the signal is aborted before. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#inside < this.#limit) this.#inside++;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      try {
        await abortable(promise, signal);
      } catch (error) {
        if (!this.#waiting.delete(resolve)) this.#leave();
        throw error;
      }
    }
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#inside--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
