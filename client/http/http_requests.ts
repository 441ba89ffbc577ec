import type { Frame } from "../../protocol/frame.ts";
import { wireChannel } from "../../protocol/channel.ts";
import {
  abortable,
  AuthError,
  ConnectionError,
  delay,
  DispatchError,
  fullJitter,
  jsonCodec,
  limited,
  TimeoutError,
} from "../_core.ts";
import { EventStream } from "./event_source.ts";
import type { Attachment, Receiver, Request } from "../connection/transport.ts";
import type { HttpOptions, HttpSession } from "./http_session.ts";

/** Sends each request by itself over HTTP, and reads channels as server-sent events. */
export class HttpRequests {
  readonly #session: HttpSession;
  readonly #options: HttpOptions;
  readonly #random: () => number;
  #token: string | undefined;
  #nextId = 1;

  constructor(session: HttpSession, options: HttpOptions) {
    this.#session = session;
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** Sends a request until it is answered, as often as it may be sent. */
  async send({ what, method, data, retry }: Request, signal: AbortSignal): Promise<unknown> {
    const { maxRetries = 3 } = this.#options;
    for (let attempt = 1, asked = false;; attempt++) {
      try {
        asked ||= this.#token === undefined;
        return await this.#post(what, method, data, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof AuthError && typeof this.#options.token === "function") {
          this.#token = undefined;
          // It may have run out; one that was just made is simply bad.
          if (!asked) continue;
        }
        const again = error instanceof ConnectionError && retry === "unknown";
        if (!again || attempt > maxRetries) throw error;
        const { clock } = this.#session;
        await delay(fullJitter(attempt, this.#random()), { clock, signal });
      }
    }
  }

  /**
   * Reads a channel.
   * @param events Whether channels can be read.
   */
  attach(channel: string, receiver: Receiver, events: boolean): Attachment {
    if (!events) return { ready: Promise.resolve(), detach: () => Promise.resolve() };
    const { onOver, clock } = this.#session;
    const stop = new AbortController();
    const { signal } = stop;
    const ready = Promise.withResolvers<void>();
    const end = () => {
      receiver.onEnd();
      stop.abort();
    };
    onOver.add(end);
    const stream = new EventStream({
      channel,
      receiver,
      signal,
      clock,
      random: this.#random,
      open: (signal) => this.#openStream(channel, signal),
      onReady: ready.resolve,
    });
    const ended = stream.run().catch((error) => {
      if (signal.aborted) return;
      ready.reject(error);
      receiver.onEnd(error);
    }).finally(() => {
      onOver.delete(end);
      ready.resolve();
    });
    if (this.#session.over) end();
    return {
      ready: ready.promise,
      detach: () => {
        stop.abort();
        ready.resolve();
        return ended;
      },
    };
  }

  async #post(
    what: string,
    method: string,
    data: string | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const token = await this.#askToken(signal);
    const id = String(this.#nextId++);
    const ts = new Date(this.#session.clock.now()).toISOString();
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
    await this.#session.request({
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
    const at = this.#session.deadline();
    const late = () => new TimeoutError(`${what}: no answer before the deadline`);
    const limits = { what: `subscribe to '${channel}'`, at, late, signal };
    const response = await limited(this.#session, limits, async (signal) => {
      try {
        return await (this.#options.fetch ?? fetch)(url, {
          headers: { Accept: "text/event-stream" },
          signal,
        });
      } catch (cause) {
        signal.throwIfAborted();
        throw new ConnectionError(`${what}: '${url.origin}' gave no answer`, "connect_failed", {
          cause,
        });
      }
    });
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    throw new DispatchError(`${what}: the server answered ${response.status}`, response.status);
  }

  async #askToken(signal: AbortSignal): Promise<string> {
    const { token } = this.#options;
    if (typeof token === "string") return this.#token = token;
    return this.#token ??= await abortable(Promise.resolve(token()), signal);
  }
}

/** The HTTP address of an endpoint below a WebSocket's. */
function httpUrl(url: string | URL, below: string): URL {
  const address = new URL(url);
  address.protocol = address.protocol.replace(/^ws/, "http");
  address.pathname = address.pathname.replace(/\/$/, "") + below;
  return address;
}
