import { type Clock, systemClock } from "../../runtime/clock.ts";
import { closedError, said } from "../connection/connection_errors.ts";
import { Deadlines } from "../connection/deadlines.ts";
import type { HttpRequests } from "./http_requests.ts";
import { hooked } from "../_hooked.ts";
import { limited } from "../connection/with_deadline.ts";
import type { Reading } from "../_listening.ts";
import { load, part } from "../_load.ts";
import type { Attachment, Receiver, Request, Transport } from "../connection/transport.ts";
import { TimeoutError } from "../errors.ts";
import type { Hooks } from "../hooks.ts";
import type { TokenSource } from "../options.ts";

/** Settings of a client over HTTP. */
export interface HttpOptions {
  /** The server's endpoint, as for a WebSocket: `/rpc` and `/sse` below it are used. */
  url: string | URL;
  /** What the server knows the caller by. */
  token: TokenSource;
  /**
   * How long a call may take, in milliseconds; 0 means any time. A call may set its own.
   * @default {30000}
   */
  timeout?: number;
  /**
   * How many more times a read is tried whose request failed on the way.
   * @default {3}
   */
  maxRetries?: number;
  /** Called around each request, for logs and traces. */
  hooks?: Hooks;
  /**
   * Where time comes from.
   * @default {the machine's clock}
   */
  clock?: Clock;
  /**
   * Gives numbers from 0 up to, not including, 1.
   * @default {Math.random}
   */
  random?: () => number;
  /**
   * Sends the requests.
   * @default {globalThis.fetch}
   */
  fetch?: typeof fetch;
}

/** Requests over HTTP and channels as server-sent events; what does both is loaded when used. */
export class HttpSession implements Transport {
  readonly #options: HttpOptions;
  readonly #events: boolean;
  #requests: HttpRequests | undefined;
  #over: Error | undefined;
  readonly onOver: Set<(error: Error) => void> = new Set();
  readonly clock: Clock;
  readonly deadlines: Deadlines;

  /** @param events Whether channels can be read. */
  constructor(options: HttpOptions, events: boolean) {
    this.#options = options;
    this.#events = events;
    this.clock = options.clock ?? systemClock;
    this.deadlines = new Deadlines(this.clock);
  }

  get over(): Error | undefined {
    return this.#over;
  }

  deadline(timeout: number = this.#options.timeout ?? 30_000): number {
    return timeout === 0 ? Infinity : this.clock.now() + timeout;
  }

  /** Nothing to tell it to: over HTTP there is no status stream. */
  anomaly(): void {}

  request(request: Request): Promise<unknown> {
    const { what, timeout, signal } = request;
    const late = () => new TimeoutError(`Cannot ${what}: no answer before the deadline`);
    const limits = { what, at: this.deadline(timeout), late, signal };
    return hooked(
      this.#options.hooks,
      request,
      () =>
        limited(
          this,
          limits,
          async (signal) => (await this.#load(what, signal)).send(request, signal),
        ),
    );
  }

  attach(channel: string, receiver: Receiver): Attachment {
    const what = `subscribe to '${channel}'`;
    const attached = this.#load(what).then((it) => it.attach(channel, receiver, this.#events));
    return {
      ready: attached.then(({ ready }) => ready),
      detach: () => attached.then((it) => it.detach(), () => {}),
    };
  }

  async listen<T>(what: string, use: (part: Reading) => T): Promise<T> {
    return use(await load(this, what, import("../subscribe/open_subscription.ts")));
  }

  /** Ends everything that waits. */
  close(): void {
    if (this.#over) return;
    const error = this.#over = closedError();
    for (const tell of [...this.onOver]) tell(error);
  }

  async #load(what: string, signal?: AbortSignal): Promise<HttpRequests> {
    if (this.#over) throw said(what, this.#over);
    const { HttpRequests } = await part(what, import("./http_requests.ts"), signal);
    return this.#requests ??= new HttpRequests(this, this.#options);
  }
}
