import type { JsonSchema } from "../../language/field.ts";
import { definitionOf, hasType, isTime, type Keywords } from "./schema_check.ts";

/**
 * Returns the first place where a value differs from a schema, in words; `undefined` if there is none.
 * It knows the keywords that the schemas of reports use, and allows properties that they do not name:
 * a newer runner may have added them. A check of `compileSchema` finds whether there is one much sooner.
 *
 * @param path The name of the value, empty for the whole.
 */
export function schemaMistake(
  value: unknown,
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
  path = "",
): string | undefined {
  const { $ref, anyOf, type, enum: words, pattern, minimum, items, properties, required } =
    schema as Keywords;
  if ($ref !== undefined) {
    return schemaMistake(value, definitionOf($ref, definitions), definitions, path);
  }
  if (anyOf) {
    const mistakes = anyOf.map((one) => schemaMistake(value, one, definitions, path));
    return mistakes.includes(undefined) ? undefined : mistakes[0];
  }
  if ("const" in schema && value !== schema.const) {
    return `${named(path)} must be ${show(schema.const)}`;
  }
  if (words && !words.includes(value)) {
    return `${named(path)} must be one of ${words.map(show).join(", ")}`;
  }
  if (type !== undefined && !hasType(value, type)) return `${named(path)} must be ${TYPES[type]}`;
  if (pattern !== undefined && !(new RegExp(pattern).test(value as string) && isTime(value))) {
    return `${named(path)} must be a time, such as \`2026-11-24T09:00:00Z\``;
  }
  if (minimum !== undefined && (value as number) < minimum) {
    return `${named(path)} must be at least ${minimum}`;
  }
  if (items) {
    for (const [i, item] of (value as unknown[]).entries()) {
      const mistake = schemaMistake(item, items, definitions, `${path}[${i}]`);
      if (mistake !== undefined) return mistake;
    }
  }
  const fields = value as Record<string, unknown>;
  for (const name of required ?? []) {
    if (!Object.hasOwn(fields, name)) return `${named(join(path, name))} is missing`;
  }
  for (const name in properties) {
    if (!Object.hasOwn(fields, name)) continue;
    const mistake = schemaMistake(fields[name], properties[name]!, definitions, join(path, name));
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

function join(path: string, name: string): string {
  return path ? `${path}.${name}` : name;
}

function named(path: string): string {
  return path ? `\`${path}\`` : "it";
}

function show(value: unknown): string {
  return `\`${String(value)}\``;
}
