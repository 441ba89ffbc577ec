import { decodeWord, looksLikeText } from "./mask_runs.ts";

/** Receives a range of bytes in which a pattern occurs: from `start` up to, not including, `end`. */
export type OnMatch = (start: number, end: number) => void;

/**
 * Searches bytes for many patterns at once, in one pass: an Aho-Corasick automaton. Its size grows
 * with the sum of the patterns' lengths, and a search takes time for each byte of the text only.
 */
export class MaskSearch {
  /** The length of the shortest pattern; infinite without patterns. */
  readonly shortest: number;
  /** The nodes after the root, by byte. The root has the most children, the others few. */
  #roots = new Int32Array(256);
  #byte: Uint8Array;
  #child: Int32Array;
  #sibling: Int32Array;
  /** The node of the longest proper suffix that is in the tree too. */
  #suffix: Int32Array;
  /** The length of the longest pattern that ends at a node, or 0. */
  #matched: Int32Array;
  #size = 1;

  /** Builds the automaton. */
  constructor(patterns: readonly Uint8Array[]) {
    const nodes = patterns.reduce((sum, { length }) => sum + length, 1);
    this.shortest = patterns.reduce((least, { length }) => Math.min(least, length), Infinity);
    this.#byte = new Uint8Array(nodes);
    this.#child = new Int32Array(nodes);
    this.#sibling = new Int32Array(nodes);
    this.#suffix = new Int32Array(nodes);
    this.#matched = new Int32Array(nodes);
    for (const pattern of patterns) this.#add(pattern);
    this.#linkSuffixes();
  }

  /** Reports the ranges in which patterns occur. Patterns that overlap are one range. */
  find(bytes: Uint8Array, onMatch: OnMatch): void {
    const starts: number[] = [];
    const ends: number[] = [];
    let node = 0;
    for (let i = 0; i < bytes.length; i++) {
      node = this.#next(node, bytes[i]!);
      const length = this.#matched[node]!;
      if (length === 0) continue;
      let start = i + 1 - length;
      while (ends.at(-1)! > start) {
        ends.pop();
        start = Math.min(start, starts.pop()!);
      }
      starts.push(start);
      ends.push(i + 1);
    }
    for (const [i, start] of starts.entries()) onMatch(start, ends[i]!);
  }

  /** Whether a pattern occurs. */
  has(bytes: Uint8Array): boolean {
    let node = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      // At most bytes no pattern has begun.
      node = node === 0 ? this.#roots[byte]! : this.#next(node, byte);
      if (this.#matched[node] !== 0) return true;
    }
    return false;
  }

  #add(pattern: Uint8Array): void {
    let node = 0;
    for (const byte of pattern) node = this.#childOf(node, byte) || this.#addChild(node, byte);
    this.#matched[node] = pattern.length;
  }

  #addChild(parent: number, byte: number): number {
    const node = this.#size++;
    this.#byte[node] = byte;
    if (parent === 0) {
      this.#roots[byte] = node;
    } else {
      this.#sibling[node] = this.#child[parent]!;
      this.#child[parent] = node;
    }
    return node;
  }

  /** Returns the child for a byte, or 0. */
  #childOf(node: number, byte: number): number {
    if (node === 0) return this.#roots[byte]!;
    let child = this.#child[node]!;
    while (child !== 0 && this.#byte[child] !== byte) child = this.#sibling[child]!;
    return child;
  }

  #next(node: number, byte: number): number {
    let from = node;
    for (;;) {
      const child = this.#childOf(from, byte);
      if (child !== 0 || from === 0) return child;
      from = this.#suffix[from]!;
    }
  }

  /** Links each node to its longest suffix, the nodes near the root first. */
  #linkSuffixes(): void {
    const queue = new Int32Array(this.#size);
    let length = 0;
    for (const node of this.#roots) {
      if (node !== 0) queue[length++] = node;
    }
    for (let i = 0; i < length; i++) {
      const node = queue[i]!;
      const suffix = this.#suffix[node]!;
      // The node's own pattern is longer than that of a suffix, and covers it.
      this.#matched[node] ||= this.#matched[suffix]!;
      for (let child = this.#child[node]!; child !== 0; child = this.#sibling[child]!) {
        this.#suffix[child] = this.#next(suffix, this.#byte[child]!);
        queue[length++] = child;
      }
    }
  }
}

/** The longest word to check; longer ones are rare. */
const MAX_LENGTH = 100;

/**
 * Recognises words, such as the id of a job, that cannot contain a secret in any form. Almost every
 * event has an id, and to decode one in all ways takes a tenth of a millisecond.
 */
export class WordCheck {
  #search: MaskSearch;
  /** Matches what can be more than base64: no word, or enough of base32, base 16 or base 10. */
  #other: RegExp;

  /** Checks words for the secrets that a search finds. */
  constructor(search: MaskSearch) {
    const { shortest } = search;
    this.#search = search;
    this.#other = new RegExp(
      String.raw`[^\w-]|[A-Z2-7]{${Math.ceil(shortest * 8 / 5)}}|` +
        String.raw`(?:(?:0[xX])*[\da-fA-F]-*){${shortest * 2}}|(?:\d-*){${shortest}}`,
    );
  }

  /**
   * Whether a text is a word without a secret, given that it does not contain one as it is. May be
   * false for a word without a secret, but is never true for one with a secret.
   */
  isHarmless(text: string): boolean {
    if (text.length > MAX_LENGTH || this.#other.test(text)) return false;
    for (let shift = 0; shift < 4; shift++) {
      const bytes = decodeWord(text, shift);
      // Bytes that look like text can be an encoding again, and a zero ends a part of them.
      if (bytes.includes(0) || looksLikeText(bytes) || this.#search.has(bytes)) return false;
    }
    return true;
  }
}
