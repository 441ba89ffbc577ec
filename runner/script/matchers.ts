import { isTooDeep, TOO_DEEP } from "../expression/convert.ts";
import type { TimelineEntry } from "../../protocol/entity.ts";
import { withBudget } from "../expression/budget.ts";
import { isPlain } from "../expression/convert.ts";
import { diffLines, equal, type Hide, shownType, showValue } from "../expression/diff.ts";
import { className, inspect } from "../expression/inspect.ts";
import { patterns } from "../expression/load_patterns.ts";
import { lengthOf } from "../expression/matcher.ts";
import { regexpProblem, toRe2 } from "../expression/regexp.ts";

/** Why a check has failed. */
export interface Mismatch {
  /** One line. */
  message: string;
  /** Details, such as a diff. */
  lines: string[];
}

/** The outcome of a check. */
export interface CheckResult {
  /** The line that reports show for the check. */
  label: string;
  /** Why it has failed; absent if it has passed. */
  mismatch?: Mismatch | undefined;
}

/** Runs a check as a step. If `check` throws, the step fails. */
export type RunCheck = (check: () => CheckResult) => void;

/** One expectation, applied to a value. */
interface Expectation {
  /** What is expected: `to be less than 3`. */
  what: string;
  /** Whether the value meets it. */
  holds: boolean;
  /** The kind of value that the expectation needs, if the value is of another kind: `a number`. */
  needs?: string | undefined;
  /** Details to show if the value does not meet it. */
  lines?: () => string[];
}

/**
 * The expectations for a value, from `t.expect`. Each call of a method is a step of the recipe.
 *
 * @example
 * ```ts
 * import { recipe } from "@dispatch/sdk/runner";
 *
 * export default recipe("Order", async (t) => {
 *   const order = await t.start("order-payment", { order_id: "ORD-7" });
 *   t.expect(order.name).toBe("order-payment");
 *   t.expect(order.input).toMatchObject({ order_id: "ORD-7" });
 *   t.expect(order.output).not.toBeDefined();
 * });
 * ```
 */
export class Expectations<T> {
  #value: T;
  #runCheck: RunCheck;
  #hide: Hide;
  #negated: boolean;

  /**
   * Creates the expectations for a value.
   *
   * @param hide Returns a value without its secrets, for labels and messages.
   * @param negated Whether each expectation means its opposite.
   */
  constructor(value: T, runCheck: RunCheck, hide: Hide, negated = false) {
    this.#value = value;
    this.#runCheck = runCheck;
    this.#hide = (value) => hide(inspect(value));
    this.#negated = negated;
  }

