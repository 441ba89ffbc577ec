/** Shorter values are in too many words to be masked everywhere. */
const SHORTEST = 3;

/** What stands in the place of a secret. */
export const MASK = "***";

/**
 * Replaces secrets in everything that leaves the runner, in each form they can take on the way:
 * raw, base64, URL-encoded and JSON-escaped.
 */
export class Mask {
  #forms: string[] = [];
  #pattern: RegExp | undefined;

  /** Whether there is nothing to hide. */
  get isEmpty(): boolean {
    return this.#pattern === undefined;
  }

  /** Adds a value that must not be shown. */
  add(secret: string): void {
    if (secret.length < SHORTEST) return;
    const forms = new Set(this.#forms);
    for (const form of formsOf(secret)) forms.add(form);
    // A form that contains another is looked for first.
    this.#forms = [...forms].toSorted((a, b) => b.length - a.length);
    const alternatives = this.#forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
    this.#pattern = new RegExp(alternatives.join("|"), "g");
  }

  /** A text without secrets. */
  text(text: string): string {
    return this.#pattern ? text.replace(this.#pattern, MASK) : text;
  }

  /** A JSON value without secrets, in its keys as well. */
  value<T>(value: T): T {
    if (!this.#pattern) return value;
    return this.#walk(value) as T;
  }

  #walk(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    if (typeof value !== "object" || value === null) {
      // A secret of digits can also be a number.
      return typeof value === "number" && this.text(String(value)) !== String(value) ? MASK : value;
    }
    const out: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) out[this.text(key)] = this.#walk(item);
    return out;
  }
}

function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    // The control characters and `<>&` as servers written in Go escape them.
    json.replace(
      /[<>&\u2028\u2029]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
    url,
    url.toLowerCase(),
    url.replace(/%20/g, "+"),
    ...secret.split("\n").map((line) => line.trim()).filter((line) => line.length >= 8),
    ...base64Forms(secret),
    ...base64Forms(json),
  ];
}

/**
 * The base64 of a text by itself, and the part of it that is the same wherever the text stands in a
 * longer one, for each of the three ways it can be aligned.
 */
function base64Forms(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const out: string[] = [];
  for (const shift of [0, 1, 2]) {
    const padded = new Uint8Array(shift + bytes.length);
    padded.set(bytes, shift);
    const encoded = btoa(String.fromCharCode(...padded));
    // The first characters mix with what stands before, the last ones with what follows.
    const whole = Math.floor(padded.length / 3) * 4;
    const core = encoded.slice(shift === 0 ? 0 : 4, whole);
    if (core.length >= 4) out.push(core, base64Url(core));
    if (shift === 0) {
      const bare = encoded.replace(/=+$/, "");
      out.push(encoded, bare, base64Url(bare));
    }
  }
  return out.filter((form) => form.length >= 4);
}

function base64Url(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_");
}
