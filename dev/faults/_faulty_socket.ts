import type { Timers } from "../engine/timers.ts";
import type { ServerSocket, SocketHandler } from "../listen/socket.ts";
import type { FaultAction } from "./fault.ts";

type Message = string | Uint8Array<ArrayBuffer>;
type Direction = "in" | "out";

/** The parts of a frame that conditions refer to. */
export interface FrameParts {
  method?: string;
  type?: string;
  event?: string;
}

/** A frame on its way through a connection, or a connection that is about to open. */
export interface FaultTarget {
  socket: FaultySocket | undefined;
  connection: number;
  direction?: Direction;
  /** Parses the frame. Called only if a condition needs it. */
  parts?: () => FrameParts;
}

/** Decides which frames are faulty. */
export interface FaultInjector {
  /** Whether there are no faults, so that frames need not be looked at. */
  readonly isEmpty: boolean;
  /** Returns the fault that happens to a frame, if any. */
  faultFor(target: FaultTarget): { action: FaultAction; ms: number } | undefined;
}

/** One direction of a connection. Frames pass in order, except those that a fault holds back. */
class FrameQueue {
  readonly #pass: (message: Message) => void;
  readonly #timers: Timers;
  readonly #delayed: Message[] = [];
  #isDelaying = false;
  #held: { message: Message; clearTimer: () => void } | undefined;

  constructor(timers: Timers, pass: (message: Message) => void) {
    this.#timers = timers;
    this.#pass = pass;
  }

  send(message: Message): void {
    if (this.#isDelaying) this.#delayed.push(message);
    else this.#pass(message);
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    held.clearTimer();
    this.send(held.message);
  }

  /** Delays a frame and those behind it. */
  delay(message: Message, ms: number): void {
    this.#delayed.push(message);
    if (this.#isDelaying) return;
    this.#isDelaying = true;
    this.#timers.set(() => {
      this.#isDelaying = false;
      for (const delayed of this.#delayed.splice(0)) this.#pass(delayed);
    }, ms);
  }

  /** Holds a frame until the next one has passed, or for `ms`. */
  hold(message: Message, ms: number): void {
    if (this.#held) return this.send(message);
    const clearTimer = this.#timers.set(() => {
      this.#held = undefined;
      this.send(message);
    }, ms);
    this.#held = { message, clearTimer };
  }
}

/** Wraps a socket and injects faults into the frames that pass. */
export class FaultySocket implements ServerSocket {
  readonly connection: number;
  frames = 0;
  /** The token that the client authenticated with. */
  token: string | undefined;
  sessionId: string | undefined;
  readonly #socket: ServerSocket;
  readonly #injector: FaultInjector;
  readonly #queues: Record<Direction, FrameQueue>;
  /** The methods of requests by their ids, to know the method that a response belongs to. */
  readonly #methods = new Map<string, string>();
  #handler: SocketHandler | undefined;
  #isMuted = false;

  constructor(socket: ServerSocket, injector: FaultInjector, timers: Timers, connection: number) {
    this.#socket = socket;
    this.#injector = injector;
    this.connection = connection;
    this.#queues = {
      in: new FrameQueue(timers, (message) => this.#handler?.message(message)),
      out: new FrameQueue(timers, (message) => this.#socket.send(message)),
    };
  }

  /** Wraps the handler of incoming messages. */
  wrapHandler(handler: SocketHandler, onClose: () => void): SocketHandler {
    this.#handler = handler;
    return {
      message: (message) => this.#carry("in", message as Message),
      closed: () => {
        onClose();
        handler.closed();
      },
    };
  }

  send(message: Message): void {
    this.#carry("out", message);
  }

  buffered(): number {
    return this.#socket.buffered();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  drop(): void {
    this.#socket.drop();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Drops the connection at once, without a close frame. */
  cut(): void {
    this.#isMuted = true;
    this.#socket.terminate();
  }

  /** Stops all frames and leaves the connection open. */
  mute(): void {
    this.#isMuted = true;
  }

  #carry(direction: Direction, message: Message): void {
    this.frames++;
    if (this.token === undefined || this.sessionId === undefined) this.#readIdentity(message);
    if (this.#isMuted) return;
    const queue = this.#queues[direction];
    if (this.#injector.isEmpty) return queue.send(message);
    if (direction === "in") this.#recordMethod(message);
    const fault = this.#injector.faultFor({
      socket: this,
      connection: this.connection,
      direction,
      parts: () => this.#partsOf(message),
    });
    if (fault) this.#inject(fault, queue, message);
    else queue.send(message);
  }

  #inject(
    { action, ms }: { action: FaultAction; ms: number },
    queue: FrameQueue,
    message: Message,
  ): void {
    switch (action) {
      case "refuse":
        return queue.send(message);
      case "drop":
        return;
      case "delay":
        return queue.delay(message, ms);
      case "duplicate":
        queue.send(message);
        return queue.send(message);
      case "reorder":
        return queue.hold(message, ms);
      case "malformed":
        return queue.send(message.slice(0, message.length >> 1) as Message);
      case "half-open":
        return this.mute();
      case "cut":
      case "restart":
      case "expire-token":
        return this.cut();
    }
  }

  /** Takes the token and the session id from the first frames. */
  #readIdentity(message: Message): void {
    const frame = parseFrame(message);
    const data = frame?.data as { token?: unknown; session_id?: unknown } | undefined;
    const token = data?.token ?? frame?.token;
    if (frame?.method === "auth" && typeof token === "string") this.token = token;
    if (typeof data?.session_id === "string") this.sessionId = data.session_id;
  }

  #recordMethod(message: Message): void {
    const frame = parseFrame(message);
    if (typeof frame?.id === "string" && typeof frame.method === "string") {
      this.#methods.set(frame.id, frame.method);
    }
  }

  #partsOf(message: Message): FrameParts {
    const { type, data, correl_id, method } = parseFrame(message) ?? {};
    const requested = this.#methods.get(String(correl_id));
    return {
      method: (method ?? requested) as string | undefined,
      type: type as string | undefined,
      event: type === "event" ? (data as { type?: string } | undefined)?.type : undefined,
    };
  }
}

/** Parses a text frame; returns `undefined` if it is not JSON. */
function parseFrame(message: Message): Record<string, unknown> | undefined {
  if (typeof message !== "string") return undefined;
  try {
    return JSON.parse(message) ?? undefined;
  } catch {
    // A malformed frame has no parts; the server answers it.
    return undefined;
  }
}
