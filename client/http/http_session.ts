import { abortable } from "../../runtime/abortable.ts";
import { type Clock, monotonicNow, systemClock } from "../../runtime/clock.ts";
import { setLongTimeout } from "../../runtime/long_timers.ts";
import type { Request, Transport } from "../connection/transport.ts";
import { withDeadline } from "../connection/with_deadline.ts";
import { closedError, inContext, TimeoutError } from "../errors.ts";
import { withRequestHook } from "../hooks.ts";
import type { HttpOptions } from "../options.ts";
import { HttpRequests } from "./http_requests.ts";

/** Sends requests over HTTP, with the client's deadlines and hooks. */
export class HttpSession implements Transport {
  readonly #options: HttpOptions;
  #closedWith: Error | undefined;
  readonly requests: HttpRequests;
  readonly onClose: Set<(error: Error) => void> = new Set();
  readonly clock: Clock;
  readonly deadlines: Transport["deadlines"];

  constructor(options: HttpOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    const { clock } = this;
    this.deadlines = {
      add(deadline, expire) {
        if (deadline === Infinity) return () => {};
        const ms = Math.max(0, deadline - monotonicNow(clock));
        const timer = setLongTimeout((part, partMs) => clock.setTimeout(part, partMs), expire, ms);
        return () => clock.clearTimeout(timer.handle);
      },
    };
    this.requests = new HttpRequests(options, this.clock);
  }

  get closedWith(): Error | undefined {
    return this.#closedWith;
  }

  deadline(timeout: number = this.#options.timeout ?? 30_000): number {
    return timeout === 0 ? Infinity : monotonicNow(this.clock) + timeout;
  }

  /** Does nothing: over HTTP there is no status stream to report to. */
  reportAnomaly(): void {}

  request(request: Request): Promise<unknown> {
    const { what, timeout, signal } = request;
    return withRequestHook(
      this.#options.hooks,
      request,
      () =>
        this.withDeadline(what, timeout, signal, (signal) => this.requests.send(request, signal)),
    );
  }

  /** Runs a piece of work within the timeout of a call. */
  async withDeadline<T>(
    what: string,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#closedWith) throw inContext(what, this.#closedWith);
    const deadline = this.deadline(timeout);
    const timeoutError = () => new TimeoutError(`Cannot ${what}: no answer before the deadline`);
    const limits = { what, deadline, timeoutError, signal };
    // A custom `fetch` may ignore its signal.
    return await withDeadline(this, limits, (signal) => abortable(work(signal), signal));
  }

  /** Rejects all pending calls and waits. */
  close(): void {
    if (this.#closedWith) return;
    const error = this.#closedWith = closedError();
    for (const listener of [...this.onClose]) listener(error);
  }
}
