import type { Clock } from "../runtime/mod.ts";
import { abortable } from "./_abortable.ts";
import type { Deadlines } from "./_deadlines.ts";
import { AuthError, TimeoutError } from "./errors.ts";
import { FormatError, Link, type LinkOwner } from "./link.ts";
import type { DispatchOptions } from "./options.ts";

/** Opens links to one server, and remembers the token it took and the format it can speak. */
export class Opener {
  readonly #options: DispatchOptions;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #onFallback: (cause: Error) => void;
  #token: string | undefined;
  #format: "json" | "msgpack";

  constructor(
    options: DispatchOptions,
    clock: Clock,
    deadlines: Deadlines,
    onFallback: (cause: Error) => void,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#onFallback = onFallback;
    this.#format = options.format ?? "json";
  }

  /** Opens a link; a token that was good and is refused is asked for again, once. */
  async open(
    owner: LinkOwner,
    { pings, signal }: { pings: boolean; signal: AbortSignal },
  ): Promise<Link> {
    const asked = this.#token === undefined;
    let token = this.#token ?? await this.#askToken(signal);
    const open = () =>
      Link.open({
        url: this.#options.url as string,
        token,
        format: this.#format,
        connectTimeout: this.#options.connectTimeout ?? 10_000,
        credits: this.#options.credits ?? 100_000,
        pingInterval: pings ? this.#options.pingInterval ?? 15_000 : 0,
        pingTimeout: this.#options.pingTimeout ?? 10_000,
        clock: this.#clock,
        deadlines: this.#deadlines,
        webSocket: this.#options.webSocket ?? ((url) => new WebSocket(url)),
        owner,
        signal: signal,
      });
    try {
      return await open();
    } catch (error) {
      if (error instanceof FormatError) {
        this.#format = "json";
        this.#onFallback(error);
        return await open();
      }
      // A token that was good may have run out; one that was just made is simply bad.
      if (!(error instanceof AuthError) || asked || typeof this.#options.token === "string") {
        throw error;
      }
      token = await this.#askToken(signal);
      return await open();
    }
  }

  async #askToken(signal: AbortSignal): Promise<string> {
    const { token, connectTimeout = 10_000 } = this.#options;
    if (typeof token === "string") return this.#token = token;
    const late = new AbortController();
    const forget = this.#deadlines.add(this.#clock.now() + connectTimeout, () =>
      late.abort(
        new TimeoutError(`Cannot connect: no token within ${connectTimeout} ms`, {
          delivery: "not-sent",
        }),
      ));
    try {
      const either = AbortSignal.any([signal, late.signal]);
      return this.#token = await abortable(Promise.resolve(token()), either);
    } finally {
      forget();
    }
  }
}
