import { abortable } from "../runtime/abortable.ts";
import { Call, type CallRequest } from "./connection/call.ts";
import { type Hooks, withRequestHook } from "./hooks.ts";
import { fullJitter, HOLD_TIME } from "./backoff.ts";
import { Connector } from "./connection/connector.ts";
import type { Link } from "./connection/link.ts";
import type { LinkOwner } from "./connection/link_options.ts";
import { OfflineQueue } from "./connection/offline_queue.ts";
import type { Attachment, EventTransport, Receiver, Request } from "./connection/transport.ts";
import { AuthError, closedError, ConnectionError, inContext } from "./errors.ts";
import { checkDispatchOptions, type DispatchOptions } from "./options.ts";
import { EnqueueThrottle } from "./subscribe/enqueue_throttle.ts";
import { StatusFeed } from "./status_feed.ts";
import { type Clock, delay, monotonicNow, systemClock } from "../runtime/clock.ts";
import { ChannelRouter } from "./subscribe/event_router.ts";
import { Deadlines } from "./connection/deadlines.ts";

/**
 * Keeps one control link to the server and replaces it when it is lost. Requests wait in a queue
 * while there is no link.
 */
export class Session implements EventTransport {
  readonly #options: DispatchOptions;
  readonly #router: ChannelRouter;
  readonly #queue: OfflineQueue;
  readonly #owner: LinkOwner;
  readonly #connector: Connector;
  readonly #abort = new AbortController();
  #link: Link | undefined;
  #opening: Promise<Link> | undefined;
  #connectedAt = 0;
  /** The attempts to reconnect since a connection held. */
  #attempts = 0;
  #anomalies = 0;
  #closedWith: Error | undefined;
  #closing: Promise<void> | undefined;
  readonly onClose: Set<(error: Error) => void> = new Set();
  readonly onCancel: Set<(jobId: string) => unknown> = new Set();
  readonly status: StatusFeed = new StatusFeed();
  declare readonly clock: Clock;
  declare readonly deadlines: Deadlines;
  declare readonly random: () => number;
  declare readonly timeout: number;
  declare readonly hooks: Hooks | undefined;
  declare readonly credits: number;
  declare readonly throttle: EnqueueThrottle;
  /** The latest deadline of the requests so far, on the monotonic clock. */
  declare lastDeadline: number | undefined;

