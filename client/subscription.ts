import type { DispatchEvent } from "../protocol/event.ts";
import { abortable } from "./_abortable.ts";
import { LateStream } from "./_late_stream.ts";
import type { Overflow } from "./_stream.ts";
import type { Transport } from "./_transport.ts";
import type { Gap } from "./gap.ts";

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
  readonly #stream: LateStream<DispatchEvent | Gap>;
  readonly #leave: () => Promise<void>;
  readonly #channel: string;

  /** Made by `client.subscribe`. */
  constructor(
    channel: string,
    stream: AsyncIterableIterator<DispatchEvent | Gap, undefined>,
    leave: () => Promise<void>,
  ) {
    this.#channel = channel;
    this.#stream = stream as LateStream<DispatchEvent | Gap>;
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
    this.#stream.do((stream) => stream.end(true));
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
  constructor(subscription: Subscription, ready: Promise<unknown>) {
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

/** Subscribes to a channel, at once: only the buffer is loaded with the first subscription. */
export function subscribe(
  session: Transport,
  channel: string,
  options: SubscribeOptions = {},
): PendingSubscription {
  const { signal, buffer = 10_000, overflow = "drop-oldest" } = options;
  const fail = (error: unknown) => stream.do((stream) => stream.fail(error));
  const forget = () => signal?.removeEventListener("abort", onAbort);
  const leave = () => {
    forget();
    return attachment.detach().catch((error) => session.anomaly(error));
  };
  const onAbort = () => {
    fail(signal!.reason);
    void leave();
  };
  const part = import("./_buffers.ts").then(({ eventBuffer }) =>
    eventBuffer(buffer, overflow, session.clock, leave)
  );
  const stream = new LateStream(`subscribe to '${channel}'`, part);
  const attachment = session.attach(channel, {
    onEvent: (event) => stream.push(event),
    onGap: (item) => stream.do((stream) => stream.mark(item)),
    onEnd: (error, keep) => {
      forget();
      if (error) fail(error);
      else stream.do((stream) => stream.end(!keep));
    },
  });
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  stream.loaded.catch(leave);
  const ready = abortable(Promise.all([attachment.ready, stream.loaded]), signal)
    .catch((error) => {
      forget();
      fail(error);
      throw error;
    });
  return new PendingSubscription(new Subscription(channel, stream, leave), ready);
}
