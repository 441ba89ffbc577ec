import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock, type TimerHandle } from "../runtime/mod.ts";
import { FrameCounter } from "./proxy_frames.ts";

/** Which way bytes go through a proxy. */
export type Direction = "toServer" | "toClient";

/**
 * How a connection is cut: `"fin"` as by a process that ends, `"reset"` as by one that is killed
 * with unread data, or by a router that forgot the connection. Neither sends a close frame.
 */
export type CutKind = "fin" | "reset";

/** When {@linkcode ProxyConnection.cutAfter} cuts. */
export interface CutLimit {
  /** After so many more bytes; what is left of the last chunk is not forwarded. */
  bytes?: number;
  /** After so many more whole WebSocket frames, the handshake not counted. */
  frames?: number;
  /**
   * In which direction they are counted.
   * @default {"toClient"}
   */
  direction?: Direction;
  /**
   * How to cut. A reset may take the last bytes with it.
   * @default {"fin"}
   */
  how?: CutKind;
}

/** One connection through a {@linkcode FaultProxy}. */
export interface ProxyConnection {
  /** 0 for the proxy's first connection. */
  readonly index: number;
  /** Whether it was not cut and neither side has closed it. */
  readonly isOpen: boolean;
  /** How many bytes came, forwarded or not. */
  readonly received: Readonly<Record<Direction, number>>;
  /** How many bytes were forwarded. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** How many whole WebSocket frames were forwarded, control frames included. */
  readonly frames: Readonly<Record<Direction, number>>;
  /** Cuts both sides. */
  cut(how?: CutKind): void;
  /** Cuts both sides as soon as so much more was forwarded. */
  cutAfter(limit: CutLimit): void;
  /**
   * Stops forwarding, silently: the socket stays open and takes bytes, as when a cable was pulled.
   * What comes meanwhile waits for {@linkcode ProxyConnection.release}.
   */
  hold(direction?: Direction): void;
  /** Forwards what was held, and goes on. */
  release(direction?: Direction): void;
  /** Forwards everything so many milliseconds later; what is on its way keeps its time. */
  delay(ms: number, direction?: Direction): void;
}

/** Settings of {@linkcode createFaultProxy}. */
export interface FaultProxyOptions {
  /** Where the server is: `ws://host:port/path`. */
  target: string | URL;
  /** Called with each new connection before anything is forwarded, to set its faults. */
  onConnection?: (connection: ProxyConnection) => void;
  /**
   * Where the time of `delay` comes from.
   * @default {the machine's clock}
   */
  clock?: Clock;
}

/** A proxy between a client and a server whose faults are set while it runs. */
export interface FaultProxy extends AsyncDisposable {
  /** What a client connects to: the target's address with the proxy's host and port. */
  readonly url: string;
  /** The connections that are open, oldest first. */
  readonly connections: readonly ProxyConnection[];
  /** How many connections were accepted so far. */
  readonly accepted: number;
  /** Cuts every connection. */
  cut(how?: CutKind): void;
  /** Stops listening: whoever connects is refused. Open connections go on. */
  refuse(): Promise<void>;
  /** Accepts new connections and never says a word on them. Open connections go on. */
  silence(): Promise<void>;
  /** Forwards new connections again. */
  forward(): Promise<void>;
  /** Leads new connections to another server. */
  retarget(target: string | URL): void;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts a TCP proxy on a free port of 127.0.0.1 that can cut, hold, delay, refuse and ignore
 * connections.
 *
 * @example A client that survives a cut
 * ```ts
 * import { Dispatch } from "@dispatch/sdk";
 * import { createFaultProxy } from "@dispatch/sdk/testing";
 *
 * async function survivesACut(target: string) {
 *   await using proxy = await createFaultProxy({ target });
 *   await using client = await Dispatch.connect({ url: proxy.url, token: "demo-token" });
 *   proxy.cut();
 *   return await client.stats();
 * }
 * ```
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new TcpProxy(options);
  await proxy.forward();
  return proxy;
}

