import {
  type Codec,
  type DispatchEvent,
  type Frame,
  FrameError,
  jsonCodec,
  loadMsgpackCodec,
  toEvent,
} from "../protocol/mod.ts";
import { type Clock, observeSockets, terminate } from "../runtime/mod.ts";
import type { Deadlines } from "./_deadlines.ts";
import { Pending } from "./_pending.ts";
import type { Request } from "./_transport.ts";
import { AuthError, ConnectionError, DispatchError, TimeoutError } from "./errors.ts";

/** What a link tells its owner. */
export interface LinkOwner {
  /** An event came. */
  onEvent(event: DispatchEvent): void;
  /** A message came that nothing could be done with. */
  onAnomaly(cause: Error): void;
  /** The server had no credits left: events may be missing. Without it, nobody wants to know. */
  onStarved?(since: number, until: number): void;
  /** The connection is gone; never called after {@linkcode Link.close}. */
  onLost(cause: ConnectionError): void;
}

/** Settings of {@linkcode Link.open}. */
export interface LinkOptions {
  url: string;
  token: string;
  format: "json" | "msgpack";
  connectTimeout: number;
  credits: number;
  pingInterval: number;
  pingTimeout: number;
  clock: Clock;
  deadlines: Deadlines;
  webSocket: (url: string) => WebSocket;
  owner: LinkOwner;
  signal?: AbortSignal;
}

/** Thrown when a server cut the connection in answer to a wish for MessagePack. */
export class FormatError extends ConnectionError {}

/** A grant that the server has not been seen to have read. */
interface Grant {
  /** The ping behind it: its pong shows that the grant was read. */
  pingId: string;
  credits: number;
  since: number;
}

/** What a server grants a new connection. */
const INITIAL_CREDITS = 1_000;

/**
 * At how many credits left the first grant is sent. Not at once: a frame without an answer, sent
 * right before a request, holds that back by the 40 ms a peer's kernel may take to acknowledge it,
 * where the runtime leaves Nagle's algorithm on, as Deno does.
 */
const FIRST_TOP_UP = 950;

