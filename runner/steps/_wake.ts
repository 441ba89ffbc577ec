import type { StepContext } from "./kind.ts";

/** A reading that no event woke comes after this long at most. */
const SLOWEST_POLL = 1000;

/**
 * Tells when it is worth looking again: an event has come, or a while has passed. A server's state
 * can lag behind its event, so the first looks after an event are close together.
 */
export class Wake implements Disposable {
  #context: StepContext;
  #open: (signal: AbortSignal) => AsyncIterable<unknown>;
  #stop: AbortController | undefined;
  #delay = 20;
  #heard = false;
  #notify: (() => void) | undefined;

  constructor(context: StepContext, open: (signal: AbortSignal) => AsyncIterable<unknown>) {
    this.#context = context;
    this.#open = open;
  }

  /** Resolves when it is worth looking again; rejects when the step is over. */
  async next(): Promise<void> {
    const { signal, clock } = this.#context;
    signal.throwIfAborted();
    if (!this.#stop) {
      this.#stop = new AbortController();
      this.#listen(this.#stop.signal);
      // What happened between the reading and now has no event for this listener.
      return;
    }
    if (this.#heard) {
      this.#heard = false;
      this.#delay = 5;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        clock.clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#notify = undefined;
      };
      const onAbort = () => {
        done();
        reject(signal.reason);
      };
      const timer = clock.setTimeout(() => {
        done();
        this.#delay = Math.min(this.#delay * 2, SLOWEST_POLL);
        resolve();
      }, this.#delay);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#notify = () => {
        done();
        this.#heard = false;
        this.#delay = 5;
        resolve();
      };
    });
  }

  [Symbol.dispose](): void {
    this.#stop?.abort();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    try {
      for await (const _event of this.#open(signal)) this.#hear();
    } catch (error) {
      // Polling goes on without events, and the next reading meets what broke the stream.
      if (!signal.aborted) this.#context.progress(`events ended: ${(error as Error).message}`);
    }
  }

  #hear(): void {
    this.#heard = true;
    this.#notify?.();
  }
}
