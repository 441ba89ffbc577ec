import { CanceledError } from "../engine/errors.ts";
import type { Tenant } from "../engine/store_rows.ts";
import { isWritableTime } from "../go/time.ts";
import { decodeUtf8 } from "../go/utf8.ts";
import type { ServerSocket, SocketHandler } from "../listen/socket.ts";
import { type Authenticate, hasScope, requiredScope, type TokenOptions } from "../tokens.ts";
import { type EventConnection, EventWriter } from "./_event_writer.ts";
import { type ClientFrame, decodeFrame, FrameWriter, type MethodResult } from "./_frames.ts";
import { Inbox } from "./_inbox.ts";
import { loadMsgpackFrames, type MsgpackFrames } from "./_msgpack_frames.ts";
import { decodeAuthRequest } from "./_request_decoders.ts";
import type { Subscriber } from "./broker.ts";
import type { Caller, ServerParts } from "./method.ts";
import { callMethod } from "./methods.ts";

const MAX_MESSAGE_LENGTH = 1 << 20;
/** How long a connection may stay open without a token. Real servers wait forever. */
const AUTH_TIMEOUT_MS = 10_000;

/** One WebSocket connection: authenticates it and handles its requests one after the other. */
export class Session implements SocketHandler, Caller, EventConnection {
  readonly #server: ServerParts;
  readonly #socket: ServerSocket;
  readonly #authenticate: Authenticate;
  readonly #frames: FrameWriter;
  readonly #controller = new AbortController();
  readonly #inbox = new Inbox();
  readonly #clearAuthTimer: () => void;
  #identity: TokenOptions | undefined;
  sessionId: string | undefined;
  #subscriber: Subscriber | undefined;
  #msgpack: MsgpackFrames | undefined;
  /** Whether a request that takes time is being handled. */
  #isBusy = false;
  #isRejected = false;
  #isClosed = false;

