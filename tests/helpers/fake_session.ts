import type { CallRequest } from "../../client/connection/call.ts";
import { Deadlines } from "../../client/connection/deadlines.ts";
import type { Link } from "../../client/connection/link.ts";
import type { FrameSink, LinkOwner } from "../../client/connection/link_options.ts";
import type { EventTransport, Request } from "../../client/connection/transport.ts";
import { inContext } from "../../client/errors.ts";
import type { Session } from "../../client/session.ts";
import { ConnectionError, type Hooks, type Status, TimeoutError } from "../../mod.ts";
import { FakeClock } from "./fake_clock.ts";

/** A request that the test answers. */
export interface FakeRequest {
  method: string;
  what: string;
  /** The data as JSON text. */
  data: string;
  deadline: number;
  answer(data?: unknown): void;
  reject(error: Error): void;
}

/** Lets everything go on that waits for neither the clock nor the test. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A connection without a socket. */
export class FakeLink {
  readonly #deadlines: Deadlines;
  readonly #pending = new Set<FakeRequest>();
  /** What was done with the link, in order: methods, `grant 5`, `close`. */
  readonly log: string[] = [];
  readonly requests: FakeRequest[] = [];
  readonly owner: LinkOwner;
  isOpen = true;
  sink: FrameSink | undefined;
  /** The error that the link was closed with, and whether it skipped the closing handshake. */
  closedWith: { cause: Error; now: boolean } | undefined;

  constructor(deadlines: Deadlines, owner: LinkOwner) {
    this.#deadlines = deadlines;
    this.owner = owner;
  }

  request({ what, method, data = "" }: CallRequest, deadline = Infinity): Promise<unknown> {
    if (!this.isOpen) return Promise.reject(new ConnectionError("lost", "connection_lost"));
    this.log.push(method);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = () => request.reject(new TimeoutError(`Cannot ${what}: too late`));
    const cancel = this.#deadlines.add(deadline, late);
    const end = () => {
      cancel();
      this.#pending.delete(request);
    };
    const request: FakeRequest = {
      method,
      what,
      data,
      deadline,
      answer: (data) => (end(), resolve(data)),
      reject: (error) => (end(), reject(inContext(what, error, "unknown"))),
    };
    this.#pending.add(request);
    this.requests.push(request);
    return promise;
  }

  /** The last request for a method. */
  last(method: string): FakeRequest {
    return this.requests.findLast((request) => request.method === method)!;
  }

  sendControl(_type: string, { credits }: { credits?: number } = {}): string {
    this.log.push(`grant ${credits}`);
    return "";
  }

  publish(type: string, data: Record<string, unknown>): void {
    const event = { type, topic: "", ts: "2026-01-01T00:00:00Z", data };
    this.sink!.onEvent({ id: "", type: "event", ts: "", data: event });
  }

  reportAnomaly(reason: string): void {
    this.owner.onAnomaly(new Error(reason));
  }

  close(cause: Error, now: boolean): Promise<void> {
    if (this.isOpen) {
      this.log.push("close");
      this.closedWith = { cause, now };
      this.lose(cause);
    }
    return Promise.resolve();
  }

  /** Ends the connection, as the peer or the network does. */
  lose(cause: Error = new ConnectionError("The connection was lost", "connection_lost")): void {
    this.isOpen = false;
    for (const request of this.#pending) request.reject(cause);
  }
}

/** A session without a server. The test opens its links and answers its requests. */
export class FakeSession implements EventTransport {
  readonly clock = new FakeClock();
  readonly deadlines = new Deadlines(this.clock);
  readonly onClose = new Set<(error: Error) => void>();
  readonly onCancel = new Set<(jobId: string) => void>();
  readonly credits = 100;
  readonly timeout = 30_000;
  readonly random = () => 0.5;
  hooks: Hooks | undefined;
  closedWith: Error | undefined;
  /** The links, in the order in which they were opened. */
  readonly links: FakeLink[] = [];
  /** The requests over the control link. */
  readonly requests: FakeRequest[] = [];
  readonly statuses: Status[] = [];
  readonly anomalies: Error[] = [];
  readonly status = { emit: (status: Status): void => void this.statuses.push(status) };
  /** Called before a link is opened. */
  onOpen: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  async openLink(owner: LinkOwner, signal: AbortSignal): Promise<Link> {
    await this.onOpen(signal);
    const link = new FakeLink(this.deadlines, owner);
    this.links.push(link);
    return link as unknown as Link;
  }

  deadline(timeout = 30_000): number {
    return timeout === 0 ? Infinity : this.clock.monotonic() + timeout;
  }

  ready(_request: Pick<Request, "what" | "timeout" | "signal">): Promise<unknown> {
    return Promise.resolve();
  }

  request({ what, method, data = "" }: Request): Promise<unknown> {
    const { promise, resolve: answer, reject } = Promise.withResolvers<unknown>();
    this.requests.push({ what, method, data, deadline: Infinity, answer, reject });
    return promise;
  }

  attach(): { ready: Promise<void>; detach: () => Promise<void> } {
    return { ready: Promise.resolve(), detach: () => Promise.resolve() };
  }

  reportAnomaly(cause: Error): void {
    this.anomalies.push(cause);
  }

  close(error: Error): void {
    this.closedWith = error;
    for (const listener of [...this.onClose]) listener(error);
  }

  /** The same object as the type that the client's modules take. */
  get asSession(): Session {
    return this as unknown as Session;
  }
}
