/** What is another one in each run: ids of entities, UUIDs and times. */
const CHANGING =
  /\b[a-z]+_[0-9a-hjkmnp-tv-z]{26}\b|\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[-+]\d\d:?\d\d)?/gi;

/** How far from a run a number is taken for a time, in milliseconds. */
const NEAR = 86_400_000;

/** Finds values that a replayed run will not have again. */
export class ChangingValues {
  readonly #given: string;
  readonly #start: number;
  readonly #end: number;

  /**
   * @param given What the run was given, and so has again.
   * @param start When it started, in milliseconds since 1970.
   * @param end When it ended.
   */
  constructor(given: unknown, start: number, end: number) {
    this.#given = JSON.stringify(given) ?? "";
    this.#start = start - NEAR;
    this.#end = end + NEAR;
  }

  /** Whether some part of a value is likely to change. */
  isIn(value: unknown): boolean {
    if (typeof value === "string") return this.#find(value).length > 0;
    if (typeof value === "number") return this.#isTime(value) || this.#isTime(value * 1000);
    if (typeof value !== "object" || value === null) return false;
    return Object.values(value).some((item) => this.isIn(item));
  }

  /** Splits a text at the parts that are likely to change. */
  split(text: string): string[] {
    const parts: string[] = [];
    let from = 0;
    for (const { index = 0, 0: found } of this.#find(text)) {
      parts.push(text.slice(from, index));
      from = index + found.length;
    }
    return [...parts, text.slice(from)];
  }

  #find(text: string): RegExpMatchArray[] {
    return [...text.matchAll(CHANGING)].filter(([found]) => !this.#given.includes(found));
  }

  #isTime(value: number): boolean {
    return value >= this.#start && value <= this.#end && !this.#given.includes(String(value));
  }
}
