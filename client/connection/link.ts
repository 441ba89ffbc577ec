import { type Codec, type FrameHead, jsonCodec } from "../../protocol/codec.ts";
import { type Frame, FrameError } from "../../protocol/frame.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Call, type CallPlace, type CallRequest } from "./call.ts";
import { said, tooLate } from "./connection_errors.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Feed } from "../subscribe/credits.ts";
import { Pings } from "./heartbeat.ts";
import { AuthError, ConnectionError, DispatchError } from "../errors.ts";

/** What a link tells its owner. */
export interface LinkOwner {
  /** A message came that nothing could be done with. */
  onAnomaly(cause: Error): void;
  /** Takes back a call that may be made again over another connection, if it wants to. */
  takeBack?(call: Call): boolean;
  /** The connection is gone; never called after {@linkcode Link.close}. */
  onLost(cause: ConnectionError): void;
}

/** Settings of {@linkcode Link.open}. */
export interface LinkOptions {
  /** Its address as it may be shown. */
  shown: string;
  token: string;
  /** Reads and writes MessagePack, where it is wished for. */
  binary: Codec | undefined;
  pingInterval: number;
  pingTimeout: number;
  clock: Clock;
  deadlines: Deadlines;
  socket: WebSocket;
  /** Drops a socket at once. */
  terminate: (socket: WebSocket) => void;
  owner: LinkOwner;
}

/** Thrown when a server cut the connection in answer to a wish for MessagePack. */
export class FormatError extends ConnectionError {}

