import { channelsFor } from "../../protocol/mod.ts";
import type { Tenant } from "../engine/store_rows.ts";

const CREDITS = 1000;
const BUFFER = 256;

/** An event on its way: its envelope as JSON text, and where it belongs. */
export interface BrokerEvent {
  /** What happened. */
  type: string;
  /** The entity's own topic; `""` for none. */
  topic: string;
  /** The queue of a job's event. */
  queue?: string;
  /** The envelope `{type, ts, topic, data}` as JSON text. */
  json: string;
  tenant: Tenant;
}

/** How a broker behaves. */
export interface BrokerOptions {
  /** Drop what is beyond credits and buffer. */
  drop: boolean;
  /** Publish on `queue:<name>` too. */
  queues: boolean;
  /** Keep tenants apart. */
  isolate: boolean;
}

/** One connection's share of the events. */
export class Subscriber {
  readonly tenant: Tenant;
  /** Channels in the order they were subscribed to. */
  readonly channels: Set<string> = new Set();
  /** Events that are not written yet. */
  readonly buffer: BrokerEvent[] = [];
  /** Called when the buffer is no longer empty. */
  onEvents: () => void = () => {};
  /** Called when the buffer is full: what can be written now is. */
  onFull: () => void = () => {};
  credits: number = CREDITS;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** Tops the credits up; 64 bits, and over their end it goes on below zero. */
  addCredits(credits: number): void {
    this.credits = Number(BigInt.asIntN(64, BigInt(this.credits) + BigInt(credits)));
  }
}

/** Hands events to the connections of one server. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #topics = new Map<string, Set<Subscriber>>();
  readonly #subscribers = new Set<Subscriber>();
  #published = 0;
  #dropped = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** Takes a connection in; it gets events from the first channel on. */
  add(tenant: Tenant): Subscriber {
    const subscriber = new Subscriber(tenant);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** Forgets a connection. */
  remove(subscriber: Subscriber): void {
    for (const channel of subscriber.channels) this.unsubscribe(subscriber, channel);
    this.#subscribers.delete(subscriber);
  }

  /** Adds a channel to a connection's. */
  subscribe(subscriber: Subscriber, channel: string): void {
    if (!this.#subscribers.has(subscriber)) return;
    subscriber.channels.add(channel);
    const subscribers = this.#topics.get(channel);
    if (subscribers) subscribers.add(subscriber);
    else this.#topics.set(channel, new Set([subscriber]));
  }

  /** Takes a channel from a connection's. */
  unsubscribe(subscriber: Subscriber, channel: string): void {
    subscriber.channels.delete(channel);
    const subscribers = this.#topics.get(channel);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.#topics.delete(channel);
  }

  /** Hands an event to every connection that one of its channels is subscribed on, once. */
  publish(event: BrokerEvent): void {
    const reached = new Set<Subscriber>();
    for (const topic of this.topicsOf(event)) {
      for (const subscriber of this.#topics.get(topic) ?? []) reached.add(subscriber);
    }
    for (const subscriber of reached) this.#send(subscriber, event);
  }

  /** The channels an event is published on. */
  topicsOf(event: BrokerEvent): string[] {
    return channelsFor(event.type, event.topic, this.#options.queues ? event.queue : undefined);
  }

  /** What `stats` says of the broker. */
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

  #send(subscriber: Subscriber, event: BrokerEvent): void {
    if (this.#options.isolate && !sameTenant(subscriber.tenant, event.tenant)) return;
    if (this.#options.drop) {
      // What publishes many events in one go leaves a writer of its own no time.
      if (subscriber.buffer.length >= BUFFER) subscriber.onFull();
      if (subscriber.credits <= 0 || subscriber.buffer.length >= BUFFER) {
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

/** Whether two things are of one tenant. */
export function sameTenant(a: Tenant, b: Tenant): boolean {
  return a.app === b.app && a.org === b.org;
}
