import { type Clock, delay, systemClock } from "../runtime/clock.ts";
import { abortable } from "../runtime/abortable.ts";
import { Call, type CallRequest } from "./connection/call.ts";
import { closedError, said } from "./connection/connection_errors.ts";
import { Deadlines } from "./connection/deadlines.ts";
import { hooked } from "./_hooked.ts";
import { Listening, type Reading } from "./_listening.ts";
import { Opener } from "./connection/connector.ts";
import type { Attachment, Receiver, Request, Transport } from "./connection/transport.ts";
import { Waiting } from "./connection/offline_queue.ts";
import { fullJitter } from "./backoff.ts";
import type { Channels } from "./subscribe/event_router.ts";
import { AuthError, ConnectionError } from "./errors.ts";
import type { Hooks } from "./hooks.ts";
import type { Link, LinkOwner } from "./connection/link.ts";
import type { DispatchOptions } from "./options.ts";
import { StatusFeed } from "./status.ts";

type Resolve = (data: unknown) => void;
type Reject = (error: unknown) => void;

/** Keeps one control link, makes it again when it is lost, and hands events to their receivers. */
export class Session implements Transport {
  readonly #options: DispatchOptions;
  #channels: Channels | undefined;
  readonly #listening: Listening = new Listening(this, () => this.#drain());
  readonly #waiting: Waiting;
  readonly #owner: LinkOwner;
  readonly #opener: Opener;
  readonly #abort = new AbortController();
  #link: Link | undefined;
  #opening: Promise<Link> | undefined;
  #anomalies = 0;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;
  readonly onOver: Set<(error: Error) => void> = new Set();
  readonly status: StatusFeed = new StatusFeed();
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: () => number;
  readonly hooks: Hooks | undefined;
  readonly credits: number;

  constructor(options: DispatchOptions) {
    const {
      clock = systemClock,
      random = Math.random,
      maxQueue = 1_000,
      hooks,
      credits = 100_000,
    } = options;
    this.#options = options;
    this.clock = clock;
    this.random = random;
    this.hooks = hooks;
    this.credits = credits;
    this.deadlines = new Deadlines(clock);
    this.#waiting = new Waiting(maxQueue);
    this.#opener = new Opener(this, options);
    this.#owner = {
      onAnomaly: (cause) => this.anomaly(cause),
      takeBack: (call) => {
        if (this.#closing) return false;
        this.#waiting.add(call);
        return true;
      },
      onLost: (cause) => this.#lost(cause),
    };
  }

  /** Why no request can be sent any more, if so. */
  get over(): Error | undefined {
    return this.#failure;
  }

  /** The control link, while there is one. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** How many requests wait for their answer or for a connection. */
  get inFlight(): number {
    return this.#waiting.size + (this.#link?.inFlight ?? 0);
  }

