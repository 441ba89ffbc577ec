import type { Deadline, Deadlines } from "./deadlines.ts";
import type { Request } from "./transport.ts";

/** Where a call is: among those that wait for a connection, or on its way over one. */
export interface CallPlace {
  /** The call is over. */
  delete(call: Call): void;
  /** What it ends with when its deadline passes here. */
  late(call: Call): Error;
}

/** What a call needs to know of its request. */
export type CallRequest = Pick<Request, "what" | "method" | "data" | "signal"> & Partial<Request>;

/**
 * A request from its beginning to its end, wherever it is meanwhile. A class, since closures for
 * each would be most of a request's cost.
 */
export class Call implements Deadline {
  readonly #deadlines: Deadlines;
  readonly #resolve: (data: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly request: CallRequest;
  readonly at: number;
  /** Names it on the wire. */
  id = "";
  place: CallPlace | undefined;

  constructor(
    deadlines: Deadlines,
    request: CallRequest,
    at: number,
    resolve: (data: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#deadlines = deadlines;
    this.#resolve = resolve;
    this.#reject = reject;
    this.request = request;
    this.at = at;
    deadlines.set(this);
    request.signal?.addEventListener("abort", this, { once: true });
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
    this.reject(this.place!.late(this));
  }

  /** Called by the signal. */
  handleEvent(): void {
    this.reject(this.request.signal!.reason);
  }

  #settle(): void {
    this.place?.delete(this);
    this.#deadlines.delete(this);
    this.request.signal?.removeEventListener("abort", this);
  }
}
