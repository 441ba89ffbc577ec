import type { Ast } from "./ast.ts";
import { type CelFault, faultOf, type Parsed } from "./cel.ts";
import { fromCel, hasInexact, INEXACT } from "./convert.ts";
import { backWhile, explainFault, lacksValue } from "./explain_fault.ts";
import { type Ambient, withAmbient } from "./functions.ts";
import type { Span } from "./span.ts";

/** The values that expressions can use, by name, converted for CEL. */
export type Values = Record<string, unknown>;

/** The error of an expression that cannot be evaluated. */
export class EvaluationError extends Error {
  /** Always `"evaluation"`. */
  readonly code = "evaluation";
  /** The failing part of the expression in its file. */
  readonly span: Span;
  /** Whether the cause is an absent field, list item or optional value. */
  readonly absent: boolean;

  /** Creates the error for a part of an expression. */
  constructor(
    message: string,
    span: Span,
    { absent = false, ...options }: ErrorOptions & { absent?: boolean } = {},
  ) {
    super(message, options);
    this.absent = absent;
    this.name = "EvaluationError";
    this.span = span;
  }
}

/** A CEL expression of a recipe that knows where it is written. */
export class Expression {
  /** The source text. */
  readonly text: string;
  #span: (start: number, end: number) => Span;
  #parsed: Parsed | undefined;

  /**
   * Creates an expression.
   * @param span Maps offsets of the expression to a range of its file.
   */
  constructor(text: string, span: (start: number, end: number) => Span) {
    this.text = text;
    this.#span = span;
  }

  /** The range of a part in its file; without arguments, of the whole expression. */
  span(start = 0, end: number = this.text.length): Span {
    return this.#span(start, end);
  }

  /** Sets the parsed form, as the checks do before anything runs. */
  bind(parsed: Parsed): void {
    this.#parsed = parsed;
  }

  /** The root of the syntax tree. */
  get ast(): Ast {
    return this.#bound().ast;
  }

  /**
   * Evaluates the expression to a CEL value.
   * @throws {EvaluationError} If a field is absent or an index out of bounds, for example.
   */
  evaluateCel(values: Values, ambient: Ambient): unknown {
    const parsed = this.#bound();
    try {
      return withAmbient(ambient, () => parsed.evaluate(values));
    } catch (cause) {
      const fault = faultOf(cause, this.text.length);
      const span = this.span(fault.start, fault.end);
      throw new EvaluationError(explain(fault, this.text), span, {
        cause,
        absent: ABSENT.has(fault.code),
      });
    }
  }

  /**
   * Evaluates the expression to a JSON value.
   *
   * @param canBeInexact Whether the value may have whole numbers that have lost digits.
   */
  evaluate(values: Values, ambient: Ambient, canBeInexact = false): unknown {
    const evaluated = this.evaluateCel(values, ambient);
    if (!canBeInexact && hasInexact(evaluated)) throw new EvaluationError(INEXACT, this.span());
    const value = fromCel(evaluated);
    if (value === undefined) {
      throw new EvaluationError(`\`${this.text}\` is absent`, this.span(), { absent: true });
    }
    return value;
  }

  #bound(): Parsed {
    if (!this.#parsed) throw new Error(`Cannot evaluate '${this.text}': it was not checked`);
    return this.#parsed;
  }
}

/** The codes of an absent field, list item or optional value. */
const ABSENT = new Set(["no_such_key", "index_out_of_bounds", "optional_value_missing"]);

function explain(fault: CelFault, text: string): string {
  if (fault.code === "no_such_key") return `\`${pathUpTo(text, fault)}\` is absent`;
  if (fault.code === "unknown_variable") {
    const name = text.slice(fault.start, fault.end);
    return `\`${name}\` ${lacksValue(name)}`;
  }
  return explainFault(fault);
}

/** The whole access that ends in an absent key: `order.input.total` instead of `total`. */
function pathUpTo(text: string, at: Span): string {
  return text.slice(backWhile(text, at.start, /[\w.?[\]"']/), at.end);
}
