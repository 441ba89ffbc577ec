import type { JsonSchema } from "../../language/field.ts";

declare const TYPE: unique symbol;

/** The JSON Schema of exactly the values of a type; the compiler compares the two. */
export interface Typed<T> {
  /** The schema. */
  readonly json: JsonSchema;
  /** Only for the compiler: neither a wider nor a narrower type will do. */
  readonly [TYPE]?: (value: T) => T;
}

/** The schema of a property that can be absent. */
export interface Optional<T> extends Typed<T> {
  /** Tells it apart. */
  readonly optional: true;
}

/** A schema for each property of a type, {@linkcode Optional} exactly where the property is. */
export type PropertiesOf<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? Optional<Required<T>[K]>
    : Typed<T[K]> & { readonly optional?: never };
};

type Property = Typed<never> & { readonly optional?: true };

/** Marks a property as one that can be absent. */
export function optional<T>({ json }: Typed<T>): Optional<T> {
  return { json, optional: true };
}

/** Any text. */
export function text(description: string): Typed<string> {
  return { json: { description, type: "string" } };
}

/** A time as RFC 3339 writes it. */
export function time(description: string): Typed<string> {
  const pattern = "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$";
  return { json: { description, type: "string", pattern } };
}

/** A number. */
export function number(description: string): Typed<number> {
  return { json: { description, type: "number" } };
}

/** A whole number, of at least 0 or what is given. */
export function integer(description: string, minimum = 0): Typed<number> {
  return { json: { description, type: "integer", minimum } };
}

/** True or false. */
export function flag(description: string): Typed<boolean> {
  return { json: { description, type: "boolean" } };
}

/** One text or number. */
export function constant<const T extends string | number>(value: T, description: string): Typed<T> {
  return { json: { description, const: value } };
}

/** One of a few words: all of them, as keys. */
export function word<T extends string>(
  description: string,
  words: Readonly<Record<T, true>>,
): Typed<T> {
  return { json: { description, type: "string", enum: Object.keys(words) } };
}

/** A text or a number. */
export function textOrNumber(description: string): Typed<string | number> {
  return { json: { description, anyOf: [{ type: "string" }, { type: "number" }] } };
}

/** An object of any JSON values under any names. */
export function map(description: string): Typed<Record<string, unknown>> {
  return { json: { description, type: "object" } };
}

/** A list. */
export function list<T>(description: string, { json: items }: Typed<T>): Typed<T[]> {
  return { json: { description, type: "array", items } };
}

/** An object of exactly these properties. */
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

/** What stands under a name in the schema's `definitions`, with a description of its own. */
export function defined<T>(name: string, description: string, _of: Typed<T>): Typed<T> {
  return { json: { description, $ref: `#/definitions/${name}` } };
}
