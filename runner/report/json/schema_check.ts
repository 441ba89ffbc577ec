import type { JsonSchema } from "../../language/field.ts";

/** The keywords that the schemas of reports use. */
export interface Keywords {
  $ref?: string;
  anyOf?: JsonSchema[];
  type?: string;
  const?: unknown;
  enum?: unknown[];
  /** The only pattern is that of a time. */
  pattern?: string;
  minimum?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

/** Whether a value matches a schema. */
export type Check = (value: unknown) => boolean;

/**
 * Makes a function of a schema, which reads the schema once: a stream can have a million events. It
 * knows the keywords that the schemas of reports use, and allows properties that they do not name.
 */
export function compileSchema(
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
): Check {
  const { $ref, anyOf, type, enum: words, pattern, minimum, items, properties, required } =
    schema as Keywords;
  if ($ref !== undefined) return compileSchema(definitionOf($ref, definitions), definitions);
  if (anyOf) {
    const checks = anyOf.map((one) => compileSchema(one, definitions));
    return (value) => checks.some((check) => check(value));
  }
  const checks: Check[] = [];
  if ("const" in schema) checks.push((value) => value === schema.const);
  if (words) checks.push((value) => words.includes(value));
  if (type !== undefined && type !== "object") checks.push((value) => hasType(value, type));
  if (pattern !== undefined) {
    const regExp = new RegExp(pattern);
    checks.push((value) => regExp.test(value as string) && isTime(value));
  }
  if (minimum !== undefined) checks.push((value) => (value as number) >= minimum);
  if (items) {
    const check = compileSchema(items, definitions);
    checks.push((value) => (value as unknown[]).every(check));
  }
  if (type === "object") checks.push(compileObject(properties ?? {}, required ?? [], definitions));
  if (checks.length === 1) return checks[0]!;
  return (value) => {
    for (const check of checks) if (!check(value)) return false;
    return true;
  };
}

function compileObject(
  properties: Record<string, JsonSchema>,
  required: readonly string[],
  definitions: Readonly<Record<string, JsonSchema>>,
): Check {
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    check: compileSchema(schema, definitions),
    isRequired: required.includes(name),
  }));
  return (value) => {
    if (!hasType(value, "object")) return false;
    for (const { name, check, isRequired } of fields) {
      // JSON has no undefined, and no name of a field is that of a method of all objects.
      const field = (value as Record<string, unknown>)[name];
      if (field === undefined ? isRequired : !check(field)) return false;
    }
    return true;
  };
}

/** Returns the schema that a reference names. */
export function definitionOf(
  reference: string,
  definitions: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  return definitions[reference.slice("#/definitions/".length)]!;
}

/** Whether a value has a type of JSON Schema. */
export function hasType(value: unknown, type: string): boolean {
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

/** Whether a text that looks like a time is one: no month has 40 days. */
export function isTime(value: unknown): boolean {
  return !Number.isNaN(Date.parse(value as string));
}
