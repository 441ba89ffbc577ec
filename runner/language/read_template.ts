import type { Expression } from "../expression/expression.ts";
import { splitTemplate, type Template } from "../expression/template.ts";
import { checkNumber, warnAboutLookalikes, warnAboutWord } from "./ambiguous_scalar.ts";
import type { Node, ScalarNode } from "./node.ts";
import { type ParseContext, textOf } from "./parse_context.ts";
import type { Expected, ExpressionDetails } from "./scope.ts";
import type { Span } from "./source.ts";

const nodes = new WeakMap<Template, Node>();

/** Returns the node that a template without expressions was read from. */
export function nodeOf(template: Template): Node | undefined {
  return nodes.get(template);
}

/** Returns a template of a value without expressions that is written at a node. */
export function literalAt(value: unknown, node: Node): Template {
  const template: Template = { kind: "literal", value };
  nodes.set(template, node);
  return template;
}

/** Reads a JSON value whose strings can contain `${{ }}`. */
export function readTemplate(
  node: Node,
  context: ParseContext,
  what: string,
  expected: Expected = "any",
  details: ExpressionDetails = {},
): Template {
  const template = readParts(node, context, what, expected, details);
  if (template.kind === "literal") nodes.set(template, node);
  return template;
}

function readParts(
  node: Node,
  context: ParseContext,
  what: string,
  expected: Expected,
  details: ExpressionDetails,
): Template {
  if (node.kind === "list") {
    const items = node.items.map((item) => readTemplate(item, context, what));
    return items.every((item) => item.kind === "literal")
      ? { kind: "literal", value: items.map((item) => item.value) }
      : { kind: "list", items };
  }
  if (node.kind === "map") {
    const entries = node.entries.map(({ key, value }): [string, Template] => [
      key,
      readTemplate(value, context, what),
    ]);
    const literals = entries.flatMap(([key, item]) =>
      item.kind === "literal" ? [[key, item.value]] : []
    );
    return literals.length === entries.length
      ? { kind: "literal", value: Object.fromEntries(literals) }
      : { kind: "map", entries };
  }
  if (typeof node.value === "number") checkNumber(node, context.diagnostics);
  if (expected === "any") warnAboutWord(node, context.diagnostics);
  warnAboutLookalikes(node, context.diagnostics);
  if (typeof node.value !== "string" || !node.value.includes("${{")) {
    return { kind: "literal", value: node.value };
  }
  return readText(node, node.value, context, what, expected, details);
}

function readText(
  node: ScalarNode,
  text: string,
  context: ParseContext,
  what: string,
  expected: Expected,
  details: ExpressionDetails,
): Template {
  const split = splitTemplate(text);
  if ("from" in split) {
    context.unclosedHole(node, split);
    return { kind: "literal", value: text };
  }
  const { texts, holes } = split;
  if (holes.length === 0) return { kind: "literal", value: texts[0] };
  if (holes.length === 1 && texts.every((part) => part === "")) {
    const expression = context.addExpression(node, holes[0]!, what, expected, details);
    return expression ? { kind: "expression", expression } : { kind: "literal", value: text };
  }
  const parts: (string | Expression)[] = [];
  texts.forEach((part, i) => {
    if (part !== "") parts.push(part);
    const hole = holes[i];
    const expression = hole && context.addExpression(node, hole, what, "in text");
    if (expression) parts.push(expression);
  });
  return { kind: "text", parts };
}

/** Reads a bare expression, or a single `${{ }}` that is the whole value. */
export function readExpression(
  node: Node,
  context: ParseContext,
  what: string,
  expected: Expected,
  details?: ExpressionDetails,
): Expression | undefined {
  if (node.kind !== "scalar" || node.value === null) {
    context.wrongType(node, what, "an expression");
    return undefined;
  }
  const text = textOf(node);
  let span: Span = { start: 0, end: text.length };
  if (text.trimStart().startsWith("${{")) {
    const split = splitTemplate(text);
    if ("from" in split) return context.unclosedHole(node, split);
    const [hole] = split.holes;
    if (!hole || split.holes.length > 1 || split.texts.some((part) => part.trim() !== "")) {
      context.diagnostics.error("bad-expression", node, `${what} must be a single expression`);
      return undefined;
    }
    span = hole;
  }
  return context.addExpression(node, span, what, expected, details);
}
