import { jsonCodec } from "../../protocol/codec.ts";
import type { Frame } from "../../protocol/frame.ts";
import { abortable } from "../../runtime/abortable.ts";
import { type Clock, delay } from "../../runtime/clock.ts";
import { fullJitter } from "../backoff.ts";
import type { Request } from "../connection/transport.ts";
import { AuthError, ConnectionError, DispatchError } from "../errors.ts";
import type { HttpOptions } from "../options.ts";

/** Sends each request as an HTTP request. */
export class HttpRequests {
  readonly #options: HttpOptions;
  readonly #clock: Clock;
  #token: string | undefined;
  #nextId = 1;

  constructor(options: HttpOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Sends a request; sends a read again if it gets no answer. */
  async send({ what, method, data, retry }: Request, signal: AbortSignal): Promise<unknown> {
    const { maxRetries = 3, random = Math.random, token } = this.#options;
    for (let attempt = 1, isTokenNew = false;; attempt++) {
      try {
        isTokenNew ||= this.#token === undefined;
        return await this.#post(what, method, data, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof AuthError && typeof token === "function") {
          this.#token = undefined;
          // A token that was accepted before may have expired; a new one is simply wrong.
          if (!isTokenNew) continue;
        }
        const maySendAgain = error instanceof ConnectionError && retry === "unknown";
        if (!maySendAgain || attempt > maxRetries) throw error;
        await delay(fullJitter(attempt, random()), { clock: this.#clock, signal });
      }
    }
  }

  /** Returns the token that the server accepted last, or gets a new one. */
  async token(signal: AbortSignal): Promise<string> {
    const { token } = this.#options;
    if (typeof token === "string") return this.#token = token;
    return this.#token ??= await abortable(Promise.resolve(token()), signal);
  }

  /** Sends an HTTP request; rejects with a {@linkcode ConnectionError} if there is no answer. */
  async fetch(what: string, url: URL, init: RequestInit): Promise<Response> {
    try {
      return await (this.#options.fetch ?? fetch)(url, init);
    } catch (cause) {
      throw noAnswer(what, url, cause);
    }
  }

  async #post(
    what: string,
    method: string,
    data: string | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const token = await this.token(signal);
    const id = String(this.#nextId++);
    const ts = new Date(this.#clock.now()).toISOString();
    const url = endpoint(this.#options.url, "/rpc");
    const response = await this.fetch(what, url, {
      method: "POST",
      // Servers accept exactly this spelling, without a charset.
      headers: { "Content-Type": "application/json" },
      body: jsonCodec.encode({ id, type: "request", method, token, ts }, data),
      signal,
    });
    let text: string;
    try {
      text = await response.text();
    } catch (cause) {
      throw noAnswer(what, url, cause);
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
}

/** The address of an HTTP endpoint below the address of the WebSocket. */
export function endpoint(url: string | URL, path: string): URL {
  const address = new URL(url);
  address.protocol = address.protocol.replace(/^ws/, "http");
  address.pathname = address.pathname.replace(/\/$/, "") + path;
  return address;
}

function noAnswer(what: string, { origin }: URL, cause: unknown): ConnectionError {
  const text = `Cannot ${what}: no answer from '${origin}'`;
  return new ConnectionError(text, "connect_failed", { delivery: "unknown", cause });
}
