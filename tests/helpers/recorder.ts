/** Reads an iterable in the background and keeps its items. */
export class Recorder<T> {
  readonly items: T[] = [];
  /** Resolves when the iterable ends; never rejects. */
  readonly over: Promise<void>;
  isOver = false;
  error: unknown;

  constructor(iterable: AsyncIterable<T, unknown>) {
    this.over = this.#read(iterable);
  }

  async #read(iterable: AsyncIterable<T, unknown>): Promise<void> {
    try {
      for await (const item of iterable) this.items.push(item);
    } catch (error) {
      this.error = error;
    }
    this.isOver = true;
  }

  /** The items of one type. */
  of<K extends string>(
    this: Recorder<T & { type: string }>,
    type: K,
  ): Extract<T, { type: K }>[] {
    return this.items.filter((item) => item.type === type) as unknown as Extract<T, { type: K }>[];
  }
}
