import { joinLines, TEXT_DECODERS, withoutZeros } from "./mask_escapes.ts";
import { maskForms } from "./mask_forms.ts";
import { decodeRuns, readableParts } from "./mask_runs.ts";
import { MASK, mergeRanges, type Range, replaceRanges, sharedRanges } from "./mask_ranges.ts";
import { MaskSearch, WordCheck } from "./mask_search.ts";
import { MaskView } from "./mask_view.ts";

/** Shorter values occur in too many words to be masked. */
const MIN_LENGTH = 3;

/** Returns whether a secret is long enough to be masked. */
export function canBeMasked(secret: string): boolean {
  return secret.trim().length >= MIN_LENGTH;
}

/** The cache of masked texts: the most entries, and the longest text that is one of them. */
const [KNOWN_TEXTS, KNOWN_LENGTH] = [1_000, 500];

/** How many longer texts are kept. To mask one of five megabytes can take seconds. */
const KNOWN_LONG_TEXTS = 4;

/**
 * Replaces secrets in everything that leaves the runner, in each form that they can take there: raw,
 * and encoded in one or more ways, such as base64 of JSON.
 *
 * It never throws, because an error could contain a secret.
 */
export class Mask {
  #secrets = new Set<string>();
  #finder: Finder | undefined;
  /** Short texts that were masked before: most are in several events. */
  #known = new Map<string, string>();
  /** The last longer texts: that of a failure is in the events of its step and of its case. */
  #knownLong = new Map<string, string>();

  /** Whether there are no secrets. */
  get isEmpty(): boolean {
    return this.#secrets.size === 0;
  }

  /** Adds a secret. A secret that is too short is ignored. */
  add(secret: string): void {
    // Every case adds the same secrets again.
    if (!canBeMasked(secret) || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    this.#finder = undefined;
    this.#known.clear();
    this.#knownLong.clear();
  }

  /** Returns a text with its secrets masked. */
  text(text: string): string {
    if (this.isEmpty) return text;
    const isLong = text.length > KNOWN_LENGTH;
    const cache = isLong ? this.#knownLong : this.#known;
    const known = cache.get(text);
    if (known !== undefined) return known;
    if (cache.size === (isLong ? KNOWN_LONG_TEXTS : KNOWN_TEXTS)) cache.clear();
    const masked = this.#mask(text);
    cache.set(text, masked);
    return masked;
  }

  #mask(text: string): string {
    const ranges = this.#find(text);
    return ranges === undefined ? MASK : replaceRanges(text, ranges);
  }

  /** Returns the ranges of a text to mask, or `undefined` if all of it must be. */
  #find(text: string): Range[] | undefined {
    try {
      this.#finder ??= new Finder(this.#secrets);
      return this.#finder.find(text);
    } catch (_error) {
      // Neither the text nor the error, which may quote it, can be shown.
      return undefined;
    }
  }

  /** Returns a JSON value with its secrets masked, also in keys. */
  value<T>(value: T): T {
    if (this.isEmpty) return value;
    return this.#walk(value) as T;
  }

  #walk(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return this.#list(value);
    if (typeof value !== "object" || value === null) {
      // A secret of digits can also occur as a number, and `true` as a boolean.
      const text = String(value);
      return this.text(text) === text ? value : MASK;
    }
    // Unlike an assignment, `fromEntries` keeps a key `__proto__`.
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.text(key), this.#walk(item)]),
    );
  }

  /** Masks a list. A secret can be spread over its items, such as lines or bytes. */
  #list(items: readonly unknown[]): unknown[] {
    const masked = items.map((item) => this.#walk(item));
    if (items.length < 2 || !items.every(isTextOrNumber)) return masked;
    const texts = items.map(String);
    const shared = sharedRanges(texts, this.#find(texts.join("\n")) ?? []);
    return masked.map((item, i) => {
      if (shared[i]!.length === 0) return item;
      return typeof items[i] === "string" ? replaceRanges(texts[i]!, shared[i]!) : MASK;
    });
  }
}

