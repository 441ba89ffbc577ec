import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { checkArgument, checkOptions } from "../dev/options_error.ts";
import { aFunction } from "../runtime/check_options.ts";
import { SCRIPTED_SERVER_RULES } from "./_option_rules.ts";
import { type Frame, FrameError, jsonCodec } from "../protocol/mod.ts";

/** A client's connection to a {@linkcode ScriptedServer}. */
export interface ScriptedPeer {
  /** 0 for the server's first connection. */
  readonly index: number;
  /** Whether the connection is open. */
  readonly isOpen: boolean;
  /** Every message received, in order, including those that are not frames. */
  readonly received: readonly (string | Uint8Array)[];
  /**
   * How many credits the client has granted, beyond the 1,000 that every connection starts with.
   */
  readonly granted: number;
  /**
   * Returns the next frame, waiting for it if necessary. `auth`, pings and grants of credits are
   * left out unless the server is `manual`.
   * @throws {PeerGoneError} If the connection has ended. A script need not catch it.
   */
  next(): Promise<Frame>;
  /** Sends a message: text or bytes as they are, anything else as JSON. */
  send(message: unknown): void;
  /** Sends a response to a request. */
  answer(request: Frame, data?: unknown): void;
  /** Sends an error in response to a request. */
  refuse(request: Frame, code: number, message: string): void;
  /** Sends an event. */
  publish(type: string, topic: string, data: Record<string, unknown>): void;
  /** Drops the connection without a close frame. */
  drop(): void;
  /** Closes the connection with a close frame. */
  close(code?: number, reason?: string): void;
}

/** Settings of {@linkcode createScriptedServer}. */
export interface ScriptedServerOptions {
  /**
   * Whether the script handles every frame. Otherwise the server accepts `auth` with any token,
   * answers pings, and counts grants of credits.
   * @default {false}
   */
  manual?: boolean;
}

/** A server that runs a script on each connection. */
export interface ScriptedServer extends AsyncDisposable {
  /** The address for clients. */
  readonly url: string;
  /** Every connection so far, oldest first, including those that have ended. */
  readonly peers: readonly ScriptedPeer[];
  /**
   * Drops every connection and stops the server.
   * @throws {unknown} The error that a script threw, unless it was {@linkcode PeerGoneError}.
   */
  close(): Promise<void>;
}

/**
 * Thrown by {@linkcode ScriptedPeer.next} when the connection has ended.
 *
 * @example
 * ```ts
 * import { createScriptedServer, PeerGoneError } from "@dispatch/sdk/testing";
 *
 * await using server = await createScriptedServer(async (peer) => {
 *   try {
 *     for (;;) peer.answer(await peer.next());
 *   } catch (error) {
 *     if (!(error instanceof PeerGoneError)) throw error;
 *   }
 * });
 * ```
 */
export class PeerGoneError extends Error {
  /** Always `"peer_gone"`. */
  readonly code = "peer_gone";

  /** Creates an error for the connection with this index. */
  constructor(index: number) {
    super(`Cannot read message: connection ${index} has ended`);
    this.name = "PeerGoneError";
  }
}

/**
 * Starts a WebSocket server on a free port of 127.0.0.1 that runs a script on each connection. Use
 * it to test a client against a server that violates the protocol.
 *
 * @example Answer every request twice
 * ```ts
 * import { createScriptedServer } from "@dispatch/sdk/testing";
 *
 * await using server = await createScriptedServer(async (peer) => {
 *   const request = await peer.next();
 *   peer.answer(request, {});
 *   peer.answer(request, {});
 * });
 * ```
 *
 * @throws {OptionsError} If an argument or option is not valid.
 */
export async function createScriptedServer(
  script: (peer: ScriptedPeer) => void | Promise<void>,
  options: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  checkArgument("create scripted server", "script", script, aFunction);
  checkOptions("create scripted server", options, SCRIPTED_SERVER_RULES);
  const http: Server = createServer((_request, response) => {
    response.statusCode = 404;
    response.end();
  });
  const sockets = new WebSocketServer({ server: http });
  const peers: Peer[] = [];
  const failures: unknown[] = [];
  sockets.on("connection", (socket: WebSocket) => {
    const peer = new Peer(peers.length, socket, options.manual ?? false);
    peers.push(peer);
    new Promise<void>((resolve) => resolve(script(peer))).catch((error) => {
      if (!(error instanceof PeerGoneError)) failures.push(error);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    for (const peer of peers) peer.drop();
    sockets.close();
    await new Promise<void>((resolve) => http.close(() => resolve()));
    if (failures.length > 0) throw failures[0];
  };
  const closeOnce = (): Promise<void> => closing ??= close();
  return {
    url: `ws://127.0.0.1:${port}/dwp`,
    peers,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

class Peer implements ScriptedPeer {
  readonly index: number;
  readonly received: (string | Uint8Array)[] = [];
  granted = 0;
  readonly #socket: WebSocket;
  readonly #isManual: boolean;
  readonly #unread: Frame[] = [];
  readonly #readers: PromiseWithResolvers<Frame>[] = [];
  #nextId = 1;
  #isClosed = false;

  constructor(index: number, socket: WebSocket, manual: boolean) {
    this.index = index;
    this.#socket = socket;
    this.#isManual = manual;
    socket.on("message", (data: Uint8Array | string, isBinary: boolean) => {
      this.#receive(
        isBinary ? new Uint8Array(data as Uint8Array) : new TextDecoder().decode(
          data as Uint8Array,
        ),
      );
    });
    // The "close" event that follows is handled.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      for (const reader of this.#readers.splice(0)) reader.reject(new PeerGoneError(index));
    });
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  next(): Promise<Frame> {
    const frame = this.#unread.shift();
    if (frame) return Promise.resolve(frame);
    if (this.#isClosed) return Promise.reject(new PeerGoneError(this.index));
    const reader = Promise.withResolvers<Frame>();
    this.#readers.push(reader);
    return reader.promise;
  }

  send(message: unknown): void {
    const raw = typeof message === "string" || message instanceof Uint8Array;
    this.#socket.send(raw ? message : JSON.stringify(message));
  }

  answer({ id }: Frame, data: unknown = {}): void {
    this.send({ ...this.#head("response"), correl_id: id, data });
  }

  refuse({ id }: Frame, code: number, message: string): void {
    this.send({ ...this.#head("error"), correl_id: id, error: { code, message } });
  }

  publish(type: string, topic: string, data: Record<string, unknown>): void {
    const head = this.#head("event");
    this.send({ ...head, channel: topic, data: { type, ts: head.ts, topic, data } });
  }

  drop(): void {
    this.#socket.terminate();
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  #head(type: string): { id: string; type: string; ts: string } {
    return { id: `s${this.#nextId++}`, type, ts: new Date().toISOString() };
  }

  #receive(message: string | Uint8Array): void {
    this.received.push(message);
    let frame: Frame;
    try {
      frame = jsonCodec.decode(message);
    } catch (error) {
      if (error instanceof FrameError) return;
      throw error;
    }
    if (!this.#isManual && this.#serve(frame)) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve(frame);
    else this.#unread.push(frame);
  }

  /** Handles a frame in place of the script; returns whether it did. */
  #serve(frame: Frame): boolean {
    if (frame.method === "auth") {
      this.answer(frame, { format: "json", session_id: `scripted_${this.index}` });
    } else if (frame.type === "ping") {
      this.send({ ...this.#head("pong"), correl_id: frame.id, ts: frame.ts });
    } else if (frame.credits !== undefined && frame.credits > 0) this.granted += frame.credits;
    else return false;
    return true;
  }
}
