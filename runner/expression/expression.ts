import type { Span } from "./span.ts";
import { fromCel } from "./convert.ts";
import { backWhile, explainFault } from "./explain_fault.ts";
import type { Ast } from "./ast.ts";
import { type Ambient, type CelFault, faultOf, type Parsed, withAmbient } from "./cel.ts";

/** The values that expressions see, by name, as CEL takes them. */
export type Values = Record<string, unknown>;

/** An expression that could not be evaluated with the values it was given. */
export class EvaluationError extends Error {
  /** Always `"evaluation"`. */
  readonly code = "evaluation";
  /** Where in its file. */
  readonly span: Span;
  /** Whether it only asks for a field or an item that is not there. */
  readonly absent: boolean;

  /** Says why. */
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

/** A CEL expression of a recipe, and where it stands. */
export class Expression {
  /** The expression as written. */
  readonly text: string;
  #span: (start: number, end: number) => Span;
  #parsed: Parsed | undefined;

  /** Keeps an expression whose offsets `span` turns into places in the file. */
  constructor(text: string, span: (start: number, end: number) => Span) {
    this.text = text;
    this.#span = span;
  }

  /** Where a part of it stands in its file; all of it without arguments. */
  span(start = 0, end: number = this.text.length): Span {
    return this.#span(start, end);
  }

  /** Takes the parsed form; the checks do so before anything runs. */
  bind(parsed: Parsed): void {
    this.#parsed = parsed;
  }

  /** The parsed form. */
  get ast(): Ast {
    return this.#bound().ast;
  }

  /**
   * Its value, as CEL has it.
   * @throws {EvaluationError} When a field is absent, an index is out of bounds and the like.
   */
  evaluateCel(values: Values, ambient: Ambient): unknown {
    const parsed = this.#bound();
    try {
      return withAmbient(ambient, () => parsed(values));
    } catch (cause) {
      const fault = faultOf(cause, this.text.length);
      const span = this.span(fault.start, fault.end);
      throw new EvaluationError(explain(fault, this.text), span, {
        cause,
        absent: ABSENT.has(fault.code),
      });
    }
  }

  /** Its value as JSON. */
  evaluate(values: Values, ambient: Ambient): unknown {
    const value = fromCel(this.evaluateCel(values, ambient));
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

/** Codes of a field, an item of a list, or an optional's value that is not there. */
const ABSENT = new Set(["no_such_key", "index_out_of_bounds", "optional_value_missing"]);

function explain(fault: CelFault, text: string): string {
  if (fault.code === "no_such_key") return `\`${pathUpTo(text, fault)}\` is absent`;
  if (fault.code === "unknown_variable") {
    return `\`${text.slice(fault.start, fault.end)}\` has no value: its step did not run`;
  }
  return explainFault(fault);
}

/** The access that an absent key ends: `order.input.total` rather than `total`. */
function pathUpTo(text: string, at: Span): string {
  return text.slice(backWhile(text, at.start, /[\w.?[\]"']/), at.end);
}
