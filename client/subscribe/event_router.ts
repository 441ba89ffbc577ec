import { channelsOf, wireChannel } from "../../protocol/channel.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { Link } from "../connection/link.ts";
import { channelRequest } from "../connection/requests.ts";
import type {
  Attachment,
  EventRouter,
  Receiver,
  Request,
  Transport,
} from "../connection/transport.ts";
import { ConnectionError, DispatchError } from "../errors.ts";
import { createGap, type Gap } from "../gap.ts";
import { CreditWindow } from "./credits.ts";
import { EnqueueThrottle } from "./enqueue_throttle.ts";

/** What the router needs from its session. */
export interface RouterHost
  extends Pick<Transport, "clock" | "deadlines" | "onClose" | "request" | "deadline"> {
  /** How many credits a grant fills the window up to. */
  readonly credits: number;
  /** Called after the receivers got a gap because the server ran out of credits. */
  onCreditGap(gap: Gap): void;
}

/** A subscription on the server, shared by all receivers of the channel. */
interface ServerChannel {
  attachments: number;
  /** Aborts the request to subscribe. */
  abort: AbortController;
  ready: Promise<unknown>;
}

/**
 * Delivers the events of one connection to the receivers of each channel. An event frame names only
 * the entity, so the router derives the channels from the event. The server is asked for a channel
 * once, however many receivers it has.
 */
export class ChannelRouter implements EventRouter {
  readonly #host: RouterHost;
  readonly #receivers = new Map<string, Set<Receiver>>();
  readonly #serverChannels = new Map<string, ServerChannel>();
  readonly #throttle: EnqueueThrottle;
  /** The link that delivers events; it may be lost. */
  #link: Link | undefined;

  constructor(host: RouterHost) {
    this.#host = host;
    this.#throttle = new EnqueueThrottle(host);
  }

  /** Makes the router the receiver of a link's events. */
  listenTo(link: Link): void {
    this.#link = link;
    link.sink = new CreditWindow(link, this.#host.clock, {
      credits: this.#host.credits,
      onEvent: (event) => this.#deliver(event),
      onStarved: (since, until) => {
        this.#host.onCreditGap(this.reportGap("credits", since, until));
      },
    });
  }

  /** Waits for the turn of an enqueue, if the events of jobs arrive on the same connection. */
  throttle(request: Request, deadline: number): Promise<void> | undefined {
    if (request.method !== "job.enqueue") return undefined;
    const hasJobEvents = this.#serverChannels.has("jobs") || this.#serverChannels.has("firehose");
    return hasJobEvents ? this.#throttle.acquire(request, deadline) : undefined;
  }

  /** Adds a receiver to a channel; asks the server for the channel if the receiver is the first. */
  attach(channel: string, receiver: Receiver): Attachment {
    let receivers = this.#receivers.get(channel);
    if (!receivers) this.#receivers.set(channel, receivers = new Set());
    receivers.add(receiver);
    const name = wireChannel(channel);
    let shared = this.#serverChannels.get(name);
    if (!shared) this.#serverChannels.set(name, shared = this.#subscribe(name));
    shared.attachments++;
    let detached: Promise<void> | undefined;
    return {
      ready: shared.ready.then(() => {}, (error) => {
        if (detached) return;
        receivers.delete(receiver);
        // The next receiver asks again. A server that was too slow may have subscribed us.
        this.#unsubscribe(name, shared).catch(() => {});
        throw error;
      }),
      detach: () =>
        detached ??= (async () => {
          receivers.delete(receiver);
          if (receivers.size === 0 && this.#receivers.get(channel) === receivers) {
            this.#receivers.delete(channel);
          }
          if (--shared.attachments === 0) await this.#unsubscribe(name, shared);
        })(),
    };
  }

  /** Tells every receiver that events may be missing. */
  reportGap(reason: Gap["reason"], since: number, until: number = this.#host.clock.now()): Gap {
    const gap = createGap(reason, since, until);
    for (const receiver of this.#allReceivers()) receiver.onGap(gap);
    return gap;
  }

  /** Asks the server on a new link for every channel that has receivers. */
  async resubscribe(link: Link, deadline: number, signal: AbortSignal): Promise<void> {
    this.listenTo(link);
    await Promise.all([...this.#serverChannels.keys()].map(async (name) => {
      try {
        await link.request({ ...channelRequest("subscribe", name), signal }, deadline);
      } catch (error) {
        // The server refuses what it allowed before: only this channel ends.
        if (!(error instanceof DispatchError) || typeof error.code !== "number") throw error;
        this.#endChannel(name, error);
      }
    }));
  }

  /** Ends every channel. */
  end(error: Error | undefined, keep: boolean): void {
    const receivers = this.#allReceivers();
    this.#receivers.clear();
    this.#serverChannels.clear();
    for (const receiver of receivers) receiver.onEnd(error, keep);
  }

  #subscribe(name: string): ServerChannel {
    const abort = new AbortController();
    const ready = this.#host.request({
      ...channelRequest("subscribe", name),
      retry: "unknown",
      signal: abort.signal,
    });
    return { attachments: 0, abort, ready };
  }

  async #unsubscribe(name: string, shared: ServerChannel): Promise<void> {
    if (this.#serverChannels.get(name) !== shared) return;
    this.#serverChannels.delete(name);
    // A request without an answer would be sent again after a reconnect.
    shared.abort.abort();
    try {
      await this.#link?.request(channelRequest("unsubscribe", name), this.#host.deadline());
    } catch (error) {
      // A lost connection ends its subscriptions too.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }

  #endChannel(name: string, error: Error): void {
    this.#serverChannels.delete(name);
    for (const [channel, receivers] of [...this.#receivers]) {
      if (wireChannel(channel) !== name) continue;
      this.#receivers.delete(channel);
      for (const receiver of receivers) receiver.onEnd(error);
    }
  }

  #deliver(event: DispatchEvent): void {
    if (event.type === "job.enqueued") this.#throttle.onEnqueued();
    for (const channel of channelsOf(event)) {
      const receivers = this.#receivers.get(channel);
      if (receivers) { for (const receiver of receivers) receiver.onEvent(event); }
    }
  }

  #allReceivers(): Receiver[] {
    return [...this.#receivers.values()].flatMap((receivers) => [...receivers]);
  }
}
