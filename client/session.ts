import { type Clock, delay, systemClock } from "../runtime/mod.ts";
import { abortable } from "./_abortable.ts";
import { closedError, said } from "./_connection_errors.ts";
import { Deadlines } from "./_deadlines.ts";
import { Opener } from "./_opener.ts";
import { Pace } from "./_pace.ts";
import type { Attachment, Receiver, Request, Transport } from "./_transport.ts";
import { Waiting } from "./_waiting.ts";
import { fullJitter } from "./backoff.ts";
import { Channels } from "./channels.ts";
import { AuthError, ConnectionError, TimeoutError } from "./errors.ts";
import { type Gap, gap } from "./gap.ts";
import type { RequestInfo } from "./hooks.ts";
import type { Link, LinkOwner } from "./link.ts";
import type { DispatchOptions } from "./options.ts";
import { StatusFeed } from "./status.ts";

/** Keeps one control link, makes it again when it is lost, and hands events to their receivers. */
export class Session implements Transport {
  readonly #options: DispatchOptions;
  readonly #channels: Channels;
  readonly #waiting: Waiting<Link>;
  readonly #owner: LinkOwner;
  readonly #pace: Pace;
  #abort = new AbortController();
  #link: Link | undefined;
  #opening: Promise<Link> | undefined;
  readonly #opener: Opener;
  #anomalies = 0;
  #lastError: Error | undefined;
  #failure: ConnectionError | AuthError | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  #drained = false;
  /** Called when the session is over, for whatever reason. */
  readonly onOver: Set<(error: Error) => void> = new Set();
  readonly status: StatusFeed = new StatusFeed();
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: () => number;

