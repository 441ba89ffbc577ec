import { literal, type Template } from "../expression/template.ts";
import type { Expression } from "../expression/expression.ts";
import { parseDuration } from "./duration.ts";
import type { Node } from "./node.ts";
import type { ParseContext } from "./parse_context.ts";
import { warnAboutWord } from "./ambiguous_scalar.ts";
import { didYouMean } from "./suggest.ts";
import { readExpression, readTemplate } from "./read_template.ts";

/** A JSON Schema. */
export type JsonSchema = Record<string, unknown>;

/** One key of a recipe or a step: how it is read, checked and described to editors. */
export interface Field<T, Required extends boolean = boolean> {
  /** What it is for, in one sentence. */
  readonly description: string;
  /** Whether it must be there. */
  readonly required: Required;
  /** What a JSON Schema says of it. */
  readonly json: JsonSchema;
  /** Reads its value; `what` names it in messages. Adds what is wrong to the reading. */
  read(node: Node, context: ParseContext, what: string): T | undefined;
}

/** The keys of a map. */
// deno-lint-ignore no-explicit-any
export type Fields = Record<string, Field<any>>;

/** What the keys of a map hold once they are read. */
export type Read<F extends Fields> =
  & { [K in keyof F as F[K]["required"] extends true ? K : never]: ValueOf<F[K]> }
  & { [K in keyof F as F[K]["required"] extends true ? never : K]?: ValueOf<F[K]> };

type ValueOf<F> = F extends Field<infer T> ? T : never;

/** What an expression alone looks like. */
export const EXPRESSION_PATTERN = "^\\s*\\$\\{\\{[\\s\\S]*\\}\\}\\s*$";
/** What text with an expression in it looks like. */
export const HOLE_PATTERN = "\\$\\{\\{";
const expressionJson: JsonSchema = { type: "string", pattern: EXPRESSION_PATTERN };

function field<T>(
  description: string,
  json: JsonSchema | (() => JsonSchema),
  read: Field<T>["read"],
): Field<T, false> {
  if (typeof json !== "function") return { description, required: false, json, read };
  return {
    description,
    required: false,
    // Only `schema` asks for it, and a recipe's cold start need not pay for it.
    get json() {
      return json();
    },
    read,
  };
}

/** The same field, which must be there. */
export function required<T>(given: Field<T>): Field<T, true> {
  const { description, read } = given;
  return {
    description,
    required: true,
    get json() {
      return given.json;
    },
    read,
  };
}

/** Text, with `${{ }}` in it. */
export function text(description: string): Field<Template, false> {
  return field(description, { type: "string", minLength: 1 }, (node, context, what) => {
    if (node.kind === "scalar" && node.style === "plain" && typeof node.value === "number") {
      return quoteIt(node.raw, node, context, what);
    }
    if (node.kind !== "scalar" || typeof node.value !== "string") {
      const label = node.kind === "scalar" && typeof node.value === "boolean"
        ? `for text write "${node.raw}"`
        : undefined;
      return void context.wrongType(node, what, "text", label);
    }
    if (node.value.trim() === "") {
      return void context.diagnostics.error("wrong-value", node, `${what} must not be empty`);
    }
    warnAboutWord(node, context.diagnostics, true);
    return readTemplate(node, context, what, "text");
  });
}

/** Text that is fixed: no expression in it. */
export function fixedText(description: string): Field<string, false> {
  return field(description, { type: "string", minLength: 1 }, (node, context, what) => {
    const template = text(description).read(node, context, what);
    if (template === undefined) return undefined;
    if (template.kind === "literal") return String(template.value);
    return void context.diagnostics.error(
      "wrong-value",
      node,
      `${what} must be known before anything runs: no \${{ }} here`,
    );
  });
}

/** A whole number of at least `minimum`. */
export function integer(
  description: string,
  range: { minimum?: number; maximum?: number } = {},
): Field<Template, false> {
  const json = { anyOf: [{ type: "integer", ...range }, expressionJson] };
  return field(description, json, (node, context, what) => {
    const template = readNumber(node, context, what, "a whole number");
    if (template?.kind !== "literal") return template;
    const number = template.value as number;
    const { minimum = -Infinity, maximum = Infinity } = range;
    if (!Number.isSafeInteger(number) || number < minimum || number > maximum) {
      return void context.diagnostics.error(
        "wrong-value",
        node,
        Number.isSafeInteger(number)
          ? `${what} must be ${number < minimum ? `at least ${minimum}` : `at most ${maximum}`}`
          : `${what} must be a whole number`,
      );
    }
    return template;
  });
}

