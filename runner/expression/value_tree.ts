import { childrenOf, isConstant, textRange, visitAst } from "./ast.ts";
import { fromCel } from "./convert.ts";
import { diffLines, type Hide, showValue, typeName, worthDiff } from "./diff.ts";
import { explainFault } from "./explain_fault.ts";
import type { Expression, Values } from "./expression.ts";
import { type Ambient, type Ast, faultOf, loadCel, withAmbient } from "./library.ts";

/** A part of an expression that is worth a line, with its value. */
interface Part {
  text: string;
  value: unknown;
  /** Why it has no value. */
  fault?: string;
}

/**
 * The values that made a condition false, as lines: each operand under its operator, with its type,
 * and where lists or maps were compared, what differs. The condition itself is not among them.
 * @param hide Gives a value without its secrets.
 */
export async function valueTree(
  expression: Expression,
  values: Values,
  ambient: Ambient,
  hide: Hide,
): Promise<string[]> {
  const cel = await loadCel();
  const text = expression.text;
  const evaluate = (node: Ast): Part => {
    const { start, end } = textRange(node, text);
    const part = text.slice(start, end);
    try {
      const parsed = cel.parse(part);
      return { text: part, value: fromCel(withAmbient(ambient, () => parsed(values))) };
    } catch (error) {
      const fault = faultOf(error, part.length);
      return { text: part, value: undefined, fault: faultText(fault) };
    }
  };
  const lines: string[] = [];
  below(expression.ast, 0, { evaluate, hide }, lines);
  return lines;
}

/** How the parts are looked at. */
interface Sight {
  evaluate: (node: Ast) => Part;
  hide: Hide;
}

/** The operands of a node, each with those under it, and what differs between them. */
function below(node: Ast, depth: number, sight: Sight, lines: string[]): void {
  const { evaluate, hide } = sight;
  const indent = "  ".repeat(depth);
  for (const child of interesting(node).filter(isSteady)) {
    const part = evaluate(child);
    const own = lines.length;
    lines.push(`${indent}${line(part, hide)}`);
    if (isOperator(child)) below(child, depth + 1, sight, lines);
    // What has no value because an operand has none is no news.
    if (part.fault !== undefined && lines.length > own + 1) {
      lines.splice(own, 1);
      for (let i = own; i < lines.length; i++) lines[i] = lines[i]!.slice(2);
    }
  }
  if ((node.op !== "==" && node.op !== "!=") || !isSteady(node)) return;
  const [left, right] = [evaluate(node.args[0]), evaluate(node.args[1])];
  if (!worthDiff(left.value, right.value)) return;
  for (const text of diffLines(right.value, left.value, hide)) lines.push(`${indent}${text}`);
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
    case "list":
    case "map":
      return isConstant(node) ? [] : childrenOf(node).filter(isOpaque);
    default:
      return childrenOf(node).filter(isOpaque);
  }
}

const MACROS = new Set(["all", "exists", "exists_one", "map", "filter", "bind"]);

/** Whether a part has the value again that it had in the condition. */
function isSteady(node: Ast): boolean {
  let steady = true;
  visitAst(node, (part) => {
    if (part.op === "call" && CHANGING.has(part.args[0])) steady = false;
  });
  return steady;
}

/** Functions that would give another value when they are asked again. */
const CHANGING = new Set(["random", "uuid", "now"]);

function isOpaque(node: Ast): boolean {
  if (node.op === "id") return node.args !== "cel" && node.args !== "optional";
  if (node.op === "-_") return !isConstant(node);
  return node.op !== "value" && !(node.op === "list" && node.args.every((n) => n.op === "value"));
}

function isOperator(node: Ast): boolean {
  return !["id", ".", ".?", "[]", "[?]"].includes(node.op);
}

function faultText(fault: ReturnType<typeof faultOf>): string {
  if (fault.code === "no_such_key") return "is absent";
  if (fault.code === "unknown_variable") return "has no value: its step did not run";
  return `has no value: ${explainFault(fault)}`;
}

function line({ text, value, fault }: Part, hide: Hide): string {
  if (fault !== undefined) return `${text}  ${fault}`;
  if (value === undefined) return `${text}  is absent`;
  return `${text}  is ${showValue(value, hide)} (${typeName(value)})`;
}
