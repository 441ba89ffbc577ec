import { channelsOf, wireChannel } from "../../protocol/channel.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { Call } from "../connection/call.ts";
import type { Link } from "../connection/link.ts";
import { channelRequest } from "../connection/requests.ts";
import type { Attachment, EventRouter, Receiver, Transport } from "../connection/transport.ts";
import { CreditWindow } from "./credits.ts";
import { createGap, type Gap } from "../gap.ts";
import { AGE_MARGIN } from "../limits.ts";
import { ConnectionError, DispatchError } from "../errors.ts";
import type { EnqueueThrottle } from "./enqueue_throttle.ts";

/** What the router needs from its session. */
export interface RouterHost
  extends Pick<Transport, "clock" | "deadlines" | "onClose" | "request" | "deadline"> {
  /** The timeout of a call that sets none, in milliseconds. */
  readonly timeout: number;
  /** The enqueues that wait until the events of earlier ones have arrived. */
  readonly throttle: EnqueueThrottle;
  /** How many credits a grant fills the window up to. */
  readonly credits: number;
  /** Is told of gaps that begin while the connection holds, after the receivers. */
  readonly status: { emit(gap: Gap): void };
}

/** A subscription on the server, shared by the receivers of the channels that come from it. */
interface ServerChannel {
  /** The receivers and the channel of each. */
  receivers: Map<Receiver, string>;
  /** Aborts the request to subscribe. */
  abort: AbortController;
  ready: Promise<unknown>;
  /** When the server confirmed the subscription, by its own clock. */
  since: string | undefined;
}

/**
 * Delivers the events of one connection to the receivers of each channel. An event frame names only
 * the entity, so the router derives the channels from the event. The server is asked for a channel
 * once, however many receivers it has.
 */
export class ChannelRouter implements EventRouter {
  readonly #host: RouterHost;
  readonly #serverChannels = new Map<string, ServerChannel>();
  /** The link that delivers events; it may be lost. */
  #link: Link | undefined;
  /** What has arrived on a new link before its receivers were told of the gap. */
  #held: DispatchEvent[] | undefined;

  constructor(host: RouterHost) {
    this.#host = host;
  }

