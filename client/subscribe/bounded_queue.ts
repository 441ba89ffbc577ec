import { OverflowError } from "../_core.ts";

/** What to do with an item for which there is no room. */
export type Overflow = "drop-oldest" | "drop-newest" | "error";

/** Settings of a {@linkcode Stream}. */
export interface StreamOptions<T> {
  /** How many items it holds. */
  capacity: number;
  /** What to do with more. */
  overflow: Overflow;
  /** Makes the item that stands for `missed` dropped ones. */
  mark?: (missed: number) => T;
  /** Makes one mark of two that have nothing between them, if they can be one. */
  join?: (first: T, second: T) => T | undefined;
  /** Called for each item that is dropped. */
  onDrop?: () => void;
  /** Called once when the reader leaves, or when the stream fails of itself. */
  onLeave?: () => void;
}

/** A bounded queue of items that are pushed on one side and read with `for await` on the other. */
export class Stream<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #options: StreamOptions<T>;
  #items: T[] = [];
  #head = 0;
  #missed = 0;
  readonly #marks = new Set<T>();
  #ended = false;
  #error: unknown;
  #failed = false;
  readonly #readers: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];

  constructor(options: StreamOptions<T>) {
    this.#options = options;
  }

  /** How many items wait to be read; marks are not counted. */
  get size(): number {
    return this.#items.length - this.#head - this.#marks.size;
  }

  /** Adds an item. */
  push(item: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value: item });
    if (this.size < this.#options.capacity) {
      // The mark stands where the newest items were left out: before the next one that got in.
      if (this.#missed > 0 && this.#options.overflow === "drop-newest") {
        this.#pushMark(this.#takeMissed());
      }
      this.#items.push(item);
      return;
    }
    if (this.#options.overflow === "error") {
      this.#options.onLeave?.();
      return this.fail(
        new OverflowError(`Cannot keep event: the buffer of ${this.#options.capacity} is full`),
      );
    }
    this.#missed++;
    this.#options.onDrop?.();
    if (this.#options.overflow === "drop-oldest") {
      this.#items.push(item);
      // A mark that is passed over is no missed item, and what it said the new mark says too.
      while (this.#marks.delete(this.#shift()));
    }
  }

  /** Adds an item that takes no room and is never dropped. */
  mark(item: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value: item });
    this.#pushMark(item);
  }

  /** Ends the stream: what is held is still read, unless it is discarded. */
  end(discard = false): void {
    if (discard) this.#discard();
    this.#ended = true;
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
  }

  /** Ends the stream with an error, after what is held has been read. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const reader = this.#readers.shift();
    if (reader) reader.reject(error);
    else {
      this.#failed = true;
      this.#error = error;
    }
    this.end();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#missed > 0 && this.#options.overflow === "drop-oldest") {
      return Promise.resolve({ done: false, value: this.#takeMissed() });
    }
    if (this.#items.length > this.#head) {
      const value = this.#shift();
      this.#marks.delete(value);
      return Promise.resolve({ done: false, value });
    }
    if (this.#missed > 0) return Promise.resolve({ done: false, value: this.#takeMissed() });
    if (this.#failed) {
      this.#failed = false;
      return Promise.reject(this.#error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const reader = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#ended) this.#options.onLeave?.();
    this.#failed = false;
    this.end(true);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #shift(): T {
    const item = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined!;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  #pushMark(item: T): void {
    const last = this.#items.at(-1)!;
    const joined = this.#marks.has(last) ? this.#options.join?.(last, item) : undefined;
    if (joined !== undefined) {
      this.#items.pop();
      this.#marks.delete(last);
    }
    this.#items.push(joined ?? item);
    this.#marks.add(joined ?? item);
  }

  #takeMissed(): T {
    const missed = this.#missed;
    this.#missed = 0;
    return this.#options.mark!(missed);
  }

  #discard(): void {
    this.#items = [];
    this.#head = 0;
    this.#missed = 0;
    this.#marks.clear();
  }
}
