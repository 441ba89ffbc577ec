import { type Ast, childrenOf, isConstant, textRange, visitAst } from "./ast.ts";
import { withBudget } from "./budget.ts";
import { faultOf, loadCel } from "./cel.ts";
import { fromCel } from "./convert.ts";
import { diffLines, type Hide, worthDiff } from "./diff.ts";
import { explainFault, lacksValue } from "./explain_fault.ts";
import type { Expression, Values } from "./expression.ts";
import { type Ambient, withAmbient } from "./functions.ts";
import { showCel } from "./show_cel.ts";

/** A part of an expression that is shown on its own line, with its value. */
interface Part {
  text: string;
  /** The CEL value. */
  value: unknown;
  /** Why there is no value. */
  fault?: string;
}

/**
 * Explains why a condition is false: the values of its operands as indented lines, each with its
 * type, and the differences between lists or maps that were compared.
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
      return { text: part, value: withAmbient(ambient, () => parsed.evaluate(values)) };
    } catch (error) {
      const fault = faultOf(error, part.length);
      return { text: part, value: undefined, fault: faultText(fault, part) };
    }
  };
  const lines: string[] = [];
  // This evaluates operands again, some more than once: all of it shares one expression's budget.
  withBudget(() => addOperands(expression.ast, 0, { evaluate, hide }, lines));
  return lines;
}

/** How parts are evaluated and masked. */
interface Evaluation {
  evaluate: (node: Ast) => Part;
  hide: Hide;
}

/** Adds lines for the operands of a node and their own operands, then for their differences. */
function addOperands(node: Ast, depth: number, evaluation: Evaluation, lines: string[]): void {
  const { evaluate, hide } = evaluation;
  const indent = "  ".repeat(depth);
  for (const child of operandsToShow(node)) {
    const impure = impureCallsIn(child);
    if (impure.has("random") || impure.has("uuid")) {
      // Evaluating it again would give another value, and change the ones after it.
      addOperands(child, depth, evaluation, lines);
      continue;
    }
    const part = evaluate(child);
    const own = lines.length;
    lines.push(`${indent}${line(part, hide)}${impure.size > 0 ? ", a moment later" : ""}`);
    if (isOperator(child)) addOperands(child, depth + 1, evaluation, lines);
    // An operand below explains the fault already.
    if (part.fault !== undefined && lines.length > own + 1) {
      lines.splice(own, 1);
      for (let i = own; i < lines.length; i++) lines[i] = lines[i]!.slice(2);
    }
  }
  if ((node.op !== "==" && node.op !== "!=") || impureCallsIn(node).size > 0) return;
  const [left, right] = node.args.map((side) => fromCel(evaluate(side).value));
  if (!worthDiff(left, right)) return;
  for (const text of diffLines(right, left, hide)) lines.push(`${indent}${text}`);
}

/** The operands whose values cannot be seen in the source text. */
function operandsToShow(node: Ast): Ast[] {
  switch (node.op) {
    case "value":
    case "id":
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      return [];
    case "rcall":
      // The arguments of a macro are left out: they have a different value for each item.
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

/** The functions in a node that return another value with each call. */
function impureCallsIn(node: Ast): Set<string> {
  const found = new Set<string>();
  visitAst(node, (part) => {
    if (part.op === "call" && IMPURE.has(part.args[0])) found.add(part.args[0]);
  });
  return found;
}

const IMPURE = new Set(["random", "uuid", "now"]);

/** Whether the value of a node cannot be seen in the source text. */
function isOpaque(node: Ast): boolean {
  if (node.op === "id") return node.args !== "cel" && node.args !== "optional";
  if (node.op === "-_") return !isConstant(node);
  return node.op !== "value" && !(node.op === "list" && node.args.every((n) => n.op === "value"));
}

function isOperator(node: Ast): boolean {
  return !["id", ".", ".?", "[]", "[?]"].includes(node.op);
}

function faultText(fault: ReturnType<typeof faultOf>, text: string): string {
  if (fault.code === "no_such_key") return "is absent";
  if (fault.code === "unknown_variable") return lacksValue(text.slice(fault.start, fault.end));
  return `has no value: ${explainFault(fault)}`;
}

function line({ text, value, fault }: Part, hide: Hide): string {
  if (fault !== undefined) return `${text}  ${fault}`;
  if (fromCel(value) === undefined) return `${text}  is absent`;
  return `${text}  is ${showCel(value, hide)}`;
}
