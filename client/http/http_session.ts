import { inBrowser } from "../../runtime/browser.ts";
import { type Clock, monotonicNow, systemClock, type TimerHandle } from "../../runtime/clock.ts";
import { MAX_TIMER_MS } from "../../runtime/long_timers.ts";
import { explainAnswer, explainFailure } from "../../runtime/explain.ts";
import { fullJitter } from "../backoff.ts";
import type { Request, Transport } from "../connection/transport.ts";
import { pause, withDeadline } from "../connection/with_deadline.ts";
import { AuthError, closedError, ConnectionError, DispatchError, inContext } from "../errors.ts";
import { withRequestHook } from "../hooks.ts";
import { checkHttpOptions, getToken, type HttpOptions } from "../options.ts";
import { endpoint, isTooLong, readAll, tooLarge } from "./http_requests.ts";

/** Sends each request as an HTTP request, with the client's deadlines and hooks. */
export class HttpSession implements Transport {
  readonly #options: HttpOptions;
  #closedWith: Error | undefined;
  /** The token that the server accepted last. */
  #token: string | undefined;
  #nextId = 1;
  readonly onClose: Set<(error: Error) => void> = new Set();
  readonly onCancel: Set<(jobId: string) => unknown> = new Set();
  readonly clock: Clock;
  readonly timeout: number;
  readonly deadlines: Transport["deadlines"];

  constructor(options: HttpOptions) {
    checkHttpOptions(options);
    this.#options = options;
    this.timeout = options.timeout ?? 30_000;
    const clock = this.clock = options.clock ?? systemClock;
    this.deadlines = {
      add(deadline, expire) {
        let timer: TimerHandle;
        const check = () => {
          const left = deadline - monotonicNow(clock);
          if (left > 0) timer = clock.setTimeout(check, Math.min(left, MAX_TIMER_MS));
          else expire();
        };
        if (deadline < Infinity) check();
        return () => clock.clearTimeout(timer);
      },
    };
  }

  get closedWith(): Error | undefined {
    return this.#closedWith;
  }

  deadline(timeout: number): number {
    return timeout ? monotonicNow(this.clock) + timeout : Infinity;
  }

  /** Does nothing: over HTTP there is no status stream to report to. */
  reportAnomaly(): void {}

  request(request: Request): Promise<unknown> {
    return this.send(request, (signal) => this.#post(request, signal));
  }

  /** Runs an exchange, with the hooks and the deadline of its request; repeats a read without answer. */
  send<T>(request: Request, exchange: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withRequestHook(
      this.#options.hooks,
      request,
      () => this.withDeadline(request, (signal) => this.#repeat(request, exchange, signal)),
    );
  }

  /** Runs a piece of work within the timeout of a request. */
  async withDeadline<T>(
    { what, timeout = this.timeout, signal }: Request,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#closedWith) throw inContext(what, this.#closedWith);
    const limits = { what, timeout, signal, awaited: "answer", delivery: "unknown" } as const;
    return await withDeadline(this, limits, work);
  }

  /** Returns the token that the server accepted last, or gets a new one. */
  async token(signal: AbortSignal): Promise<string> {
    return this.#token ??= await getToken(this.#options.token, signal);
  }

  /** Sends an HTTP request and reads the answer. */
  async fetch<T>(
    what: string,
    url: URL,
    init: RequestInit,
    read: (response: Response) => T | Promise<T>,
  ): Promise<T> {
    try {
      // Following a redirect would hand the token to the address that it names.
      return await read(await (this.#options.fetch ?? fetch)(url, { ...init, redirect: "manual" }));
    } catch (error) {
      const cause = inBrowser
        ? error as Error
        : await explainFailure(error, url, this.clock, !this.#options.fetch && init.signal);
      const text = `Cannot ${what}: no answer from '${url.origin}': ${cause.message}`;
      throw new ConnectionError(text, "connect_failed", { delivery: "unknown", cause });
    }
  }

  /** Rejects all pending calls and waits. */
  close(): void {
    if (this.#closedWith) return;
    const error = this.#closedWith = closedError();
    for (const listener of [...this.onClose]) listener(error);
  }

  async #repeat<T>(
    request: Request,
    exchange: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { maxRetries = 3, random = Math.random, token } = this.#options;
    for (let attempt = 1, isTokenNew = false;; attempt++) {
      try {
        isTokenNew ||= this.#token === undefined;
        return await exchange(signal);
      } catch (error) {
        if (error instanceof AuthError && typeof token === "function") {
          this.#token = undefined;
          // A token that was accepted before may have expired; a new one is simply wrong.
          if (!isTokenNew) continue;
        }
        const maySendAgain = error instanceof ConnectionError && request.retry === "unknown";
        if (!maySendAgain || attempt > maxRetries) throw error;
        await pause(this, fullJitter(attempt, random()), signal);
      }
    }
  }

  async #post({ what, method, data }: Request, signal: AbortSignal): Promise<unknown> {
    const token = await this.token(signal);
    const id = String(this.#nextId++);
    const ts = new Date(this.clock.now()).toISOString();
    const head = JSON.stringify({ id, type: "request", method, token, ts }).slice(0, -1);
    const url = endpoint(this.#options.url, "/rpc");
    const { text, response } = await this.fetch(what, url, {
      method: "POST",
      // Servers accept exactly this spelling, without a charset.
      headers: { "Content-Type": "application/json" },
      body: data === undefined ? `${head}}` : `${head},"data":${data}}`,
      signal,
    }, async (response) => ({ response, text: await readAll(response) }));
    if (isTooLong(text)) throw tooLarge(what);
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      // This may be the answer of a proxy, not of the server.
    }
    const { type, data: answer, error } = Object(frame);
    if (type === "response") return answer;
    const { code, message } = Object(error);
    if (type === "error" && typeof code === "number") {
      const refusal = `Cannot ${what}: the server answered ${code} ${message}`;
      throw code === 401 ? new AuthError(refusal) : new DispatchError(refusal, code);
    }
    const { status, ok } = response;
    const why = explainAnswer(response, url) ?? "";
    const refusal = `Cannot ${what}: '${
      url.origin + url.pathname
    }' answered ${status}, not a frame${why}`;
    // The server may have carried it out, and a proxy on the way back have lost its answer.
    throw new DispatchError(refusal, ok ? "bad_answer" : status, { delivery: "unknown" });
  }
}
