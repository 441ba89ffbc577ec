import type { Environment } from "@marcbachmann/cel-js";
import type { Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator";
import { patterns } from "./load_patterns.ts";

/** The clock and random numbers that the functions of expressions use. */
export interface Ambient {
  /** The current time in milliseconds since 1970. */
  now(): number;
  /** A random number, at least 0 and less than 1. */
  random(): number;
}

/** The classes of the expression language that functions need. */
export interface CelClasses {
  /** A duration. */
  Duration: typeof Duration;
  /** An unsigned whole number. */
  UnsignedInt: typeof UnsignedInt;
  /** The error of an expression that cannot be evaluated. */
  EvaluationError: new (options: { code: string; message: string }) => Error;
}

let ambient: Ambient = { now: () => Date.now(), random: () => Math.random() };

/** Uses a clock and random numbers for `now()`, `uuid()` and `random(n)` while the callback runs. */
export function withAmbient<T>(given: Ambient, callback: () => T): T {
  const before = ambient;
  ambient = given;
  try {
    return callback();
  } finally {
    ambient = before;
  }
}

/** Marks the names of functions that replace functions of the library. No expression contains it. */
const MARK = "strict:";

/** The functions that {@linkcode addFunctions} replaces. */
const REPLACED: ReadonlySet<string> = new Set(["timestamp", "duration", "int", "uint", "double"]);

/** The name of the function that a syntax tree should call in place of another. */
export function replacementOf(name: string, isMethod: boolean): string {
  return (isMethod ? name === "matches" : REPLACED.has(name)) ? MARK + name : name;
}

/** Removes the mark of replaced functions from a message. */
export function withoutMark(text: string): string {
  return text.replaceAll(MARK, "");
}

/**
 * Adds the functions that recipes have besides those of CEL, and replaces those of the library that
 * depend on the JavaScript engine: `matches` can take forever there, and conversions accept what CEL
 * does not, such as the 30th of February.
 */
export function addFunctions(environment: Environment, classes: CelClasses): void {
  environment.registerFunction("uuid(): string", uuid);
  environment.registerFunction("now(): google.protobuf.Timestamp", () => new Date(ambient.now()));
  environment.registerFunction("random(int): int", (below: bigint) => {
    if (below < 1n) throw new Error(`random(n) needs an n of at least 1, not ${below}`);
    return BigInt(Math.floor(ambient.random() * Number(below)));
  });
  environment.registerFunction(
    "string(google.protobuf.Timestamp): string",
    (time: Date) => time.toISOString(),
  );

  const { Duration, UnsignedInt, EvaluationError } = classes;
  const invalid = (value: unknown, title: string): Error => {
    const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
    const message = `${shown.length > 100 ? "the text" : shown} is not ${title}`;
    return new EvaluationError({ code: "conversion", message });
  };
  const replace = (name: string, type: string, returnType: string, handler: Handler) =>
    environment.registerFunction({
      name: MARK + name,
      params: [{ name: "value", type }],
      returnType,
      handler,
      async: false,
    });

  environment.registerFunction({
    name: `${MARK}matches`,
    receiverType: "string",
    params: [{ name: "pattern", type: "string" }],
    returnType: "bool",
    async: false,
    handler(text: string, pattern: string) {
      const { patternProblem, matchesPattern } = patterns();
      const problem = patternProblem(pattern);
      if (problem === undefined) return matchesPattern(pattern, text);
      const message = `invalid regular expression: ${problem}`;
      throw new EvaluationError({ code: "invalid_regular_expression", message });
    },
  });
  replace("timestamp", "string", "google.protobuf.Timestamp", (text: string) => {
    const time = parseTime(text);
    if (time) return time;
    throw invalid(text, "a time such as `2026-11-24T22:00:00Z`");
  });
  replace("timestamp", "int", "google.protobuf.Timestamp", (seconds: bigint) => {
    const time = new Date(Number(seconds) * 1000);
    if (time.getTime() >= FIRST_TIME && time.getTime() <= LAST_TIME) return time;
    throw invalid(seconds, "a time in seconds since 1970");
  });
  replace("duration", "string", "google.protobuf.Duration", (text: string) => {
    const nanoseconds = parseNanoseconds(text);
    if (nanoseconds === undefined) throw invalid(text, "a duration such as `10s` or `1h30m`");
    return new Duration(nanoseconds / BILLION, Number(nanoseconds % BILLION));
  });
  for (const type of ["int", "double", "string"]) {
    replace("int", type, "int", (value: bigint | number | string) => {
      const whole = toWhole(value);
      if (whole === undefined) throw invalid(value, "a whole number");
      if (whole === BigInt.asIntN(64, whole)) return whole;
      throw invalid(value, "a whole number of 64 bits");
    });
  }
  for (const type of ["uint", "int", "double", "string"]) {
    replace("uint", type, "uint", (value: UnsignedInt | bigint | number | string) => {
      const whole = typeof value === "object" ? value.valueOf() : toWhole(value);
      if (whole === undefined || whole < 0n) throw invalid(value, "a whole number of at least 0");
      if (whole === BigInt.asUintN(64, whole)) return new UnsignedInt(whole);
      throw invalid(value, "a whole number of 64 bits");
    });
  }
  for (const type of ["double", "int", "uint", "string"]) {
    replace("double", type, "double", (value: number | bigint | UnsignedInt | string) => {
      if (typeof value !== "string") return Number(value.valueOf());
      if (DECIMAL.test(value)) return Number(value);
      if (!SPECIAL.test(value)) throw invalid(value, "a number");
      return /^nan$/i.test(value) ? NaN : value.startsWith("-") ? -Infinity : Infinity;
    });
  }
}

// deno-lint-ignore no-explicit-any
type Handler = (value: any) => unknown;

const DECIMAL = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i;
const SPECIAL = /^(nan|[-+]?inf(inity)?)$/i;

/** Truncates a number to a whole one, or parses a text as a whole number. */
function toWhole(value: bigint | number | string): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  }
  return /^[-+]?\d+$/.test(value) ? BigInt(value.replace(/^\+/, "")) : undefined;
}

