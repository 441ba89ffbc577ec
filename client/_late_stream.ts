import { load } from "./_load.ts";
import type { Stream } from "./_stream.ts";

/** What a reader and a writer need of a {@linkcode Stream}. */
type StreamLike<T> = Pick<Stream<T>, "size" | "push" | "mark" | "end" | "fail" | "next" | "return">;

/** A stream that can be written and read while it is being loaded: each step is done in its turn. */
export class LateStream<T> implements AsyncIterableIterator<T, undefined, undefined> {
  #stream: StreamLike<T> | undefined;
  #steps: ((stream: StreamLike<T>) => void)[] = [];
  /** Resolves when it has been loaded. */
  readonly loaded: Promise<void>;

  /** @param part What is being loaded. */
  constructor(what: string, part: Promise<StreamLike<T>>) {
    this.loaded = this.#load(load(what, part));
    // Whoever reads is told.
    this.loaded.catch(() => {});
  }

  /** How many items wait to be read; none before it has been loaded. */
  get size(): number {
    return this.#stream?.size ?? 0;
  }

  /** Does something with the stream, at once if it has been loaded. */
  do(step: (stream: StreamLike<T>) => void): void {
    if (this.#stream) step(this.#stream);
    else this.#steps.push(step);
  }

  push(item: T): void {
    if (this.#stream) this.#stream.push(item);
    else this.do((stream) => stream.push(item));
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#stream?.next() ??
      new Promise((resolve) => this.do((stream) => resolve(stream.next())));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve) => this.do((stream) => resolve(stream.return())));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #load(part: Promise<StreamLike<T>>): Promise<void> {
    try {
      this.#stream = await part;
    } catch (error) {
      this.#stream = broken(error);
      throw error;
    } finally {
      for (const step of this.#steps.splice(0)) step(this.#stream!);
    }
  }
}

/** Stands in for a stream that could not be loaded. */
function broken(error: unknown): StreamLike<never> {
  const nothing = () => {};
  return {
    size: 0,
    push: nothing,
    mark: nothing,
    end: nothing,
    fail: nothing,
    next: () => Promise.reject(error),
    return: () => Promise.resolve({ done: true, value: undefined }),
  };
}
