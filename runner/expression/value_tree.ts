import { childrenOf } from "./ast.ts";
import { fromCel } from "./convert.ts";
import { diff, renderDiff, showValue, typeName } from "./diff.ts";
import type { Expression, Values } from "./expression.ts";
import { type Ambient, type Ast, faultOf, loadCel, withAmbient } from "./library.ts";

/** A part of an expression that is worth a line, with its value. */
interface Part {
  text: string;
  value: unknown;
  fault?: string;
}

/**
 * The values that made a condition false, as lines: each operand under its operator, with its type,
 * and where lists or maps were compared, what differs.
 */
export async function valueTree(
  expression: Expression,
  values: Values,
  ambient: Ambient,
): Promise<string[]> {
  const cel = await loadCel();
  const text = expression.text;
  const evaluate = (node: Ast): Part => {
    const part = text.slice(node.start, node.end);
    try {
      const parsed = cel.parse(part);
      return { text: part, value: fromCel(withAmbient(ambient, () => parsed(values))) };
    } catch (error) {
      return { text: part, value: undefined, fault: faultOf(error, part.length).summary };
    }
  };
  const lines: string[] = [];
  tree(expression.ast, 0, evaluate, lines);
  return lines;
}

type Evaluate = (node: Ast) => Part;

function tree(node: Ast, depth: number, evaluate: Evaluate, lines: string[]): void {
  const indent = "  ".repeat(depth);
  const part = evaluate(node);
  lines.push(`${indent}${line(part)}`);
  if (part.fault !== undefined && childrenOf(node).length === 0) return;
  if (node.op === "==" || node.op === "!=") {
    const [left, right] = [evaluate(node.args[0]), evaluate(node.args[1])];
    operands(node, depth + 1, evaluate, lines);
    if (isComposite(left.value) && isComposite(right.value)) {
      const differences = diff(right.value, left.value);
      for (const text of renderDiff(differences)) lines.push(`${indent}  ${text}`);
    }
    return;
  }
  operands(node, depth + 1, evaluate, lines);
}

function operands(node: Ast, depth: number, evaluate: Evaluate, lines: string[]): void {
  for (const child of interesting(node)) {
    if (isOperator(child)) tree(child, depth, evaluate, lines);
    else lines.push(`${"  ".repeat(depth)}${line(evaluate(child))}`);
  }
}

/** The operands whose values are not plain from the text itself. */
function interesting(node: Ast): Ast[] {
  switch (node.op) {
    case "value":
    case "id":
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      return [];
    case "rcall":
      // What is inside a macro has a value for each item, not one.
      return [node.args[1], ...(MACROS.has(node.args[0]) ? [] : node.args[2])].filter(isOpaque);
    case "call":
      return node.args[0] === "has" ? [] : node.args[1].filter(isOpaque);
    default:
      return childrenOf(node).filter(isOpaque);
  }
}

const MACROS = new Set(["all", "exists", "exists_one", "map", "filter", "bind"]);

function isOpaque(node: Ast): boolean {
  if (node.op === "id") return node.args !== "cel" && node.args !== "optional";
  return node.op !== "value" && !(node.op === "list" && node.args.every((n) => n.op === "value"));
}

function isOperator(node: Ast): boolean {
  return !["id", ".", ".?", "[]", "[?]"].includes(node.op);
}

function isComposite(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function line({ text, value, fault }: Part): string {
  if (fault !== undefined) return `${text}  has no value: ${fault}`;
  if (value === undefined) return `${text}  is absent`;
  return `${text}  is ${showValue(value)} (${typeName(value)})`;
}