  constructor(server: ServerParts, socket: ServerSocket, authenticate: Authenticate) {
    this.#server = server;
    this.#socket = socket;
    this.#authenticate = authenticate;
    this.#frames = new FrameWriter(server.state.timestamps);
    // A virtual clock must not skip past the timer while the client connects in real time.
    this.#clearAuthTimer = server.state.timers.set(
      () => this.#reject("", 400, "no auth frame within 10 seconds"),
      AUTH_TIMEOUT_MS,
      "deadline",
    );
  }

  /** Aborted when the connection has closed and its last request has been handled. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get tenant(): Tenant {
    return { app: this.#identity?.app ?? "", org: this.#identity?.org ?? "" };
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  message(data: string | Uint8Array): void {
    if (this.#isRejected) return;
    this.#inbox.push(data);
    if (!this.#isBusy) this.#handleInbox();
    else if (this.#inbox.isFull) this.#rejectFlood();
  }

  /** Ends the session, after the requests that have arrived and the run they may be waiting for. */
  closed(): void {
    this.#isClosed = true;
    this.#clearAuthTimer();
    // A run of a server that has ended goes on elsewhere: here its signal would never abort.
    if (!this.#isBusy || this.#server.state.closed) this.#end();
  }

  subscribe(channel: string, credits: number): void {
    const subscriber = this.#subscriber!;
    if (credits > 0 && !this.#server.state.quirks["subscribe-credits-ignored"]) {
      subscriber.credits = credits;
    }
    this.#server.broker.subscribe(subscriber, channel);
  }

  unsubscribe(channel: string): void {
    this.#server.broker.unsubscribe(this.#subscriber!, channel);
  }

  buffered(): number {
    return this.#socket.buffered();
  }

  send(frame: string): void {
    if (!this.#isClosed) this.#socket.send(this.#msgpack ? this.#msgpack.encode(frame) : frame);
  }

  #handleInbox(): void {
    for (;;) {
      const message = this.#inbox.shift();
      if (message === undefined) break;
      const pending = this.#handle(message);
      if (pending === undefined) continue;
      this.#isBusy = true;
      void pending.then(() => {
        this.#isBusy = false;
        this.#handleInbox();
      });
      return;
    }
    if (this.#isClosed) this.#end();
  }

  /** Handles a message; returns a promise if that takes time. */
  #handle(message: string | Uint8Array): Promise<void> | undefined {
    if (this.#isRejected) return undefined;
    const { quirks } = this.#server.state;
    if (quirks["inbound-limit"] && message.length > MAX_MESSAGE_LENGTH) return this.#reject();
    if (this.#identity) return this.#handleRequest(this.#identity, message);
    return this.#handleAuth(toText(message));
  }

  #handleAuth(text: string): Promise<void> | undefined {
    let frame: ClientFrame;
    try {
      frame = decodeFrame(text);
    } catch {
      return this.#reject("", 400, "invalid auth frame");
    }
    if (frame.method !== "auth") return this.#reject(frame.id, 400, "first frame must be auth");
    let request = { token: "", format: "" };
    try {
      if (frame.data !== undefined) request = decodeAuthRequest(frame.data);
    } catch {
      return this.#reject(frame.id, 400, "invalid auth data");
    }
    const identity = this.#authenticate(request.token || frame.token);
    if (!identity) return this.#reject(frame.id, 401, "authentication failed");
    this.#identity = identity;
    this.#clearAuthTimer();
    const { quirks, ids, timestamps } = this.#server.state;
    const session_id = quirks["uuid-sessions"] ? ids.uuid() : `ws_${timestamps.unixNanos()}`;
    this.sessionId = session_id;
    if (request.format !== "msgpack") {
      return this.#accept(frame.id, JSON.stringify({ format: "json", session_id }));
    }
    if (quirks["msgpack-unreadable"]) return this.#reject();
    return loadMsgpackFrames().then((msgpack) => {
      this.#msgpack = msgpack;
      this.#accept(frame.id, JSON.stringify({ format: "msgpack", session_id }));
    });
  }

  /** Answers a successful `auth`. */
  #accept(correlId: string, data: string): undefined {
    this.#subscriber = this.#server.broker.add(this.tenant);
    new EventWriter(this.#server, this.#subscriber, this.#frames, this);
    this.#respond(correlId, { data });
  }

  #handleRequest(
    identity: TokenOptions,
    message: string | Uint8Array,
  ): Promise<void> | undefined {
    let frame: ClientFrame;
    try {
      frame = this.#decode(message);
    } catch (error) {
      const { message } = error as Error;
      return this.#respond("", { code: 400, message: `invalid frame: ${message}` });
    }
    if (frame.type === "ping") {
      // A pong has the ping's time, and is lost if Go cannot write that.
      if (isWritableTime(frame.ts ?? "")) this.send(this.#frames.pong(frame));
      return undefined;
    }
    const { quirks } = this.#server.state;
    if (!quirks["any-type-is-a-request"] && frame.type !== "request") return undefined;
    if (frame.method !== "") {
      const scope = requiredScope(frame.method);
      if (scope !== "" && !hasScope(identity, scope)) {
        return this.#respond(frame.id, { code: 403, message: "insufficient permissions" });
      }
    }
    if (frame.credits > 0) {
      this.#subscriber?.addCredits(frame.credits);
      return undefined;
    }
    const result = callMethod(this.#server, frame, this);
    if (result instanceof Promise) return result.then((late) => this.#respond(frame.id, late));
    return this.#respond(frame.id, result);
  }

  #decode(message: string | Uint8Array): ClientFrame {
    if (!this.#msgpack) return decodeFrame(toText(message));
    const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
    return this.#msgpack.decode(bytes);
  }

  #respond(correlId: string, result: MethodResult): undefined {
    this.send(this.#frames.response(correlId, result));
  }

  /** Sends an error, if there is one to send, and drops the connection. */
  #reject(correlId?: string, code = 0, message = ""): undefined {
    this.#isRejected = true;
    this.#clearAuthTimer();
    this.#inbox.clear();
    if (correlId !== undefined) this.#respond(correlId, { code, message });
    if (this.#server.state.quirks["unclean-drop"]) this.#socket.drop();
    else this.#socket.close(1008, message);
  }

  /**
   * Drops a connection that sends too much while a run blocks it. A real server would stop reading.
   */
  #rejectFlood(): void {
    const text = "more than 16 MiB of frames wait behind a request";
    this.#server.state.log(`dropped a connection: ${text}`);
    this.#reject("", 413, text);
  }

  #end(): void {
    if (this.#controller.signal.aborted) return;
    if (this.#subscriber) this.#server.broker.remove(this.#subscriber);
    this.#controller.abort(new CanceledError());
  }
}

function toText(message: string | Uint8Array): string {
  return typeof message === "string" ? message : decodeUtf8(message);
}