/** How long a closed connection may wait for its peer's close frame, in milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/** One socket over which a server has taken our token. */
export class Link implements CallPlace {
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  readonly #calls = new Map<string, Call>();
  readonly #pings: Pings;
  /** How many requests have no answer; more than there are calls when some were given up. */
  #unanswered = 0;
  #codec: Codec = jsonCodec;
  #state: "opening" | "open" | "closed" = "opening";
  #nextId = 1;
  #timeShown = NaN;
  #timeText = "";
  #onGone = () => {};
  /** Ends the opening, with an error if it failed. */
  #settle = (_error?: unknown) => {};
  /** Takes the events; there are none before somebody listens. */
  feed: Feed | undefined;
  /** What the server calls this connection. */
  sessionId = "";

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.#pings = new Pings(options, () => this.say("ping"), (why) => {
      this.#gone(why);
      options.terminate(this.#socket);
    });
    this.#socket = options.socket;
    this.#socket.binaryType = "arraybuffer";
  }

  /**
   * Waits for a socket to open, and authenticates.
   * @throws {AuthError} When the token is refused.
   * @throws {FormatError} When the server cannot do MessagePack.
   * @throws {ConnectionError} When there is no server, or it does not speak the protocol.
   */
  static open(options: LinkOptions, signal: AbortSignal): Promise<Link> {
    return new Link(options).#open(signal);
  }

  /** The format both sides write. */
  get format(): "json" | "msgpack" {
    return this.#codec.name;
  }

  /** Whether requests can be sent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** When the last message came, in milliseconds since 1970. */
  get lastHeard(): number {
    return this.#pings.lastHeard;
  }

  /** How many requests wait for their answer. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /** Sends a request over this connection or none, and resolves with the answer's data. */
  request(request: CallRequest, deadline = Infinity): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.send(new Call(this.#options.deadlines, request, deadline, resolve, reject))
    );
  }

  /** Sends a call's request and settles it with the answer. */
  send(call: Call): void {
    const { what, method, data, signal } = call.request;
    if (signal?.aborted) return call.handleEvent();
    if (!this.isOpen) {
      const text = `Cannot ${what}: the connection is lost`;
      return call.reject(new ConnectionError(text, "connection_lost"));
    }
    const id = call.id = String(this.#nextId++);
    call.place = this;
    this.#calls.set(id, call);
    this.#unanswered++;
    this.#write({ id, type: "request", method, ts: this.#now() }, data);
  }

  delete({ id }: Call): void {
    this.#calls.delete(id);
  }

  late({ request }: Call): Error {
    return tooLate(request.what, "no answer before the deadline", "unknown");
  }

  /**
   * Closes the connection. What is in flight rejects.
   * @param now Whether not to wait for the server's part, which a blocked one cannot do.
   */
  close(cause: Error, now: boolean): Promise<void> {
    const { clock, terminate } = this.#options;
    if (this.#state === "closed") return Promise.resolve();
    this.#shut(cause);
    return new Promise((resolve) => {
      const drop = () => {
        terminate(this.#socket);
        resolve();
      };
      if (now) return drop();
      const timer = clock.setTimeout(drop, CLOSE_TIMEOUT);
      this.#onGone = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      this.#socket.close();
    });
  }

  #open(signal: AbortSignal): Promise<Link> {
    const { token, binary, terminate } = this.#options;
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      this.#settle = (error) => {
        this.#settle = () => {};
        signal.removeEventListener("abort", onAbort);
        if (this.isOpen) return resolve(this);
        this.#state = "closed";
        terminate(socket);
        reject(error);
      };
      const onAbort = () => this.#settle(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      let wasOpen = false;
      let failure = "";
      socket.onopen = () => {
        wasOpen = true;
        const asked = JSON.stringify({ token, format: binary?.name });
        this.#write({ id: "auth", type: "request", method: "auth", ts: this.#now() }, asked);
      };
      socket.onmessage = ({ data }) => this.#receive(data);
      socket.onerror = (event) => {
        // Node calls back after the connection was dropped on purpose, too.
        failure ||= (event as ErrorEvent).message || "";
      };
      socket.onclose = ({ reason, code }) => {
        this.#gone(failure || reason || `closed with code ${code}`, wasOpen);
      };
    });
  }

  #receive(data: unknown): void {
    const { owner, binary, clock } = this.#options;
    this.#pings.lastHeard = clock.now();
    if (this.#state === "closed") return;
    let frame: Frame;
    try {
      if (typeof data === "string") frame = jsonCodec.decode(data);
      else if (binary) frame = binary.decode(new Uint8Array(data as ArrayBuffer));
      else throw new FrameError("a binary message where JSON is spoken", "");
    } catch (error) {
      if (!this.isOpen && binary) this.#settle(formatError(error));
      else owner.onAnomaly(error as Error);
      return;
    }
    const { type } = frame;
    if (type === "event") this.feed?.take(frame);
    else if (!this.isOpen) this.#auth(frame);
    else if (type === "response" || type === "error") this.#answer(frame);
    else if (type === "pong") this.feed?.onPong(frame.correl_id);
    else if (type === "ping") this.say("pong", { correl_id: frame.id, ts: frame.ts });
    else this.odd(`a ${type} nobody expects`, frame);
  }

  #auth(frame: Frame): void {
    const { binary } = this.#options;
    if (frame.type === "error") {
      const text = `Cannot authenticate at '${this.#options.shown}': ${answered(frame)}`;
      const { code } = frame.error!;
      return this.#settle(
        code === 401 || code === 403 ? new AuthError(text) : new DispatchError(text, code),
      );
    }
    const { session_id, format } = Object(frame.data) as Record<string, unknown>;
    if (frame.type !== "response" || typeof session_id !== "string") {
      return this.odd("no answer to auth", frame);
    }
    this.sessionId = session_id;
    if (binary && format === binary.name) this.#codec = binary;
    this.#state = "open";
    this.#pings.start();
    this.#settle();
  }

  #answer(frame: Frame): void {
    const { correl_id, error } = frame;
    let call = this.#calls.get(correl_id ?? "");
    if (!call && error && !correl_id && this.inFlight === 1) {
      // It names no request, and only one can be meant.
      [call] = this.#calls.values();
    }
    if (!call && !(correl_id && this.#unanswered > this.inFlight)) {
      const text = error
        ? `an error that belongs to no request: ${error.code} ${error.message}`
        : "an answer nobody waits for";
      return this.odd(text, frame);
    }
    this.#unanswered--;
    // Without a call, it was given up since.
    if (!error) call?.resolve(frame.data);
    else {call?.reject(
        new DispatchError(`Cannot ${call.request.what}: ${answered(frame)}`, error.code),
      );}
  }

  /** Tells of a frame that nothing could be done with. */
  odd(reason: string, frame: Frame): void {
    this.#options.owner.onAnomaly(new FrameError(reason, JSON.stringify(frame)));
  }

  /** The socket is gone, by whatever way. */
  #gone(why: string, wasOpen = false): void {
    const { binary, owner } = this.#options;
    this.#onGone();
    if (this.#state === "closed") return;
    const cause = new Error(why);
    if (!this.isOpen) {
      const text = `Cannot connect to '${this.#options.shown}'`;
      return this.#settle(
        binary && wasOpen
          ? formatError(cause)
          : new ConnectionError(text, "connect_failed", { cause }),
      );
    }
    const text = `The connection to '${this.#options.shown}' was lost`;
    const error = new ConnectionError(text, "connection_lost", { cause });
    this.#shut(error);
    owner.onLost(error);
  }

  /** Ends everything that goes on over this link. */
  #shut(cause: Error): void {
    this.#state = "closed";
    this.#pings.stop();
    const { owner } = this.#options;
    for (const call of this.#calls.values()) {
      this.delete(call);
      const { what, retry } = call.request;
      if (retry === "unknown" && owner.takeBack?.(call)) continue;
      call.reject(said(what, cause, "unknown"));
    }
  }

  /** Sends a frame that is no request of a caller's, and gives its id. */
  say(type: Frame["type"], more?: Partial<FrameHead>): string {
    const id = String(this.#nextId++);
    this.#write({ id, type, ts: this.#now(), ...more });
    return id;
  }

  #write(head: FrameHead, data?: string): void {
    this.#socket.send(this.#codec.encode(head, data));
  }

  /** The time as text; many frames are made within one millisecond. */
  #now(): string {
    const now = this.#options.clock.now();
    if (now !== this.#timeShown) {
      this.#timeShown = now;
      this.#timeText = new Date(now).toISOString();
    }
    return this.#timeText;
  }
}

function answered({ error }: Frame): string {
  return `the server answered ${error!.code} ${error!.message}`;
}

function formatError(cause: unknown): FormatError {
  const text = "Cannot speak MessagePack: the server cut the connection";
  return new FormatError(text, "connect_failed", { cause });
}
