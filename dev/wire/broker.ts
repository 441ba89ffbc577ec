import { channelsFor } from "../../protocol/mod.ts";
import type { EventSink, PublishedEvent } from "../engine/server_state.ts";
import { sameTenant, type Tenant } from "../engine/store_rows.ts";

const CREDITS = 1000;
const BUFFER_SIZE = 256;

/**
 * With this many events in its buffer a subscriber writes what it can. A real server writes all the
 * time; if this one waited until the buffer is full, clients would infer that it dropped events.
 */
const FLUSH_SIZE = BUFFER_SIZE / 2;

/** Settings of a {@linkcode Broker}. */
export interface BrokerOptions {
  /** Whether to drop events beyond a subscriber's credits and buffer. */
  drop: boolean;
  /** Whether to publish on `queue:<name>` too. */
  queues: boolean;
  /** Whether a subscriber receives only the events of its own tenant. */
  isolate: boolean;
}

/** The subscriptions of one connection. */
export class Subscriber {
  readonly tenant: Tenant;
  /** The channels in the order they were subscribed to. */
  readonly channels: Set<string> = new Set();
  /** The events that have not been written yet. */
  readonly buffer: PublishedEvent[] = [];
  /** Called when an empty buffer receives an event. */
  onEvents: () => void = () => {};
  /** Called when the buffer is half full or more, to write what can be written now. */
  onHalfFull: () => void = () => {};
  credits: number = CREDITS;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** Adds credits. They are a 64-bit number that overflows to negative, as on a Go server. */
  addCredits(credits: number): void {
    this.credits = Number(BigInt.asIntN(64, BigInt(this.credits) + BigInt(credits)));
  }
}

/** Delivers the events of one server to its subscribers. */
export class Broker implements EventSink {
  readonly #options: BrokerOptions;
  readonly #topics = new Map<string, Set<Subscriber>>();
  readonly #subscribers = new Set<Subscriber>();
  #published = 0;
  #dropped = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** Adds a subscriber, which has no channels yet. */
  add(tenant: Tenant): Subscriber {
    const subscriber = new Subscriber(tenant);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** Removes a subscriber. */
  remove(subscriber: Subscriber): void {
    for (const channel of subscriber.channels) this.unsubscribe(subscriber, channel);
    this.#subscribers.delete(subscriber);
  }

  /** Subscribes to a channel. */
  subscribe(subscriber: Subscriber, channel: string): void {
    if (!this.#subscribers.has(subscriber)) return;
    subscriber.channels.add(channel);
    const subscribers = this.#topics.get(channel);
    if (subscribers) subscribers.add(subscriber);
    else this.#topics.set(channel, new Set([subscriber]));
  }

  /** Unsubscribes from a channel. */
  unsubscribe(subscriber: Subscriber, channel: string): void {
    subscriber.channels.delete(channel);
    const subscribers = this.#topics.get(channel);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.#topics.delete(channel);
  }

  /** Delivers an event to every subscriber of its channels, once each. */
  publish(event: PublishedEvent): void {
    const receivers = new Set<Subscriber>();
    for (const channel of this.channelsOf(event)) {
      for (const subscriber of this.#topics.get(channel) ?? []) receivers.add(subscriber);
    }
    for (const subscriber of receivers) this.#send(subscriber, event);
  }

  /** Lists the channels that an event is published on. */
  channelsOf({ type, topic, queue }: PublishedEvent): string[] {
    return channelsFor(type, topic, this.#options.queues ? queue : undefined);
  }

  /** Returns the `broker` part of `stats`. */
  stats(): {
    topic_count: number;
    subscriber_count: number;
    total_published: number;
    total_dropped: number;
  } {
    return {
      topic_count: this.#topics.size,
      subscriber_count: this.#subscribers.size,
      total_published: this.#published,
      total_dropped: this.#dropped,
    };
  }

  #send(subscriber: Subscriber, event: PublishedEvent): void {
    if (this.#options.isolate && !sameTenant(subscriber.tenant, event.tenant)) return;
    if (this.#options.drop) {
      // Events are written after the current task; a task that publishes many can fill the buffer.
      if (subscriber.buffer.length >= FLUSH_SIZE) subscriber.onHalfFull();
      if (subscriber.credits <= 0 || subscriber.buffer.length >= BUFFER_SIZE) {
        this.#dropped++;
        return;
      }
      subscriber.credits--;
    }
    this.#published++;
    subscriber.buffer.push(event);
    if (subscriber.buffer.length === 1) subscriber.onEvents();
  }
}
