import type { Codec } from "../../protocol/codec.ts";
import { inBrowser } from "../../runtime/browser.ts";
import { abortable } from "../../runtime/abortable.ts";
import { tooLate } from "./connection_errors.ts";
import { limited } from "./with_deadline.ts";
import { part } from "../_load.ts";
import { AuthError } from "../errors.ts";
import { FormatError, Link, type LinkOwner } from "./link.ts";
import type { DispatchOptions } from "../options.ts";
import type { Session } from "../session.ts";

/** Opens links to one server, and remembers the token it took and the format it can speak. */
export class Opener {
  readonly #session: Session;
  readonly #options: DispatchOptions;
  #token: string | undefined;
  #binary: boolean;
  #codec: Codec | undefined;
  #runtime: Runtime | undefined;

  constructor(session: Session, options: DispatchOptions) {
    this.#session = session;
    this.#options = options;
    this.#binary = options.format === "msgpack";
  }

  /** Opens a link; a token that was good and is refused is asked for again, once. */
  async open(owner: LinkOwner, pings: boolean, signal: AbortSignal): Promise<Link> {
    const asked = this.#token === undefined;
    this.#token ??= await this.#askToken(signal);
    try {
      return await this.#open(owner, pings, signal);
    } catch (error) {
      if (error instanceof FormatError) {
        this.#binary = false;
        this.#session.status.emit({ type: "format_fallback", format: "json", cause: error });
      } else {
        // A token that was good may have run out; one that was just made is simply bad.
        const isOld = error instanceof AuthError && !asked;
        if (!isOld || typeof this.#options.token === "string") throw error;
        this.#token = await this.#askToken(signal);
      }
      return await this.#open(owner, pings, signal);
    }
  }

  async #open(owner: LinkOwner, pings: boolean, signal: AbortSignal): Promise<Link> {
    const {
      url,
      pingInterval = 15_000,
      pingTimeout = 10_000,
      webSocket = (url) => new WebSocket(url),
    } = this.#options;
    const { clock, deadlines } = this.#session;
    if (this.#binary) this.#codec ??= await this.#inTime("MessagePack", signal, loadMsgpack);
    // A browser has no other way to drop a socket, and so nothing to load.
    if (!inBrowser) this.#runtime ??= await this.#inTime("runtime", signal, loadRuntime);
    return await this.#inTime("answer", signal, (signal) => {
      signal.throwIfAborted();
      return Link.open({
        shown: this.#shown,
        token: this.#token!,
        binary: this.#binary ? this.#codec : undefined,
        pingInterval: pings ? pingInterval : 0,
        pingTimeout,
        clock,
        deadlines,
        socket: webSocket(url as string),
        terminate: this.#runtime?.terminate ?? ((socket) => socket.close()),
        owner,
      }, signal);
    });
  }

  async #askToken(signal: AbortSignal): Promise<string> {
    const { token } = this.#options;
    if (typeof token === "string") return token;
    return await this.#inTime(
      "token",
      signal,
      (signal) => abortable(Promise.resolve(token()), signal),
    );
  }

  /** Does what a connection cannot be made without, as long as it may take. */
  #inTime<T>(
    what: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { connectTimeout = 10_000 } = this.#options;
    const at = this.#session.clock.now() + connectTimeout;
    const late = () =>
      tooLate(`connect to '${this.#shown}'`, `no ${what} within ${connectTimeout} ms`);
    return limited(this.#session, { what: "connect", at, late, signal }, work);
  }

  /** The address as it may be shown: without user, password and query. */
  get #shown(): string {
    const { protocol, host, pathname } = new URL(this.#options.url);
    return `${protocol}//${host}${pathname}`;
  }
}

/** What a runtime that is no browser can do with a socket. */
type Runtime = typeof import("../../runtime/terminate.ts");

async function loadRuntime(signal: AbortSignal): Promise<Runtime> {
  const runtime = await part("connect", import("../../runtime/terminate.ts"), signal);
  runtime.observeSockets();
  return runtime;
}

async function loadMsgpack(signal: AbortSignal): Promise<Codec> {
  const { loadMsgpackCodec } = await part("connect", import("../_msgpack.ts"), signal);
  return await part("connect", loadMsgpackCodec(), signal);
}
