import { CanceledError } from "./_core.ts";

/** Work that goes on side by side; the first failure stops the rest. */
export class Group {
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  readonly #running: Promise<void>[] = [];
  #failure: { error: unknown } | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = AbortSignal.any([signal, this.#controller.signal]);
  }

  /** Begins a piece of work. */
  go(work: (signal: AbortSignal) => Promise<void>): void {
    this.#running.push(
      work(this.#signal).catch((error: unknown) => {
        this.#failure ??= { error };
        this.#controller.abort(new CanceledError());
      }),
    );
  }

  /** Waits for all of it; gives the first failure. */
  async wait(): Promise<{ error: unknown } | undefined> {
    await Promise.all(this.#running);
    return this.#failure;
  }
}