  constructor(options: DispatchOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
    this.deadlines = new Deadlines(this.clock);
    this.#pace = new Pace(this.clock, this.deadlines);
    this.#waiting = new Waiting(this.deadlines, options.maxQueue ?? 1_000);
    this.#opener = new Opener(
      options,
      this.clock,
      this.deadlines,
      (cause) => this.status.emit({ type: "format_fallback", format: "json", cause }),
    );
    this.#channels = new Channels({
      request: (request) => this.request(request),
      link: () => this.#link,
      deadline: () => this.deadline(),
    });
    this.#owner = {
      onEvent: (event) => {
        if (event.type === "job.started") this.#pace.heard();
        this.#channels.dispatch(event);
      },
      onAnomaly: (cause) => this.anomaly(cause),
      onStarved: (since, until) => this.#gap(gap("credits", since, until)),
      onLost: (cause) => this.#lost(cause),
    };
  }

  /** Why no request can be sent any more, if so. */
  get over(): Error | undefined {
    return this.#closed ? closedError("use client") : this.#failure;
  }

  /** How many requests wait for their answer or for a connection. */
  get inFlight(): number {
    return this.#waiting.size + (this.#link?.inFlight ?? 0);
  }

  /** Connects, or waits for the connection that is being made. */
  async connect(signal?: AbortSignal): Promise<string> {
    if (this.#closed) throw closedError("connect");
    this.#failure = undefined;
    if (this.#link) return this.#link.sessionId;
    if (this.#waitingForRetry) return (await this.#wait("connect", Infinity, signal)).sessionId;
    this.#opening ??= this.#first();
    return (await abortable(this.#opening, signal)).sessionId;
  }

  /** Sends a request over the control link. */
  request(request: Request): Promise<unknown> {
    const ended = this.hook(request);
    const deadline = this.deadline(request.timeout);
    const answer = request.method === "job.enqueue" && this.#channels.hearsJobs
      ? this.#sendPaced(request, deadline)
      : this.#sendNow(request, deadline);
    if (!ended) return answer;
    return answer.then((data) => {
      ended();
      return data;
    }, (error) => {
      ended(error);
      throw error;
    });
  }

  /** Tells the hooks of a request; what they give back is called at its end. */
  hook({ method, subject }: RequestInfo): ((error?: unknown) => void) | void {
    return this.#options.hooks?.request?.({ method, subject });
  }

  /** Resolves when requests can be sent. */
  async ready(what: string, deadline: number, signal?: AbortSignal): Promise<void> {
    await this.#wait(what, deadline, signal);
  }

  /** When a call that begins now has to be over. */
  deadline(timeout: number = this.#options.timeout ?? 30_000): number {
    return timeout === 0 || timeout === Infinity ? Infinity : this.clock.now() + timeout;
  }

  /** Hands a channel's events to a receiver. */
  attach(channel: string, receiver: Receiver): Attachment {
    return this.#channels.attach(channel, receiver);
  }

  /** Opens another authenticated connection to the same server. */
  openLink(owner: LinkOwner, signal?: AbortSignal): Promise<Link> {
    const signals = signal ? AbortSignal.any([signal, this.#abort.signal]) : this.#abort.signal;
    // A lane that its run blocks answers no ping, and what becomes of its run is read elsewhere.
    return this.#opener.open(owner, { pings: owner === this.#owner, signal: signals });
  }

  /** Tells of a message that nothing could be done with. */
  anomaly(cause: Error): void {
    this.status.emit({ type: "anomaly", count: ++this.#anomalies, cause });
  }

  /** Ends the session: everything that waits is told. */
  close(drain = false): Promise<void> {
    return this.#closing ??= this.#close(drain);
  }

  async #close(drain: boolean): Promise<void> {
    this.#closed = true;
    this.#drained = drain;
    const error = closedError("use client");
    this.#abort.abort(error);
    const link = this.#link;
    this.#link = undefined;
    const closing = link?.close({ now: false, cause: error });
    this.#end(error);
    this.status.emit({ type: "closed" });
    await closing;
  }

  get #waitingForRetry(): boolean {
    return this.status.state.type === "reconnecting";
  }

  async #first(): Promise<Link> {
    this.status.emit({ type: "connecting" });
    try {
      const link = await this.openLink(this.#owner);
      this.#connected(link, 0);
      return link;
    } catch (error) {
      if (!this.#closed) this.status.emit({ type: "idle" });
      this.#waiting.reject(error);
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
    this.status.emit({ type: "connected", sessionId, format, attempt });
    this.#waiting.resolve(link);
  }

  #sendNow(request: Request, deadline: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const link = this.#link;
      if (link && !request.signal?.aborted) this.#send(link, request, deadline, resolve, reject);
      else this.#sendLater(request, deadline, resolve, reject);
    });
  }

  /** Sends an enqueue when few enough of those before it are still to be heard of. */
  async #sendPaced(request: Request, deadline: number): Promise<unknown> {
    const { what, signal } = request;
    const late = new AbortController();
    const forget = this.deadlines.add(deadline, () =>
      late.abort(
        new TimeoutError(`Cannot ${what}: its turn did not come before the deadline`, {
          delivery: "not-sent",
        }),
      ));
    const onOver = (error: Error) => late.abort(said(what, error));
    this.onOver.add(onOver);
    const settle = () => {
      forget();
      this.onOver.delete(onOver);
    };
    try {
      const turn = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
      await this.#pace.turn(turn);
    } finally {
      settle();
    }
    return await this.#sendNow(request, deadline);
  }

  #send(
    link: Link,
    request: Request,
    deadline: number,
    resolve: (data: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    link.submit(request, deadline, resolve, (error) => {
      const again = error instanceof ConnectionError && !this.#closed &&
        (error.delivery === "not-sent" || request.retry === "unknown");
      if (again) this.#sendLater(request, deadline, resolve, reject);
      else reject(error);
    });
  }

  /** Sends a request as soon as there is a connection. */
  #sendLater(
    request: Request,
    deadline: number,
    resolve: (data: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#wait(request.what, deadline, request.signal).then(
      (link) => this.#send(link, request, deadline, resolve, reject),
      reject,
    );
  }

  #wait(what: string, deadline: number, signal?: AbortSignal): Promise<Link> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(closedError(what));
    if (this.#failure) return Promise.reject(said(what, this.#failure));
    if (this.#link) return Promise.resolve(this.#link);
    const link = this.#waiting.wait(what, deadline, signal, () => this.#lastError);
    if (!this.#waitingForRetry && !this.#opening) {
      this.#opening = this.#first();
      // Every waiter is told by itself.
      this.#opening.catch(() => {});
    }
    return link;
  }

  #gap(gap: Gap): void {
    this.#channels.gap(gap);
    if (gap.reason === "credits") {
      this.status.emit({ type: "gap", since: gap.since, until: gap.until });
    }
  }

  #lost(cause: ConnectionError): void {
    // One that was lost before it was ready is the business of whoever opens it.
    if (!this.#link) return;
    const since = this.#link.lastHeard;
    this.#link = undefined;
    this.#lastError = cause;
    this.status.emit({ type: "disconnected", cause });
    if (this.#options.reconnect === false) return this.#fail(cause);
    // Tells of its own end by the status stream and by #fail.
    void this.#reconnect(cause, since);
  }

  async #reconnect(cause: Error, since: number): Promise<void> {
    const { maxRetries = 10, backoff } = this.#options;
    for (let attempt = 1; maxRetries === 0 || attempt <= maxRetries; attempt++) {
      const wait = fullJitter(attempt, this.random(), backoff);
      this.status.emit({ type: "reconnecting", attempt, delay: wait, cause });
      let link: Link | undefined;
      try {
        await delay(wait, { signal: this.#abort.signal, clock: this.clock });
        link = await this.openLink(this.#owner);
        const deadline = this.clock.now() + (this.#options.connectTimeout ?? 10_000);
        await this.#channels.resubscribe(link, deadline, this.#abort.signal);
        this.#connected(link, attempt);
        this.#gap(gap("reconnect", since, this.clock.now()));
        return;
      } catch (error) {
        await link?.close({
          now: true,
          cause: new ConnectionError("The connection was given up", "connection_lost"),
        });
        if (this.#closed) return;
        cause = this.#lastError = error as Error;
        if (error instanceof AuthError) return this.#fail(error);
      }
    }
    this.#fail(
      new ConnectionError(`Cannot reconnect: gave up after ${maxRetries} attempts`, "gave_up", {
        cause,
      }),
    );
  }

  #fail(error: ConnectionError | AuthError): void {
    this.#failure = error;
    this.status.emit({ type: "failed", cause: error });
    this.#end(error);
  }

  #end(error: Error): void {
    this.#waiting.reject(error);
    this.#channels.end(this.#closed ? undefined : error, this.#drained);
    for (const tell of [...this.onOver]) tell(error);
  }
}
