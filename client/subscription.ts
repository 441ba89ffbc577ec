import type { DispatchEvent } from "../protocol/mod.ts";
import { abortable } from "./_abortable.ts";
import { type Gap, gap, joinGaps } from "./gap.ts";
import type { Transport } from "./_transport.ts";
import { type Overflow, Stream } from "./_stream.ts";

/** Settings of {@linkcode Dispatch.subscribe}. */
export interface SubscribeOptions {
  /** Ends the subscription early: reading it rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * How many events may wait to be read.
   * @default {10000}
   */
  buffer?: number;
  /**
   * What happens to an event there is no room for. Dropped ones are told by a gap with their count.
   * @default {"drop-oldest"}
   */
  overflow?: Overflow;
}

/** A channel's events, each once, in the order the server published them. */
export class Subscription implements AsyncIterable<DispatchEvent | Gap, undefined> {
  readonly #stream: Stream<DispatchEvent | Gap>;
  readonly #leave: () => Promise<void>;
  readonly #channel: string;

  /** Made by `client.subscribe`. */
  constructor(
    channel: string,
    stream: AsyncIterableIterator<DispatchEvent | Gap, undefined>,
    leave: () => Promise<void>,
  ) {
    this.#channel = channel;
    this.#stream = stream as Stream<DispatchEvent | Gap>;
    this.#leave = leave;
  }

  /** The channel subscribed to. */
  get channel(): string {
    return this.#channel;
  }

  /** How many events wait to be read. */
  get buffered(): number {
    return this.#stream.size;
  }

  /** Ends the loop that reads it, and resolves when the server sends no more. */
  unsubscribe(): Promise<void> {
    this.#stream.end(true);
    return this.#leave();
  }

  /** Reads the events; leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DispatchEvent | Gap, undefined> {
    return this.#stream;
  }

  /** Unsubscribes, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }
}

/**
 * A subscription that is being made: read it at once with `for await`, or `await` it to know that
 * the server has confirmed.
 */
export class PendingSubscription
  implements PromiseLike<Subscription>, AsyncIterable<DispatchEvent | Gap, undefined> {
  readonly #ready: Promise<Subscription>;
  readonly #subscription: Subscription;

  /** Made by `client.subscribe`. */
  constructor(subscription: Subscription, ready: Promise<void>) {
    this.#subscription = subscription;
    this.#ready = ready.then(() => subscription);
    // Whoever reads instead of waiting is told by the stream.
    this.#ready.catch(() => {});
  }

  /** Resolves when the server has confirmed: events after that are not missed. */
  then<A = Subscription, B = never>(
    onfulfilled?: ((value: Subscription) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#ready.then(onfulfilled, onrejected);
  }

  /** Ends the loop that reads it, and resolves when the server sends no more. */
  unsubscribe(): Promise<void> {
    return this.#subscription.unsubscribe();
  }

  /** Reads the events; leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DispatchEvent | Gap, undefined> {
    return this.#subscription[Symbol.asyncIterator]();
  }

  /** Unsubscribes, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }
}

/** Subscribes to a channel. */
export function subscribe(
  session: Transport,
  channel: string,
  options: SubscribeOptions = {},
): PendingSubscription {
  const { signal, buffer = 10_000, overflow = "drop-oldest" } = options;
  let firstMissed = 0;
  const onAbort = () => {
    stream.fail(signal!.reason);
    void leave();
  };
  const stream = new Stream<DispatchEvent | Gap>({
    capacity: buffer,
    overflow,
    onDrop: () => firstMissed ||= session.clock.now(),
    mark: (missed) => {
      const since = firstMissed;
      firstMissed = 0;
      return gap("overflow", since, session.clock.now(), missed);
    },
    join: (first, second) =>
      first.type === "gap" && second.type === "gap" ? joinGaps(first, second) : undefined,
    onLeave: () => void leave(),
  });
  const attachment = session.attach(channel, {
    onEvent: (event) => stream.push(event),
    onGap: (item) => stream.mark(item),
    onEnd: (error, keep) => {
      signal?.removeEventListener("abort", onAbort);
      if (error) stream.fail(error);
      else stream.end(!keep);
    },
  });
  const leave = () => {
    signal?.removeEventListener("abort", onAbort);
    return attachment.detach().catch((error) => session.anomaly(error));
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  const ready = abortable(attachment.ready, signal).catch((error) => {
    signal?.removeEventListener("abort", onAbort);
    stream.fail(error);
    throw error;
  });
  return new PendingSubscription(new Subscription(channel, stream, leave), ready);
}
