import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { type Frame, FrameError, jsonCodec } from "../protocol/mod.ts";

/** A client's connection as a {@linkcode ScriptedServer} sees it. */
export interface ScriptedPeer {
  /** 0 for the server's first connection. */
  readonly index: number;
  /** Whether the client is there. */
  readonly isOpen: boolean;
  /** Every message that came, in its order; one that is no frame is only here. */
  readonly received: readonly (string | Uint8Array)[];
  /** How many events the client has granted, on top of the 1,000 that each connection begins with. */
  readonly granted: number;
  /**
   * The next message as a frame: one that came before, or the one that comes. `auth`, pings and
   * grants are not among them unless the server is `manual`.
   * @throws {PeerGoneError} When the client is gone; a script may let it pass.
   */
  next(): Promise<Frame>;
  /** Sends text and bytes as they are, anything else as JSON text. */
  send(message: unknown): void;
  /** Answers a request. */
  answer(request: Frame, data?: unknown): void;
  /** Answers a request with an error. */
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
   * Whether the script sees everything. Otherwise `auth` is answered, whatever the token, pings get
   * their pong, and grants are only counted.
   * @default {false}
   */
  manual?: boolean;
}

/** A server that does what a script says. */
export interface ScriptedServer extends AsyncDisposable {
  /** What a client connects to. */
  readonly url: string;
  /** Every connection so far, gone ones included, oldest first. */
  readonly peers: readonly ScriptedPeer[];
  /**
   * Drops every connection and stops.
   * @throws What a script threw, unless it was {@linkcode PeerGoneError}.
   */
  close(): Promise<void>;
}

/** Thrown in a script whose client is gone. */
export class PeerGoneError extends Error {
  /** Always `"peer_gone"`. */
  readonly code = "peer_gone";

  /** Says which connection is gone. */
  constructor(index: number) {
    super(`Cannot read message: connection ${index} is gone`);
    this.name = "PeerGoneError";
  }
}

/**
 * Starts a WebSocket server on a free port of 127.0.0.1 that runs a script on each connection: what
 * no right server does can be tried on a client.
 *
 * @example A server that answers twice
 * ```ts
 * import { createScriptedServer } from "@dispatch/sdk/testing";
 *
 * await using server = await createScriptedServer(async (peer) => {
 *   const request = await peer.next();
 *   peer.answer(request, {});
 *   peer.answer(request, {});
 * });
 * ```
 */
export async function createScriptedServer(
  script: (peer: ScriptedPeer) => void | Promise<void>,
  options: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
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
  readonly #manual: boolean;
  readonly #unread: Frame[] = [];
  readonly #readers: PromiseWithResolvers<Frame>[] = [];
  #nextId = 1;
  #gone = false;

  constructor(index: number, socket: WebSocket, manual: boolean) {
    this.index = index;
    this.#socket = socket;
    this.#manual = manual;
    socket.on("message", (data: Uint8Array | string, isBinary: boolean) => {
      this.#receive(
        isBinary ? new Uint8Array(data as Uint8Array) : new TextDecoder().decode(
          data as Uint8Array,
        ),
      );
    });
    // A client that drops its connection is told of by "close", too.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#gone = true;
      for (const reader of this.#readers.splice(0)) reader.reject(new PeerGoneError(index));
    });
  }

  get isOpen(): boolean {
    return !this.#gone;
  }

  next(): Promise<Frame> {
    const frame = this.#unread.shift();
    if (frame) return Promise.resolve(frame);
    if (this.#gone) return Promise.reject(new PeerGoneError(this.index));
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
    if (!this.#manual && this.#serve(frame)) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve(frame);
    else this.#unread.push(frame);
  }

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
