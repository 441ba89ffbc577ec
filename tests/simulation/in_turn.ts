import fc from "fast-check";

/**
 * A property of values of several kinds, which take turns: the number of the run chooses the kind. So
 * each kind comes up at a certain interval, and the seed and the path still say which value it was.
 */
export class InTurn<T> implements fc.IRawProperty<[T], true> {
  readonly #kinds: readonly fc.IRawProperty<[T], true>[];
  /** The kind that each value is of. */
  readonly #kindOf = new WeakMap<fc.Value<[T]>, fc.IRawProperty<[T], true>>();

  constructor(kinds: readonly fc.Arbitrary<T>[], holds: (value: T) => Promise<boolean>) {
    this.#kinds = kinds.map((kind) => fc.asyncProperty(kind, holds));
  }

  isAsync(): true {
    return true;
  }

  generate(random: fc.Random, run = 0): fc.Value<[T]> {
    const kind = this.#kinds[run % this.#kinds.length]!;
    return this.#note(kind.generate(random, run), kind);
  }

  shrink(value: fc.Value<[T]>): fc.Stream<fc.Value<[T]>> {
    const kind = this.#kindOf.get(value)!;
    return kind.shrink(value).map((smaller) => this.#note(smaller, kind));
  }

  run(value: [T]): ReturnType<fc.IRawProperty<[T], true>["run"]> {
    return this.#kinds[0]!.run(value);
  }

  async runBeforeEach(): Promise<void> {}

  async runAfterEach(): Promise<void> {}

  #note(value: fc.Value<[T]>, kind: fc.IRawProperty<[T], true>): fc.Value<[T]> {
    this.#kindOf.set(value, kind);
    return value;
  }
}
