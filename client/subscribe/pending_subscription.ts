import type { DispatchEvent } from "../../protocol/event.ts";
import { abortable } from "../../runtime/abortable.ts";
import { lateIterator } from "../_late_iterator.ts";
import type { Overflow } from "./bounded_queue.ts";
import type { Transport } from "../connection/transport.ts";
import type { Gap } from "../gap.ts";
import type { Subscription } from "./subscription.ts";

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

/** A subscription that the server is asked for. */
export interface Subscribed {
  subscription: Subscription;
  /** Resolves when it has confirmed. */
  ready: Promise<unknown>;
}

/**
 * A subscription that is being made: read it at once with `for await`, or `await` it to know that
 * the server has confirmed.
 */
export class PendingSubscription
  implements PromiseLike<Subscription>, AsyncIterable<DispatchEvent | Gap, undefined> {
  readonly #made: Promise<Subscribed>;
  readonly #ready: Promise<Subscription>;

  /** Made by `client.subscribe`. */
  constructor(made: Promise<Subscribed>) {
    this.#made = made;
    this.#ready = made.then(({ subscription, ready }) => ready.then(() => subscription));
    // Whoever reads instead of waiting is told then.
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
    // What could not be loaded has ended by itself.
    return this.#made.then(({ subscription }) => subscription.unsubscribe(), () => {});
  }

  /** Reads the events; leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DispatchEvent | Gap, undefined> {
    return lateIterator(
      this.#made.then(({ subscription }) => subscription[Symbol.asyncIterator]()),
    );
  }

  /** Unsubscribes, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }
}

/** Subscribes to a channel. */
export function subscribe(
  session: Transport,
  channel: string,
  options: SubscribeOptions = {},
): PendingSubscription {
  const made = session.listen(
    `subscribe to '${channel}'`,
    (part) => part.readChannel(session, channel, options),
  );
  return new PendingSubscription(abortable(made, options.signal));
}
