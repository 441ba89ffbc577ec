import { load } from "./_load.ts";
import type { Transport } from "./connection/transport.ts";

/** What reads channels. */
export type Reading = typeof import("./subscribe/open_subscription.ts");

interface Step {
  use(part: Reading): void;
  reject(error: unknown): void;
}

/**
 * Loads what reads channels with the first that is read. Until it is there, whatever is sent waits:
 * a subscription leaves before the requests that were made after it.
 */
export class Listening {
  readonly #session: Transport;
  readonly #onLoaded: () => void;
  #part: Reading | undefined;
  readonly #steps: Step[] = [];

  /** @param onLoaded Called when nothing has to wait any more. */
  constructor(session: Transport, onLoaded: () => void) {
    this.#session = session;
    this.#onLoaded = onLoaded;
  }

  /** Whether requests have to wait. */
  get isLoading(): boolean {
    return this.#steps.length > 0;
  }

  /** Uses what reads channels, at once if it is there. */
  run<T>(what: string, use: (part: Reading) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#part) return resolve(use(this.#part));
      if (this.#steps.push({ use: (part) => resolve(use(part)), reject }) === 1) this.#load(what);
    });
  }

  #load(what: string): void {
    load(this.#session, what, import("./subscribe/open_subscription.ts")).then(
      (part) => this.#release(({ use }) => use(this.#part = part)),
      (error) => this.#release(({ reject }) => reject(error)),
    );
  }

  #release(end: (step: Step) => void): void {
    for (const step of this.#steps.splice(0)) end(step);
    this.#onLoaded();
  }
}
