import { encodeBase64 } from "../../protocol/base64.ts";

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
  #forms: string[] = [];
  #pattern: RegExp | undefined;

  /** Whether there is nothing to hide. */
  get isEmpty(): boolean {
    return this.#pattern === undefined;
  }

  /** Adds a value that must not be shown. */
  add(secret: string): void {
    // Each case of a run brings the same ones again.
    if (!canBeMasked(secret) || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
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

/** How often a text can be put into JSON inside JSON on its way: a value, a payload, a frame. */
const DEEPEST = 3;

function formsOf(secret: string): string[] {
  const url = encodeURIComponent(secret);
  const texts = [
    ...escapedForms(secret),
    url,
    url.toLowerCase(),
    url.replace(/%20/g, "+"),
  ];
  return [
    ...texts,
    ...secret.split("\n").map((line) => line.trim()).filter((line) => line.length >= 8),
    // A payload goes over the wire as base64, whatever form of a secret is in it.
    ...[...texts, ...wholeBase64(secret)].flatMap(base64Forms),
  ];
}

/** The base64 of a text by itself, in both alphabets. */
function wholeBase64(text: string): string[] {
  const encoded = encodeBase64(text);
  return [encoded, base64Url(encoded).replace(/=+$/, "")];
}

/** A text as it is, and as it stands in JSON, JSON inside JSON, and so on. */
function escapedForms(text: string): string[] {
  const forms = new Set([text]);
  let last = [text];
  for (let depth = 0; depth < DEEPEST; depth++) {
    last = [
      ...new Set(last.flatMap((form) => {
        const json = JSON.stringify(form).slice(1, -1);
        return [json, escapeAsGo(json)];
      })),
    ];
    for (const form of last) forms.add(form);
  }
  return [...forms];
}

/** Servers written in Go escape `<>&` and two line separators as well. */
function escapeAsGo(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * The base64 of a text by itself, and the part of it that is the same wherever the text stands in a
 * longer one, for each of the three ways it can be aligned.
 */
function base64Forms(text: string): string[] {
  const out: string[] = [];
  for (const shift of [0, 1, 2]) {
    const encoded = encodeBase64("\0".repeat(shift) + text);
    const bare = encoded.replace(/=+$/, "");
    // The first characters mix with what stands before, the last ones with what follows.
    const core = bare.slice(shift === 0 ? 0 : 4, Math.floor(bare.length / 4) * 4);
    out.push(core, base64Url(core));
    if (shift === 0) out.push(encoded, bare, base64Url(bare));
  }
  return out.filter((form) => form.length >= 4);
}

function base64Url(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_");
}
