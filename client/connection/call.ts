import { deadlineExceeded, type Delivery, inContext } from "../errors.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { Request } from "./transport.ts";

/** Holds calls: the offline queue, or the link that a call was sent on. */
export interface CallOwner {
  /** Removes a call that has settled. */
  delete(call: Call): void;
  /** What a call waits for here, as its timeout error names it: `answer`. */
  readonly awaited: string;
  /** The reason why there is no connection. */
  readonly disconnectCause?: Error;
}

/** The parts of a request that a call needs. */
export type CallRequest = Pick<Request, "what" | "method" | "data" | "signal"> & Partial<Request>;

/**
 * One request, queued or sent, until it settles. A class that is its own deadline and its own
 * abort listener, because closures for each would be most of what a request costs.
 */
export class Call implements Deadline {
  readonly #deadlines: Deadlines;
  readonly #resolve: (data: unknown) => void;
  readonly #reject: (error: unknown) => void;
  declare readonly request: CallRequest;
  declare readonly deadline: number;
  /** The frame's id; unset until the request has been sent. */
  id!: string;
  owner: CallOwner | undefined;

  constructor(
    deadlines: Deadlines,
    request: CallRequest,
    deadline: number,
    resolve: (data: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#deadlines = deadlines;
    this.#resolve = resolve;
    this.#reject = reject;
    this.request = request;
    this.deadline = deadline;
    deadlines.set(this);
    request.signal?.addEventListener("abort", this);
  }

  resolve(data: unknown): void {
    this.#settle();
    this.#resolve(data);
  }

  reject(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  /** What is known about the request: one that was sent may have arrived. */
  get #delivery(): Delivery | undefined {
    return this.id ? "unknown" : undefined;
  }

  /** Rejects with the error of the connection. */
  fail(cause: unknown): void {
    this.reject(inContext(this.request.what, cause, this.#delivery));
  }

  /** Called by {@linkcode Deadlines}. */
  expire(): void {
    const { awaited, disconnectCause } = this.owner!;
    this.reject(
      deadlineExceeded({
        ...this.request,
        awaited,
        delivery: this.#delivery,
        cause: disconnectCause,
      }),
    );
  }

  /** Called by the abort signal. */
  handleEvent(): void {
    this.reject(this.request.signal!.reason);
  }

  #settle(): void {
    this.owner?.delete(this);
    this.#deadlines.delete(this);
    this.request.signal?.removeEventListener("abort", this);
  }
}
