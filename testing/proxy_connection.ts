import type { Socket } from "node:net";
import { type Clock, monotonicNow, type TimerHandle } from "../runtime/mod.ts";
import { checkArgument, checkOptions } from "../dev/options_error.ts";
import { optional } from "../runtime/check_options.ts";
import { aDirection, CUT_LIMIT_RULES, cutKind, delayMs } from "./_option_rules.ts";
import { FrameCounter } from "./_frame_counter.ts";

/** A direction through a proxy. */
export type Direction = "toServer" | "toClient";

/**
 * How to cut a connection: `"fin"` like a process that exits, `"reset"` like a process that is killed
 * with unread data, or a router that has lost track of the connection. Neither sends a close frame.
 */
export type CutKind = "fin" | "reset";

/** When {@linkcode ProxyConnection.cutAfter} cuts a connection. */
export interface CutLimit {
  /** After this many more bytes. Later bytes of the same chunk are not forwarded. */
  bytes?: number;
  /** After this many more whole WebSocket frames, not counting the handshake. */
  frames?: number;
  /**
   * The direction in which to count.
   * @default {"toClient"}
   */
  direction?: Direction;
  /**
   * How to cut. A reset may lose the last bytes.
   * @default {"fin"}
   */
  how?: CutKind;
}

/** One connection through a {@linkcode FaultProxy}. */
export interface ProxyConnection {
  /** 0 for the proxy's first connection. */
  readonly index: number;
  /** Whether the connection was neither cut nor closed. */
  readonly isOpen: boolean;
  /** How many bytes were received, forwarded or not. */
  readonly received: Readonly<Record<Direction, number>>;
  /** How many bytes were forwarded. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** How many whole WebSocket frames were forwarded, control frames included. */
  readonly frames: Readonly<Record<Direction, number>>;
  /** Cuts the connection on both sides. */
  cut(how?: CutKind): void;
  /** Cuts the connection on both sides once it has forwarded this much more. */
  cutAfter(limit: CutLimit): void;
  /**
   * Stops forwarding and keeps the sockets open, as when a cable is unplugged. Bytes that are
   * received wait for {@linkcode ProxyConnection.release}.
   */
  hold(direction?: Direction): void;
  /** Forwards the held bytes, and forwards normally again. */
  release(direction?: Direction): void;
  /** Delays bytes by `ms`. Bytes that were received before keep their delay. */
  delay(ms: number, direction?: Direction): void;
}

/**
 * A TCP connection through a proxy.
 *
 * @internal
 */
export class TcpConnection implements ProxyConnection {
  readonly index: number;
  readonly #client: Socket;
  readonly #pipes: Record<Direction, Pipe>;
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers();
  #server: Socket | undefined;
  /** How many sockets are open. */
  #openSockets = 1;
  #isCut = false;

  constructor(index: number, client: Socket, clock: Clock) {
    this.index = index;
    this.#client = client;
    const cut = (how: CutKind) => this.cut(how);
    this.#pipes = { toServer: new Pipe(clock, cut), toClient: new Pipe(clock, cut) };
    this.#read(client, this.#pipes.toServer);
  }

  get isOpen(): boolean {
    return !this.#isCut && this.#openSockets > 0;
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

  /** Resolves when both sockets have closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Starts forwarding. */
  forwardTo(server: Socket): void {
    this.#openSockets++;
    this.#server = server;
    this.#read(server, this.#pipes.toClient);
    this.#pipes.toClient.writeTo(this.#client);
    this.#pipes.toServer.writeTo(server);
  }

  cut(how: CutKind = "fin"): void {
    checkArgument("cut connection", "kind of cut", how, cutKind);
    if (this.#isCut) return;
    this.#isCut = true;
    for (const pipe of Object.values(this.#pipes)) pipe.stop();
    for (const socket of [this.#client, this.#server]) {
      if (!socket || socket.destroyed) continue;
      if (how === "fin") socket.end(() => socket.destroy());
      // Node cannot reset a socket that is sending its end, and then never says that it has closed.
      else if (socket.writableEnded && !socket.writableFinished) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  cutAfter(options: CutLimit): void {
    checkOptions("cut connection", options, CUT_LIMIT_RULES);
    const { direction = "toClient", ...limit } = options;
    this.#pipes[direction].limit(limit);
  }

  hold(direction?: Direction): void {
    for (const pipe of this.#pipesOf(direction)) pipe.hold();
  }

  release(direction?: Direction): void {
    for (const pipe of this.#pipesOf(direction)) pipe.release();
  }

  delay(ms: number, direction?: Direction): void {
    checkArgument("delay connection", "delay", ms, delayMs);
    for (const pipe of this.#pipesOf(direction)) pipe.delay = ms;
  }

  #pipesOf(direction?: Direction): Pipe[] {
    checkArgument("change connection", "direction", direction, optional(aDirection));
    return direction ? [this.#pipes[direction]] : Object.values(this.#pipes);
  }

  #read(socket: Socket, pipe: Pipe): void {
    socket.on("data", (chunk: Uint8Array) => pipe.push(chunk));
    socket.on("end", () => {
      pipe.push(undefined);
      // Without a connection to the target, nothing else ends this socket.
      if (!this.#server) socket.end();
    });
    // The "close" event that follows is handled.
    socket.on("error", () => {});
    socket.on("close", () => {
      pipe.push(undefined);
      if (--this.#openSockets > 0) return;
      for (const each of Object.values(this.#pipes)) each.stop();
      this.#closed.resolve();
    });
  }
}

const NO_LIMIT = { bytes: Infinity, frames: Infinity, how: "fin" } as const;

/** One direction of a connection: holds the bytes that were not forwarded yet. */
class Pipe {
  readonly #clock: Clock;
  readonly #cut: (how: CutKind) => void;
  readonly #counter = new FrameCounter();
  /** The chunks and when each is due; `undefined` is the end of the stream. */
  readonly #queue: { due: number; chunk: Uint8Array | undefined }[] = [];
  #target: Socket | undefined;
  #isHeld = false;
  #isStopped = false;
  #hasEnded = false;
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

  writeTo(target: Socket): void {
    this.#target = target;
    this.#flush();
  }

  push(chunk: Uint8Array | undefined): void {
    if (this.#isStopped || this.#hasEnded) return;
    this.#hasEnded = chunk === undefined;
    this.received += chunk?.length ?? 0;
    this.#queue.push({ due: monotonicNow(this.#clock) + this.delay, chunk });
    if (this.#queue.length === 1) this.#flush();
  }

  hold(): void {
    this.#isHeld = true;
    this.#clock.clearTimeout(this.#timer);
  }

  release(): void {
    this.#isHeld = false;
    this.#flush();
  }

  limit({ bytes = Infinity, frames = Infinity, how = "fin" }: Omit<CutLimit, "direction">): void {
    this.#limit = { bytes: this.bytes + bytes, frames: this.frames + frames, how };
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue.length = 0;
    this.#clock.clearTimeout(this.#timer);
  }

  #flush(): void {
    while (!this.#isStopped && !this.#isHeld && this.#target) {
      const [head] = this.#queue;
      if (!head) return;
      const wait = head.due - monotonicNow(this.#clock);
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
