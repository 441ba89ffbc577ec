import { OverflowError } from "../errors.ts";

/** What to do with an item when the buffer is full. */
export type Overflow = "drop-oldest" | "drop-newest" | "error";

/** Settings of a {@linkcode BoundedQueue}. */
export interface BoundedQueueOptions<T> {
  /** The maximum number of items. */
  capacity: number;
  /** What to do with an item when the queue is full. */
  overflow: Overflow;
  /**
   * Creates the marker that stands for `missed` dropped items, and for the markers that were dropped with
   * them. It gets the first of all these.
   */
  createMarker?: (missed: number, first: T) => T;
  /** Merges two adjacent markers; returns `undefined` if they must stay separate. */
  joinMarkers?: (first: T, second: T) => T | undefined;
  /** Called when the reader leaves, or when the queue fails because it is full. */
  onLeave?: () => void;
}

/** An item or a marker in the list that a {@linkcode BoundedQueue} consists of. */
interface Entry<T> {
  value?: T;
  isMarker?: boolean;
  next?: Entry<T>;
}

/** A bounded queue of items, written with `push` and read with `for await`. */
export class BoundedQueue<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #options: BoundedQueueOptions<T>;
  /** The entry that was read last; the unread ones follow. */
  #head: Entry<T> = {};
  #tail: Entry<T> = this.#head;
  #size = 0;
  #missed = 0;
  #firstMissed!: T;
  #ended = false;
  /** Throws the error that the reader gets after the unread items, once. */
  #fail: (() => never) | undefined;
  readonly #readers: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];

  constructor(options: BoundedQueueOptions<T>) {
    this.#options = options;
  }

  /** The number of unread items, without markers. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item. */
  push(item: T): void {
    const { capacity, overflow, onLeave } = this.#options;
    if (this.#ended) return;
    if (this.#size < capacity) {
      // The newest items were dropped right before this one, so their marker goes here.
      if (this.#missed > 0 && overflow === "drop-newest") this.pushMarker(this.#takeMissed());
      return this.#add(item, false);
    }
    if (overflow === "error") {
      onLeave?.();
      return this.fail(
        new OverflowError(`Cannot keep event: the buffer of ${capacity} is full`),
      );
    }
    let first = item;
    if (overflow === "drop-oldest") {
      this.#add(item, false);
      first = this.#head.next!.value!;
      // Skipped markers do not count as missed; the next marker covers their range.
      while (this.#shift().isMarker);
    }
    if (!this.#missed++) this.#firstMissed = first;
  }

  /** Adds a marker: an item that takes no room and is not counted. */
  pushMarker(marker: T): void {
    this.#add(marker, true);
  }

  /** Ends the queue. Unread items stay readable unless `discard` is set. */
  end(discard = false): void {
    if (discard) {
      this.#tail = this.#head = {};
      this.#size = this.#missed = 0;
    }
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
      this.#fail = () => {
        this.#fail = undefined;
        throw error;
      };
    }
    this.end();
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const isEmpty = this.#head === this.#tail;
    if (this.#missed > 0 && (isEmpty || this.#options.overflow === "drop-oldest")) {
      return { done: false, value: this.#takeMissed() };
    }
    if (!isEmpty) return { done: false, value: this.#shift().value! };
    this.#fail?.();
    if (this.#ended) return { done: true, value: undefined };
    const reader = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#readers.push(reader);
    return await reader.promise;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#ended) this.#options.onLeave?.();
    this.#fail = undefined;
    this.end(true);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(value: T, isMarker: boolean): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value });
    const last = this.#tail;
    const joined = isMarker && last.isMarker && last !== this.#head
      ? this.#options.joinMarkers?.(last.value!, value)
      : undefined;
    if (joined) last.value = joined;
    else this.#tail = last.next = { value, isMarker };
    if (!isMarker) this.#size++;
  }

  #shift(): Entry<T> {
    const first = this.#head = this.#head.next!;
    if (!first.isMarker) this.#size--;
    return first;
  }

  #takeMissed(): T {
    const missed = this.#missed;
    this.#missed = 0;
    return this.#options.createMarker!(missed, this.#firstMissed);
  }
}
