import { type Ast, freeNames, textRange } from "../expression/ast.ts";
import { type Cel, faultOf } from "../expression/cel.ts";
import { type CelType, describeType, isRecordType } from "../expression/types.ts";
import { parseDuration } from "../language/duration.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { Expected, ExpressionUse } from "../language/scope.ts";
import { ConstantChecker } from "./check_constants.ts";
import { NameChecker } from "./check_names.ts";
import type { Guards, Known } from "./check_references.ts";
import { StateChecker } from "./check_states.ts";
import { Environments } from "./environments.ts";
import { explainTypeError, syntaxHint } from "./explain_errors.ts";

/** Checks the syntax, names and types of every expression, and whether its value fits its use. */
export function checkExpressions(
  context: ParseContext,
  known: Known,
  guards: Guards,
  cel: Cel,
): void {
  const parsed = context.expressions.filter((use) => parse(use, context, cel));
  for (const { expression, scope, what } of parsed) {
    if (scope.phase === "always" && what === "`if`") {
      guards.add(scope, new Set(freeNames(expression.ast).map(({ name }) => name)));
    }
  }
  // The types of variables, and of fields that `outputs` adds, must be known before the rest.
  const isFirst = (use: ExpressionUse) => use.scope.varCount !== undefined || use.first === true;
  for (const uses of [parsed.filter(isFirst), parsed.filter((use) => !isFirst(use))]) {
    const environments = new Environments(cel, known);
    for (const use of uses) new Checker(use, context, known, guards, environments, cel).check();
  }
}

/** Parses an expression, and reports a syntax error; returns whether there was none. */
function parse({ expression, what }: ExpressionUse, context: ParseContext, cel: Cel): boolean {
  const { text } = expression;
  try {
    expression.bind(cel.parse(text));
    return true;
  } catch (error) {
    const fault = faultOf(error, text.length);
    const start = Math.min(fault.start, Math.max(0, text.length - 1));
    const span = expression.span(start, Math.max(fault.end, start + 1));
    context.diagnostics.error("bad-expression", span, `cannot read the expression in ${what}`, {
      label: syntaxHint(text, fault),
    });
    return false;
  }
}

/** Checks one expression. */
class Checker {
  readonly #use: ExpressionUse;
  readonly #context: ParseContext;
  readonly #known: Known;
  readonly #environments: Environments;
  readonly #names: NameChecker;
  readonly #states: StateChecker;
  readonly #constants: ConstantChecker;

  constructor(
    use: ExpressionUse,
    context: ParseContext,
    known: Known,
    guards: Guards,
    environments: Environments,
    cel: Cel,
  ) {
    this.#use = use;
    this.#context = context;
    this.#known = known;
    this.#environments = environments;
    this.#names = new NameChecker(use, context, known, guards);
    this.#states = new StateChecker(use, known, context.diagnostics);
    this.#constants = new ConstantChecker(use, cel, context.diagnostics);
  }

  check(): void {
    const { expression, expected, onType, problemOf } = this.#use;
    this.#states.checkComparedValues();
    const type = this.#typeOf(expression.ast, 0, expression.text.length);
    if (type === undefined || !this.#checkUse(type, expected)) return;
    onType?.(type);
    const value = problemOf && this.#constants.value();
    const problem = value === undefined ? undefined : problemOf?.(value);
    if (problem === undefined) return;
    const isNoDuration = expected === "duration" && parseDuration(String(value)) === undefined;
    const code = isNoDuration ? "bad-duration" : "wrong-value";
    this.#context.diagnostics.error(code, expression.span(), problem);
  }

  /** The type of a part of the expression; `undefined` after an error. */
  #typeOf(node: Ast, start: number, end: number): CelType | undefined {
    if (node.op === "&&" || node.op === "||") return this.#typeOfLogical(node);
    const named = freeNames(node).map((name) => this.#names.check(name)).every((ok) => ok);
    if (!named) return undefined;
    this.#states.check(node);
    const text = this.#use.expression.text.slice(start, end);
    let result;
    try {
      result = this.#environments.for(this.#use.scope, node).parse(text).check();
    } catch (error) {
      result = { valid: false, error: error as Error, type: undefined };
    }
    if (result.valid) {
      this.#constants.check(node);
      return String(result.type) as CelType;
    }
    this.#reportTypeError(result.error, start, text.length);
    return undefined;
  }

  /** Checks each side of `&&` and `||` on its own, so that the errors of both are reported. */
  #typeOfLogical(node: Ast & { op: "&&" | "||" }): CelType | undefined {
    const { expression } = this.#use;
    let ok = true;
    for (const side of node.args) {
      const range = textRange(side, expression.text);
      const type = this.#typeOf(side, range.start, range.end);
      if (type === "bool" || type === "dyn") continue;
      ok = false;
      if (type === undefined) continue;
      const message = `\`${node.op}\` takes true or false, not ${describeType(type)}`;
      const span = expression.span(side.start, side.end);
      this.#context.diagnostics.error("not-a-condition", span, message);
    }
    return ok ? "bool" : undefined;
  }

  #reportTypeError(error: unknown, offset: number, length: number): void {
    const { expression } = this.#use;
    const fault = faultOf(error, length);
    const [start, end] = [offset + fault.start, offset + fault.end];
    const text = expression.text.slice(start, end);
    const { code, message, label } = explainTypeError(fault, text, {
      records: this.#known.records.values(),
      functions: this.#environments.functionNames(),
    });
    const details = label === undefined ? {} : { label };
    this.#context.diagnostics.error(code, expression.span(start, end), message, details);
  }

  /** Checks that a value of a type fits where it is used. */
  #checkUse(type: CelType, expected: Expected): boolean {
    if (type === "dyn" || expected === "any") return true;
    const { expression, what } = this.#use;
    const { diagnostics } = this.#context;
    const span = expression.span();
    const is = describeType(type);
    if (expected === "in text") {
      if (!/^(list|map|null|optional)/.test(type) && !isRecordType(type)) return true;
      diagnostics.error("object-in-text", span, `text cannot contain ${is}`, {
        label: type.startsWith("optional")
          ? "add a default with `.orValue(…)`"
          : "use one of its fields, or make the expression the whole value",
      });
      return false;
    }
    const { pattern, title } = USES[expected];
    if (pattern.test(type)) return true;
    const code = expected === "condition" ? "not-a-condition" : "wrong-type";
    diagnostics.error(code, span, `${what} must be ${title}, not ${is}`);
    return false;
  }
}

/** The types that fit each use, and how messages name them. */
const USES: Record<Exclude<Expected, "any" | "in text">, { pattern: RegExp; title: string }> = {
  "condition": { pattern: /^bool$/, title: "true or false" },
  "text": { pattern: /^string$/, title: "text" },
  "whole number": { pattern: /^u?int$/, title: "a whole number" },
  "duration": { pattern: /^(string|google.protobuf.Duration)$/, title: "a duration" },
  "list": { pattern: /^list/, title: "a list" },
};
