import type { Node } from "./node.ts";
import type { ParseContext } from "./parse_context.ts";

/** A JSON Schema. */
export type JsonSchema = Record<string, unknown>;

/** The definition of a key of a recipe or step: how it is read and checked, and its JSON Schema. */
export interface Field<T, Required extends boolean = boolean> {
  /** What the key is for, in one sentence. Editors show it. */
  readonly description: string;
  /** Whether the key is required. */
  readonly required: Required;
  /** The JSON Schema of the value. */
  readonly json: JsonSchema;
  /** Reads the value, and reports problems to `context`. Messages name the value `what`. */
  read(node: Node, context: ParseContext, what: string): T | undefined;
}

/** The definitions of a map's keys. */
// deno-lint-ignore no-explicit-any
export type Fields = Record<string, Field<any>>;

/** The values of a map's keys after reading. */
export type Read<F extends Fields> =
  & { [K in keyof F as F[K]["required"] extends true ? K : never]: ValueOf<F[K]> }
  & { [K in keyof F as F[K]["required"] extends true ? never : K]?: ValueOf<F[K]> };

type ValueOf<F> = F extends Field<infer T> ? T : never;

/** Defines a field with its own reader. */
export function custom<T>(
  description: string,
  json: JsonSchema | (() => JsonSchema),
  read: Field<T>["read"],
): Field<T, false> {
  if (typeof json !== "function") return { description, required: false, json, read };
  return {
    description,
    required: false,
    // Made on demand: only `schema` needs it, and a run should start quickly.
    get json() {
      return json();
    },
    read,
  };
}

/** Makes a field required. */
export function required<T>(field: Field<T>): Field<T, true> {
  const { description, read } = field;
  return {
    description,
    required: true,
    get json() {
      return field.json;
    },
    read,
  };
}

/** A list whose items are read by another field. A single value is read as a list of one. */
export function oneOrMore<T>(item: Field<T>): Field<T[], false> {
  const json = () => ({ anyOf: [item.json, { type: "array", items: item.json, minItems: 1 }] });
  return custom(item.description, json, (node, context, what) => {
    if (node.kind !== "list") {
      const one = item.read(node, context, what);
      return one === undefined ? undefined : [one];
    }
    if (node.items.length === 0) {
      return void context.diagnostics.error("wrong-value", node, `${what} must not be empty`);
    }
    return node.items.flatMap((child) => {
      const one = item.read(child, context, what);
      return one === undefined ? [] : [one];
    });
  });
}

/** A map with known keys. Messages name it `where`, such as `a wait step`. */
export function record<F extends Fields>(
  description: string,
  fields: F,
  where: string,
): Field<Read<F>, false> {
  return custom(
    description,
    () => recordJson(fields),
    (node, context, what) => {
      if (node.kind !== "map") return void context.wrongType(node, what, "a map");
      return readFields(node, fields, context, where);
    },
  );
}

/** A map with any keys, whose values are read by another field. */
export function mapOf<T>(
  item: Field<T>,
  keys?: (key: string) => boolean,
): Field<Map<string, T>, false> {
  const json = () => ({ type: "object", additionalProperties: item.json });
  return custom(item.description, json, (node, context, what) => {
    if (node.kind !== "map") return void context.wrongType(node, what, "a map");
    const out = new Map<string, T>();
    for (const { key, keySpan, value } of node.entries) {
      if (keys && !keys(key)) {
        context.diagnostics.error("bad-id", keySpan, `\`${key}\` cannot be used as a name`);
        continue;
      }
      const one = item.read(value, context, `\`${key}\``);
      if (one !== undefined) out.set(key, one);
    }
    return out;
  });
}

/** Reads the keys of a map, and reports unknown and missing ones. */
export function readFields<F extends Fields>(
  node: Node & { kind: "map" },
  fields: F,
  context: ParseContext,
  where: string,
): Read<F> {
  const out: Record<string, unknown> = {};
  const names = Object.keys(fields);
  for (const { key, keySpan, value } of node.entries) {
    const known = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (!known) context.unknownKey(key, keySpan, where, names);
    else out[key] = known.read(value, context, `\`${key}\``);
  }
  for (const name of names) {
    if (fields[name]!.required && !node.entries.some((entry) => entry.key === name)) {
      const at = node.entries[0]?.keySpan ?? node;
      context.diagnostics.error("missing-key", at, `${where} needs \`${name}\``);
    }
  }
  return out as Read<F>;
}

/** The JSON Schema of a map that has only these keys. */
export function recordJson(fields: Fields): JsonSchema {
  const needed = Object.keys(fields).filter((name) => fields[name]!.required);
  return {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(fields).map((
        [name, { json, description }],
      ) => [name, { description, ...json }]),
    ),
    ...(needed.length > 0 ? { required: needed } : {}),
  };
}
