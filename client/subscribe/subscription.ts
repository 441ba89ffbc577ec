import type { DispatchEvent } from "../../protocol/event.ts";
import type { Gap } from "../gap.ts";
import type { Overflow } from "./bounded_queue.ts";

/** Settings of `subscribe`. */
export interface SubscribeOptions {
  /** Ends the subscription: the loop over it rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * How many unread events to buffer.
   * @default {10000}
   */
  buffer?: number;
  /**
   * What to do with an event when the buffer is full. A {@linkcode Gap} with the exact count stands
   * in the place of dropped events.
   * @default {"drop-oldest"}
   */
  overflow?: Overflow;
}

/**
 * The events of a channel, each once, in the order in which the server published them.
 *
 * @example
 * ```ts
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * await using env = await createTestDispatch();
 * await using jobs = await env.client.subscribe("jobs");
 * const job = await env.client.enqueue("nobody-runs-this");
 * for await (const event of jobs) {
 *   assert.equal(event.type, "job.enqueued");
 *   break;
 * }
 * ```
 */
export class Subscription implements AsyncIterable<DispatchEvent | Gap, undefined> {
  readonly #items: AsyncIterableIterator<DispatchEvent | Gap, undefined> & {
    readonly size: number;
    end(discard: boolean): void;
  };
  readonly #leave: () => Promise<void>;
  /** The channel's name. */
  declare readonly channel: string;

  /** Called by `client.subscribe()`. */
  constructor(
    channel: string,
    items: AsyncIterableIterator<DispatchEvent | Gap, undefined> & {
      readonly size: number;
      end(discard: boolean): void;
    },
    leave: () => Promise<void>,
  ) {
    this.channel = channel;
    this.#items = items;
    this.#leave = leave;
  }

  /** The number of unread events. */
  get buffered(): number {
    return this.#items.size;
  }

  /** Ends the loop over the subscription; resolves when the server has stopped sending events. */
  unsubscribe(): Promise<void> {
    this.#items.end(true);
    return this.#leave();
  }

  /** Iterates over the events. Leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DispatchEvent | Gap, undefined> {
    return this.#items;
  }

  /** Unsubscribes, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }
}

/**
 * A subscription that the server has not confirmed yet. Iterate over it right away, or `await` it
 * first to be sure that no later event is missed.
 *
 * @example
 * ```ts
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 *
 * await using env = await createTestDispatch();
 * const jobs = await env.client.subscribe("jobs");
 * // The server has confirmed: this job's events arrive.
 * await env.client.enqueue("nobody-runs-this");
 * await jobs.unsubscribe();
 * ```
 */
export class PendingSubscription
  implements PromiseLike<Subscription>, AsyncIterable<DispatchEvent | Gap, undefined> {
  readonly #subscription: Subscription;
  readonly #ready: Promise<Subscription>;

  /** Called by `client.subscribe()`. */
  constructor(subscription: Subscription, ready: Promise<unknown>) {
    this.#subscription = subscription;
    this.#ready = ready.then(() => subscription);
    // A reader that does not await the subscription gets the error from the loop.
    this.#ready.catch(() => {});
  }

  /** Resolves when the server has confirmed the subscription. */
  then<A = Subscription, B = never>(
    onfulfilled?: ((value: Subscription) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#ready.then(onfulfilled, onrejected);
  }

  /** Ends the loop over the subscription; resolves when the server has stopped sending events. */
  unsubscribe(): Promise<void> {
    return this.#subscription.unsubscribe();
  }

  /** Iterates over the events. Leaving the loop unsubscribes. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DispatchEvent | Gap, undefined> {
    return this.#subscription[Symbol.asyncIterator]();
  }

  /** Unsubscribes, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }
}
