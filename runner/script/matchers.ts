import { diffLines, equal, type Hide, showValue, typeName } from "../expression/diff.ts";
import type { TimelineEntry } from "../../protocol/entity.ts";

/** Why an expectation is not met. */
export interface NotMet {
  /** One line. */
  message: string;
  /** More lines. */
  lines: string[];
}

/** Carries out one expectation: `check` gives why it is not met, or nothing. */
export type Expecting = (label: string, check: () => NotMet | undefined) => void;

/** What can be expected of a value. Each call is a step of the recipe. */
export class Expectations<T> {
  #value: T;
  #expecting: Expecting;
  #hide: Hide;
  #negated: boolean;

  /**
   * Expects things of a value.
   * @param hide Gives a value without its secrets, for labels and messages.
   */
  constructor(value: T, expecting: Expecting, hide: Hide, negated = false) {
    this.#value = value;
    this.#expecting = expecting;
    this.#hide = hide;
    this.#negated = negated;
  }

  /** The opposite of what follows. */
  get not(): Expectations<T> {
    return new Expectations(this.#value, this.#expecting, this.#hide, !this.#negated);
  }

  /** It is equal by value and type. */
  toEqual(expected: T): void {
    this.#expect(
      `to equal ${showValue(expected, this.#hide, 40)}`,
      equal(expected, this.#value),
      () => diffLines(expected, this.#value, this.#hide),
    );
  }

  /** It is the very same value. */
  toBe(expected: T): void {
    this.#expect(`to be ${showValue(expected, this.#hide, 40)}`, Object.is(expected, this.#value));
  }

  /** It is there: neither `undefined` nor null. */
  toBeDefined(): void {
    this.#expect("to be there", this.#value !== undefined && this.#value !== null);
  }

  /** The text contains a text, or the list an item. */
  toContain(part: unknown): void {
    const value: unknown = this.#value;
    const holds = typeof value === "string"
      ? typeof part === "string" && value.includes(part)
      : Array.isArray(value) && value.some((item) => equal(part, item));
    this.#expect(`to contain ${showValue(part, this.#hide, 40)}`, holds);
  }

  /** The text has a match of a regular expression. */
  toMatch(pattern: RegExp): void {
    const value: unknown = this.#value;
    this.#expect(`to match ${pattern}`, typeof value === "string" && pattern.test(value));
  }

  /** It has this many characters, items or entries. */
  toHaveLength(length: number): void {
    const value: unknown = this.#value;
    const actual = typeof value === "string" || Array.isArray(value)
      ? value.length
      : typeof value === "object" && value !== null
      ? Object.keys(value).length
      : undefined;
    this.#expect(`to have length ${length}`, actual === length);
  }

  /** It is less. */
  toBeLessThan(limit: number): void {
    this.#expect(`to be less than ${limit}`, isNumber(this.#value) && this.#value < limit);
  }

  /** It is greater. */
  toBeGreaterThan(limit: number): void {
    this.#expect(`to be greater than ${limit}`, isNumber(this.#value) && this.#value > limit);
  }

  /** The map has these entries, others besides. */
  toMatchObject(part: Record<string, unknown>): void {
    const value = this.#value as Record<string, unknown> | null;
    const holds = typeof value === "object" && value !== null &&
      Object.entries(part).every(([key, item]) =>
        Object.hasOwn(value, key) && equal(item, value[key])
      );
    this.#expect(`to have ${showValue(part, this.#hide, 40)}`, holds);
  }

  /** The timeline has a checkpoint of this name. */
  toContainStep(name: string): void {
    const entries: unknown = this.#value;
    const names = Array.isArray(entries)
      ? entries.map((entry: Partial<TimelineEntry>) => entry.step_name)
      : [];
    this.#expect(`to contain step ${name}`, names.includes(name), () => [
      `steps: ${names.join(", ") || "none"}`,
    ]);
  }

  #expect(what: string, holds: boolean, lines: () => string[] = () => []): void {
    const value = this.#value;
    const wanted = this.#negated ? `not ${what}` : what;
    this.#expecting(`expect ${showValue(value, this.#hide, 40)} ${wanted}`, () => {
      if (holds !== this.#negated) return undefined;
      return {
        message: `expected ${showValue(value, this.#hide)} (${typeName(value)}) ${wanted}`,
        lines: this.#negated ? [] : lines(),
      };
    });
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
