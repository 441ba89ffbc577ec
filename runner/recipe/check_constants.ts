import { isTimeZone } from "../../runtime/time_zone.ts";
import { type Ast, childrenOf, freeNames, textRange, visitAst } from "../expression/ast.ts";
import { type Cel, faultOf } from "../expression/cel.ts";
import { fromCel } from "../expression/convert.ts";
import { explainFault } from "../expression/explain_fault.ts";
import { withoutMark } from "../expression/functions.ts";
import { patterns } from "../expression/load_patterns.ts";
import type { Span } from "../expression/span.ts";
import type { Diagnostics } from "../language/diagnostic.ts";
import type { ExpressionUse } from "../language/scope.ts";

/** The functions whose value differs from call to call. */
const IMPURE: ReadonlySet<string> = new Set(["now", "random", "uuid"]);

/**
 * Finds parts of an expression that fail for all values of its names, such as `int("abc")`
 * or a division by zero. Constant parts are evaluated.
 */
export class ConstantChecker {
  readonly #use: ExpressionUse;
  readonly #cel: Cel;
  readonly #diagnostics: Diagnostics;

  /** Checks one expression. */
  constructor(use: ExpressionUse, cel: Cel, diagnostics: Diagnostics) {
    this.#use = use;
    this.#cel = cel;
    this.#diagnostics = diagnostics;
  }

  /** Checks a part of the expression, whose types are right. */
  check(node: Ast): void {
    if (this.#checkArguments(node)) return;
    if (isConstant(node)) return void this.#evaluate(node, true);
    for (const child of childrenOf(node)) this.check(child);
  }

  /** The value of the whole expression as JSON, if it is constant and can be evaluated. */
  value(): unknown {
    const { ast } = this.#use.expression;
    return isConstant(ast) ? fromCel(this.#evaluate(ast, false)) : undefined;
  }

  #evaluate(node: Ast, report: boolean): unknown {
    if (node.op === "value") return node.args;
    const { text } = this.#use.expression;
    const { start, end } = textRange(node, text);
    try {
      return this.#cel.parse(text.slice(start, end)).evaluate({});
    } catch (error) {
      const fault = faultOf(error, end - start);
      if (report) {
        const part = { start: start + fault.start, end: start + fault.end };
        this.#report(part, part, explainFault(fault));
      }
      return undefined;
    }
  }

  /** Reports constant arguments that a function never takes. Returns whether it did. */
  #checkArguments(node: Ast): boolean {
    const problem = this.#argumentProblem(node);
    if (!problem) return false;
    const { start, end } = textRange(node, this.#use.expression.text);
    this.#report({ start, end }, textRange(problem.at, this.#use.expression.text), problem.label);
    return true;
  }

  #argumentProblem(node: Ast): { at: Ast; label: string } | undefined {
    if (node.op === "/" || node.op === "%") {
      const [, divisor] = node.args;
      return this.#whole(divisor) === 0n ? { at: node, label: "division by zero" } : undefined;
    }
    if (node.op === "[]") {
      const [, index] = node.args;
      const number = this.#constant(index);
      if (usesMaps(this.#use.expression.ast)) return undefined;
      if (typeof number === "bigint" && number < 0n) {
        return { at: index, label: "a list begins at 0" };
      }
      return typeof number === "number" && !Number.isInteger(number)
        ? { at: index, label: "the index of an item is a whole number" }
        : undefined;
    }
    if (node.op === "call" && node.args[0] === "random") {
      const [limit] = node.args[1];
      const isTooSmall = limit !== undefined && (this.#whole(limit) ?? 1n) < 1n;
      return isTooSmall ? { at: node, label: "random(n) needs an n of at least 1" } : undefined;
    }
    if (node.op !== "rcall") return undefined;
    const [, , args] = node.args;
    const name = withoutMark(node.args[0]);
    const [first] = args;
    if (name === "matches" && first) {
      const pattern = this.#constant(first);
      const problem = typeof pattern === "string" ? patterns().patternProblem(pattern) : undefined;
      return problem === undefined
        ? undefined
        : { at: first, label: `invalid regular expression: ${problem}` };
    }
    if (/^get[A-Z]/.test(name) && first) {
      const zone = this.#constant(first);
      return typeof zone === "string" && !isTimeZone(zone)
        ? { at: first, label: "there is no such time zone" }
        : undefined;
    }
    if (!POSITIONAL.has(name)) return undefined;
    const negative = args.find((arg) => (this.#whole(arg) ?? 0n) < 0n);
    return negative && { at: negative, label: "a text begins at 0" };
  }

  #whole(node: Ast): bigint | undefined {
    const value = this.#constant(node);
    return typeof value === "bigint" ? value : undefined;
  }

  #constant(node: Ast): unknown {
    return isConstant(node) ? this.#evaluate(node, false) : undefined;
  }

  /** Reports that `part` always fails, and marks `at`. */
  #report(part: Span, at: Span, label: string): void {
    const { expression } = this.#use;
    const message = `\`${expression.text.slice(part.start, part.end)}\` can never be evaluated`;
    const span = expression.span(at.start, at.end);
    this.#diagnostics.error("always-fails", span, message, { label });
  }
}

/** Methods that take positions in a text. */
const POSITIONAL: ReadonlySet<string> = new Set(["substring", "indexOf", "lastIndexOf", "at"]);

/** Whether a node always has the same value. */
function isConstant(node: Ast): boolean {
  let pure = true;
  visitAst(node, (part) => {
    if (part.op === "call" && IMPURE.has(part.args[0])) pure = false;
  });
  return pure && freeNames(node).length === 0;
}

/** Whether an expression has a map literal, whose keys can be negative. */
function usesMaps(ast: Ast): boolean {
  let found = false;
  visitAst(ast, ({ op }) => {
    if (op === "map") found = true;
  });
  return found;
}
