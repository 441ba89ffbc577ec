import type { Clock } from "../../runtime/clock.ts";
import { goQuote, goQuoteRune, quoteByte } from "../go/encode.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** The prefix of an id, which names its kind. */
export type IdPrefix = "job" | "wfrun" | "evt" | "ckpt" | "cron" | "dlq" | "wkr";

/**
 * Generates TypeIDs: a prefix and a UUIDv7 in base 32. They sort by the time they were generated.
 */
export class Ids {
  readonly #clock: Clock;
  readonly #random: () => number;
  #ms = 0;
  #sequence = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Generates an id. */
  next(prefix: IdPrefix): string {
    const ms = Math.floor(this.#clock.now());
    if (ms === this.#ms) this.#sequence = (this.#sequence + 1) & 0xfff;
    else {
      this.#ms = ms;
      // The random start leaves at least half of the 12 bits for counting within one millisecond.
      this.#sequence = Math.floor(this.#random() * 0x800);
    }
    const high = BigInt(ms) << 16n | 0x7000n | BigInt(this.#sequence);
    const low = 0b10n << 62n | this.#bits(30) << 32n | this.#bits(32);
    let value = high << 64n | low;
    let suffix = "";
    for (let i = 0; i < 26; i++) {
      suffix = ALPHABET[Number(value & 31n)] + suffix;
      value >>= 5n;
    }
    return `${prefix}_${suffix}`;
  }

  /** Generates a random UUID. */
  uuid(): string {
    const bits = this.#bits(32) << 96n | this.#bits(32) << 64n | this.#bits(32) << 32n |
      this.#bits(32);
    const version = bits & ~(0xfn << 76n) | 4n << 76n;
    const hex = (version & ~(3n << 62n) | 2n << 62n).toString(16).padStart(32, "0");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  #bits(count: number): bigint {
    return BigInt(Math.floor(this.#random() * 2 ** count));
  }
}

/** Validates an id; returns the error message of a Go server, or `undefined` if the id is valid. */
export function idProblem(text: string, prefix: IdPrefix): string | undefined {
  if (text === "") return 'id: parse "": empty string';
  const problem = typeIdProblem(text);
  if (problem !== undefined) return `id: parse ${goQuote(text)}: typeid: ${problem}`;
  const found = text.slice(0, Math.max(0, text.lastIndexOf("_")));
  if (found !== prefix) return `id: expected prefix ${goQuote(prefix)}, got ${goQuote(found)}`;
}

function typeIdProblem(text: string): string | undefined {
  const split = text.lastIndexOf("_");
  const prefix = text.slice(0, Math.max(0, split));
  const suffix = text.slice(split + 1);
  if (split === 0) return 'prefix cannot be empty when separator "_" is present';
  if (prefix.length > 63) {
    return `prefix length must be <= 63, got ${prefix.length} for ${goQuote(prefix)}`;
  }
  if (prefix.startsWith("_")) return `prefix cannot start with underscore, got ${goQuote(prefix)}`;
  if (prefix.endsWith("_")) return `prefix cannot end with underscore, got ${goQuote(prefix)}`;
  const bad = /[^a-z_]/u.exec(prefix);
  if (bad) {
    return `prefix must contain only [a-z_], found ${goQuoteRune(bad[0])} in ${goQuote(prefix)}`;
  }
  if (suffix === "") return "suffix cannot be empty";
  const bytes = new TextEncoder().encode(suffix).length;
  if (bytes !== 26) return `suffix length must be 26, got ${bytes}`;
  if (suffix[0]! > "7") return `suffix must start with 0-7, got ${quoteByte(suffix[0]!)}`;
  const wrong = [...suffix].findIndex((char) => !ALPHABET.includes(char));
  if (wrong >= 0) return `invalid suffix encoding: illegal base32 data at offset ${wrong}`;
}
