import { diffLines, equal, type Hide, showValue, typeName, worthDiff } from "./diff.ts";
import type { Expression } from "./expression.ts";
import type { Span } from "./span.ts";
import type { Template } from "./template.ts";

/** What an `expect` can ask of a value. */
export const MATCHERS = {
  equals: "It is equal by value and type.",
  not: "It is not equal by value and type.",
  gt: "It is greater.",
  gte: "It is greater or equal.",
  lt: "It is less.",
  lte: "It is less or equal.",
  matches: "The text has a match of a regular expression.",
  contains: "The text contains a text, the list an item, the map these entries.",
  one_of: "It is equal to one of a list.",
  exists: "It is there, or with `false`: it is absent.",
  type: "Its type is `text`, `number`, `boolean`, `list`, `map` or `null`.",
  length: "The length of the text, list or map; a number, or matchers of its own.",
} as const;

/** A name of {@linkcode MATCHERS}. */
export type MatcherName = keyof typeof MATCHERS;

/** Type names that `type` takes. */
export const TYPE_CHOICES = ["text", "number", "boolean", "list", "map", "null"] as const;

/** One matcher of an `expect`, with its argument. */
export interface Matcher {
  /** Which. */
  name: MatcherName;
  /** What it is given. `length` may be given matchers. */
  argument: Template | Matcher[];
}

/** One line of an `expect`: a value, and what it must satisfy. */
export interface Expectation {
  /** The expression whose value is checked. */
  subject: Expression;
  /** What the value must satisfy. */
  matchers: Matcher[];
  /** Where the key stands in the recipe. */
  span: Span;
}

/** A matcher whose argument has been evaluated. */
export interface ResolvedMatcher {
  /** Which. */
  name: MatcherName;
  /** What it is given. */
  argument: unknown;
}

/**
 * Why a value does not satisfy a matcher, as lines, the first of which says it.
 * @param value The value; `undefined` when it is absent.
 * @returns `undefined` when it does.
 */
export function mismatch(
  value: unknown,
  matcher: ResolvedMatcher,
  hide: Hide,
): string[] | undefined {
  const { name, argument } = matcher;
  const is = `is ${showValue(value, hide)} (${typeName(value)})`;
  if (name === "exists") {
    if ((value !== undefined) === argument) return undefined;
    return [argument ? "is absent" : `${is}, but should be absent`];
  }
  if (name === "matches" && !isPattern(argument)) {
    return [`cannot be matched with ${showValue(argument, hide)}, which is no regular expression`];
  }
  if (value === undefined) return [`is absent, but should be ${describe(matcher, hide)}`];
  if (satisfies(value, matcher)) return undefined;
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
      return typeof value === "string" && new RegExp(argument as string, "u").test(value);
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

/** Whether a value is a regular expression. */
export function isPattern(value: unknown): boolean {
  if (typeof value !== "string") return false;
  try {
    new RegExp(value, "u");
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Text is ordered among text, numbers among numbers; nothing else is. */
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

/** The characters of a text, the items of a list or the entries of a map; `undefined` of all else. */
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