/** The years 1 to 9999. */
const FIRST_TIME = -62135596800000;
const LAST_TIME = 253402300799999;

/** Parses an RFC 3339 time, and nothing else: JavaScript engines differ in what `Date` accepts. */
export function parseTime(text: string): Date | undefined {
  const match =
    /^(\d{4}-\d\d-(\d\d))T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d+)?(Z|[-+]([01]\d|2[0-3]):[0-5]\d)$/i
      .exec(text);
  if (!match) return undefined;
  const [, date, day] = match;
  // Some engines accept the 31st of a shorter month as the 1st of the next.
  if (new Date(`${date}T00:00:00Z`).getUTCDate() !== Number(day)) return undefined;
  const time = new Date(text.toUpperCase().replace(/(\.\d{3})\d+/, "$1"));
  return time.getTime() >= FIRST_TIME && time.getTime() <= LAST_TIME ? time : undefined;
}

const BILLION = 1_000_000_000n;

const NANOSECONDS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Parses a duration as CEL has it, such as `-1.5h` or `2h45m`. */
function parseNanoseconds(text: string): bigint | undefined {
  if (/^[-+]?0$/.test(text)) return 0n;
  if (!/^[-+]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0n;
  for (const [, whole, fraction, unit] of text.matchAll(/(\d*)(\.\d*)?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const factor = NANOSECONDS[unit!]!;
    const part = Math.round(Number(`0${fraction ?? ""}`) * factor);
    total += BigInt(whole || 0) * BigInt(factor) + BigInt(part);
  }
  return text.startsWith("-") ? -total : total;
}

/** A UUID made of the injected random numbers, so that a seed reproduces it. */
function uuid(): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(ambient.random() * 256));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex);
}
