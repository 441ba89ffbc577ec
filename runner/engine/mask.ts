import { maskPatterns } from "./mask_patterns.ts";

/** Shorter values occur in too many words to be masked. */
const MIN_LENGTH = 3;

/** Returns whether a secret is long enough to be masked. */
export function canBeMasked(secret: string): boolean {
  return secret.length >= MIN_LENGTH;
}

/** The text that replaces a secret. */
export const MASK = "***";

/**
 * Replaces secrets in everything that leaves the runner, in each form that they can take there: raw,
 * base64, URL-encoded and JSON-escaped.
 */
export class Mask {
  #secrets = new Set<string>();
  #search: Search | undefined;

  /** Whether there are no secrets. */
  get isEmpty(): boolean {
    return this.#secrets.size === 0;
  }

  /** Adds a secret. A secret that is too short is ignored. */
  add(secret: string): void {
    // Every case adds the same secrets again.
    if (!canBeMasked(secret) || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    this.#search = undefined;
  }

  /** Returns a text with its secrets masked. */
  text(text: string): string {
    if (this.isEmpty) return text;
    this.#search ??= new Search([...this.#secrets].flatMap(maskPatterns));
    return this.#search.replace(text);
  }

  /** Returns a JSON value with its secrets masked, also in keys. */
  value<T>(value: T): T {
    if (this.isEmpty) return value;
    return this.#walk(value) as T;
  }

  #walk(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    if (typeof value !== "object" || value === null) {
      // A secret of digits can also occur as a number.
      return typeof value === "number" && this.text(String(value)) !== String(value) ? MASK : value;
    }
    // Unlike an assignment, `fromEntries` keeps a key `__proto__`.
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.text(key), this.#walk(item)]),
    );
  }
}

/** The number of parts of a form that a text is first searched for. */
const PREFIX_LENGTH = 8;

/** Searches a text for many forms at once. */
class Search {
  #forms: readonly string[][];
  /** Finds the beginnings of the forms. Many forms begin alike, so this is small and fast. */
  #prefixes: RegExp;
  #whole: RegExp | undefined;

  constructor(forms: readonly string[][]) {
    this.#forms = forms;
    const prefixes = new Set(forms.map((form) => form.slice(0, PREFIX_LENGTH).join("")));
    this.#prefixes = new RegExp([...prefixes].join("|"));
  }

  /** Returns a text in which {@linkcode MASK} replaces each form. */
  replace(text: string): string {
    if (!this.#prefixes.test(text)) return text;
    // Long forms come first, because a long one can contain a short one.
    this.#whole ??= new RegExp(
      [...new Set(this.#forms.map((form) => form.join("")))]
        .toSorted((a, b) => b.length - a.length).join("|"),
      "g",
    );
    return text.replace(this.#whole, MASK);
  }
}
