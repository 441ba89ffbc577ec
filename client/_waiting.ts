import type { Deadlines } from "./_deadlines.ts";
import { said } from "./_connection_errors.ts";
import { ConnectionError, TimeoutError } from "./errors.ts";

/** A call that waits for a connection. */
interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** The calls that wait for a connection, up to a limit. */
export class Waiting<T> {
  readonly #deadlines: Deadlines;
  readonly #limit: number;
  readonly #waiters = new Set<Waiter<T>>();

  constructor(deadlines: Deadlines, limit: number) {
    this.#deadlines = deadlines;
    this.#limit = limit;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Waits until all are resolved or rejected, the deadline has passed, or the signal is aborted.
   * @param why Tells, when the deadline has passed, what kept the connection from being made.
   */
  wait(
    what: string,
    deadline: number,
    signal: AbortSignal | undefined,
    why: () => Error | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#waiters.size >= this.#limit) {
        return reject(
          new ConnectionError(
            `Cannot ${what}: ${this.#limit} requests already wait for a connection`,
            "queue_full",
          ),
        );
      }
      const settle = () => {
        this.#waiters.delete(waiter);
        forget();
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter<T> = {
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: (error) => {
          settle();
          reject(said(what, error));
        },
      };
      const onAbort = () => {
        settle();
        reject(signal!.reason);
      };
      const forget = this.#deadlines.add(deadline, () => {
        settle();
        reject(
          new TimeoutError(`Cannot ${what}: no connection before the deadline`, {
            delivery: "not-sent",
            cause: why(),
          }),
        );
      });
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** There is a connection. */
  resolve(value: T): void {
    for (const waiter of [...this.#waiters]) waiter.resolve(value);
  }

  /** There will be none. */
  reject(error: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }
}
