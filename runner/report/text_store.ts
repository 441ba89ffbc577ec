/** How many bytes are compressed at a time. */
const BLOCK = 1 << 18;

/** A character of a string takes at most so many bytes for each of its units. */
const BYTES_PER_UNIT = 3;

/** Where a text is. */
interface Places {
  block: number[];
  start: number[];
  end: number[];
}

/**
 * Keeps many texts in little memory. What reports say of 100,000 cases would be hundreds of megabytes
 * as strings; it is much alike, so that compressing it takes less time than to collect that garbage.
 */
export class TextStore {
  /** The compressed blocks; the last block is not among them. */
  readonly #sealed: Uint8Array[] = [];
  readonly #places: Places = { block: [], start: [], end: [] };
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The block that texts are added to. */
  #last = new Uint8Array();
  #used = 0;
  /** The block that was read last: texts are read nearly in the order in which they were added. */
  #opened: { number: number; bytes: Uint8Array } | undefined;

  /** Adds a text; returns its number. */
  add(text: string): number {
    let { read, written } = this.#encoder.encodeInto(text, this.#last.subarray(this.#used));
    if (read < text.length) {
      this.#seal(text.length * BYTES_PER_UNIT);
      ({ read, written } = this.#encoder.encodeInto(text, this.#last));
    }
    const { block, start, end } = this.#places;
    block.push(this.#sealed.length);
    start.push(this.#used);
    this.#used += written;
    return end.push(this.#used) - 1;
  }

  /** Returns the text with a number. */
  get(number: number): string {
    const { block, start, end } = this.#places;
    return this.#decoder.decode(this.#open(block[number]!).subarray(start[number], end[number]));
  }

  /** Returns the texts with some numbers, which are read one by one, each time anew. */
  texts(numbers: readonly number[]): Iterable<string> {
    const get = (number: number) => this.get(number);
    return {
      *[Symbol.iterator]() {
        for (const number of numbers) yield get(number);
      },
    };
  }

  /** Compresses the last block, and begins another one that has room for a text. */
  #seal(needed: number): void {
    if (this.#used > 0) {
      const { deflateRawSync } = zlib();
      this.#sealed.push(deflateRawSync(this.#last.subarray(0, this.#used), { level: 1 }));
      this.#used = 0;
    }
    if (this.#last.length < needed) this.#last = new Uint8Array(Math.max(BLOCK, needed));
  }

  #open(number: number): Uint8Array {
    if (number === this.#sealed.length) return this.#last;
    if (this.#opened?.number !== number) {
      const bytes = zlib().inflateRawSync(this.#sealed[number]!);
      this.#opened = { number, bytes };
    }
    return this.#opened!.bytes;
  }
}

/** Small runs need no compression, so it is not loaded with this module. */
function zlib(): typeof import("node:zlib") {
  // The checker has only the types of the runtime that it belongs to.
  // deno-lint-ignore no-explicit-any
  return (globalThis as any).process.getBuiltinModule("node:zlib");
}
