import { CanceledError } from "./server_state.ts";

const BATCH = 64;

/** Work that goes on side by side; the first failure stops the rest. */
export class Group {
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  readonly #running: Promise<void>[] = [];
  #failure: { error: unknown } | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = AbortSignal.any([signal, this.#controller.signal]);
  }

  /** Begins a piece of work for each item; with many, the event loop has its turns in between. */
  async each<T>(
    items: readonly T[],
    work: (item: T, index: number, signal: AbortSignal) => Promise<void>,
    breathe: () => Promise<void>,
  ): Promise<void> {
    for (const [index, item] of items.entries()) {
      if (index > 0 && index % BATCH === 0) await breathe();
      this.#running.push(
        work(item, index, this.#signal).catch((error: unknown) => {
          this.#failure ??= { error };
          this.#controller.abort(new CanceledError());
        }),
      );
    }
  }

  /** Waits for all of it; gives the first failure. */
  async wait(): Promise<{ error: unknown } | undefined> {
    await Promise.all(this.#running);
    return this.#failure;
  }
}
