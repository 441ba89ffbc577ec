import { canBeMasked, type Mask } from "../../engine/mask.ts";
import { printable } from "../../language/render_diagnostic.ts";
import { UsageError } from "../args.ts";

/** Deeper values do not fit into a recipe. */
const MAX_DEPTH = 80;

/** The secrets to take out of a recipe: their values by the names of their variables. */
export type Secrets = ReadonlyMap<string, string>;

/**
 * Reads the secrets that the command line names.
 * @throws {UsageError} If one has no value, or cannot be a secret.
 */
export function readSecrets(
  names: readonly string[],
  env: (name: string) => string | undefined,
): Secrets {
  return new Map(names.map((name) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new UsageError(
        `--secret takes the name of an environment variable, not '${printable(name)}'`,
      );
    }
    const value = env(name);
    if (!value) throw new UsageError(`--secret ${name}: the environment variable is not set`);
    if (!canBeMasked(value)) {
      throw new UsageError(`--secret ${name}: the value is too short to be found in other text`);
    }
    return [name, value];
  }));
}

/** Turns recorded values into values of a recipe: secrets become expressions. */
export class RecipeValues {
  /** The names of the secrets that were found. */
  readonly used = new Set<string>();
  /** Whether something was masked that no expression can stand for, such as an encoded secret. */
  hasMasked = false;
  /** Whether a whole number had lost digits before it was recorded. */
  hasInexact = false;
  /** Whether a value was too deep. */
  hasTooDeep = false;
  readonly #secrets: Secrets;
  readonly #names: ReadonlyMap<string, string>;
  readonly #pattern: RegExp | undefined;
  readonly #mask: Mask;

  /** @param mask Masks the secrets and the token. */
  constructor(secrets: Secrets, mask: Mask) {
    this.#secrets = secrets;
    this.#names = new Map([...secrets].map(([name, value]) => [value, name]));
    this.#mask = mask;
    // A longer secret may contain a shorter one.
    const texts = [...this.#names.keys()].sort((a, b) => b.length - a.length);
    const patterns = texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
    this.#pattern = texts.length === 0 ? undefined : new RegExp(`(${patterns.join("|")})`);
  }

  /** A JSON value, whose texts can have expressions. */
  value(value: unknown, depth = 0): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value === "number") return this.#number(value);
    if (typeof value !== "object" || value === null) return value;
    if (depth === MAX_DEPTH) {
      this.hasTooDeep = true;
      return null;
    }
    if (Array.isArray(value)) return this.#list(value, depth);
    // Unlike an assignment, `fromEntries` keeps a key `__proto__`.
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.plain(key), this.value(item, depth + 1)]),
    );
  }

  /** A JSON value with a part that is an expression, so that no check compares it with a schema. */
  unchecked(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
      const text = this.value(value);
      const isPlain = text === value && !(typeof text === "string" && text.includes("${{"));
      return isPlain ? `\${{ ${JSON.stringify(value)} }}` : text;
    }
    const entries = Object.entries(value);
    if (entries.length === 0) return `\${{ ${JSON.stringify(value)} }}`;
    const [[key, first]] = entries as [[string, unknown]];
    const rest = this.value(value);
    if (Array.isArray(rest)) return [this.unchecked(first), ...rest.slice(1)];
    return { ...rest as object, [this.plain(key)]: this.unchecked(first) };
  }

  /** Whether a value loses something to `***`, so that nothing will be equal to it. */
  masks(value: unknown): boolean {
    const copy = new RecipeValues(this.#secrets, this.#mask);
    copy.value(value);
    return copy.hasMasked;
  }

  /** A text that can have expressions. */
  text(text: string): string {
    const parts = this.#pattern ? text.split(this.#pattern) : [text];
    let out = "";
    parts.forEach((part, i) => {
      if (i % 2 === 0) out += this.plain(part).replaceAll("${{", () => "$${{");
      else out = this.#withHole(out, part);
    });
    return out;
  }

  /** A text that cannot have expressions, such as a part of one. */
  plain(text: string): string {
    const masked = this.#mask.text(text);
    if (masked !== text) this.hasMasked = true;
    return masked;
  }

  /** A text in CEL, in quotes. */
  quoted(text: string): string {
    return JSON.stringify(this.plain(text.toWellFormed()));
  }

  /** A text for a comment, in one line. */
  comment(text: string): string {
    return printable(this.#mask.text(text));
  }

  #list(items: readonly unknown[], depth: number): unknown[] {
    const converted = items.map((item) => this.value(item, depth + 1));
    if (!items.every((item) => typeof item === "string" || typeof item === "number")) {
      return converted;
    }
    // A secret can be spread over the items, such as lines or bytes.
    const together = this.#mask.value(items);
    return converted.map((item, i) => {
      if (together[i] === this.#mask.value(items[i])) return item;
      this.hasMasked = true;
      return together[i];
    });
  }

  #number(value: number): unknown {
    const name = this.#names.get(String(value));
    if (name !== undefined) {
      this.used.add(name);
      return `\${{ ${Number.isInteger(value) ? "int" : "double"}(secrets.${name}) }}`;
    }
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) this.hasInexact = true;
    const masked = this.#mask.value(value);
    if (masked !== value) this.hasMasked = true;
    return masked;
  }

  /** Appends an expression. `$${{` would be text, so the expression takes a `$` before it. */
  #withHole(before: string, secret: string): string {
    const name = this.#names.get(secret)!;
    this.used.add(name);
    const dollars = /\$*$/.exec(before)![0];
    const prefix = dollars === "" ? "" : `"${dollars}" + `;
    return `${before.slice(0, before.length - dollars.length)}\${{ ${prefix}secrets.${name} }}`;
  }
}
