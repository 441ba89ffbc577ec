import { seededRandom } from "../../runtime/random.ts";

/** Generates random values that are the same in every run and on every runtime. */
export class Random {
  /** Returns a number, at least 0 and less than 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seededRandom(seed);
  }

  /** Returns a whole number, at least 0 and less than `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Returns text of up to `length` characters of every kind, including lone surrogates. */
  text(length: number = 12): string {
    let text = "";
    for (let i = this.below(length + 1); i > 0; i--) text += this.pick(CHARACTERS);
    return text;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Returns a JSON value, often with the keys of frames and entities. */
  json(depth: number = 3): unknown {
    switch (this.below(depth > 0 ? 9 : 6)) {
      case 0:
        return null;
      case 1:
        return this.next() < 0.5;
      case 2:
        return this.pick([0, -0, 1, -1, 1.5, 1e21, 2 ** 53, -(2 ** 63), this.next()]);
      case 3:
      case 4:
        return this.text();
      case 5:
        return this.pick(WORDS);
      case 6:
        return Array.from({ length: this.below(4) }, () => this.json(depth - 1));
      default:
        return Object.fromEntries(
          Array.from({ length: this.below(6) }, () => [this.#key(), this.json(depth - 1)]),
        );
    }
  }

  #key(): string {
    return this.next() < 0.8 ? this.pick(WORDS) : this.text(4);
  }
}

const CHARACTERS = ["a", "Z", "0", " ", "\n", "\0", '"', "\\", "{", "[", "ß", "漢", "😀", "\ud83d"];
const WORDS = (
  "id type method correl_id token app_id org_id data error channel credits ts request response event " +
  "ping pong code message name state payload input output run_id job_id queue topic step_name " +
  "broker e30= bnVsbA== job.enqueued workflow.started jobs __proto__ constructor toString length"
).split(" ");