/** How long a closed connection may wait for its peer's close frame, in milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/** One socket over which a server has taken our token. */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  readonly #pending = new Map<string, Pending>();
  /** How many requests have no answer; more than are pending when some were given up. */
  #unanswered = 0;
  #codec: Codec = jsonCodec;
  #binary: Codec | undefined;
  #state: "opening" | "open" | "closed" = "opening";
  #nextId = 1;
  #credits = INITIAL_CREDITS;
  #topUpAt = FIRST_TOP_UP;
  /** The credits that the server certainly had, and what of them has not come as events. */
  #certain = INITIAL_CREDITS;
  readonly #grants: Grant[] = [];
  #lastHeard: number;
  #wasOpen = false;
  #timeShown = NaN;
  #timeText = "";
  #endPing = () => {};
  #onGone = () => {};
  #settled: { resolve(): void; reject(error: Error): void } | undefined;
  /** What the server calls this connection. */
  sessionId = "";

  private constructor(options: LinkOptions, binary: Codec | undefined) {
    this.#options = options;
    this.#binary = binary;
    this.#lastHeard = options.clock.now();
    observeSockets();
    this.#socket = options.webSocket(options.url);
    this.#socket.binaryType = "arraybuffer";
  }

  /**
   * Opens a socket and authenticates.
   * @throws {AuthError} When the token is refused.
   * @throws {FormatError} When the server cannot do MessagePack.
   * @throws {ConnectionError} When there is no server, or it does not speak the protocol.
   * @throws {TimeoutError} When it takes longer than `connectTimeout`.
   */
  static async open(options: LinkOptions): Promise<Link> {
    options.signal?.throwIfAborted();
    const binary = options.format === "msgpack" ? await loadMsgpackCodec() : undefined;
    options.signal?.throwIfAborted();
    const link = new Link(options, binary);
    await link.#open();
    return link;
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
    return this.#lastHeard;
  }

  /** How many requests wait for their answer. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Sends a request and resolves with the answer's data. */
  request(
    what: string,
    method: string,
    data: string | undefined,
    deadline: number,
    signal?: AbortSignal,
  ): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.submit({ what, method, data, signal }, deadline, resolve, reject)
    );
  }

  /** Sends a request and calls back with the answer's data, or with why there is none. */
  submit(
    request: Pick<Request, "what" | "method" | "data" | "signal">,
    deadline: number,
    resolve: (data: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const { what, method, data, signal } = request;
    if (this.#state !== "open") {
      reject(new ConnectionError(`Cannot ${what}: the connection is lost`, "connection_lost"));
      return;
    }
    const id = String(this.#nextId++);
    const { deadlines } = this.#options;
    this.#unanswered++;
    new Pending(this.#pending, deadlines, id, what, deadline, signal, resolve, reject);
    this.#send({ id, type: "request", method, ts: this.#now() }, data);
  }

  /** Allows the server as many events as it may be allowed. */
  topUp(): void {
    if (this.#state !== "open") return;
    const full = INITIAL_CREDITS + this.#options.credits;
    const credits = full - Math.max(0, this.#credits);
    this.#credits += credits;
    this.#topUpAt = full * 0.6;
    this.#send({ id: String(this.#nextId++), type: "request", credits, ts: this.#now() });
    if (!this.#options.owner.onStarved) return;
    // A grant has no answer, but requests are served in order: a pong says that it was read.
    const pingId = String(this.#nextId++);
    this.#grants.push({ pingId, credits, since: this.#options.clock.now() });
    this.#send({ id: pingId, type: "ping", ts: this.#now() });
  }

  /**
   * Closes the connection. What is in flight rejects.
   * @param options `now` does not wait for the server's part, which a blocked one cannot do.
   */
  close(options: { now: boolean; cause: ConnectionError }): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    this.#shut(options.cause);
    if (options.now) {
      terminate(this.#socket);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const { clock } = this.#options;
      const timer = clock.setTimeout(() => {
        terminate(this.#socket);
        resolve();
      }, CLOSE_TIMEOUT);
      this.#onGone = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      this.#socket.close();
    });
  }

  #open(): Promise<void> {
    const { token, format, clock, connectTimeout, signal, deadlines, url } = this.#options;
    return new Promise<void>((resolve, reject) => {
      const settle = () => {
        forget();
        signal?.removeEventListener("abort", onAbort);
        this.#settled = undefined;
      };
      const fail = (error: unknown) => {
        settle();
        this.#shut(new ConnectionError("The connection was not made", "connect_failed"));
        terminate(this.#socket);
        reject(error);
      };
      const forget = deadlines.add(clock.now() + connectTimeout, () =>
        fail(
          new TimeoutError(
            `Cannot connect to '${shown(url)}': no answer within ${connectTimeout} ms`,
            { delivery: "not-sent" },
          ),
        ));
      const onAbort = () => fail(signal!.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#settled = {
        resolve: () => {
          settle();
          resolve();
        },
        reject: fail,
      };
      let failure = "";
      this.#socket.onopen = () => {
        this.#wasOpen = true;
        const asked = JSON.stringify(format === "json" ? { token } : { token, format });
        this.#socket.send(
          jsonCodec.encode({ id: "auth", type: "request", method: "auth", ts: this.#now() }, asked),
        );
      };
      this.#socket.onmessage = (event) => this.#receive(event.data);
      this.#socket.onerror = (event) => {
        // Node calls back after the connection was dropped on purpose, too.
        failure ||= (event as ErrorEvent).message || "";
      };
      this.#socket.onclose = (event) => {
        const why = failure || event.reason || `closed with code ${event.code}`;
        this.#gone(why);
      };
    });
  }

  #receive(data: unknown): void {
    this.#lastHeard = this.#options.clock.now();
    if (this.#state === "closed") return;
    let frame: Frame;
    try {
      if (typeof data === "string") frame = jsonCodec.decode(data);
      else if (this.#binary) frame = this.#binary.decode(new Uint8Array(data as ArrayBuffer));
      else throw new FrameError("a binary message where JSON is spoken", "");
    } catch (error) {
      if (this.#state === "opening" && this.#options.format === "msgpack") {
        return this.#settled?.reject(this.#formatError(error));
      }
      return this.#options.owner.onAnomaly(error as Error);
    }
    if (frame.type === "event") this.#event(frame);
    else if (this.#state === "opening") this.#auth(frame);
    else if (frame.type === "response" || frame.type === "error") this.#answer(frame);
    else if (frame.type === "pong") this.#granted(frame.correl_id);
    else if (frame.type === "ping") {
      this.#send({ id: String(this.#nextId++), type: "pong", correl_id: frame.id, ts: frame.ts });
    } else {
      this.#options.owner.onAnomaly(new FrameError(`a ${frame.type} nobody expects`, String(data)));
    }
  }

  #auth(frame: Frame): void {
    const { url, owner, format } = this.#options;
    if (frame.type === "error") {
      const { code, message } = frame.error!;
      const text = `Cannot authenticate at '${shown(url)}': the server answered ${code} ${message}`;
      return this.#settled?.reject(
        code === 401 || code === 403 ? new AuthError(text) : new DispatchError(text, code),
      );
    }
    const answer = frame.data as { session_id?: unknown; format?: unknown } | undefined;
    if (frame.type !== "response" || typeof answer?.session_id !== "string") {
      return owner.onAnomaly(new FrameError("no answer to auth", JSON.stringify(frame)));
    }
    this.sessionId = answer.session_id;
    if (format === "msgpack" && answer.format === "msgpack") this.#codec = this.#binary!;
    this.#state = "open";
    this.#watch();
    this.#settled?.resolve();
  }

  #event(frame: Frame): void {
    const event = toEvent(frame.data);
    if (!event) {
      return this.#options.owner.onAnomaly(
        new FrameError("an event without type and data", JSON.stringify(frame)),
      );
    }
    this.#credits--;
    this.#certain--;
    if (this.#credits <= this.#topUpAt) this.topUp();
    this.#options.owner.onEvent(event);
  }

  /** The server has read a grant: were there any credits left? */
  #granted(pingId: string | undefined): void {
    const [grant] = this.#grants;
    if (grant === undefined || grant.pingId !== pingId) return;
    this.#grants.shift();
    if (this.#certain <= 0) {
      this.#options.owner.onStarved?.(grant.since, this.#options.clock.now());
    }
    this.#certain += grant.credits;
  }

  #answer(frame: Frame): void {
    let pending = this.#pending.get(frame.correl_id ?? "");
    if (!pending && frame.type === "error" && !frame.correl_id && this.#pending.size === 1) {
      // It names no request, and only one can be meant.
      [pending] = this.#pending.values();
    }
    if (pending || (frame.correl_id && this.#unanswered > this.#pending.size)) {
      this.#unanswered--;
      // It was given up since.
      if (!pending) return;
    } else {
      const text = frame.error
        ? `an error that belongs to no request: ${frame.error.code} ${frame.error.message}`
        : "an answer nobody waits for";
      return this.#options.owner.onAnomaly(new FrameError(text, JSON.stringify(frame)));
    }
    if (!frame.error) return pending.resolve(frame.data);
    const { code, message } = frame.error;
    pending.reject(
      new DispatchError(`Cannot ${pending.what}: the server answered ${code} ${message}`, code),
    );
  }

  /** Asks a silent server whether it is there; wall-clock time, so that a sleep counts. */
  #watch(): void {
    const { pingInterval, pingTimeout, clock, deadlines } = this.#options;
    if (pingInterval === 0) return;
    const check = (): void => {
      const due = this.#lastHeard + pingInterval;
      if (clock.now() < due) {
        this.#endPing = deadlines.add(due, check);
        return;
      }
      this.#endPing = deadlines.add(clock.now() + pingTimeout, () => {
        // Whatever came meanwhile shows that the server lives: its pong, an error, or an event.
        if (this.#lastHeard >= due) return check();
        this.#gone(`no sign of life for ${pingInterval + pingTimeout} ms`);
        terminate(this.#socket);
      });
      this.#send({ id: String(this.#nextId++), type: "ping", ts: this.#now() });
    };
    check();
  }

  /** The socket is gone, by whatever way. */
  #gone(why: string): void {
    this.#onGone();
    if (this.#state === "closed") return;
    const { url, format, owner } = this.#options;
    if (this.#state === "opening") {
      const text = `Cannot connect to '${shown(url)}'`;
      return this.#settled?.reject(
        format === "msgpack" && this.#wasOpen
          ? this.#formatError(new Error(why))
          : new ConnectionError(text, "connect_failed", { cause: new Error(why) }),
      );
    }
    const cause = new ConnectionError(
      `The connection to '${shown(url)}' was lost`,
      "connection_lost",
      {
        cause: new Error(why),
      },
    );
    this.#shut(cause);
    owner.onLost(cause);
  }

  #formatError(cause: unknown): FormatError {
    return new FormatError(
      "Cannot speak MessagePack: the server cut the connection",
      "connect_failed",
      {
        cause,
      },
    );
  }

  /** Ends everything that goes on over this link. */
  #shut(cause: ConnectionError): void {
    this.#state = "closed";
    this.#endPing();
    for (const pending of [...this.#pending.values()]) {
      pending.reject(
        new ConnectionError(`Cannot ${pending.what}: ${cause.message}`, cause.code as "closed", {
          delivery: "unknown",
          cause,
        }),
      );
    }
    this.#pending.clear();
  }

  #send(head: Parameters<Codec["encode"]>[0], data?: string): void {
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

/** An address as it may be shown: without user, password and query. */
export function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
