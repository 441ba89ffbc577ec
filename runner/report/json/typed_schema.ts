import type { JsonSchema } from "../../language/field.ts";

declare const TYPE: unique symbol;

/** A JSON Schema that the compiler has checked against a type: it allows exactly the values of it. */
export interface Typed<T> {
  /** The schema. */
  readonly json: JsonSchema;
  /** Makes the schema of a wider or narrower type a type error. It never has a value. */
  readonly [TYPE]?: (value: T) => T;
}

/** The schema of a property that can be absent. */
export interface Optional<T> extends Typed<T> {
  /** Marks the property. */
  readonly optional: true;
}

/** A schema for each property of a type, {@linkcode Optional} exactly where the property is. */
export type PropertiesOf<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? Optional<Required<T>[K]>
    : Typed<T[K]> & { readonly optional?: never };
};

type Property = Typed<never> & { readonly optional?: true };

/** Marks a property as optional. */
export function optional<T>({ json }: Typed<T>): Optional<T> {
  return { json, optional: true };
}

/** A string. */
export function text(description: string): Typed<string> {
  return { json: { description, type: "string" } };
}

/** A time in the format of RFC 3339. */
export function time(description: string): Typed<string> {
  const pattern = "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$";
  return { json: { description, type: "string", pattern } };
}

/** A number. */
export function number(description: string): Typed<number> {
  return { json: { description, type: "number" } };
}

/** An integer with a minimum. */
export function integer(description: string, minimum = 0): Typed<number> {
  return { json: { description, type: "integer", minimum } };
}

/** A boolean. */
export function flag(description: string): Typed<boolean> {
  return { json: { description, type: "boolean" } };
}

/** A constant string or number. */
export function constant<const T extends string | number>(value: T, description: string): Typed<T> {
  return { json: { description, const: value } };
}

/** One of a few words, which are the keys of `words`. */
export function word<T extends string>(
  description: string,
  words: Readonly<Record<T, true>>,
): Typed<T> {
  return { json: { description, type: "string", enum: Object.keys(words) } };
}

/** A string or a number. */
export function textOrNumber(description: string): Typed<string | number> {
  return { json: { description, anyOf: [{ type: "string" }, { type: "number" }] } };
}

/** An object with any properties. */
export function map(description: string): Typed<Record<string, unknown>> {
  return { json: { description, type: "object" } };
}

/** An array. */
export function list<T>(description: string, { json: items }: Typed<T>): Typed<T[]> {
  return { json: { description, type: "array", items } };
}

/** An object with exactly these properties. */
export function record<T extends object>(
  description: string,
  properties: PropertiesOf<T>,
): Typed<T> {
  const entries = Object.entries(properties as Record<string, Property>);
  return {
    json: {
      description,
      type: "object",
      additionalProperties: false,
      properties: Object.fromEntries(entries.map(([name, { json }]) => [name, json])),
      required: entries.filter(([, { optional }]) => !optional).map(([name]) => name),
    },
  };
}

/** A reference to one of the schema's `definitions`, with its own description. */
export function defined<T>(name: string, description: string, _of: Typed<T>): Typed<T> {
  return { json: { description, $ref: `#/definitions/${name}` } };
}
