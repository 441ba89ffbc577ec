import { type Codec, type FrameHead, jsonCodec } from "../../protocol/codec.ts";
import { type Frame, FrameError } from "../../protocol/frame.ts";
import { terminate } from "../../runtime/terminate.ts";
import { AuthError, ConnectionError, DispatchError } from "../errors.ts";
import { CLOSE_TIMEOUT } from "../limits.ts";
import { Call, type CallOwner, type CallRequest } from "./call.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { FrameSink, LinkOptions } from "./link_options.ts";

/** The server closed the connection when it was asked for MessagePack. */
export class FormatError extends ConnectionError {}

/** One authenticated WebSocket connection. */
export class Link implements CallOwner {
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  readonly #calls = new Map<string, Call>();
  readonly #heartbeat: Heartbeat;
  /** The last frame that was answered; the server answers in order. */
  #answeredId = 0;
  #codec: Codec = jsonCodec;
  /** Unset while the link is opening. */
  #state: "open" | "closed" | undefined;
  #nextId = 1;
  #formattedTime?: number;
  #timeText!: string;
  /** The message that is being handled, for errors. */
  #message!: string;
  #onSocketClosed?: () => void;
  /** Ends the opening phase, with an error if it failed. */
  #settleOpening = (_error?: unknown) => {};
  /** Receives the events; without a sink they are ignored. */
  declare sink: FrameSink | undefined;
  readonly awaited = "answer";
  /** The server's name for this connection. */
  declare sessionId: string;
  /** When the server sent the last answer, by its own clock. */
  declare answeredAt: string | undefined;

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.#heartbeat = new Heartbeat(options, () => this.sendControl("ping"), (why) => {
      this.#onDisconnect(why);
      terminate(this.#socket);
    });
    this.#socket = options.socket;
    this.#socket.binaryType = "arraybuffer";
  }

  /**
   * Waits for a socket to open, then authenticates.
   * @throws {AuthError} If the server refuses the token.
   * @throws {FormatError} If the server does not support MessagePack.
   * @throws {Error} With what the socket says, if it does not open.
   */
  static open(options: LinkOptions, signal: AbortSignal): Promise<Link> {
    return new Link(options).#open(signal);
  }

  /** The format of the frames, in both directions. */
  get format(): "json" | "msgpack" {
    return this.#codec.name;
  }

  /** Whether requests can be sent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** When the last message arrived, in milliseconds since 1970. */
  get lastMessageAt(): number {
    return this.#heartbeat.lastMessageAt;
  }

  /** The number of calls that wait for their answer. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /** Sends a request on this link only, and resolves with the data of the answer. */
  request(request: CallRequest, deadline = Infinity): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.send(new Call(this.#options.deadlines, request, deadline, resolve, reject))
    );
  }

  /** Sends a call's request; the answer settles the call. */
  send(call: Call): void {
    const { method, data, signal } = call.request;
    if (signal?.aborted) return call.handleEvent();
    if (!this.isOpen) {
      return call.fail(new ConnectionError("the connection is lost", "connection_lost"));
    }
    const id = call.id = String(this.#nextId++);
    call.owner = this;
    this.#calls.set(id, call);
    this.#write({ id, type: "request", method, ts: this.#now() }, data);
  }

  delete({ id }: Call): void {
    this.#calls.delete(id);
  }

  /**
   * Closes the connection and rejects the calls in flight.
   * @param now Skip the closing handshake: a server that is blocked by a run cannot answer it.
   */
  async close(cause: Error, now: boolean): Promise<void> {
    const { clock } = this.#options;
    if (this.#state === "closed") return;
    this.#rejectInFlight(cause);
    await new Promise<void>((resolve) => {
      const drop = () => {
        terminate(this.#socket);
        resolve();
      };
      if (now) return drop();
      const timer = clock.setTimeout(drop, CLOSE_TIMEOUT);
      this.#onSocketClosed = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      this.#socket.close();
    });
  }

  #open(signal: AbortSignal): Promise<Link> {
    const { token, binary } = this.#options;
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      this.#settleOpening = (error) => {
        this.#settleOpening = () => {};
        signal.removeEventListener("abort", onAbort);
        if (this.isOpen) return resolve(this);
        this.#state = "closed";
        terminate(socket);
        reject(error);
      };
      const onAbort = () => this.#settleOpening(signal.reason);
      signal.addEventListener("abort", onAbort);
      let wasOpen = false;
      let failure: string | undefined;
      socket.onopen = () => {
        wasOpen = true;
        const auth = JSON.stringify({ token, format: binary?.name });
        this.#write({ id: "auth", type: "request", method: "auth", ts: this.#now() }, auth);
      };
      socket.onmessage = ({ data }) => this.#receive(data);
      socket.onerror = (event) => {
        // Node also fires an error event, without a message, for a socket that we dropped.
        failure ||= (event as ErrorEvent).message;
      };
      socket.onclose = ({ reason, code }) => {
        this.#onDisconnect(failure || reason || `closed with code ${code}`, wasOpen);
      };
    });
  }

  #receive(data: unknown): void {
    const { owner, binary } = this.#options;
    this.#heartbeat.onMessage();
    if (this.#state === "closed") return;
    this.#message = String(data);
    let frame: Frame;
    try {
      if (typeof data === "string") frame = jsonCodec.decode(data);
      else if (binary) frame = binary.decode(new Uint8Array(data as ArrayBuffer));
      else throw new FrameError("an unexpected binary message", "");
    } catch (error) {
      if (!this.isOpen && binary) this.#settleOpening(formatError(error));
      else owner.onAnomaly(error as Error);
      return;
    }
    const { type, id, correl_id, ts } = frame;
    if (type === "event") this.sink?.onEvent(frame);
    else if (!this.isOpen) this.#onAuthAnswer(frame);
    else if (type === "response" || type === "error") this.#onAnswer(frame);
    else if (type === "pong") {
      this.#answeredId = +correl_id!;
      this.sink?.onPong(correl_id);
    } else if (type === "ping") this.sendControl("pong", { correl_id: id, ts });
    else this.reportAnomaly(`unexpected ${type}`);
  }

  #onAuthAnswer(frame: Frame): void {
    const { binary } = this.#options;
    if (frame.type === "error") {
      const text = `Cannot authenticate at '${this.#options.displayUrl}': ${refusal(frame)}`;
      const { code } = frame.error!;
      return this.#settleOpening(
        code === 401 || code === 403 ? new AuthError(text) : new DispatchError(text, code),
      );
    }
    const { session_id, format } = Object(frame.data) as Record<string, unknown>;
    if (frame.type !== "response" || typeof session_id !== "string") {
      return this.reportAnomaly("not an answer to auth");
    }
    this.sessionId = session_id;
    if (binary && format === binary.name) this.#codec = binary;
    this.#state = "open";
    this.#heartbeat.start();
    this.#settleOpening();
  }

  #onAnswer(frame: Frame): void {
    const { correl_id, error } = frame;
    this.answeredAt = frame.ts;
    // An error that names no request belongs to the only frame that has no answer yet.
    const isOnly = error && this.#nextId - this.#answeredId === 2;
    const id = correl_id || (isOnly ? String(this.#answeredId + 1) : "");
    const call = this.#calls.get(id);
    if (!call && !(correl_id && +id > this.#answeredId && +id < this.#nextId)) {
      return this.reportAnomaly(`${error ? refusal(frame) : "an answer"} to no request`);
    }
    this.#answeredId = +id;
    // Without a call, this is the answer to a request that was given up.
    if (!error) return call?.resolve(frame.data);
    call?.reject(new DispatchError(`Cannot ${call.request.what}: ${refusal(frame)}`, error.code));
  }

  /** Reports that the message being handled is of no use. */
  reportAnomaly(reason: string): void {
    this.#options.owner.onAnomaly(new FrameError(reason, this.#message));
  }

  /** Handles the end of the socket, however it came about. */
  #onDisconnect(why: string, wasOpen?: boolean): void {
    const { binary, owner } = this.#options;
    this.#onSocketClosed?.();
    const cause = new Error(why);
    // Does nothing if the link was closed before.
    if (!this.isOpen) return this.#settleOpening(binary && wasOpen ? formatError(cause) : cause);
    const text = `The connection to '${this.#options.displayUrl}' was lost`;
    const error = new ConnectionError(text, "connection_lost", { cause });
    this.#rejectInFlight(error);
    owner.onLost?.(error);
  }

  /** Marks the link as closed and rejects its calls, except those that the owner requeues. */
  #rejectInFlight(cause: Error): void {
    this.#state = "closed";
    this.#heartbeat.stop();
    const { owner } = this.#options;
    for (const call of this.#calls.values()) {
      this.delete(call);
      if (call.request.retry === "unknown" && owner.requeue?.(call)) continue;
      call.fail(cause);
    }
  }

  /** Sends a frame that belongs to no call, and returns its id. */
  sendControl(type: Frame["type"], more?: Partial<FrameHead>, data?: string): string {
    const id = String(this.#nextId++);
    this.#write({ id, type, ts: this.#now(), ...more }, data);
    return id;
  }

  #write(head: FrameHead, data?: string): void {
    this.#socket.send(this.#codec.encode(head, data));
  }

  /** The time as text, formatted once per millisecond: many frames share one. */
  #now(): string {
    const now = this.#options.clock.now();
    if (now !== this.#formattedTime) {
      this.#formattedTime = now;
      this.#timeText = new Date(now).toISOString();
    }
    return this.#timeText;
  }
}

function refusal({ error }: Frame): string {
  return `the server answered ${error!.code} ${error!.message}`;
}

function formatError(cause: unknown): FormatError {
  const text = "Cannot use MessagePack: the connection is lost";
  return new FormatError(text, "connect_failed", { cause });
}
