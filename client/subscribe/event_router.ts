import { channelsOf, wireChannel } from "../../protocol/channel.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import { ConnectionError, DispatchError } from "../_core.ts";
import { Feed } from "./credits.ts";
import { Pace } from "./enqueue_throttle.ts";
import type { Attachment, Receiver, Request } from "../connection/transport.ts";
import { type Gap, gap } from "../gap.ts";
import type { Link } from "../connection/link.ts";
import type { Session } from "../session.ts";

/** A channel the server was asked for. */
interface WireChannel {
  count: number;
  /** Takes the request back. */
  abort: AbortController;
  ready: Promise<unknown>;
}

/**
 * Who listens to which channel. An event names only the entity it is about, so it is routed by what
 * it says; a channel that several listen to is asked for once.
 */
export class Channels {
  readonly #session: Session;
  readonly #routes = new Map<string, Set<Receiver>>();
  readonly #wire = new Map<string, WireChannel>();
  readonly #credits: number;
  readonly #pace: Pace;

  constructor(session: Session, credits: number) {
    this.#session = session;
    this.#credits = credits;
    this.#pace = new Pace(session);
    if (session.link) this.feed(session.link);
  }

  /** Takes the events of a link. */
  feed(link: Link): void {
    link.feed = new Feed(
      link,
      this.#session.clock,
      this.#credits,
      (event) => this.#dispatch(event),
      (since, until) => {
        const item = this.gap("credits", since, until);
        this.#session.status.emit({ type: "gap", since: item.since, until: item.until });
      },
    );
  }

  /** The turn of an enqueue, where its events come over the same connection. */
  turn(request: Request, deadline: number): Promise<void> | undefined {
    const hearsJobs = this.#wire.has("jobs") || this.#wire.has("firehose");
    if (hearsJobs && request.method === "job.enqueue") return this.#pace.turn(request, deadline);
  }

  /** Hands a channel's events to a receiver. */
  attach(channel: string, receiver: Receiver): Attachment {
    let receivers = this.#routes.get(channel);
    if (!receivers) this.#routes.set(channel, receivers = new Set());
    receivers.add(receiver);
    const name = wireChannel(channel);
    let wire = this.#wire.get(name);
    if (!wire) {
      const abort = new AbortController();
      const { signal } = abort;
      const ready = this.#session.request({
        ...channelRequest("subscribe", name),
        retry: "unknown",
        signal,
      });
      this.#wire.set(name, wire = { count: 0, abort, ready });
    }
    wire.count++;
    const detach = async () => {
      receivers.delete(receiver);
      if (receivers.size === 0 && this.#routes.get(channel) === receivers) {
        this.#routes.delete(channel);
      }
      if (--wire.count > 0 || this.#wire.get(name) !== wire) return;
      this.#wire.delete(name);
      // A lost connection took the subscription with it.
      const { link } = this.#session;
      if (!link) return wire.abort.abort();
      await link.request(channelRequest("unsubscribe", name), this.#session.deadline())
        .catch((error) => {
          if (!(error instanceof ConnectionError)) throw error;
        });
    };
    let detached: Promise<void> | undefined;
    const ready = wire.ready.then(() => {}, (error) => {
      if (wire.abort.signal.aborted) return;
      // The next subscriber asks anew.
      if (this.#wire.get(name) === wire) this.#wire.delete(name);
      receivers.delete(receiver);
      throw error;
    });
    return { ready, detach: () => detached ??= detach() };
  }

  /** Tells everybody that events may be missing. */
  gap(reason: Gap["reason"], since: number, until: number = this.#session.clock.now()): Gap {
    const item = gap(reason, since, until);
    for (const receiver of this.#receivers()) receiver.onGap(item);
    return item;
  }

  /** Asks a new connection for every channel somebody listens to. */
  async resubscribe(link: Link, deadline: number, signal: AbortSignal): Promise<void> {
    this.feed(link);
    await Promise.all([...this.#wire.keys()].map(async (name) => {
      try {
        await link.request({ ...channelRequest("subscribe", name), signal }, deadline);
      } catch (error) {
        // Refused, where it was granted before: only this channel is lost.
        if (!(error instanceof DispatchError) || typeof error.code !== "number") throw error;
        this.#wire.delete(name);
        for (const [channel, receivers] of [...this.#routes]) {
          if (wireChannel(channel) !== name) continue;
          this.#routes.delete(channel);
          for (const receiver of receivers) receiver.onEnd(error);
        }
      }
    }));
  }

  /** Tells everybody that no more will come. */
  end(error: Error | undefined, keep: boolean): void {
    const receivers = this.#receivers();
    this.#routes.clear();
    this.#wire.clear();
    for (const receiver of receivers) receiver.onEnd(error, keep);
  }

  /** Hands an event to all who listen to one of its channels. */
  #dispatch(event: DispatchEvent): void {
    if (event.type === "job.started") this.#pace.heard();
    for (const channel of channelsOf(event)) {
      const receivers = this.#routes.get(channel);
      if (receivers) { for (const receiver of receivers) receiver.onEvent(event); }
    }
  }

  #receivers(): Receiver[] {
    return [...this.#routes.values()].flatMap((receivers) => [...receivers]);
  }
}

/** The request that begins or ends a subscription. */
export function channelRequest(method: "subscribe" | "unsubscribe", channel: string): Request {
  return {
    what: `${method} ${method === "subscribe" ? "to" : "from"} '${channel}'`,
    method,
    data: JSON.stringify({ channel }),
    subject: channel,
    retry: "not-sent",
  };
}
