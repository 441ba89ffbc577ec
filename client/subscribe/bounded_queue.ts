import { OverflowError } from "../errors.ts";

/** What to do with an item when the buffer is full. */
export type Overflow = "drop-oldest" | "drop-newest" | "error";

/** Settings of a {@linkcode BoundedQueue}. */
export interface BoundedQueueOptions<T> {
  /** The maximum number of items. */
  capacity: number;
  /** What to do with an item when the queue is full. */
  overflow: Overflow;
  /** Creates the marker that stands for `missed` dropped items. */
  createMarker?: (missed: number) => T;
  /** Merges two adjacent markers; returns `undefined` if they must stay separate. */
  joinMarkers?: (first: T, second: T) => T | undefined;
  /** Called for each dropped item. */
  onDrop?: () => void;
  /** Called when the reader leaves, or when the queue fails because it is full. */
  onLeave?: () => void;
}

/** A bounded queue of items, written with `push` and read with `for await`. */
export class BoundedQueue<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #options: BoundedQueueOptions<T>;
  #items: T[] = [];
  #head = 0;
  #missed = 0;
  readonly #markers = new Set<T>();
  #ended = false;
  #error: unknown;
  #failed = false;
  readonly #readers: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];

  constructor(options: BoundedQueueOptions<T>) {
    this.#options = options;
  }

  /** The number of unread items, without markers. */
  get size(): number {
    return this.#items.length - this.#head - this.#markers.size;
  }

  /** Adds an item. */
  push(item: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value: item });
    if (this.size < this.#options.capacity) {
      // The newest items were dropped right before this one, so their marker goes here.
      if (this.#missed > 0 && this.#options.overflow === "drop-newest") {
        this.#addMarker(this.#takeMissed());
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
      // Skipped markers do not count as missed; the next marker covers their range.
      while (this.#markers.delete(this.#shift()));
    }
  }

  /** Adds a marker: an item that takes no room and is not counted. */
  pushMarker(marker: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value: marker });
    this.#addMarker(marker);
  }

  /** Ends the queue. Unread items stay readable unless `discard` is set. */
  end(discard = false): void {
    if (discard) this.#discard();
    this.#ended = true;
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
  }

  /** Ends the queue with an error, which the reader gets after the unread items. */
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
      this.#markers.delete(value);
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

  #addMarker(marker: T): void {
    const last = this.#items.at(-1)!;
    const joined = this.#markers.has(last) ? this.#options.joinMarkers?.(last, marker) : undefined;
    if (joined !== undefined) {
      this.#items.pop();
      this.#markers.delete(last);
    }
    this.#items.push(joined ?? marker);
    this.#markers.add(joined ?? marker);
  }

  #takeMissed(): T {
    const missed = this.#missed;
    this.#missed = 0;
    return this.#options.createMarker!(missed);
  }

  #discard(): void {
    this.#items = [];
    this.#head = 0;
    this.#missed = 0;
    this.#markers.clear();
  }
}