/** `true` or `false`. */
export function flag(description: string): Field<boolean, false> {
  return field(description, { type: "boolean" }, (node, context, what) => {
    if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
    return void context.wrongType(node, what, "true or false");
  });
}

const DURATION_HINT = "write it as `250ms`, `10s`, `1m30s`";

/** A duration such as `10s`. */
export function duration(description: string): Field<Template, false> {
  const json = {
    type: "string",
    anyOf: [{ pattern: "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$" }, { pattern: HOLE_PATTERN }],
  };
  return field(description, json, (node, context, what) => {
    if (node.kind === "scalar" && typeof node.value === "number") {
      return void context.diagnostics.error(
        "bad-duration",
        node,
        `${what} needs a unit`,
        {
          label: parseDuration(`${node.raw}s`) === undefined
            ? DURATION_HINT
            : `\`${node.raw}s\` for seconds, \`${node.raw}ms\` for milliseconds`,
        },
      );
    }
    if (node.kind !== "scalar" || typeof node.value !== "string") {
      return void context.wrongType(node, what, "a duration such as `10s`");
    }
    const template = readTemplate(node, context, what, "duration");
    if (template.kind === "literal" && parseDuration(node.value) === undefined) {
      return void context.diagnostics.error(
        "bad-duration",
        node,
        `${what}: \`${node.value}\` is no duration`,
        { label: DURATION_HINT },
      );
    }
    return template;
  });
}

/** Any JSON value, with `${{ }}` in its texts. */
export function json(description: string): Field<Template, false> {
  return field(description, {}, (node, context, what) => readTemplate(node, context, what));
}

/** An expression that gives true or false. */
export function condition(description: string): Field<Expression, false> {
  return field(
    description,
    { type: ["string", "boolean"] },
    (node, context, what) => readExpression(node, context, what, "condition"),
  );
}

/** One of a few words. */
export function choice<T extends string>(
  description: string,
  choices: readonly T[],
): Field<T, false> {
  return field(description, { enum: [...choices] }, (node, context, what) => {
    if (node.kind === "scalar" && choices.includes(node.value as T)) return node.value as T;
    const label = node.kind === "scalar" ? didYouMean(String(node.value), choices) : undefined;
    return void context.diagnostics.error(
      "wrong-value",
      node,
      `${what} must be one of ${choices.map((c) => `\`${c}\``).join(", ")}`,
      label === undefined ? {} : { label },
    );
  });
}

/** A list of what another field takes; a single one stands for a list of one. */
export function oneOrMore<T>(item: Field<T>): Field<T[], false> {
  const json = () => ({ anyOf: [item.json, { type: "array", items: item.json, minItems: 1 }] });
  return field(item.description, json, (node, context, what) => {
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

/** A map with keys of its own; `where` names it: `a wait step`. */
export function record<F extends Fields>(
  description: string,
  fields: F,
  where: string,
): Field<Read<F>, false> {
  return field(
    description,
    () => recordJson(fields),
    (node, context, what) => {
      if (node.kind !== "map") return void context.wrongType(node, what, "a map");
      return readFields(node, fields, context, where);
    },
  );
}

/** A map whose keys are the author's own, each with a value that another field takes. */
export function mapOf<T>(
  item: Field<T>,
  keys?: (key: string) => boolean,
): Field<Map<string, T>, false> {
  const json = () => ({ type: "object", additionalProperties: item.json });
  return field(item.description, json, (node, context, what) => {
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

/** A field that is read in its own way. */
export function custom<T>(
  description: string,
  json: JsonSchema | (() => JsonSchema),
  read: Field<T>["read"],
): Field<T, false> {
  return field(description, json, read);
}

/** Reads the keys of a map; those that are in none of `fields` are errors. */
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

/** The JSON Schema of a map with these keys and no others. */
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

function readNumber(
  node: Node,
  context: ParseContext,
  what: string,
  wanted: string,
): Template | undefined {
  if (node.kind === "scalar") {
    if (typeof node.value === "number") return literal(node.value);
    if (typeof node.value === "string" && node.value.includes("${{")) {
      const template = readTemplate(node, context, what, "whole number");
      if (template.kind === "expression") return template;
      if (template.kind === "text") return void context.wrongType(node, what, wanted);
      return undefined;
    }
  }
  return void context.wrongType(node, what, wanted);
}

function quoteIt(raw: string, node: Node, context: ParseContext, what: string): Template {
  context.diagnostics.warning(
    "ambiguous-scalar",
    node,
    `${what} is text, but \`${raw}\` is read as a number`,
    { label: `write "${raw}"` },
  );
  return literal(raw);
}