  /** Negates the next expectation. It still fails for a value of the wrong kind. */
  get not(): Expectations<T> {
    return new Expectations(this.#value, this.#runCheck, this.#hide, !this.#negated);
  }

  /** Expects an equal value: of the same type and, for lists and maps, with equal contents. */
  toEqual(expected: T): void {
    this.#expect((value) => ({
      what: `to equal ${this.#show(expected)}`,
      holds: equal(expected, value),
      needs: value === undefined ? "defined" : undefined,
      lines: () => diffLines(expected, value, this.#hide),
    }));
  }

  /** Expects the same value, as `Object.is` compares. */
  toBe(expected: T): void {
    this.#expect((value) => ({
      what: `to be ${this.#show(expected)}`,
      holds: Object.is(expected, value),
    }));
  }

  /** Expects a value other than `undefined` and null. */
  toBeDefined(): void {
    this.#expect((value) => ({
      what: "to be defined",
      holds: value !== undefined && value !== null,
    }));
  }

  /** Expects text with a given part, or a list with an equal item. */
  toContain(part: unknown): void {
    this.#expect((value) => {
      const what = `to contain ${this.#show(part)}`;
      if (Array.isArray(value)) return { what, holds: value.some((item) => equal(part, item)) };
      const areTexts = typeof value === "string" && typeof part === "string";
      const needs = typeof part === "string" ? "text or a list" : "a list";
      return areTexts ? { what, holds: value.includes(part) } : { what, holds: false, needs };
    });
  }

  /** Expects text that matches a regular expression, which cannot have lookarounds. */
  toMatch(pattern: RegExp): void {
    this.#expect((value) => {
      if (!(pattern instanceof RegExp)) throw new TypeError("`toMatch` takes a regular expression");
      const isText = typeof value === "string";
      return {
        what: `to match ${pattern}`,
        holds: isText && matches(pattern, value),
        needs: isText ? undefined : "text",
      };
    });
  }

  /** Expects a number of characters, items or entries. */
  toHaveLength(length: number): void {
    this.#expect((value) => {
      const actual = lengthOf(value);
      return {
        what: `to have length ${length}`,
        holds: actual === length,
        needs: actual === undefined ? "text, a list or a map" : undefined,
      };
    });
  }

  /** Expects a number less than `limit`. */
  toBeLessThan(limit: number): void {
    this.#expect((value) => compare("less", value, limit));
  }

  /** Expects a number greater than `limit`. */
  toBeGreaterThan(limit: number): void {
    this.#expect((value) => compare("greater", value, limit));
  }

  /** Expects a map with at least these entries. */
  toMatchObject(part: Record<string, unknown>): void {
    this.#expect((value) => {
      if (!isMap(part) || !isPlain(part)) throw new TypeError("`toMatchObject` takes a map");
      const what = `to have ${this.#show(part)}`;
      if (!isMap(value)) return { what, holds: false, needs: "a map" };
      const keys = Object.keys(part).filter((key) => Object.hasOwn(value, key));
      const actual = Object.fromEntries(keys.map((key) => [key, value[key]]));
      return {
        what,
        holds: equal(part, actual),
        lines: () => diffLines(part, actual, this.#hide),
      };
    });
  }

  /** Expects a timeline with a checkpoint of this name. */
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
    this.#runCheck(() => {
      const value: unknown = this.#value;
      if (isTooDeep(value)) {
        return { label: "expect a nested value", mismatch: { message: TOO_DEEP, lines: [] } };
      }
      const problem = valueProblem(value);
      if (problem) return { label: `expect ${this.#show(value)}`, mismatch: problem };
      const { what, holds, needs, lines } = expectation(value);
      const expected = this.#negated ? `not ${what}` : what;
      const label = `expect ${this.#show(value)} ${expected}`;
      if (holds !== this.#negated && needs === undefined) return { label };
      const subject = value === undefined
        ? "an absent value"
        : `${showValue(value, this.#hide)} (${kindOf(value)})`;
      const need = needs !== undefined && this.#negated ? `to be ${needs} and ` : "";
      return {
        label,
        mismatch: {
          message: `expected ${subject} ${need}${expected}`,
          lines: this.#negated ? [] : lines?.() ?? [],
        },
      };
    });
  }

  #show(value: unknown): string {
    return showValue(value, this.#hide, 40);
  }
}

/** Explains why a value cannot be checked: promises and functions would always count as true. */
export function valueProblem(value: unknown): Mismatch | undefined {
  const message = value instanceof Promise
    ? "the value is a promise: await it"
    : typeof value === "function"
    ? "the value is a function: call it"
    : undefined;
  return message === undefined ? undefined : { message, lines: [] };
}

/** Whether a text matches. It uses RE2, because JavaScript's own engine could take forever. */
function matches(pattern: RegExp, text: string): boolean {
  const problem = regexpProblem(pattern);
  if (problem !== undefined) throw new TypeError(`\`toMatch\` cannot use ${pattern}: ${problem}`);
  return withBudget(() => patterns().matchesPattern(toRe2(pattern), text));
}

function compare(how: "less" | "greater", value: unknown, limit: number): Expectation {
  if (typeof limit !== "number") throw new TypeError("the limit must be a number");
  const what = `to be ${how} than ${limit}`;
  if (typeof value !== "number") return { what, holds: false, needs: "a number" };
  return { what, holds: how === "less" ? value < limit : value > limit };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return isMap(value) && !isPlain(value) ? className(value) : shownType(value);
}
