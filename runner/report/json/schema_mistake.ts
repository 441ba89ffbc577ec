import type { JsonSchema } from "../../language/field.ts";

/**
 * Returns the first place where a value differs from a schema, in words; `undefined` if there is none.
 * It knows the keywords that the schemas of reports use, and allows properties that they do not name:
 * a newer runner may have added them.
 */
export function schemaMistake(
  value: unknown,
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
): string | undefined {
  // Almost all values have none, and the names of their parts take longer than the checks.
  return mistakeOf(value, schema, definitions, undefined) === undefined
    ? undefined
    : mistakeOf(value, schema, definitions, "");
}

/**
 * Returns the first mistake.
 * @param path The name of the value, empty for the whole; `undefined` if it is not needed.
 */
function mistakeOf(
  value: unknown,
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
  path: string | undefined,
): string | undefined {
  const { $ref, anyOf, type, enum: words, pattern, minimum, items, properties, required } =
    schema as {
      $ref?: string;
      anyOf?: JsonSchema[];
      type?: string;
      enum?: unknown[];
      pattern?: string;
      minimum?: number;
      items?: JsonSchema;
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
  if ($ref !== undefined) {
    return mistakeOf(value, definitions[$ref.slice("#/definitions/".length)]!, definitions, path);
  }
  if (anyOf) {
    const mistakes = anyOf.map((one) => mistakeOf(value, one, definitions, path));
    return mistakes.includes(undefined) ? undefined : mistakes[0];
  }
  if ("const" in schema && value !== schema.const) {
    return `${named(path)} must be ${show(schema.const)}`;
  }
  if (words && !words.includes(value)) {
    return `${named(path)} must be one of ${words.map(show).join(", ")}`;
  }
  if (type !== undefined && !hasType(value, type)) return `${named(path)} must be ${TYPES[type]}`;
  // The only pattern is that of a time.
  if (pattern !== undefined && !(regExpOf(pattern).test(value as string) && isTime(value))) {
    return `${named(path)} must be a time, such as \`2026-11-24T09:00:00Z\``;
  }
  if (minimum !== undefined && (value as number) < minimum) {
    return `${named(path)} must be at least ${minimum}`;
  }
  if (items) {
    for (const [i, item] of (value as unknown[]).entries()) {
      const name = path === undefined ? undefined : `${path}[${i}]`;
      const mistake = mistakeOf(item, items, definitions, name);
      if (mistake !== undefined) return mistake;
    }
  }
  const fields = value as Record<string, unknown>;
  for (const name of required ?? []) {
    if (!Object.hasOwn(fields, name)) return `${named(join(path, name))} is missing`;
  }
  for (const name in properties) {
    if (!Object.hasOwn(fields, name)) continue;
    const mistake = mistakeOf(fields[name], properties[name]!, definitions, join(path, name));
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

/** The types of JSON Schema, in words. */
const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    default:
      return typeof value === "boolean";
  }
}

const regExps = new Map<string, RegExp>();

/** Compiles a pattern once: a stream can have a million times. */
function regExpOf(pattern: string): RegExp {
  let found = regExps.get(pattern);
  if (!found) regExps.set(pattern, found = new RegExp(pattern));
  return found;
}

/** Whether a text that looks like a time is one: no month has 40 days. */
function isTime(value: unknown): boolean {
  return !Number.isNaN(Date.parse(value as string));
}

function join(path: string | undefined, name: string): string | undefined {
  return path ? `${path}.${name}` : path === undefined ? undefined : name;
}

function named(path: string | undefined): string {
  return path ? `\`${path}\`` : "it";
}

function show(value: unknown): string {
  return `\`${String(value)}\``;
}
