import type { Environment } from "@marcbachmann/cel-js";
import { type Ast, BINDERS, childrenOf, visitAst } from "./ast.ts";
import { BudgetError, spend, spendForReading, withBudget } from "./budget.ts";
import { InexactNumber } from "./convert.ts";
import { addFunctions, replacementOf, withoutMark } from "./functions.ts";
import type { Span } from "./span.ts";
import { RESULT_TYPES } from "./types.ts";

/** A parsed expression. */
export interface Parsed {
  /** The root of its syntax tree. */
  readonly ast: Ast;
  /**
   * Evaluates the expression to a CEL value.
   * @throws If a field is absent, for example, or if it takes too many steps.
   */
  evaluate(values: Record<string, unknown>): unknown;
}

/** The expression language once it has been loaded. */
export interface Cel {
  /** A new environment for checks, which knows only the functions and the types of results. */
  typed(): Environment;
  /** Parses an expression for evaluation. Names are looked up in the values given to it. */
  parse(text: string): Parsed;
  /** The names of all functions and macros. */
  functionNames(): readonly string[];
}

/** An error of the expression language, with the range of the expression it is about. */
export interface CelFault extends Span {
  /** A stable code, such as `no_such_key`. */
  code: string;
  /** The message, in one line. */
  summary: string;
}

/** The most operators, names and values an expression may have. */
const MAX_NODES = 2000;

let loading: Promise<Cel> | undefined;

/** Loads the expression language on the first call. */
export function loadCel(): Promise<Cel> {
  return loading ??= load();
}

async function load(): Promise<Cel> {
  const [{ Environment, EvaluationError }, { Duration, UnsignedInt }] = await Promise.all([
    import("@marcbachmann/cel-js"),
    import("@marcbachmann/cel-js/evaluator"),
  ]);
  const dynamic = new Environment({
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    unlistedVariablesAreDyn: true,
    // A long chain of operators is a deep tree, and is walked by recursion.
    limits: { maxAstNodes: MAX_NODES },
  });
  dynamic.registerType("InexactNumber", InexactNumber);
  addFunctions(dynamic, { Duration, UnsignedInt, EvaluationError });
  const { readWhole, compared } = limitEvaluation(dynamic);
  let typed: Environment | undefined;
  const parsed = new Map<string, Parsed>();
  return {
    typed() {
      if (!typed) {
        typed = dynamic.clone({ unlistedVariablesAreDyn: false });
        for (const [name, { fields }] of Object.entries(RESULT_TYPES).reverse()) {
          typed.registerType(name, { fields: { ...fields } });
        }
      }
      return typed.clone();
    },
    parse(text) {
      let result = parsed.get(text);
      if (!result) {
        refuseDeepText(text);
        const evaluate = dynamic.parse(text);
        const { ast } = evaluate;
        refuseBadLiterals(ast);
        visitAst(ast, (node) => {
          replaceFunction(node);
          for (const child of wholeOperands(node)) readWhole.add(child);
          for (const child of comparedOperands(node)) compared.add(child);
        });
        result = { ast, evaluate: (values) => withBudget(() => evaluate(values)) };
        parsed.set(text, result);
      }
      return result;
    },
    functionNames() {
      const names = dynamic.getDefinitions().functions.map(({ name }) => withoutMark(name));
      return [...new Set(names)];
    },
  };
}

/** Refuses a long row of `-` or `!`: the parser recurses once for each, without a limit. */
function refuseDeepText(text: string): void {
  const start = text.search(/(?:[-!]\s*){250}/);
  if (start === -1) return;
  const summary = "Exceeded maxDepth (250)";
  throw Object.assign(new Error(summary), {
    code: "limit_exceeded",
    summary,
    range: { start, end: start + 1 },
  });
}

/** What the library evaluates the nodes of a syntax tree with. */
interface Evaluator {
  run(node: Ast, context: unknown): unknown;
  tryEval(node: Ast, context: unknown): unknown;
}

/** The nodes whose large values cost extra steps: they are read as a whole, or even compared. */
interface ReadNodes {
  readWhole: WeakSet<Ast>;
  compared: WeakSet<Ast>;
}

/**
 * Makes the evaluations of an environment take from the budget: a step for each node, and more for
 * nodes in the returned sets.
 */
