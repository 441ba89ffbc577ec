import { isRecord } from "../../protocol/mod.ts";

/** The values of the placeholders `$job1`, `$run1`, … of a transcript. */
export type Bindings = Map<string, string>;

const PLACEHOLDER = /\$(job|run|event|cron|dlq|session)\d+/g;
const TYPE_ID = "[0-7][0-9a-hjkmnp-tv-z]{25}";
const SHAPES: Record<string, string> = {
  job: `job_${TYPE_ID}`,
  run: `wfrun_${TYPE_ID}`,
  event: `evt_${TYPE_ID}`,
  cron: `cron_${TYPE_ID}`,
  dlq: `dlq_${TYPE_ID}`,
  session: "\\S+",
};
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Compares a received value with the expected one, and binds new placeholders.
 * @returns The first difference, or `undefined` if there is none.
 */
export function mismatch(
  expected: unknown,
  actual: unknown,
  bindings: Bindings,
  path: string = "frame",
): string | undefined {
  if (typeof expected === "string") return textMismatch(expected, actual, bindings, path);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return differ(path, expected, actual);
    if (actual.length !== expected.length) {
      return `${path}: expected ${expected.length} items, received ${actual.length}: ${
        show(actual)
      }`;
    }
    return first(expected, (item, i) => mismatch(item, actual[i], bindings, `${path}[${i}]`));
  }
  if (isRecord(expected)) {
    if (!isRecord(actual)) return differ(path, expected, actual);
    return recordMismatch(expected, actual, bindings, path);
  }
  return Object.is(expected, actual) ? undefined : differ(path, expected, actual);
}

/**
 * Replaces placeholders with their values.
 * @throws {Error} If a placeholder is not bound.
 */
export function substitute(value: unknown, bindings: Bindings): unknown {
  if (typeof value === "string") {
    return value.replace(PLACEHOLDER, (name) => {
      const bound = bindings.get(name);
      if (bound === undefined) throw new Error(`${name} has no value yet`);
      return bound;
    });
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, bindings));
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, substitute(item, bindings)]),
    );
  }
  return value;
}

function recordMismatch(
  expected: Record<string, unknown>,
  actual: Record<string, unknown>,
  bindings: Bindings,
  path: string,
): string | undefined {
  for (const key of Object.keys(expected)) {
    const at = `${path}.${key}`;
    if (!Object.hasOwn(actual, key)) {
      // Servers omit a duration of less than a millisecond.
      if (expected[key] === "$ms") continue;
      return `${at}: expected ${show(expected[key])}, but it is absent`;
    }
    const difference = mismatch(expected[key], actual[key], bindings, at);
    if (difference !== undefined) return difference;
  }
  for (const key of Object.keys(actual)) {
    if (Object.hasOwn(expected, key)) continue;
    if (key === "elapsed_ms" && typeof actual[key] === "number") continue;
    return `${path}.${key}: unexpected ${show(actual[key])}`;
  }
  return undefined;
}

function textMismatch(
  expected: string,
  actual: unknown,
  bindings: Bindings,
  path: string,
): string | undefined {
  switch (expected) {
    case "$any":
      return undefined;
    case "$number":
    case "$ms":
      return typeof actual === "number" ? undefined : differ(path, expected, actual);
    case "$time":
      return isText(actual, TIME) ? undefined : differ(path, expected, actual);
    case "$base64":
      return isText(actual, BASE64) ? undefined : differ(path, expected, actual);
    case "$frame":
      return isText(actual, /^.+$/s) ? undefined : differ(path, expected, actual);
  }
  if (typeof actual !== "string") return differ(path, expected, actual);
  if (!expected.includes("$")) {
    return expected === actual ? undefined : differ(path, expected, actual);
  }
  const isPrefix = expected.endsWith("$any");
  const { pattern, unbound } = toPattern(isPrefix ? expected.slice(0, -4) : expected, bindings);
  const match = new RegExp(`^${pattern}${isPrefix ? "" : "$"}`, "s").exec(actual);
  if (match === null) return differ(path, withBound(expected, bindings), actual);
  unbound.forEach((name, i) => bindings.set(name, match[i + 1]!));
  return undefined;
}

/** Converts a template to a pattern with one group for each placeholder that is not bound yet. */
function toPattern(template: string, bindings: Bindings): { pattern: string; unbound: string[] } {
  const unbound: string[] = [];
  let pattern = "";
  let end = 0;
  for (const hit of template.matchAll(PLACEHOLDER)) {
    pattern += escape(template.slice(end, hit.index));
    end = hit.index + hit[0].length;
    const bound = bindings.get(hit[0]);
    const seen = unbound.indexOf(hit[0]);
    if (bound !== undefined) pattern += escape(bound);
    else if (seen !== -1) pattern += `\\${seen + 1}`;
    else {
      unbound.push(hit[0]);
      pattern += `(${SHAPES[hit[1]!]})`;
    }
  }
  return { pattern: pattern + escape(template.slice(end)), unbound };
}

/** Replaces the placeholders that are bound. */
function withBound(template: string, bindings: Bindings): string {
  return template.replace(PLACEHOLDER, (name) => bindings.get(name) ?? name);
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function isText(value: unknown, shape: RegExp): boolean {
  return typeof value === "string" && shape.test(value);
}

function differ(path: string, expected: unknown, actual: unknown): string {
  return `${path}: expected ${show(expected)}, received ${show(actual)}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function first<T>(
  items: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const difference = check(item, index);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
