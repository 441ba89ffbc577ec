import { delay } from "../../runtime/clock.ts";
import type { StepContext } from "./context.ts";

/** The longest pause between two reads, in milliseconds. */
const MAX_PAUSE = 1000;
/** The pause after an event, in milliseconds: the server's state can lag behind its events. */
const PAUSE_AFTER_EVENT = 5;
/** The first pause, in milliseconds. It doubles while no event arrives. */
const FIRST_PAUSE = 20;
/** The first pause once events arrive, in milliseconds: reading is only the fallback then. */
const PAUSE_WITH_EVENTS = 100;

/** Decides when to read the state of a job or run again: after an event, or after a pause. */
export class Poll implements Disposable {
  #context: StepContext;
  #open: (signal: AbortSignal) => AsyncIterable<unknown>;
  #stop: AbortController | undefined;
  #pause = FIRST_PAUSE;
  #hasEvent = false;
  #onEvent: (() => void) | undefined;

  /** Prepares to wait; `open` subscribes to the events of the job or run. */
  constructor(context: StepContext, open: (signal: AbortSignal) => AsyncIterable<unknown>) {
    this.#context = context;
    this.#open = open;
  }

  /** Resolves when it is time to read again; rejects when the step's signal aborts. */
  async next(): Promise<void> {
    const { signal, pauses: clock } = this.#context;
    signal.throwIfAborted();
    if (!this.#stop) {
      this.#stop = new AbortController();
      this.#listen(this.#stop.signal);
      // Events of what has happened so far come first, all at once: one read is enough for them.
      await this.#pauseOrEvent();
      await delay(0, { signal, clock });
      if (this.#hasEvent) this.#pause = PAUSE_WITH_EVENTS;
      this.#hasEvent = false;
      return;
    }
    if (!this.#hasEvent) await this.#pauseOrEvent();
    if (this.#hasEvent) this.#pause = PAUSE_AFTER_EVENT;
    this.#hasEvent = false;
  }

  #pauseOrEvent(): Promise<void> {
    const { signal, pauses: clock } = this.#context;
    return new Promise<void>((resolve, reject) => {
      const done = () => {
        clock.clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#onEvent = undefined;
      };
      const onAbort = () => {
        done();
        reject(signal.reason);
      };
      const timer = clock.setTimeout(() => {
        done();
        this.#pause = Math.min(this.#pause * 2, MAX_PAUSE);
        resolve();
      }, this.#pause);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#onEvent = () => {
        done();
        resolve();
      };
    });
  }

  /** Ends the subscription. */
  [Symbol.dispose](): void {
    this.#stop?.abort();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    try {
      for await (const _event of this.#open(signal)) {
        this.#hasEvent = true;
        this.#onEvent?.();
      }
    } catch (error) {
      // The pauses go on without events. If the connection is lost, the next read reports it.
      if (!signal.aborted) {
        this.#context.reportProgress(`cannot read further events: ${(error as Error).message}`);
      }
    }
  }
}
