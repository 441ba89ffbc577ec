import type { DispatchEvent } from "../../protocol/event.ts";
import type { Stream } from "./bounded_queue.ts";
import type { Gap } from "../gap.ts";

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
