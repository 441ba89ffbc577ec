import { diffLines, equal, type Hide, shownType, showValue, typeName, worthDiff } from "./diff.ts";
import type { Expression } from "./expression.ts";
import { BudgetError, withBudget } from "./budget.ts";
import { patterns } from "./load_patterns.ts";
import type { Span } from "./span.ts";
import type { Template } from "./template.ts";

/** The matchers of `expect`, each with what it requires of a value. */
export const MATCHERS = {
  equals: "Equal in value and type.",
  not: "Not equal in value or type.",
  gt: "Greater than.",
  gte: "Greater than or equal.",
  lt: "Less than.",
  lte: "Less than or equal.",
  matches: "A text that matches a regular expression.",
  contains: "A text with this part, a list with this item, or a map with these entries.",
  one_of: "Equal to one item of a list.",
  exists: "Present; with `false`, absent.",
  type: "Of the type `text`, `number`, `boolean`, `list`, `map` or `null`.",
  length: "A text, list or map of this length: a number, or matchers for it.",
} as const;

/** A name of {@linkcode MATCHERS}. */
export type MatcherName = keyof typeof MATCHERS;

/** The types that the matcher `type` knows. */
export const TYPE_CHOICES = ["text", "number", "boolean", "list", "map", "null"] as const;

/** A matcher of an `expect` with its argument. */
export interface Matcher {
  /** The name of the matcher. */
  name: MatcherName;
  /** Its argument; `length` also takes matchers. */
  argument: Template | Matcher[];
}

/** One line of an `expect`: a value, and what it must satisfy. */
export interface Expectation {
  /** The expression whose value is checked. */
  subject: Expression;
  /** What the value must satisfy. */
  matchers: Matcher[];
  /** Where the key is written. */
  span: Span;
}

/** A matcher whose argument has been evaluated. */
export interface ResolvedMatcher {
  /** The name of the matcher. */
  name: MatcherName;
  /** Its argument. */
  argument: unknown;
}

/**
 * Explains why a value does not satisfy a matcher.
 * @param value The value; `undefined` if it is absent.
 * @returns The explanation as lines, or `undefined` if the value satisfies the matcher.
 */
export function mismatch(
  value: unknown,
  matcher: ResolvedMatcher,
  hide: Hide,
): string[] | undefined {
  const { name, argument } = matcher;
  const is = `is ${showValue(value, hide)} (${shownType(value)})`;
  if (name === "exists") {
    if ((value !== undefined) === argument) return undefined;
    return [argument ? "is absent" : `${is}, but should be absent`];
  }
  const cannotMatch = (problem: string) => [
    `cannot be matched with ${showValue(argument, hide)}: ${problem}`,
  ];
  const problem = name === "matches" ? patterns().patternProblem(argument) : undefined;
  if (problem !== undefined) return cannotMatch(problem);
  if (value === undefined) return [`is absent, but should be ${describe(matcher, hide)}`];
  try {
    if (withBudget(() => satisfies(value, matcher))) return undefined;
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    return cannotMatch(error.summary);
  }
  const lines = [`${is}, but should be ${describe(matcher, hide)}`];
  if (name === "equals" && worthDiff(value, argument)) {
    lines.push(...diffLines(argument, value, hide));
  }
  return lines;
}

function satisfies(value: unknown, { name, argument }: ResolvedMatcher): boolean {
  switch (name) {
    case "equals":
      return equal(argument, value);
    case "not":
      return !equal(argument, value);
    case "gt":
      return ordered(value, argument) && (value as number) > (argument as number);
    case "gte":
      return ordered(value, argument) && (value as number) >= (argument as number);
    case "lt":
      return ordered(value, argument) && (value as number) < (argument as number);
    case "lte":
      return ordered(value, argument) && (value as number) <= (argument as number);
    case "matches":
      return typeof value === "string" && patterns().matchesPattern(argument as string, value);
    case "contains":
      return contains(value, argument);
    case "one_of":
      return Array.isArray(argument) && argument.some((choice) => equal(choice, value));
    case "type":
      return typeName(value) === argument;
    case "length": {
      const length = lengthOf(value);
      if (length === undefined) return false;
      return Array.isArray(argument)
        ? (argument as ResolvedMatcher[]).every((m) => satisfies(length, m))
        : length === argument;
    }
    case "exists":
      return argument === true;
  }
}

/** Whether two values can be ordered: two texts or two numbers. */
function ordered(a: unknown, b: unknown): boolean {
  return typeof a === typeof b && (typeof a === "number" || typeof a === "string");
}

function contains(value: unknown, part: unknown): boolean {
  if (typeof value === "string") return typeof part === "string" && value.includes(part);
  if (Array.isArray(value)) return value.some((item) => equal(part, item));
  if (typeof value !== "object" || typeof part !== "object" || !value || !part) return false;
  return Object.entries(part).every(([key, item]) =>
    Object.hasOwn(value, key) && equal(item, (value as Record<string, unknown>)[key])
  );
}

/** The number of characters, items or entries; `undefined` for values without a length. */
export function lengthOf(value: unknown): number | undefined {
  if (typeof value === "string") return [...value].length;
  if (Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : undefined;
}

function describe({ name, argument }: ResolvedMatcher, hide: Hide): string {
  const text = showValue(argument, hide);
  switch (name) {
    case "equals":
      return text;
    case "not":
      return `anything but ${text}`;
    case "gt":
      return `> ${text}`;
    case "gte":
      return `>= ${text}`;
    case "lt":
      return `< ${text}`;
    case "lte":
      return `<= ${text}`;
    case "matches":
      return `a text that matches ${text}`;
    case "contains":
      return `something that contains ${text}`;
    case "one_of":
      return `one of ${text}`;
    case "type":
      return `of type ${argument}`;
    case "length":
      return Array.isArray(argument)
        ? `of a length ${
          (argument as ResolvedMatcher[]).map((one) => describe(one, hide)).join(" and ")
        }`
        : `of length ${text}`;
    case "exists":
      return "there";
  }
}
