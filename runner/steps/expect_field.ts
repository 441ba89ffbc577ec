import { patterns } from "../expression/load_patterns.ts";
import {
  type Expectation,
  type Matcher,
  type MatcherName,
  MATCHERS,
  TYPE_CHOICES,
} from "../expression/matcher.ts";
import { literal } from "../expression/template.ts";
import { custom, type Field, type JsonSchema } from "../language/field.ts";
import type { Node, ScalarNode } from "../language/node.ts";
import { matcherOfOtherTools } from "../language/other_names.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { readExpression, readTemplate } from "../language/read_template.ts";
import type { Span } from "../language/source.ts";
import { didYouMean, suggest } from "../../runtime/suggest.ts";
import { HOLE_PATTERN } from "../language/value_fields.ts";
import { argumentNode, checkMatcher } from "./_matcher_types.ts";

const hole: JsonSchema = { type: "string", pattern: HOLE_PATTERN };
const comparable: JsonSchema = { type: ["number", "string"] };

/** The JSON Schemas of matchers that do not take every value. */
const ARGUMENTS: { [name in MatcherName]?: JsonSchema } = {
  gt: comparable,
  gte: comparable,
  lt: comparable,
  lte: comparable,
  matches: { type: "string" },
  one_of: { anyOf: [{ type: "array", minItems: 1 }, hole] },
  exists: { type: "boolean" },
  type: { anyOf: [{ enum: [...TYPE_CHOICES, null] }, hole] },
  length: {
    anyOf: [{ type: "integer", minimum: 0 }, { type: "object", minProperties: 1 }, hole],
  },
};

/** The option `expect`: a map of expressions and what their values must be. */
export const expectField: Field<Expectation[], false> = custom(
  "Expected values: an equal value for each expression, or matchers such as `{lt: 30}`.",
  { type: "object", minProperties: 1, additionalProperties: { properties: ARGUMENTS } },
  (node, context, what) => {
    if (node.kind !== "map") return void context.wrongType(node, what, "a map");
    if (node.entries.length === 0) {
      return void context.diagnostics.error("wrong-value", node, `${what} must not be empty`);
    }
    return node.entries.flatMap(({ key, keySpan, value }) => {
      const keyNode: ScalarNode = {
        kind: "scalar",
        ...keySpan,
        value: key,
        raw: key,
        style: styleOfKey(context.source.text, keySpan),
      };
      const matchers = readMatchers(value, context);
      const subject = readExpression(keyNode, context, `a key of ${what}`, "any", {
        onType: (type) => {
          for (const matcher of matchers) checkMatcher(type, key, matcher, value, context);
        },
        comparedWith: matchers.flatMap((matcher) => literalsOf(matcher, value)),
      });
      return subject && matchers.length > 0
        ? [{ subject, matchers, span: { start: keySpan.start, end: keySpan.end } }]
        : [];
    });
  },
);

function styleOfKey(text: string, span: Span): ScalarNode["style"] {
  if (text[span.start] === '"') return "double";
  return text[span.start] === "'" ? "single" : "plain";
}

/** Reads the expected value of an expression. A map with the name of a matcher holds matchers. */
function readMatchers(node: Node, context: ParseContext): Matcher[] {
  const isMatchers = node.kind === "map" && node.entries.length > 0 &&
    node.entries.some(({ key }) =>
      Object.hasOwn(MATCHERS, key) || isMisspelt(key, node) ||
      (node.entries.length === 1 && matcherOfOtherTools(key) !== undefined)
    );
  if (!isMatchers) {
    return [{ name: "equals", argument: readTemplate(node, context, "an expected value") }];
  }
  return node.entries.flatMap(({ key, keySpan, value }) => {
    if (!Object.hasOwn(MATCHERS, key)) {
      const label = matcherOfOtherTools(key) ?? didYouMean(key, Object.keys(MATCHERS)) ??
        "to compare with a map that has this key, use `equals`";
      context.diagnostics.error("bad-matcher", keySpan, `unknown matcher \`${key}\``, { label });
      return [];
    }
    const name = key as MatcherName;
    return checkArgument(name, value, context)
      ? [{ name, argument: readArgument(name, value, context) }]
      : [];
  });
}

/** Returns whether the only key of a map is a misspelt matcher: `lte_` is, `amount` is not. */
function isMisspelt(key: string, node: Node): boolean {
  return node.kind === "map" && node.entries.length === 1 && key.length > 2 &&
    suggest(key, Object.keys(MATCHERS)) !== undefined;
}

function readArgument(name: MatcherName, node: Node, context: ParseContext): Matcher["argument"] {
  if (name === "length" && node.kind === "map") return readMatchers(node, context);
  // `type: null` is read as null, and means the type's name.
  if (name === "type" && isNull(node)) return literal("null");
  return readTemplate(node, context, `\`${name}\``);
}

/** Reports an argument that the matcher cannot take. Returns whether it can. */
function checkArgument(name: MatcherName, node: Node, context: ParseContext): boolean {
  const value = node.kind === "scalar" ? node.value : undefined;
  if (typeof value === "string" && value.includes("${{") && name !== "exists") return true;
  const report = (expected: string) => {
    context.diagnostics.error("bad-matcher", node, `\`${name}\` takes ${expected}`);
    return false;
  };
  switch (name) {
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return typeof value === "number" || typeof value === "string" || report("a number or text");
    case "matches":
      if (typeof value !== "string") return report("a regular expression");
      return checkPattern(value, node, context);
    case "one_of":
      return (node.kind === "list" && node.items.length > 0) || report("a list");
    case "exists":
      return typeof value === "boolean" || report("`true` or `false`");
    case "type":
      if (isNull(node) || (TYPE_CHOICES as readonly unknown[]).includes(value)) return true;
      return report(`one of ${TYPE_CHOICES.map((choice) => `\`${choice}\``).join(", ")}`);
    case "length":
      return (node.kind === "map" && node.entries.length > 0) ||
        (typeof value === "number" && Number.isInteger(value) && value >= 0) ||
        report("a whole number or matchers");
    default:
      return true;
  }
}

function checkPattern(value: string, node: Node, { diagnostics }: ParseContext): boolean {
  const problem = patterns().patternProblem(value);
  if (problem === undefined) return true;
  const message = `invalid regular expression for \`matches\`: ${problem}`;
  diagnostics.error("bad-matcher", node, message);
  return false;
}

function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null && node.raw === "null";
}

/** Returns the literals that a matcher compares with, to be checked against the known states. */
function literalsOf({ name, argument }: Matcher, node: Node): { value: unknown; span: Span }[] {
  if (Array.isArray(argument) || argument.kind !== "literal") return [];
  if (!["equals", "not", "one_of"].includes(name)) return [];
  const at = argumentNode(name, node);
  if (name !== "one_of") return [{ value: argument.value, span: at }];
  const items = at.kind === "list" ? at.items : [];
  return (argument.value as unknown[]).map((value, i) => ({ value, span: items[i] ?? at }));
}