  /**
   * Makes the router the receiver of a link's events.
   * @param held Where they are kept until {@linkcode resume}.
   */
  listenTo(link: Link, held?: DispatchEvent[]): void {
    this.#link = link;
    this.#held = held;
    const onGap = (reason: Gap["reason"]) => (since: number | string, until: number | string) =>
      this.#host.status.emit(this.reportGap(reason, since, until));
    link.sink = new CreditWindow(link, this.#host.clock, {
      credits: this.#host.credits,
      onEvent: (event) => this.#deliver(event),
      onStarved: onGap("credits"),
      onLost: onGap("lost"),
      isCovered: (event, createdAt) =>
        channelsOf(event).some((name) => {
          const since = this.#serverChannels.get(name)?.since;
          return createdAt > Date.parse(since!) + AGE_MARGIN;
        }),
    });
  }

  /** Whether a call must be throttled, because its events arrive on the connection it is sent on. */
  mustThrottle({ request }: Call): boolean {
    return request.method === "job.enqueue" &&
      (this.#serverChannels.has("jobs") || this.#serverChannels.has("firehose"));
  }

  /** Adds a receiver to a channel; asks the server for the channel if the receiver is the first. */
  attach(channel: string, receiver: Receiver): Attachment {
    const name = wireChannel(channel);
    let shared = this.#serverChannels.get(name);
    if (!shared) this.#serverChannels.set(name, shared = this.#subscribe(name));
    const { ready, receivers } = shared;
    receivers.set(receiver, channel);
    let detached: Promise<void> | undefined;
    return {
      ready: ready.then(() => {}, (error) => {
        if (detached) return;
        // The next receiver subscribes again. A slow server may have subscribed us after all.
        this.#unsubscribe(name, shared).catch(() => {});
        throw error;
      }),
      detach: () =>
        detached ??= (async () => {
          receivers.delete(receiver);
          if (receivers.size === 0) await this.#unsubscribe(name, shared);
        })(),
    };
  }

  /** Tells every receiver that events may be missing. */
  reportGap(
    reason: Gap["reason"],
    since: number | string,
    until: number | string = this.#host.clock.now(),
  ): Gap {
    const gap = createGap(reason, since, until);
    for (const receiver of this.#allReceivers()) receiver.onGap(gap);
    return gap;
  }

  /** Tells every receiver of the time without a link, then delivers the events since. */
  resume(since: number): void {
    this.reportGap("reconnect", since);
    const held = this.#held!;
    this.#held = undefined;
    for (const event of held) this.#deliver(event);
  }

  /** Asks the server on a new link for every channel that has receivers. */
  async resubscribe(link: Link, timeout: number, signal: AbortSignal): Promise<void> {
    // The client was closed in the turn in which the link opened.
    signal.throwIfAborted();
    this.listenTo(link, []);
    await Promise.all([...this.#serverChannels].map(async ([name, shared]) => {
      shared.since = undefined;
      try {
        const request = { ...channelRequest("subscribe", name), timeout, signal };
        await link.request(request, this.#host.deadline(timeout));
        shared.since = link.answeredAt;
      } catch (error) {
        // The server refuses what it allowed before: only this channel ends.
        if (!(error instanceof DispatchError) || typeof error.code !== "number") throw error;
        this.#serverChannels.delete(name);
        // The caller's own request may wait for the connection still.
        shared.abort.abort(error);
        for (const receiver of shared.receivers.keys()) receiver.onEnd(error);
      }
    }));
  }

  /**
   * Unsubscribes from every channel before a link is closed. When a subscribed connection drops while
   * an event is published to it, servers close the connection that caused the event. They handle the
   * requests before they read the end of the connection.
   */
  leave(link: Link): void {
    for (const name of this.#serverChannels.keys()) {
      const { method, data } = channelRequest("unsubscribe", name);
      link.sendControl("request", { method }, data);
    }
  }

  /** Ends every channel. */
  end(error: Error | undefined, keep: boolean): void {
    const receivers = this.#allReceivers();
    this.#serverChannels.clear();
    this.#link = undefined;
    for (const receiver of receivers) receiver.onEnd(error, keep);
  }

  #subscribe(name: string): ServerChannel {
    const abort = new AbortController();
    const ready = this.#host.request({
      ...channelRequest("subscribe", name),
      retry: "unknown",
      signal: abort.signal,
    }).then(() => shared.since = this.#link?.answeredAt);
    const shared: ServerChannel = { receivers: new Map(), abort, ready, since: undefined };
    return shared;
  }

  async #unsubscribe(name: string, shared: ServerChannel): Promise<void> {
    if (this.#serverChannels.get(name) !== shared) return;
    this.#serverChannels.delete(name);
    // A request without an answer would be sent again after a reconnect.
    shared.abort.abort();
    try {
      const { timeout } = this.#host;
      const request = { ...channelRequest("unsubscribe", name), timeout };
      await this.#link?.request(request, this.#host.deadline());
    } catch (error) {
      // A lost connection ends its subscriptions too.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }

  #deliver(event: DispatchEvent): void {
    if (this.#held?.push(event)) return;
    if (event.type === "job.enqueued") this.#host.throttle.onEnqueued();
    const channels = channelsOf(event);
    for (const name of channels) {
      for (const [receiver, channel] of this.#serverChannels.get(name)?.receivers ?? []) {
        if (channels.includes(channel)) receiver.onEvent(event);
      }
    }
  }

  #allReceivers(): Receiver[] {
    return [...this.#serverChannels.values()].flatMap(({ receivers }) => [...receivers.keys()]);
  }
}
