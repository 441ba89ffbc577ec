import { suggest } from "./suggest.ts";

/** Validates the value of an option; returns what is allowed, or `undefined` if it is valid. */
export type OptionRule = (value: unknown) => string | undefined;

/** The rules of the options of one call, by their names. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

/**
 * Validates the options of a call, which may come from plain JavaScript. An option that is
 * `undefined` counts as missing.
 * @returns What is wrong with them, or `undefined` if they are valid.
 */
export function optionsProblem(options: unknown, rules: OptionRules): string | undefined {
  if (!isObject(options)) return `the options must be an object, not ${shown(options)}`;
  const names = Object.keys(rules);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(rules, name)) continue;
    const meant = nearestName(name, names);
    const hint = meant === undefined
      ? `the options are ${names.join(", ")}`
      : `did you mean '${meant}'?`;
    return `there is no option '${name}'; ${hint}`;
  }
  for (const name of names) {
    const value = (options as Record<string, unknown>)[name];
    const allowed = rules[name]!(value);
    if (allowed !== undefined) {
      return `option '${name}' must be ${allowed}, not ${
        value === undefined ? "missing" : shown(value)
      }`;
    }
  }
}

/** Finds the name that is meant: `retry`, `retries` and `max_retries` mean `maxRetries`. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const plain = name.toLowerCase().replaceAll(/[_-]/g, "");
  const nearest = suggest(plain, names);
  if (nearest !== undefined || plain.length < 4) return nearest;
  return names.find((other) => {
    const lower = other.toLowerCase();
    // Without its last letter, `retry` is part of `maxRetries`.
    return lower.includes(plain.slice(0, -1)) || (other.length > 3 && plain.includes(lower));
  });
}

/** Makes an option optional. */
export function optional(rule: OptionRule): OptionRule {
  return (value) => value === undefined ? undefined : rule(value);
}

/** A finite number from `min` to `max`; with `max: Infinity` it may be infinite too. */
export function numberFrom(min: number, max: number = Number.MAX_VALUE): OptionRule {
  const allowed = min === -Number.MAX_VALUE ? "a number" : `a number ${range(min, max)}`;
  return (value) => isBetween(value, min, max) ? undefined : allowed;
}

/** A whole number from `min` to `max`. */
export function wholeNumberFrom(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
  return (value) =>
    Number.isInteger(value) && isBetween(value, min, max)
      ? undefined
      : `a whole number ${range(min, max)}`;
}

/** A text that is not empty. */
export function someText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? undefined : "a text that is not empty";
}

/** `true` or `false`. */
export function trueOrFalse(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : "true or false";
}

/** A function. */
export function aFunction(value: unknown): string | undefined {
  return typeof value === "function" ? undefined : "a function";
}

/** One of some texts. */
export function oneOf(...texts: readonly string[]): OptionRule {
  return (value) =>
    texts.includes(value as string) ? undefined : texts.map((text) => `'${text}'`).join(" or ");
}

/** An object with these methods; `what` says what it is. */
export function objectWith(what: string, ...methods: readonly string[]): OptionRule {
  return (value) =>
    isObject(value) &&
      methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function")
      ? undefined
      : what;
}

/** A list of values that a rule accepts; `what` says what they are. */
export function listOf(what: string, rule: OptionRule): OptionRule {
  return (value) =>
    Array.isArray(value) && value.every((item) => rule(item) === undefined)
      ? undefined
      : `a list of ${what}`;
}

/** A clock. */
export const aClock: OptionRule = objectWith(
  "a clock, with the methods now, setTimeout and clearTimeout",
  "now",
  "setTimeout",
  "clearTimeout",
);

/** Shows a value in a message: short, and without what it may contain. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return shownText(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? shownList(value) : "an object";
    default:
      return String(value);
  }
}

function shownList(list: readonly unknown[]): string {
  const items = list.slice(0, 3).map((item) => Array.isArray(item) ? "a list" : shown(item));
  return `[${items.join(", ")}${list.length > 3 ? ", …" : ""}]`;
}

/** Shows a text. Of an address it leaves out the user, the password and the query. */
function shownText(text: string): string {
  const plain = /^[a-z][a-z\d+.-]*:\/\//i.test(text)
    ? text.replace(/\/\/[^/?#]*@/, "//").replace(/[?#].*$/s, "")
    : text;
  return plain.length > 40 ? `'${plain.slice(0, 40)}…'` : `'${plain}'`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isBetween(value: unknown, min: number, max: number): boolean {
  return typeof value === "number" && value >= min && value <= max;
}

function range(min: number, max: number): string {
  return max >= Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
}
