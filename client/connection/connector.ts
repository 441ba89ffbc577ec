import type { Codec } from "../../protocol/codec.ts";
import { loadMsgpackCodec } from "../../protocol/msgpack.ts";
import { inBrowser } from "../../runtime/browser.ts";
import { observeSockets } from "../../runtime/terminate.ts";
import { explainFailure } from "../../runtime/explain.ts";
import { AuthError, closedError, ConnectionError, DispatchError } from "../errors.ts";
import { type DispatchOptions, getToken } from "../options.ts";
import type { Deadlines } from "./deadlines.ts";
import { FormatError, Link } from "./link.ts";
import type { LinkOwner } from "./link_options.ts";
import type { Transport } from "./transport.ts";
import { withDeadline } from "./with_deadline.ts";

/** What a connector needs from its session. */
export interface ConnectorHost extends Pick<Transport, "clock" | "onClose" | "deadline"> {
  readonly deadlines: Deadlines;
  /** The server does not support MessagePack; later links use JSON. */
  onFormatFallback(cause: Error): void;
}

/** Opens links to one server; remembers the token that it accepted and the format it supports. */
export class Connector {
  readonly #host: ConnectorHost;
  readonly #options: DispatchOptions;
  #token: string | undefined;
  #useMsgpack: boolean;
  #codec: Codec | undefined;
  readonly #url: URL;

  constructor(host: ConnectorHost, options: DispatchOptions) {
    this.#host = host;
    this.#options = options;
    this.#url = new URL(options.url);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#url.hash = "";
    this.#useMsgpack = options.format === "msgpack";
  }

  /**
   * Opens a link. If the server refuses a token that it accepted before, gets a new one once.
   * @param accepted The token that the server accepted before; nothing if the token is new.
   */
  async open(
    owner: LinkOwner,
    pings: boolean,
    signal: AbortSignal,
    accepted: string = this.#token ?? "",
  ): Promise<Link> {
    this.#token ??= await this.#inTime(
      "token",
      signal,
      (either) => getToken(this.#options.token, either),
    );
    try {
      return await this.#openLink(owner, pings, signal);
    } catch (error) {
      if (error instanceof FormatError) {
        this.#useMsgpack = false;
        this.#host.onFormatFallback(error);
      } else if (error instanceof AuthError) {
        this.#token = undefined;
        // A token that was accepted before may have expired; a new one is simply wrong.
        if (!accepted || typeof this.#options.token === "string") throw error;
        accepted = "";
      } else throw error;
      return await this.open(owner, pings, signal, accepted);
    }
  }

  async #openLink(owner: LinkOwner, pings: boolean, signal: AbortSignal): Promise<Link> {
    const {
      pingInterval = 15_000,
      pingTimeout = 10_000,
      webSocket = (url) => new WebSocket(url),
    } = this.#options;
    const { clock, deadlines } = this.#host;
    const binary = this.#useMsgpack
      ? this.#codec ??= await this.#inTime("MessagePack codec", signal, loadCodec)
      : undefined;
    const open = async (either: AbortSignal) => {
      try {
        either.throwIfAborted();
        observeSockets();
        return await Link.open({
          displayUrl: this.#displayUrl,
          token: this.#token!,
          binary,
          pingInterval: pings ? pingInterval : 0,
          pingTimeout,
          clock,
          deadlines,
          socket: webSocket(this.#url.href),
          owner,
        }, either);
      } catch (error) {
        if (error instanceof DispatchError || either.aborted) throw error;
        // The control link has just reached the same server, so lanes do not ask it why connecting
        // failed.
        const cause = inBrowser ? error as Error : await explainFailure(
          error,
          this.#url,
          clock,
          pings && !this.#options.webSocket && either,
        );
        const text = `Cannot connect to '${this.#displayUrl}': ${cause.message}`;
        throw new ConnectionError(text, "connect_failed", { cause });
      }
    };
    return await this.#inTime("answer", signal, (either) => {
      const opening = open(either);
      // Nobody takes a link that opens in the turn in which the signal aborts.
      opening.then((link) => {
        if (either.aborted) void link.close(closedError(), true);
      }, () => {});
      return opening;
    });
  }

  /** Runs one step of connecting within `connectTimeout`. */
  #inTime<T>(
    awaited: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { connectTimeout: timeout = 10_000 } = this.#options;
    const what = `connect to '${this.#displayUrl}'`;
    return withDeadline(this.#host, { what, timeout, awaited, signal }, work);
  }

  /** The address without user, password and query, which may be secret. */
  get #displayUrl(): string {
    const { origin, pathname } = this.#url;
    return origin + pathname;
  }
}

async function loadCodec(): Promise<Codec> {
  try {
    return await loadMsgpackCodec();
  } catch (cause) {
    throw new ConnectionError("Cannot load '@msgpack/msgpack'", "connect_failed", { cause });
  }
}
