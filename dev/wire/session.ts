import { systemClock } from "../../runtime/clock.ts";
import type { BrokerEvent, Subscriber } from "./broker.ts";
import { CanceledError } from "../engine/server_state.ts";
import { type Answer, decodeFrame, FrameWriter, type InFrame } from "./_frames.ts";
import { loadMsgpackFrames, type MsgpackFrames } from "./_msgpack_frames.ts";
import { type Caller, type Engines, serveMethod } from "./methods.ts";
import { authRequest } from "./_request_decoders.ts";
import type { ServerSocket } from "../listen/socket.ts";
import { hasScope, requiredScope, type TokenOptions } from "../tokens.ts";

/** How much may wait in a socket until events wait in the connection's own buffer. */
const HIGH_WATER = 1 << 20;
const MAX_INBOUND = 1 << 20;
/** A byte order mark is no white space to Go, so it is kept. */
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Gives a token's identity. */
export type Authenticate = (token: string) => TokenOptions | undefined;

/** One WebSocket connection: authenticates it, serves its requests in order, writes its events. */
export class Session implements Caller {
  readonly #engines: Engines;
  readonly #socket: ServerSocket;
  readonly #authenticate: Authenticate;
  readonly #frames: FrameWriter;
  readonly #life = new AbortController();
  readonly #inbox: (string | Uint8Array)[] = [];
  #identity: TokenOptions | undefined;
  #subscriber: Subscriber | undefined;
  #msgpack: MsgpackFrames | undefined;
  #serving = false;
  #refused = false;
  #gone = false;
  #writing = false;

  constructor(engines: Engines, socket: ServerSocket, authenticate: Authenticate) {
    this.#engines = engines;
    this.#socket = socket;
    this.#authenticate = authenticate;
    this.#frames = new FrameWriter(engines.core.stamps);
  }