class TcpProxy implements FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #open = new Set<Connection>();
  readonly #clock: Clock;
  #target: URL;
  #server: Server | undefined;
  #port = 0;
  #silent = false;
  #accepted = 0;

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#target = targetOf(options.target);
  }

  get url(): string {
    const url = new URL(this.#target);
    url.hostname = "127.0.0.1";
    url.port = String(this.#port);
    return url.href;
  }

  get connections(): readonly ProxyConnection[] {
    return [...this.#open];
  }

  get accepted(): number {
    return this.#accepted;
  }

  cut(how?: CutKind): void {
    for (const connection of [...this.#open]) connection.cut(how);
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    // Its callback waits for the open connections, which go on; that it listens no more is at once.
    server.close();
    await Promise.resolve();
  }

  async silence(): Promise<void> {
    this.#silent = true;
    await this.#listen();
  }

  async forward(): Promise<void> {
    this.#silent = false;
    await this.#listen();
  }

  retarget(target: string | URL): void {
    this.#target = targetOf(target);
  }

  async close(): Promise<void> {
    await this.refuse();
    await Promise.all([...this.#open].map((connection) => {
      connection.cut("reset");
      return connection.gone;
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (s) => this.#accept(s));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", () => resolve());
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  #accept(client: Socket): void {
    const { hostname, port } = this.#target;
    const connection = new Connection(this.#accepted++, client, this.#clock);
    this.#open.add(connection);
    connection.gone.then(() => this.#open.delete(connection));
    this.#options.onConnection?.(connection);
    if (!this.#silent && connection.isOpen) {
      connection.to(
        connect({ host: hostname, port: Number(port || 80), allowHalfOpen: true, noDelay: true }),
      );
    }
  }
}

class Connection implements ProxyConnection {
  readonly index: number;
  readonly #client: Socket;
  readonly #clock: Clock;
  readonly #pipes: Record<Direction, Pipe>;
  readonly #gone: PromiseWithResolvers<void> = Promise.withResolvers();
  #server: Socket | undefined;
  #left: number;
  #cut = false;

  constructor(index: number, client: Socket, clock: Clock) {
    this.index = index;
    this.#client = client;
    this.#clock = clock;
    const cut = (how: CutKind) => this.cut(how);
    this.#pipes = { toServer: new Pipe(clock, cut), toClient: new Pipe(clock, cut) };
    this.#left = 1;
    this.#read(client, this.#pipes.toServer);
  }

  get isOpen(): boolean {
    return !this.#cut && this.#left > 0;
  }

  get received(): Readonly<Record<Direction, number>> {
    const { toServer, toClient } = this.#pipes;
    return { toServer: toServer.received, toClient: toClient.received };
  }

  get bytes(): Readonly<Record<Direction, number>> {
    const { toServer, toClient } = this.#pipes;
    return { toServer: toServer.bytes, toClient: toClient.bytes };
  }

  get frames(): Readonly<Record<Direction, number>> {
    const { toServer, toClient } = this.#pipes;
    return { toServer: toServer.frames, toClient: toClient.frames };
  }

  /** Resolves when both sockets are closed. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Begins to forward. */
  to(server: Socket): void {
    this.#left++;
    this.#server = server;
    this.#read(server, this.#pipes.toClient);
    this.#pipes.toClient.to(this.#client);
    this.#pipes.toServer.to(server);
  }

  cut(how: CutKind = "fin"): void {
    if (this.#cut) return;
    this.#cut = true;
    for (const pipe of Object.values(this.#pipes)) pipe.stop();
    for (const socket of [this.#client, this.#server]) {
      if (!socket || socket.destroyed) continue;
      if (how === "reset") socket.resetAndDestroy();
      else socket.end(() => socket.destroy());
    }
  }

  cutAfter({ direction = "toClient", ...limit }: CutLimit): void {
    this.#pipes[direction].limit(limit);
  }

  hold(direction?: Direction): void {
    for (const pipe of this.#which(direction)) pipe.hold();
  }

  release(direction?: Direction): void {
    for (const pipe of this.#which(direction)) pipe.release();
  }

  delay(ms: number, direction?: Direction): void {
    for (const pipe of this.#which(direction)) pipe.delay = ms;
  }

  #which(direction?: Direction): Pipe[] {
    return direction ? [this.#pipes[direction]] : Object.values(this.#pipes);
  }

  #read(socket: Socket, pipe: Pipe): void {
    socket.on("data", (chunk: Uint8Array) => pipe.push(chunk));
    socket.on("end", () => {
      pipe.push(undefined);
      // With nobody on the other side there is nobody else to end it.
      if (!this.#server) socket.end();
    });
    // A peer that resets is told of by "close", too.
    socket.on("error", () => {});
    socket.on("close", () => {
      pipe.push(undefined);
      if (--this.#left > 0) return;
      for (const each of Object.values(this.#pipes)) each.stop();
      this.#gone.resolve();
    });
  }
}

const NO_LIMIT = { bytes: Infinity, frames: Infinity, how: "fin" } as const;

/** One direction of a connection: what came and was not forwarded yet. */
class Pipe {
  readonly #clock: Clock;
  readonly #cut: (how: CutKind) => void;
  readonly #counter = new FrameCounter();
  /** Chunks in their order, the end as `undefined`, and when each is due. */
  readonly #queue: { due: number; chunk: Uint8Array | undefined }[] = [];
  #target: Socket | undefined;
  #held = false;
  #stopped = false;
  #ended = false;
  #timer: TimerHandle;
  #limit: { bytes: number; frames: number; how: CutKind } = NO_LIMIT;
  received = 0;
  bytes = 0;
  delay = 0;

  constructor(clock: Clock, cut: (how: CutKind) => void) {
    this.#clock = clock;
    this.#cut = cut;
  }

  get frames(): number {
    return this.#counter.frames;
  }

  to(target: Socket): void {
    this.#target = target;
    this.#flush();
  }

  push(chunk: Uint8Array | undefined): void {
    if (this.#stopped || this.#ended) return;
    this.#ended = chunk === undefined;
    this.received += chunk?.length ?? 0;
    this.#queue.push({ due: this.#clock.now() + this.delay, chunk });
    if (this.#queue.length === 1) this.#flush();
  }

  hold(): void {
    this.#held = true;
    this.#clock.clearTimeout(this.#timer);
  }

  release(): void {
    this.#held = false;
    this.#flush();
  }

  limit({ bytes = Infinity, frames = Infinity, how = "fin" }: Omit<CutLimit, "direction">): void {
    this.#limit = { bytes: this.bytes + bytes, frames: this.frames + frames, how };
  }

  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#clock.clearTimeout(this.#timer);
  }

  #flush(): void {
    while (!this.#stopped && !this.#held && this.#target) {
      const [head] = this.#queue;
      if (!head) return;
      const wait = head.due - this.#clock.now();
      if (wait > 0) {
        this.#clock.clearTimeout(this.#timer);
        this.#timer = this.#clock.setTimeout(() => this.#flush(), wait);
        return;
      }
      this.#queue.shift();
      if (head.chunk === undefined) return void this.#target.end();
      this.#write(head.chunk);
    }
  }

  #write(chunk: Uint8Array): void {
    const { bytes, frames, how } = this.#limit;
    const end = Math.min(
      bytes - this.bytes,
      this.#counter.count(chunk.subarray(0, bytes - this.bytes), frames) ?? Infinity,
    );
    const part = end < chunk.length ? chunk.subarray(0, end) : chunk;
    this.bytes += part.length;
    if (part.length > 0) this.#target!.write(part);
    if (this.bytes >= bytes || this.frames >= frames) this.#cut(how);
  }
}

function targetOf(target: string | URL): URL {
  const url = new URL(target);
  if (url.protocol !== "ws:" && url.protocol !== "http:") {
    throw new TypeError(`Cannot proxy '${url.protocol}': only ws: and http:, without TLS`);
  }
  return url;
}
