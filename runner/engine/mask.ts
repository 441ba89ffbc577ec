import { maskPatterns } from "./mask_forms.ts";

/** Shorter values are in too many words to be masked everywhere. */
const SHORTEST = 3;

/** Whether a value is long enough to be masked. */
export function canBeMasked(secret: string): boolean {
  return secret.length >= SHORTEST;
}

/** What stands in the place of a secret. */
export const MASK = "***";

/**
 * Replaces secrets in everything that leaves the runner, in each form they can take on the way:
 * raw, base64, URL-encoded and JSON-escaped.
 */
export class Mask {
  #secrets = new Set<string>();
  #search: Search | undefined;

  /** Whether there is nothing to hide. */
  get isEmpty(): boolean {
    return this.#secrets.size === 0;
  }

  /** Adds a value that must not be shown. */
  add(secret: string): void {
    // Each case of a run brings the same ones again.
    if (!canBeMasked(secret) || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    this.#search = undefined;
  }

  /** A text without secrets. */
  text(text: string): string {
    if (this.isEmpty) return text;
    this.#search ??= new Search([...this.#secrets].flatMap(maskPatterns));
    return this.#search.replace(text);
  }

  /** A JSON value without secrets, in its keys as well. */
  value<T>(value: T): T {
    if (this.isEmpty) return value;
    return this.#walk(value) as T;
  }

  #walk(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    if (typeof value !== "object" || value === null) {
      // A secret of digits can also be a number.
      return typeof value === "number" && this.text(String(value)) !== String(value) ? MASK : value;
    }
    // Assigning a key `__proto__` would lose it.
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.text(key), this.#walk(item)]),
    );
  }
}

/** With how many of its characters a form is looked for before it is looked for whole. */
const BEGINNING = 8;

/** Looks for many forms at once. */
class Search {
  #forms: readonly string[][];
  /** Finds how a form begins; many begin alike, so it is small and fast. */
  #beginning: RegExp;
  #whole: RegExp | undefined;

  constructor(forms: readonly string[][]) {
    this.#forms = forms;
    const beginnings = new Set(forms.map((form) => form.slice(0, BEGINNING).join("")));
    this.#beginning = new RegExp([...beginnings].join("|"));
  }

  /** A text with {@linkcode MASK} in the place of each form. */
  replace(text: string): string {
    if (!this.#beginning.test(text)) return text;
    // A form that contains another is looked for first.
    this.#whole ??= new RegExp(
      [...new Set(this.#forms.map((form) => form.join("")))]
        .toSorted((a, b) => b.length - a.length).join("|"),
      "g",
    );
    return text.replace(this.#whole, MASK);
  }
}