  /** Ends when the connection is gone and its last request is served. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  get tenant(): { app: string; org: string } {
    return { app: this.#identity?.app ?? "", org: this.#identity?.org ?? "" };
  }

  /** Takes a message in. */
  message(data: string | Uint8Array): void {
    if (this.#refused) return;
    this.#inbox.push(data);
    if (!this.#serving) this.#serve();
  }

  /** The connection is gone. What it has sent is still served, and a run it waits for goes on. */
  closed(): void {
    this.#gone = true;
    if (!this.#serving) this.#end();
  }

  subscribe(channel: string, credits: number): void {
    const subscriber = this.#subscriber!;
    if (credits > 0 && !this.#engines.core.quirks["subscribe-credits-ignored"]) {
      subscriber.credits = credits;
    }
    this.#engines.core.broker.subscribe(subscriber, channel);
  }

  unsubscribe(channel: string): void {
    this.#engines.core.broker.unsubscribe(this.#subscriber!, channel);
  }

  #serve(): void {
    for (;;) {
      const message = this.#inbox.shift();
      if (message === undefined) break;
      const answered = this.#take(message);
      if (answered === undefined) continue;
      this.#serving = true;
      void answered.then(() => {
        this.#serving = false;
        this.#serve();
      });
      return;
    }
    if (this.#gone) this.#end();
  }

  /** Serves a message; gives a promise when that takes time. */
  #take(message: string | Uint8Array): Promise<void> | undefined {
    if (this.#refused) return undefined;
    const { quirks } = this.#engines.core;
    if (quirks["inbound-limit"] && message.length > MAX_INBOUND) return this.#refuse();
    if (this.#identity) return this.#request(this.#identity, message);
    return this.#auth(textOf(message));
  }

  #auth(text: string): Promise<void> | undefined {
    let frame: InFrame;
    try {
      frame = decodeFrame(text);
    } catch {
      return this.#refuse("", 400, "invalid auth frame");
    }
    if (frame.method !== "auth") return this.#refuse(frame.id, 400, "first frame must be auth");
    let request = { token: "", format: "" };
    try {
      if (frame.data !== undefined) request = authRequest(frame.data);
    } catch {
      return this.#refuse(frame.id, 400, "invalid auth data");
    }
    const identity = this.#authenticate(request.token || frame.token);
    if (!identity) return this.#refuse(frame.id, 401, "authentication failed");
    this.#identity = identity;
    const { core } = this.#engines;
    const session_id = core.quirks["uuid-sessions"]
      ? core.ids.uuid()
      : `ws_${core.stamps.unixNanos()}`;
    if (request.format !== "msgpack") {
      return this.#welcome(frame.id, JSON.stringify({ format: "json", session_id }));
    }
    if (core.quirks["msgpack-unreadable"]) return this.#refuse();
    return loadMsgpackFrames().then((msgpack) => {
      this.#msgpack = msgpack;
      this.#welcome(frame.id, JSON.stringify({ format: "msgpack", session_id }));
    });
  }

  #welcome(correlId: string, data: string): undefined {
    this.#subscriber = this.#engines.core.broker.add(this.tenant);
    this.#subscriber.onEvents = () => this.#writeEventsSoon();
    this.#subscriber.onFull = () => this.#writeSome();
    this.#answer(correlId, { data });
  }

  #request(identity: TokenOptions, raw: string | Uint8Array): Promise<void> | undefined {
    let frame: InFrame;
    try {
      frame = this.#msgpack
        ? this.#msgpack.decode(typeof raw === "string" ? new TextEncoder().encode(raw) : raw)
        : decodeFrame(textOf(raw));
    } catch (error) {
      const message = `invalid frame: ${(error as Error).message}`;
      return this.#answer("", { code: 400, message });
    }
    if (frame.type === "ping") return this.#send(this.#frames.pong(frame));
    const { quirks } = this.#engines.core;
    if (!quirks["any-type-is-a-request"] && frame.type !== "request") return undefined;
    if (frame.method !== "") {
      const scope = requiredScope(frame.method);
      if (scope !== "" && !hasScope(identity, scope)) {
        return this.#answer(frame.id, { code: 403, message: "insufficient permissions" });
      }
    }
    if (frame.credits > 0) {
      this.#subscriber?.addCredits(frame.credits);
      return undefined;
    }
    const answer = serveMethod(this.#engines, frame, this);
    if (answer instanceof Promise) return answer.then((late) => this.#answer(frame.id, late));
    this.#answer(frame.id, answer);
  }

  #answer(correlId: string, answer: Answer): undefined {
    this.#send(this.#frames.answer(correlId, answer));
  }

  #send(text: string): undefined {
    if (!this.#gone) this.#socket.send(this.#msgpack ? this.#msgpack.encode(text) : text);
  }

  /** Drops the connection, once it has been told why. */
  #refuse(correlId?: string, code = 0, message = ""): undefined {
    this.#refused = true;
    this.#inbox.length = 0;
    if (correlId !== undefined) this.#answer(correlId, { code, message });
    if (this.#engines.core.quirks["unclean-drop"]) this.#socket.drop();
    else this.#socket.close(1008, message);
  }

  /** Events are written behind whatever published them, as by a task of their own. */
  #writeEventsSoon(): void {
    if (this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => this.#writeEvents());
  }

  #writeEvents(): void {
    this.#writeSome();
    if (this.#subscriber!.buffer.length > 0) systemClock.setTimeout(() => this.#writeEvents(), 5);
    else this.#writing = false;
  }

  /** Writes events as long as the socket takes them. */
  #writeSome(): void {
    const { buffer } = this.#subscriber!;
    if (this.#gone) buffer.length = 0;
    let written = 0;
    while (written < buffer.length && this.#socket.buffered() <= HIGH_WATER) {
      const event = buffer[written++]!;
      this.#send(this.#frames.event(this.#channelOf(event), event.json));
    }
    buffer.splice(0, written);
  }

  #channelOf(event: BrokerEvent): string {
    if (this.#engines.core.quirks["entity-channel"]) return event.topic;
    const topics = this.#engines.core.broker.topicsOf(event);
    for (const channel of this.#subscriber!.channels) if (topics.includes(channel)) return channel;
    return event.topic;
  }

  #end(): void {
    if (this.#life.signal.aborted) return;
    if (this.#subscriber) this.#engines.core.broker.remove(this.#subscriber);
    this.#life.abort(new CanceledError());
  }
}

function textOf(message: string | Uint8Array): string {
  return typeof message === "string" ? message : UTF8.decode(message);
}