  constructor(options: DispatchOptions) {
    checkDispatchOptions(options);
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
    this.timeout = options.timeout ?? 30_000;
    this.hooks = options.hooks;
    this.credits = options.credits ?? 100_000;
    this.deadlines = new Deadlines(this.clock);
    this.#queue = new OfflineQueue(options.maxQueue ?? 1_000);
    this.#connector = new Connector(this, options);
    this.#router = new ChannelRouter(this);
    this.throttle = new EnqueueThrottle(this, (call) => this.#sendOrQueue(call));
    this.#owner = {
      onAnomaly: (cause) => this.reportAnomaly(cause),
      requeue: (call) => {
        if (this.#closing) return false;
        this.#queue.add(call);
        return true;
      },
      onLost: (cause) => this.#onLost(cause),
    };
  }

  /** The reason why no request can be sent any more; `undefined` while requests can be sent. */
  get closedWith(): Error | undefined {
    return this.#closedWith;
  }

  /** The number of requests that wait for their turn, for a link or for their answer. */
  get inFlight(): number {
    const opening = this.#opening ? 1 : 0;
    return opening + this.throttle.size + this.#queue.size + (this.#link?.inFlight ?? 0);
  }

  /** Connects, or waits for the attempt under way; returns the session's id. */
  async connect(signal?: AbortSignal): Promise<string> {
    if (this.#closing) throw inContext("connect", this.#closedWith);
    this.#closedWith = undefined;
    const link = this.#link || this.isReconnecting
      ? this.ready({ what: "connect", timeout: 0, signal })
      : abortable(this.#opening ??= this.#openFirst(), signal);
    return (await link).sessionId;
  }

  /** Sends a request over the control link and resolves with the data of the answer. */
  request(request: Request): Promise<unknown> {
    const start = () => this.#start({ ...request, timeout: request.timeout ?? this.timeout });
    return this.hooks ? withRequestHook(this.hooks, request, start) : start();
  }

  /** Resolves with the control link as soon as there is one. */
  ready(request: Pick<Request, "what" | "timeout" | "signal">): Promise<Link> {
    return this.#start({ ...request, method: "" }) as Promise<Link>;
  }

  /** The deadline of a call that begins now. */
  deadline(timeout = this.timeout): number {
    return timeout ? monotonicNow(this.clock) + timeout : Infinity;
  }

  /** Adds a receiver to a channel. */
  attach(channel: string, receiver: Receiver): Attachment {
    return this.#router.attach(channel, receiver);
  }

  /** Opens another authenticated connection to the same server. */
  openLink(owner: LinkOwner, signal: AbortSignal = this.#abort.signal): Promise<Link> {
    // Only the control link sends pings: a lane that is blocked by its run cannot answer them.
    return this.#connector.open(owner, owner === this.#owner, signal);
  }

  /** Reports a message that the client cannot use. */
  reportAnomaly(cause: Error): void {
    this.status.emit({ type: "anomaly", count: ++this.#anomalies, cause });
  }

  onFormatFallback(cause: Error): void {
    this.status.emit({ type: "format_fallback", format: "json", cause });
  }

  /** Closes the session, and rejects all pending calls and waits. */
  close(drain = false): Promise<void> {
    if (this.#closing) return this.#closing;
    const error = closedError();
    const link = this.#link;
    this.#link = undefined;
    const closing = Promise.withResolvers<void>();
    this.#closing = closing.promise;
    this.#closedWith = error;
    this.#abort.abort(error);
    if (link) this.#router.leave(link);
    closing.resolve(link?.close(error, false));
    this.#end(drain);
    this.status.emit({ type: "closed" });
    return this.#closing;
  }

  /** Whether the connection was lost, and the client has not given up. */
  get isReconnecting(): boolean {
    return this.status.state.type === "reconnecting";
  }

  async #openFirst(): Promise<Link> {
    this.status.emit({ type: "connecting" });
    this.#attempts = 0;
    try {
      const link = await this.openLink(this.#owner);
      this.#onConnected(link, 0);
      return link;
    } catch (error) {
      if (!this.#closing) this.status.emit({ type: "idle" });
      this.#queue.drain((call) => call.fail(error));
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  #onConnected(link: Link, attempt: number): void {
    // The client was closed in the same turn.
    if (this.#closedWith) void link.close(this.#closedWith, true);
    if (!link.isOpen) {
      throw this.#closedWith ?? new ConnectionError("the connection is lost", "connection_lost");
    }
    this.#link = link;
    this.#connectedAt = monotonicNow(this.clock);
    const { sessionId, format } = link;
    // After a reconnect the router listens already, and has counted the first events.
    if (!link.sink) this.#router.listenTo(link);
    this.status.emit({ type: "connected", sessionId, format, attempt });
    this.#queue.drain((call) => this.#sendOn(link, call));
  }

  #start(request: CallRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { what, signal, timeout, method } = request;
      const deadline = this.deadline(timeout);
      if ((method || timeout) && !(deadline < this.lastDeadline!)) this.lastDeadline = deadline;
      if (signal?.aborted) return reject(signal.reason);
      if (this.#closedWith) return reject(inContext(what, this.#closedWith));
      const call = new Call(this.deadlines, request, deadline, resolve, reject);
      if (this.#router.mustThrottle(call)) this.throttle.add(call);
      else this.#sendOrQueue(call);
    });
  }

  #sendOrQueue(call: Call): void {
    if (this.#link) return this.#sendOn(this.#link, call);
    this.#queue.add(call);
    if (this.isReconnecting || this.#opening) return;
    this.#opening = this.#openFirst();
    // A failure rejects each queued call; nobody else waits for this promise.
    this.#opening.catch(() => {});
  }

  /** Sends a call on a link; a call without a method only waits for the link. */
  #sendOn(link: Link, call: Call): void {
    if (call.request.method) link.send(call);
    else call.resolve(link);
  }

  #onLost(cause: ConnectionError): void {
    // A link that is lost before it is ready is handled by the code that opens it.
    if (!this.#link) return;
    const since = this.#link.lastMessageAt;
    this.#link = undefined;
    this.#queue.disconnectCause = cause;
    if (monotonicNow(this.clock) - this.#connectedAt >= HOLD_TIME) this.#attempts = 0;
    this.status.emit({ type: "disconnected", cause });
    if (this.#options.reconnect === false) return this.#fail(cause);
    // It never rejects: its outcome goes to the status stream and to #fail.
    void this.#reconnect(cause, since);
  }

  async #reconnect(cause: Error, since: number): Promise<void> {
    const { maxRetries = 10, backoff, connectTimeout = 10_000 } = this.#options;
    while (maxRetries === 0 || this.#attempts < maxRetries) {
      const attempt = ++this.#attempts;
      const wait = fullJitter(attempt, this.random(), backoff);
      this.status.emit({ type: "reconnecting", attempt, delay: wait, cause });
      let link: Link | undefined;
      try {
        await delay(wait, { signal: this.#abort.signal, clock: this.clock });
        link = await this.openLink(this.#owner);
        await this.#router.resubscribe(link, connectTimeout, this.#abort.signal);
        this.#onConnected(link, attempt);
        this.#router.resume(since);
        return;
      } catch (error) {
        await link?.close(error as Error, true);
        if (this.#closing) return;
        cause = this.#queue.disconnectCause = error as Error;
        // The server will refuse the token again; a token function that failed may recover.
        if (error instanceof AuthError && !error.cause) return this.#fail(error);
      }
    }
    const text = `Cannot reconnect: gave up after ${maxRetries} attempts`;
    this.#fail(new ConnectionError(text, "gave_up", { cause }));
  }

  #fail(error: Error): void {
    this.#closedWith = error;
    this.status.emit({ type: "failed", cause: error });
    this.#end(false);
  }

  #end(keepUnread: boolean): void {
    const error = this.#closedWith!;
    for (const queue of [this.throttle, this.#queue]) queue.drain((call) => call.fail(error));
    this.#router.end(this.#closing ? undefined : error, keepUnread);
    for (const listener of [...this.onClose]) listener(error);
  }
}
