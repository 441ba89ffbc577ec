import type { FaultPlan } from "./fault_plan.ts";
import type { ServerSocket, SocketHandler } from "../listen/socket.ts";
import type { Timers } from "../engine/timers.ts";

type Message = string | Uint8Array<ArrayBuffer>;

/** One direction of a connection: frames pass in order, unless a fault says otherwise. */
class Line {
  readonly #pass: (message: Message) => void;
  readonly #timers: Timers;
  readonly #waiting: Message[] = [];
  #isLate = false;
  #held: { message: Message; forget: () => void } | undefined;

  constructor(timers: Timers, pass: (message: Message) => void) {
    this.#timers = timers;
    this.#pass = pass;
  }

  send(message: Message): void {
    if (this.#isLate) this.#waiting.push(message);
    else this.#pass(message);
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    held.forget();
    this.send(held.message);
  }

  delay(message: Message, ms: number): void {
    this.#waiting.push(message);
    if (this.#isLate) return;
    this.#isLate = true;
    this.#timers.set(() => {
      this.#isLate = false;
      for (const late of this.#waiting.splice(0)) this.#pass(late);
    }, ms);
  }

  /** Keeps a frame until the next one has passed. */
  hold(message: Message, ms: number): void {
    if (this.#held) return this.send(message);
    const forget = this.#timers.set(() => {
      this.#held = undefined;
      this.send(message);
    }, ms);
    this.#held = { message, forget };
  }
}

/** A socket on which things go wrong. */
export class FaultySocket implements ServerSocket {
  readonly connection: number;
  frames = 0;
  /** The token it has authenticated with. */
  token: string | undefined;
  sessionId: string | undefined;
  readonly #socket: ServerSocket;
  readonly #plan: FaultPlan;
  readonly #lines: Record<"in" | "out", Line>;
  readonly #methods = new Map<string, string>();
  #handler: SocketHandler | undefined;
  #isMute = false;

  constructor(socket: ServerSocket, plan: FaultPlan, timers: Timers, connection: number) {
    this.#socket = socket;
    this.#plan = plan;
    this.connection = connection;
    this.#lines = {
      in: new Line(timers, (message) => this.#handler?.message(message)),
      out: new Line(timers, (message) => this.#socket.send(message)),
    };
  }

  /** Hands what comes in to a handler. */
  handledBy(handler: SocketHandler, ended: () => void): SocketHandler {
    this.#handler = handler;
    return {
      message: (message) => this.#carry("in", message as Message),
      closed: () => {
        ended();
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

  /** Drops the connection as a torn cable does. */
  cut(): void {
    this.#isMute = true;
    this.#socket.terminate();
  }

  /** Lets nothing pass any more. */
  mute(): void {
    this.#isMute = true;
  }

  #carry(direction: "in" | "out", message: Message): void {
    this.frames++;
    if (this.token === undefined || this.sessionId === undefined) this.#learn(message);
    if (this.#isMute) return;
    const line = this.#lines[direction];
    if (this.#plan.isEmpty) return line.send(message);
    const frame = () => this.#look(message);
    if (direction === "in") this.#noteMethod(frame());
    const fate = this.#plan.fate({ socket: this, connection: this.connection, direction, frame });
    switch (fate?.action) {
      case undefined:
      case "refuse":
        return line.send(message);
      case "drop":
        return;
      case "delay":
        return line.delay(message, fate.ms);
      case "duplicate":
        line.send(message);
        return line.send(message);
      case "reorder":
        return line.hold(message, fate.ms);
      case "malformed":
        return line.send(message.slice(0, message.length >> 1) as Message);
      case "half-open":
        return this.mute();
      case "cut":
      case "restart":
      case "expire-token":
        return this.cut();
    }
  }

  /** The token and the session stand in the first frames. */
  #learn(message: Message): void {
    const { parsed } = this.#look(message);
    const data = parsed?.data as { token?: unknown; session_id?: unknown } | undefined;
    const token = data?.token ?? parsed?.token;
    if (parsed?.method === "auth" && typeof token === "string") this.token = token;
    if (typeof data?.session_id === "string") this.sessionId = data.session_id;
  }

  #noteMethod({ parsed }: { parsed?: Record<string, unknown> }): void {
    if (typeof parsed?.id === "string" && typeof parsed.method === "string") {
      this.#methods.set(parsed.id, parsed.method);
    }
  }

  #look(message: Message): {
    method?: string;
    type?: string;
    event?: string;
    parsed?: Record<string, unknown>;
  } {
    if (typeof message !== "string") return {};
    let parsed: Record<string, unknown>;
    try {
      parsed = JSON.parse(message);
    } catch {
      // A frame that is broken has no parts.
      return {};
    }
    const { type, data, correl_id, method } = parsed ?? {};
    const correlated = this.#methods.get(String(correl_id));
    return {
      parsed,
      method: (method ?? correlated) as string | undefined,
      type: type as string | undefined,
      event: type === "event" ? (data as { type?: string } | undefined)?.type : undefined,
    };
  }
}
