import type { Expression } from "../expression/expression.ts";
import { literal, type Template } from "../expression/template.ts";
import { warnAboutWord } from "./ambiguous_scalar.ts";
import { parseDuration } from "./duration.ts";
import { custom, type Field, type JsonSchema } from "./field.ts";
import type { Node } from "./node.ts";
import type { ParseContext } from "./parse_context.ts";
import { readExpression, readTemplate } from "./read_template.ts";
import { didYouMean } from "../../runtime/suggest.ts";

/** The pattern of a value that is a single `${{ }}`. */
export const EXPRESSION_PATTERN = "^\\s*\\$\\{\\{[\\s\\S]*\\}\\}\\s*$";
/** The pattern of a value that contains `${{`. */
export const HOLE_PATTERN = "\\$\\{\\{";
const expressionJson: JsonSchema = { type: "string", pattern: EXPRESSION_PATTERN };

/** Text that may contain `${{ }}`. */
export function text(description: string): Field<Template, false> {
  return custom(description, { type: "string", minLength: 1 }, (node, context, what) => {
    if (node.kind === "scalar" && node.style === "plain" && typeof node.value === "number") {
      return quoteIt(node.raw, node, context, what);
    }
    if (node.kind !== "scalar" || typeof node.value !== "string") {
      const label = node.kind === "scalar" && typeof node.value === "boolean"
        ? `write "${node.raw}" for text`
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

/** What a {@linkcode checkedText} must be. */
export interface TextRule {
  /** Whether a text is right. */
  isValid(text: string): boolean;
  /** What it must be, after the name of the key: `must be an HTTP address`. */
  problem: string;
  /** An example or an advice. */
  label: string;
}

/** Text that must follow a rule. One that contains `${{ }}` is checked when its value is known. */
export function checkedText(
  description: string,
  { isValid, problem, label }: TextRule,
): Field<Template, false> {
  const field = text(description);
  return custom(description, field.json, (node, context, what) => {
    const template = field.read(node, context, what);
    if (template?.kind !== "literal" || isValid(String(template.value))) return template;
    return void context.diagnostics.error("wrong-value", node, `${what} ${problem}`, { label });
  });
}

/** Text without `${{ }}`. */
export function fixedText(description: string): Field<string, false> {
  return custom(description, { type: "string", minLength: 1 }, (node, context, what) => {
    const template = text(description).read(node, context, what);
    if (template === undefined) return undefined;
    if (template.kind === "literal") return String(template.value);
    return void context.diagnostics.error(
      "wrong-value",
      node,
      `${what} is needed before anything runs, so it cannot contain \${{ }}`,
    );
  });
}

/** A whole number in a range, or an expression for one. */
export function integer(
  description: string,
  range: { minimum?: number; maximum?: number } = {},
): Field<Template, false> {
  const json = { anyOf: [{ type: "integer", ...range }, expressionJson] };
  return custom(description, json, (node, context, what) => {
    const { minimum = -Infinity, maximum = Infinity } = range;
    const problemOf = (value: unknown) => {
      if (!Number.isSafeInteger(value)) return `${what} must be a whole number`;
      if (value as number < minimum) return `${what} must be at least ${minimum}`;
      return value as number > maximum ? `${what} must be at most ${maximum}` : undefined;
    };
    const template = readNumber(node, context, what, "a whole number", problemOf);
    if (template?.kind !== "literal") return template;
    const problem = problemOf(template.value);
    if (problem === undefined) return template;
    return void context.diagnostics.error("wrong-value", node, problem);
  });
}

/** `true` or `false`. */
export function flag(description: string): Field<boolean, false> {
  return custom(description, { type: "boolean" }, (node, context, what) => {
    if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
    return void context.wrongType(node, what, "true or false");
  });
}

const DURATION_HINT = "write it as `250ms`, `10s`, `1m30s`";

/**
 * A duration such as `10s`, which may contain `${{ }}`.
 *
 * @param shortest The shortest one, in seconds.
 */
export function duration(description: string, shortest: number = 0): Field<Template, false> {
  const json = {
    type: "string",
    anyOf: [{ pattern: "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$" }, { pattern: HOLE_PATTERN }],
  };
  return custom(description, json, (node, context, what) => {
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
    const problemOf = (value: unknown) => {
      const ms = parseDuration(String(value));
      if (ms === undefined) return `${what}: \`${value}\` is not a duration`;
      return ms < shortest * 1_000 ? `${what} must be at least ${shortest} s` : undefined;
    };
    const template = readTemplate(node, context, what, "duration", { problemOf });
    const problem = template.kind === "literal" ? problemOf(node.value) : undefined;
    if (problem === undefined) return template;
    if (parseDuration(node.value) !== undefined) {
      return void context.diagnostics.error("wrong-value", node, problem);
    }
    return void context.diagnostics.error("bad-duration", node, problem, { label: DURATION_HINT });
  });
}

/** A JSON value whose strings can contain `${{ }}`. */
export function json(description: string): Field<Template, false> {
  return custom(description, {}, (node, context, what) => readTemplate(node, context, what));
}

/** An expression whose value is true or false. */
export function condition(description: string): Field<Expression, false> {
  return custom(
    description,
    { type: ["string", "boolean"] },
    (node, context, what) => readExpression(node, context, what, "condition"),
  );
}

/** One of a fixed set of words. */
export function choice<T extends string>(
  description: string,
  choices: readonly T[],
): Field<T, false> {
  return custom(description, { enum: [...choices] }, (node, context, what) => {
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

function readNumber(
  node: Node,
  context: ParseContext,
  what: string,
  wanted: string,
  problemOf: (value: unknown) => string | undefined,
): Template | undefined {
  if (node.kind === "scalar") {
    if (typeof node.value === "number") return literal(node.value);
    if (typeof node.value === "string" && node.value.includes("${{")) {
      const template = readTemplate(node, context, what, "whole number", { problemOf });
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