  /** Connects, or waits for the connection that is being made. */
  async connect(signal?: AbortSignal): Promise<string> {
    if (this.#closing) throw said("connect", this.#failure);
    this.#failure = undefined;
    const link = this.#link || this.#isWaitingForRetry
      ? this.ready("connect", Infinity, signal)
      : abortable(this.#opening ??= this.#first(), signal);
    return (await link).sessionId;
  }

  /** Sends a request over the control link. */
  request(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => this.send(request, resolve, reject));
  }

  /** Sends a request and calls back, for who makes so many that a promise for each would show. */
  send(request: Request, resolve: Resolve, reject: Reject): void {
    if (!this.hooks) return this.#begin(request, resolve, reject);
    hooked(
      this.hooks,
      request,
      () => new Promise((resolve, reject) => this.#begin(request, resolve, reject)),
    ).then(resolve, reject);
  }

  /** Resolves when requests can be sent. */
  ready(what: string, deadline: number, signal?: AbortSignal): Promise<Link> {
    return new Promise((resolve, reject) =>
      this.#start({ what, method: "", signal }, deadline, resolve as Resolve, reject)
    );
  }

  /** When a call that begins now has to be over. */
  deadline(timeout: number = this.#options.timeout ?? 30_000): number {
    return timeout === 0 ? Infinity : this.clock.now() + timeout;
  }

  /** Hands a channel's events to a receiver. */
  attach(channel: string, receiver: Receiver, parts: typeof Channels): Attachment {
    return (this.#channels ??= new parts(this, this.credits)).attach(channel, receiver);
  }

  /** Uses what reads channels; requests that are made after that leave after it. */
  listen<T>(what: string, use: (part: Reading) => T): Promise<T> {
    return this.#listening.run(what, use);
  }

  /** Opens another authenticated connection to the same server. */
  openLink(owner: LinkOwner, signal?: AbortSignal): Promise<Link> {
    const { signal: closed } = this.#abort;
    // A lane that its run blocks answers no ping, and what becomes of its run is read elsewhere.
    return this.#opener.open(
      owner,
      owner === this.#owner,
      signal ? AbortSignal.any([signal, closed]) : closed,
    );
  }

  /** Tells of a message that nothing could be done with. */
  anomaly(cause: Error): void {
    this.status.emit({ type: "anomaly", count: ++this.#anomalies, cause });
  }

  /** Ends the session: everything that waits is told. */
  close(drain = false): Promise<void> {
    if (this.#closing) return this.#closing;
    const error = closedError();
    const link = this.#link;
    this.#link = undefined;
    const closing = Promise.withResolvers<void>();
    this.#closing = closing.promise;
    this.#failure = error;
    this.#abort.abort(error);
    closing.resolve(link?.close(error, false));
    this.#end(drain);
    this.status.emit({ type: "closed" });
    return this.#closing;
  }

  get #isWaitingForRetry(): boolean {
    return this.status.state.type === "reconnecting";
  }

  async #first(): Promise<Link> {
    this.status.emit({ type: "connecting" });
    try {
      const link = await this.openLink(this.#owner);
      this.#connected(link, 0);
      return link;
    } catch (error) {
      if (!this.#closing) this.status.emit({ type: "idle" });
      this.#waiting.drain((call) => call.reject(said(call.request.what, error)));
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  #connected(link: Link, attempt: number): void {
    if (!link.isOpen) {
      throw new ConnectionError("The connection was lost at once", "connection_lost");
    }
    this.#link = link;
    const { sessionId, format } = link;
    this.#channels?.feed(link);
    this.status.emit({ type: "connected", sessionId, format, attempt });
    this.#drain();
  }

  /** Sends what waits, where it need not wait any longer. */
  #drain(): void {
    const link = this.#link;
    if (!link || this.#listening.isLoading) return;
    this.#waiting.drain((call) => this.#give(link, call));
  }

  #begin(request: Request, resolve: Resolve, reject: Reject): void {
    const deadline = this.deadline(request.timeout);
    const turn = this.#channels?.turn(request, deadline);
    if (!turn) this.#start(request, deadline, resolve, reject);
    else turn.then(() => this.#start(request, deadline, resolve, reject)).catch(reject);
  }

  #start(request: CallRequest, deadline: number, resolve: Resolve, reject: Reject): void {
    const { what, signal } = request;
    if (signal?.aborted) return reject(signal.reason);
    if (this.#failure) return reject(said(what, this.#failure));
    const call = new Call(this.deadlines, request, deadline, resolve, reject);
    if (this.#link && !this.#listening.isLoading) return this.#give(this.#link, call);
    this.#waiting.add(call);
    if (this.#link || this.#isWaitingForRetry || this.#opening) return;
    this.#opening = this.#first();
    // Every call is told by itself.
    this.#opening.catch(() => {});
  }

  /** Hands a call to a link; one that calls no method only waits for it. */
  #give(link: Link, call: Call): void {
    if (call.request.method) link.send(call);
    else call.resolve(link);
  }

  #lost(cause: ConnectionError): void {
    // One that was lost before it was ready is the business of whoever opens it.
    if (!this.#link) return;
    const since = this.#link.lastHeard;
    this.#link = undefined;
    this.#waiting.why = cause;
    this.status.emit({ type: "disconnected", cause });
    if (this.#options.reconnect === false) return this.#fail(cause);
    // Tells of its own end by the status stream and by #fail.
    void this.#reconnect(cause, since);
  }

  async #reconnect(cause: Error, since: number): Promise<void> {
    const { maxRetries = 10, backoff, connectTimeout = 10_000 } = this.#options;
    for (let attempt = 1; maxRetries === 0 || attempt <= maxRetries; attempt++) {
      const wait = fullJitter(attempt, this.random(), backoff);
      this.status.emit({ type: "reconnecting", attempt, delay: wait, cause });
      let link: Link | undefined;
      try {
        await delay(wait, { signal: this.#abort.signal, clock: this.clock });
        link = await this.openLink(this.#owner);
        const deadline = this.clock.now() + connectTimeout;
        await this.#channels?.resubscribe(link, deadline, this.#abort.signal);
        this.#connected(link, attempt);
        this.#channels?.gap("reconnect", since);
        return;
      } catch (error) {
        const given = new ConnectionError("The connection was given up", "connection_lost");
        await link?.close(given, true);
        if (this.#closing) return;
        cause = this.#waiting.why = error as Error;
        if (error instanceof AuthError) return this.#fail(error);
      }
    }
    const text = `Cannot reconnect: gave up after ${maxRetries} attempts`;
    this.#fail(new ConnectionError(text, "gave_up", { cause }));
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.status.emit({ type: "failed", cause: error });
    this.#end(false);
  }

  #end(drained: boolean): void {
    const error = this.#failure!;
    this.#waiting.drain((call) => call.reject(said(call.request.what, error)));
    this.#channels?.end(this.#closing ? undefined : error, drained);
    for (const tell of [...this.onOver]) tell(error);
  }
}