function limitEvaluation(environment: Environment): ReadNodes {
  const readWhole = new WeakSet<Ast>();
  const compared = new WeakSet<Ast>();
  // The evaluator is private, but is passed to the root of every syntax tree.
  const probe = environment.parse("true");
  type Evaluate = (evaluator: Evaluator, node: Ast, context: unknown) => unknown;
  Object.assign(probe.ast, {
    evaluate(evaluator: Evaluator) {
      evaluator.run = (node, context) => {
        spend(node.op === "call" || node.op === "rcall" ? costOfCall(node) : 1);
        const evaluate = (node as Ast & { evaluate: Evaluate }).evaluate;
        const value = evaluate.call(node, evaluator, node, context);
        if (isLong(value) && readWhole.has(node)) spendForReading(value, compared.has(node));
        return value;
      };
      evaluator.tryEval = (node, context) => {
        try {
          return evaluator.run(node, context);
        } catch (error) {
          if (error instanceof BudgetError) throw error;
          return error;
        }
      };
    },
  });
  probe();
  return { readWhole, compared };
}

/** Whether reading a value can take more than a moment. */
function isLong(value: unknown): boolean {
  return typeof value === "string" ? value.length > 100 : typeof value === "object";
}

/** The steps of a call besides those for its arguments. */
function costOfCall({ args }: Ast & { op: "call" | "rcall" }): number {
  // Only methods of times take a time zone, for which the engine formats the time.
  return args.length === 3 && args[2].length === 1 && /^get[A-Z]/.test(args[0]) ? 1000 : 10;
}

/** The operands that a node compares with each other as a whole. Null equals no map or list. */
function comparedOperands(node: Ast): Ast[] {
  if (node.op !== "==" && node.op !== "!=" && node.op !== "in") return [];
  const isNull = node.args.some((side) => side.op === "value" && side.args === null);
  return isNull && node.op !== "in" ? [] : node.args;
}

/** The operands of a node whose values it reads as a whole. */
function wholeOperands(node: Ast): Ast[] {
  switch (node.op) {
    case "==":
    case "!=":
    case "in":
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
    case "-_":
    case "call":
      return childrenOf(node);
    case "rcall":
      return BINDERS.has(node.args[0]) ? [] : childrenOf(node);
    default:
      return [];
  }
}

/** Keys of maps that the library would drop. */
const LOST_KEYS: ReadonlySet<unknown> = new Set(["__proto__", "constructor", "prototype"]);

/** The largest whole number. */
const MAX_INT = 2n ** 63n - 1n;

/** Refuses literals that the library accepts, but evaluates to something else. */
function refuseBadLiterals(ast: Ast): void {
  const negated = new Set<Ast>();
  visitAst(ast, (node) => {
    if (node.op === "map") refuseBadKeys(node);
    // A minus is an operator. The smallest number has no positive counterpart.
    if (node.op === "-_") negated.add(node.args);
    if (node.op !== "value" || typeof node.args !== "bigint") return;
    if (node.args > MAX_INT + (negated.has(node) ? 1n : 0n)) {
      throw literalError(node, "a whole number has at most 64 bits");
    }
  });
}

function refuseBadKeys({ args }: Ast & { op: "map" }): void {
  const keys = new Set<unknown>();
  for (const [key] of args) {
    if (key.op !== "value") continue;
    if (LOST_KEYS.has(key.args)) {
      throw literalError(key, `a map literal cannot have the key \`${key.args}\``);
    }
    if (keys.has(key.args)) throw literalError(key, `the map has the key \`${key.args}\` twice`);
    keys.add(key.args);
  }
}

function literalError(range: Span, summary: string): Error {
  return Object.assign(new Error(summary), { code: "bad_literal", summary, range });
}

/** Calls the replacement of a function instead of the library's own. */
function replaceFunction(node: Ast): void {
  if (node.op === "rcall" || node.op === "call") {
    node.args[0] = replacementOf(node.args[0], node.op === "rcall");
  }
}

/** Reads the code, message and range of an error that the expression language threw. */
export function faultOf(error: unknown, length: number): CelFault {
  const { code, summary, range } = error as {
    code?: string;
    summary?: string;
    range?: { start: number; end: number };
  };
  const message = withoutMark(summary ?? (error instanceof Error ? error.message : String(error)));
  return {
    code: code ?? "unknown",
    // Each engine has its own words for it.
    summary: /time ?zone/i.test(message) ? "there is no such time zone" : message,
    start: range?.start ?? 0,
    end: range?.end ?? length,
  };
}
