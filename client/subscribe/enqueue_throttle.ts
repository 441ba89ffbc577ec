import { abortable, limited, tooLate } from "../_core.ts";
import type { Request, Transport } from "../connection/transport.ts";

/**
 * How many jobs may be enqueued that were not heard to start, while their events come over the same
 * connection. A server keeps 256 events for a connection and drops more without a word; a job makes
 * three.
 */
const UNHEARD = 24;

/** After how long a silence those are taken for jobs that wait, in milliseconds. */
const SILENCE = 50;

/** Keeps enqueues at the pace at which their jobs are heard to start. */
export class Pace {
  readonly #session: Transport;
  readonly #waiting = new Set<() => void>();
  #unheard = 0;
  #lastHeard = 0;
  #endWatch: (() => void) | undefined;

  constructor(session: Transport) {
    this.#session = session;
  }

  /** Resolves when the caller may enqueue a job, in the order of the calls. */
  turn({ what, signal }: Request, at: number): Promise<void> {
    const late = () => tooLate(what, "its turn did not come before the deadline");
    return limited(this.#session, { what, at, late, signal }, (signal) => this.#turn(signal));
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#unheard < UNHEARD && this.#waiting.size === 0) {
      this.#unheard++;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    this.#watch();
    try {
      await abortable(promise, signal);
    } catch (error) {
      this.#waiting.delete(resolve);
      if (this.#waiting.size === 0) this.#rest();
      throw error;
    }
  }

  /** A job was heard to start. */
  heard(): void {
    this.#lastHeard = this.#session.clock.now();
    if (this.#unheard > 0) this.#unheard--;
    this.#release();
  }

  #release(): void {
    for (const go of this.#waiting) {
      if (this.#unheard >= UNHEARD) return;
      this.#unheard++;
      this.#waiting.delete(go);
      go();
    }
    this.#rest();
  }

  /** Jobs that nobody works on make no events: then nothing is to be waited for. */
  #watch(): void {
    this.#endWatch ??= this.#session.deadlines.add(this.#session.clock.now() + SILENCE, () => {
      this.#endWatch = undefined;
      if (this.#session.clock.now() - this.#lastHeard >= SILENCE) this.#unheard = 0;
      this.#release();
      if (this.#waiting.size > 0) this.#watch();
    });
  }

  #rest(): void {
    this.#endWatch?.();
    this.#endWatch = undefined;
  }
}
