import { type Frame, jsonCodec, wireChannel } from "../protocol/mod.ts";
import { type Clock, delay, systemClock } from "../runtime/mod.ts";
import { abortable } from "./_abortable.ts";
import { Deadlines } from "./_deadlines.ts";
import { EventStream } from "./_event_stream.ts";
import type { Attachment, Receiver, Request, Transport } from "./_transport.ts";
import { fullJitter } from "./backoff.ts";
import { AuthError, ConnectionError, DispatchError, TimeoutError } from "./errors.ts";
import type { Hooks } from "./hooks.ts";
import type { TokenSource } from "./options.ts";

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

/** Sends each request by itself over HTTP, and reads channels as server-sent events. */
export class HttpSession implements Transport {
  readonly #options: HttpOptions;
  readonly #events: boolean;
  readonly #abort = new AbortController();
  readonly #streams = new Set<Receiver>();
  #token: string | undefined;
  #nextId = 1;
  #closed = false;
  readonly onOver: Set<(error: Error) => void> = new Set();
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: () => number;

  /** @param events Whether channels can be read. */
  constructor(options: HttpOptions, events: boolean) {
    this.#options = options;
    this.#events = events;
    this.clock = options.clock ?? systemClock;
    this.deadlines = new Deadlines(this.clock);
    this.random = options.random ?? Math.random;
  }

  get over(): Error | undefined {
    return this.#closed ? this.#closedError("use client") : undefined;
  }

  deadline(timeout: number = this.#options.timeout ?? 30_000): number {
    return timeout === 0 || timeout === Infinity ? Infinity : this.clock.now() + timeout;
  }

  /** Nothing to tell it to: over HTTP there is no status stream. */
  anomaly(): void {}

  async request(request: Request): Promise<unknown> {
    const { method, subject } = request;
    const ended = this.#options.hooks?.request?.({ method, subject });
    try {
      const data = await this.#request(request);
      ended?.();
      return data;
    } catch (error) {
      ended?.(error);
      throw error;
    }
  }

  attach(channel: string, receiver: Receiver): Attachment {
    if (!this.#events) return { ready: Promise.resolve(), detach: () => Promise.resolve() };
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#abort.signal]);
    this.#streams.add(receiver);
    const ready = Promise.withResolvers<void>();
    const stream = new EventStream({
      channel,
      receiver,
      signal,
      clock: this.clock,
      random: this.random,
      open: (signal) => this.#openStream(channel, signal),
      onReady: ready.resolve,
    });
    const ended = stream.run().catch((error) => {
      if (signal.aborted) return;
      ready.reject(error);
      receiver.onEnd(error);
    }).finally(() => this.#streams.delete(receiver));
    return {
      ready: ready.promise,
      detach: () => {
        stop.abort();
        ready.resolve();
        return ended;
      },
    };
  }

  /** Ends everything that waits. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = this.#closedError("use client");
    this.#abort.abort(error);
    for (const receiver of [...this.#streams]) receiver.onEnd();
    for (const tell of [...this.onOver]) tell(error);
  }

  async #request(request: Request): Promise<unknown> {
    const { what, retry } = request;
    const { maxRetries = 3 } = this.#options;
    if (this.#closed) throw this.#closedError(what);
    const late = new AbortController();
    const forget = this.deadlines.add(
      this.deadline(request.timeout),
      () => late.abort(new TimeoutError(`Cannot ${what}: no answer before the deadline`)),
    );
    const signals = [late.signal, this.#abort.signal];
    if (request.signal) signals.push(request.signal);
    const signal = AbortSignal.any(signals);
    try {
      for (let attempt = 1, asked = false;; attempt++) {
        try {
          asked ||= this.#token === undefined;
          return await this.#post(request, signal);
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          if (error instanceof AuthError && typeof this.#options.token === "function") {
            this.#token = undefined;
            // It may have run out; one that was just made is simply bad.
            if (!asked) continue;
          }
          const again = error instanceof ConnectionError && retry === "unknown";
          if (!again || attempt > maxRetries) throw error;
          await delay(fullJitter(attempt, this.random()), { clock: this.clock, signal });
        }
      }
    } finally {
      forget();
    }
  }

  async #post(request: Request, signal: AbortSignal): Promise<unknown> {
    const { what, method, data } = request;
    const token = await this.#askToken(signal);
    const id = String(this.#nextId++);
    const ts = new Date(this.clock.now()).toISOString();
    const url = httpUrl(this.#options.url, "/rpc");
    let response: Response;
    let text: string;
    try {
      response = await (this.#options.fetch ?? fetch)(url, {
        method: "POST",
        // Servers take this spelling and no other; a charset behind it is refused.
        headers: { "Content-Type": "application/json" },
        body: jsonCodec.encode({ id, type: "request", method, token, ts }, data),
        signal,
      });
      text = await response.text();
    } catch (cause) {
      throw new ConnectionError(
        `Cannot ${what}: '${url.origin}' gave no answer`,
        "connect_failed",
        {
          delivery: "unknown",
          cause,
        },
      );
    }
    let frame: Frame;
    try {
      frame = jsonCodec.decode(text);
    } catch (cause) {
      throw new DispatchError(
        `Cannot ${what}: '${url.origin}${url.pathname}' answered ${response.status}, not a frame`,
        response.status,
        { cause },
      );
    }
    if (!frame.error) return frame.data;
    const { code, message } = frame.error;
    const refusal = `Cannot ${what}: the server answered ${code} ${message}`;
    throw code === 401 ? new AuthError(refusal) : new DispatchError(refusal, code);
  }

  /**
   * Opens a stream of events. A server answers 200 to a bad token and to no channel, so both are
   * found out by a request that it answers truly.
   */
  async #openStream(channel: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    await this.request({
      what: `subscribe to '${channel}'`,
      method: "subscribe",
      data: JSON.stringify({ channel }),
      subject: channel,
      retry: "unknown",
      signal,
    });
    const url = httpUrl(this.#options.url, "/sse");
    url.searchParams.set("channel", wireChannel(channel));
    url.searchParams.set("token", await this.#askToken(signal));
    const what = `Cannot subscribe to '${channel}'`;
    const late = new AbortController();
    const forget = this.deadlines.add(
      this.deadline(),
      () => late.abort(new TimeoutError(`${what}: no answer before the deadline`)),
    );
    let response: Response;
    try {
      response = await (this.#options.fetch ?? fetch)(url, {
        headers: { Accept: "text/event-stream" },
        signal: AbortSignal.any([signal, late.signal]),
      });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (late.signal.aborted) throw late.signal.reason;
      throw new ConnectionError(`${what}: '${url.origin}' gave no answer`, "connect_failed", {
        cause,
      });
    } finally {
      forget();
    }
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    throw new DispatchError(`${what}: the server answered ${response.status}`, response.status);
  }

  async #askToken(signal: AbortSignal): Promise<string> {
    const { token } = this.#options;
    if (typeof token === "string") return this.#token = token;
    return this.#token ??= await abortable(Promise.resolve(token()), signal);
  }

  #closedError(what: string): ConnectionError {
    return new ConnectionError(`Cannot ${what}: the client is closed`, "closed");
  }
}

/** The HTTP address of an endpoint below a WebSocket's. */
function httpUrl(url: string | URL, below: string): URL {
  const address = new URL(url);
  address.protocol = address.protocol.replace(/^ws/, "http");
  address.pathname = address.pathname.replace(/\/$/, "") + below;
  return address;
}
