import type { Deadline, Deadlines } from "./_deadlines.ts";
import { TimeoutError } from "./errors.ts";

/** A request on its way. A class, since closures for each would be most of a request's cost. */
export class Pending implements Deadline {
  readonly #all: Map<string, Pending>;
  readonly #deadlines: Deadlines;
  readonly #id: string;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (data: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly at: number;
  readonly what: string;

  /** Puts itself among all that are on their way, until it is settled. */
  constructor(
    all: Map<string, Pending>,
    deadlines: Deadlines,
    id: string,
    what: string,
    at: number,
    signal: AbortSignal | undefined,
    resolve: (data: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#all = all;
    this.#deadlines = deadlines;
    this.#id = id;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.at = at;
    this.what = what;
    all.set(id, this);
    deadlines.set(this);
    signal?.addEventListener("abort", this, { once: true });
  }

  resolve(data: unknown): void {
    this.#settle();
    this.#resolve(data);
  }

  reject(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  /** Called by the deadlines. */
  expire(): void {
    this.reject(new TimeoutError(`Cannot ${this.what}: no answer before the deadline`));
  }

  /** Called by the signal. */
  handleEvent(): void {
    this.reject(this.#signal!.reason);
  }

  #settle(): void {
    this.#all.delete(this.#id);
    this.#deadlines.delete(this);
    this.#signal?.removeEventListener("abort", this);
  }
}