function isTextOrNumber(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

/** How many encodings inside each other are decoded. */
const MAX_DEPTH = 6;

/** How many bytes are decoded for each character of a text, and for each text. */
const [BYTES_PER_CHARACTER, BYTES_PER_TEXT] = [100, 1_000_000];

/** Finds secrets in texts. */
class Finder {
  #search: MaskSearch;
  #words: WordCheck;
  #hasSpaces: boolean;
  /** Matches texts with characters that encodings use, or as many as a secret has in base64. */
  #encoded: RegExp;
  /** The forms of printable ASCII. */
  #plainForms: string[];

  constructor(secrets: Iterable<string>) {
    const forms = [...secrets].flatMap((secret) => maskForms(secret, MIN_LENGTH));
    this.#search = new MaskSearch(forms);
    this.#words = new WordCheck(this.#search);
    this.#hasSpaces = forms.some((form) => form.includes(0x20));
    const run = Math.ceil(this.#search.shortest * 8 / 6);
    this.#encoded = new RegExp(`[^ -~]|[\\\\=%&]|[\\w+/-]{${run}}`);
    this.#plainForms = forms.map((form) => new TextDecoder().decode(form))
      .filter((form) => !/[^ -~]/.test(form));
  }

  /**
   * Returns the ranges to mask, in order. Returns `undefined` for a text in so many encodings that
   * it would take too long to decode all of it.
   */
  find(text: string): Range[] | undefined {
    if (!this.#canContain(text)) return [];
    const { shortest } = this.#search;
    const ranges: Range[] = [];
    const seen = new Map<number, Uint8Array[]>();
    let bytesLeft = text.length * BYTES_PER_CHARACTER + BYTES_PER_TEXT;
    const search = (view: MaskView | undefined) => {
      if (!view) return;
      bytesLeft -= view.length;
      this.#search.find(view.bytes, (start, end) => {
        ranges.push({ start: view.from(start), end: view.to(end - 1) });
      });
    };
    const read = (view: MaskView, depth: number, last = -1, created: number[] = []): void => {
      if (view.length < shortest || bytesLeft < 0) return;
      const alike = seen.get(view.length) ?? [];
      if (alike.some((bytes) => equals(bytes, view.bytes))) return;
      seen.set(view.length, [...alike, view.bytes]);
      search(view);
      if (this.#hasSpaces) search(joinLines(view));
      if (depth === MAX_DEPTH) return;
      for (const [i, { starts, decode }] of TEXT_DECODERS.entries()) {
        // Another order of decoders gives the same result, unless decoding made new escape sequences.
        if (i <= last && !starts.some((start) => created.includes(start))) continue;
        const decoded = decode(view);
        if (decoded) read(decoded.view, depth + 1, i, decoded.created);
      }
      const runs = decodeRuns(view, shortest);
      runs.push(...runs.flatMap((run) => withoutZeros(run)?.view ?? []));
      runs.forEach(search);
      if (runs.length > 0) read(readableParts(runs, shortest), depth + 1);
    };
    read(MaskView.ofText(text), 0);
    return bytesLeft < 0 ? undefined : mergeRanges(ranges);
  }

  /**
   * Whether a text can contain a secret in any form. Names, labels and messages mostly cannot, and to
   * know that takes a hundredth of the time of decoding them.
   */
  #canContain(text: string): boolean {
    const { shortest } = this.#search;
    if (this.#plainForms.some((form) => text.includes(form))) return true;
    if (this.#words.isHarmless(text)) return false;
    // A byte is at least one decimal digit, or two of base 16.
    return this.#encoded.test(text) ||
      text.replace(/\D/g, "").length >= shortest ||
      text.replace(/[^\da-f]/gi, "").length >= shortest * 2;
  }
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
