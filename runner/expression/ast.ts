import type { ASTNode } from "@marcbachmann/cel-js";
import type { Span } from "./span.ts";

/** A node of a parsed expression. */
export type Ast = ASTNode;

/** Macros whose first argument is a name that only their other arguments can see. */
export const BINDERS: ReadonlySet<string> = new Set([
  "all",
  "exists",
  "exists_one",
  "map",
  "filter",
]);

/** A name in an expression that is defined outside of it, with the fields taken from it. */
export interface FreeName {
  /** The name. */
  name: string;
  /** Its node. */
  node: Ast;
  /** The chain of fields taken from it, each with the node of its access. */
  path: { field: string; node: Ast }[];
  /** Whether the access tolerates an absent field, as `has(x.y)` and `x.?y` do. */
  asks: boolean;
}

/** The names of CEL types, which can be used as values: `type(x) == int`. */
const TYPE_NAMES = new Set([
  "bool",
  "bytes",
  "cel",
  "double",
  "dyn",
  "google",
  "int",
  "list",
  "map",
  "null_type",
  "optional",
  "string",
  "type",
  "uint",
]);

/** The names in an expression that are defined outside of it, in source order. */
export function freeNames(ast: Ast): FreeName[] {
  const found: FreeName[] = [];
  collectNames(ast, new Set(), found, false);
  return found.toSorted((a, b) => a.node.start - b.node.start);
}

function collectNames(
  node: Ast,
  bound: ReadonlySet<string>,
  found: FreeName[],
  inHas: boolean,
): void {
  const path: FreeName["path"] = [];
  let root = node;
  let asks = inHas;
  while (root.op === "." || root.op === ".?") {
    if (root.op === ".?") asks = true;
    path.unshift({ field: root.args[1], node: root });
    root = root.args[0];
  }
  if (root.op === "id") {
    if (!bound.has(root.args) && !TYPE_NAMES.has(root.args)) {
      found.push({ name: root.args, node: root, path, asks });
    }
    return;
  }
  if (root !== node) return collectNames(root, bound, found, false);
  if (node.op === "rcall") {
    const [name, receiver, args] = node.args;
    collectNames(receiver, bound, found, false);
    const first = args[0];
    if (BINDERS.has(name) && first?.op === "id") {
      const inner = new Set([...bound, first.args]);
      for (const arg of args.slice(1)) collectNames(arg, inner, found, false);
      return;
    }
    if (name === "bind" && receiver.op === "id" && receiver.args === "cel" && first?.op === "id") {
      if (args[1]) collectNames(args[1], bound, found, false);
      const inner = new Set([...bound, first.args]);
      for (const arg of args.slice(2)) collectNames(arg, inner, found, false);
      return;
    }
    for (const arg of args) collectNames(arg, bound, found, false);
    return;
  }
  const has = node.op === "call" && node.args[0] === "has";
  for (const child of childrenOf(node)) collectNames(child, bound, found, has);
}

/** The direct children of a node. */
export function childrenOf(node: Ast): Ast[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "list":
      return node.args;
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    default:
      return [...node.args] as Ast[];
  }
}

/** Calls `visit` for a node and all its descendants. */
export function visitAst(node: Ast, visit: (node: Ast) => void): void {
  visit(node);
  for (const child of childrenOf(node)) visitAst(child, visit);
}

/**
 * The range of a node's text, with balanced parentheses. Parentheses around an operand belong to no
 * node, so the range of a node that begins or ends with one can lack it.
 */
export function textRange(node: Ast, text: string): Span {
  let { start, end } = node;
  let { open, closed } = unmatched(text.slice(start, end));
  while (open > 0 && end < text.length) {
    if (text[end] === ")") open--;
    else if (!/\s/.test(text[end]!)) break;
    end++;
  }
  while (closed > 0 && start > 0) {
    start--;
    if (text[start] === "(") closed--;
    else if (!/\s/.test(text[start]!)) break;
  }
  return open > 0 || closed > 0 ? { start: node.start, end: node.end } : { start, end };
}

/** Counts the brackets of a text that are never closed, and those that were never opened. */
function unmatched(text: string): { open: number; closed: number } {
  let open = 0;
  let closed = 0;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== "") {
      if (char === "\\") i++;
      else if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if ("([{".includes(char)) open++;
    else if (")]}".includes(char)) {
      if (open > 0) open--;
      else closed++;
    }
  }
  return { open, closed };
}

/** Whether a node always has the same value: it uses no names and calls no functions. */
export function isConstant(node: Ast): boolean {
  let constant = true;
  visitAst(node, ({ op }) => {
    if (op === "id" || op === "call" || op === "rcall") constant = false;
  });
  return constant;
}
