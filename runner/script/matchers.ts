import { diffLines, equal, type Hide, showValue, typeName } from "../expression/diff.ts";
import { isPlain } from "../expression/convert.ts";
import { lengthOf } from "../expression/matcher.ts";
import type { TimelineEntry } from "../../protocol/entity.ts";
import { className, inspect } from "../expression/inspect.ts";

/** Why an expectation is not met. */
export interface NotMet {
  /** One line. */
  message: string;
  /** More lines. */
  lines: string[];
}

/** What came of an expectation. */
export interface Checked {
  /** Its line in reports. */
  label: string;
  /** Why it is not met; absent when it is. */
  notMet?: NotMet | undefined;
}

/** Carries out one expectation; what `check` throws is a failure too. */
export type Expecting = (check: () => Checked) => void;

/** One thing that is expected of a value. */
interface Expectation {
  /** In words: `to be less than 3`. */
  what: string;
  /** Whether it is so. */
  holds: boolean;
  /** The kind of value that it can be asked of, where the value is not of that kind: `a number`. */
  needs?: string | undefined;
  /** More lines about a value of which it is not so. */
  lines?: () => string[];
}

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
    this.#hide = (value) => hide(inspect(value));
    this.#negated = negated;
  }

  /** The opposite of what follows. A value that is absent or of another kind does not meet it either. */
  get not(): Expectations<T> {
    return new Expectations(this.#value, this.#expecting, this.#hide, !this.#negated);
  }

  /** It is equal by value and type. */
  toEqual(expected: T): void {
    this.#expect((value) => ({
      what: `to equal ${this.#show(expected)}`,
      holds: equal(expected, value),
      needs: value === undefined ? "there" : undefined,
      lines: () => diffLines(expected, value, this.#hide),
    }));
  }

  /** It is the very same value. */
  toBe(expected: T): void {
    this.#expect((value) => ({
      what: `to be ${this.#show(expected)}`,
      holds: Object.is(expected, value),
    }));
  }

  /** It is there: neither `undefined` nor null. */
  toBeDefined(): void {
    this.#expect((value) => ({
      what: "to be there",
      holds: value !== undefined && value !== null,
    }));
  }

  /** The text contains a text, or the list an item. */
  toContain(part: unknown): void {
    this.#expect((value) => {
      const what = `to contain ${this.#show(part)}`;
      if (Array.isArray(value)) return { what, holds: value.some((item) => equal(part, item)) };
      const texts = typeof value === "string" && typeof part === "string";
      const needs = typeof part === "string" ? "a text or a list" : "a list";
      return texts ? { what, holds: value.includes(part) } : { what, holds: false, needs };
    });
  }

  /** The text has a match of a regular expression. */
  toMatch(pattern: RegExp): void {
    this.#expect((value) => {
      if (!(pattern instanceof RegExp)) throw new TypeError("`toMatch` takes a regular expression");
      const isText = typeof value === "string";
      return {
        what: `to match ${pattern}`,
        // A pattern with `g` remembers where it was; a new one does not.
        holds: isText && new RegExp(pattern).test(value),
        needs: isText ? undefined : "a text",
      };
    });
  }

  /** It has this many characters, items or entries. */
  toHaveLength(length: number): void {
    this.#expect((value) => {
      const actual = lengthOf(value);
      return {
        what: `to have length ${length}`,
        holds: actual === length,
        needs: actual === undefined ? "a text, a list or a map" : undefined,
      };
    });
  }

  /** It is less. */
  toBeLessThan(limit: number): void {
    this.#expect((value) => compared("less", value, limit));
  }

  /** It is greater. */
  toBeGreaterThan(limit: number): void {
    this.#expect((value) => compared("greater", value, limit));
  }

  /** The map has these entries, others besides. */
  toMatchObject(part: Record<string, unknown>): void {
    this.#expect((value) => {
      if (!isMap(part) || !isPlain(part)) throw new TypeError("`toMatchObject` takes a map");
      const what = `to have ${this.#show(part)}`;
      if (!isMap(value)) return { what, holds: false, needs: "a map" };
      const keys = Object.keys(part).filter((key) => Object.hasOwn(value, key));
      const there = Object.fromEntries(keys.map((key) => [key, value[key]]));
      return { what, holds: equal(part, there), lines: () => diffLines(part, there, this.#hide) };
    });
  }

  /** The timeline has a checkpoint of this name. */
  toContainStep(name: string): void {
    this.#expect((entries) => {
      const what = `to contain step ${name}`;
      if (!Array.isArray(entries)) return { what, holds: false, needs: "a timeline" };
      const names = entries.map((entry: Partial<TimelineEntry>) => entry.step_name);
      const lines = () => [`steps: ${names.join(", ") || "none"}`];
      return { what, holds: names.includes(name), lines };
    });
  }

  #expect(expectation: (value: unknown) => Expectation): void {
    this.#expecting(() => {
      const value: unknown = this.#value;
      const refused = conditionProblem(value);
      if (refused) return { label: `expect ${this.#show(value)}`, notMet: refused };
      const { what, holds, needs, lines } = expectation(value);
      const wanted = this.#negated ? `not ${what}` : what;
      const label = `expect ${this.#show(value)} ${wanted}`;
      if (holds !== this.#negated && needs === undefined) return { label };
      const shown = `expected ${showValue(value, this.#hide)} (${kindOf(value)})`;
      const be = needs !== undefined && this.#negated ? `to be ${needs} and ` : "";
      return {
        label,
        notMet: {
          message: `${shown} ${be}${wanted}`,
          lines: this.#negated ? [] : lines?.() ?? [],
        },
      };
    });
  }

  #show(value: unknown): string {
    return showValue(value, this.#hide, 40);
  }
}

/** Why a value is refused as a condition: a promise and a function are always true. */
export function conditionProblem(value: unknown): NotMet | undefined {
  const message = value instanceof Promise
    ? "a promise is not what it gives: await it"
    : typeof value === "function"
    ? "a function is not what it gives: call it"
    : undefined;
  return message === undefined ? undefined : { message, lines: [] };
}

function compared(how: "less" | "greater", value: unknown, limit: number): Expectation {
  if (typeof limit !== "number") throw new TypeError(`a value can be ${how} than a number only`);
  const what = `to be ${how} than ${limit}`;
  if (typeof value !== "number") return { what, holds: false, needs: "a number" };
  return { what, holds: how === "less" ? value < limit : value > limit };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return isMap(value) && !isPlain(value) ? className(value) : typeName(value);
}
