import { type Ast, childrenOf, isConstant, textRange, visitAst } from "./ast.ts";
import { fromCel } from "./convert.ts";
import { diffLines, type Hide, worthDiff } from "./diff.ts";
import { explainFault } from "./explain_fault.ts";
import type { Expression, Values } from "./expression.ts";
import { type Ambient, faultOf, loadCel, withAmbient } from "./cel.ts";
import { showCel } from "./show_cel.ts";

/** A part of an expression that is worth a line, with its value. */
interface Part {
  text: string;
  /** As the expression language has it. */
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
      return { text: part, value: withAmbient(ambient, () => parsed(values)) };
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
  for (const child of interesting(node)) {
    const changing = changingIn(child);
    if (changing.has("random") || changing.has("uuid")) {
      // Asked again it would be another one, and change those that follow.
      below(child, depth, sight, lines);
      continue;
    }
    const part = evaluate(child);
    const own = lines.length;
    lines.push(`${indent}${line(part, hide)}${changing.size > 0 ? ", a moment later" : ""}`);
    if (isOperator(child)) below(child, depth + 1, sight, lines);
    // What has no value because an operand has none is no news.
    if (part.fault !== undefined && lines.length > own + 1) {
      lines.splice(own, 1);
      for (let i = own; i < lines.length; i++) lines[i] = lines[i]!.slice(2);
    }
  }
  if ((node.op !== "==" && node.op !== "!=") || changingIn(node).size > 0) return;
  const [left, right] = node.args.map((side) => fromCel(evaluate(side).value));
  if (!worthDiff(left, right)) return;
  for (const text of diffLines(right, left, hide)) lines.push(`${indent}${text}`);
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

/** The functions in a part that would give another value when they are asked again. */
function changingIn(node: Ast): Set<string> {
  const found = new Set<string>();
  visitAst(node, (part) => {
    if (part.op === "call" && CHANGING.has(part.args[0])) found.add(part.args[0]);
  });
  return found;
}

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
  if (fromCel(value) === undefined) return `${text}  is absent`;
  return `${text}  is ${showCel(value, hide)}`;
}
