import type { Span } from "../recipe/source.ts";
import { fromCel } from "./convert.ts";
import { type Ambient, type Ast, faultOf, type Parsed, withAmbient } from "./library.ts";

/** The values that expressions see, by name, as CEL takes them. */
export type Values = Record<string, unknown>;

/** An expression that could not be evaluated with the values it was given. */
export class EvaluationError extends Error {
  /** Always `"evaluation"`. */
  readonly code = "evaluation";
  /** Where in its file. */
  readonly span: Span;

  /** Says why. */
  constructor(message: string, span: Span, options?: ErrorOptions) {
    super(message, options);
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
      throw new EvaluationError(explain(fault.code, fault.summary, this.text, fault), span, {
        cause,
      });
    }
  }

  /** Its value as JSON. */
  evaluate(values: Values, ambient: Ambient): unknown {
    const value = fromCel(this.evaluateCel(values, ambient));
    if (value === undefined) {
      throw new EvaluationError(`\`${this.text}\` is absent`, this.span());
    }
    return value;
  }

  #bound(): Parsed {
    if (!this.#parsed) throw new Error(`Cannot evaluate '${this.text}': it was not checked`);
    return this.#parsed;
  }
}

function explain(code: string, summary: string, text: string, at: Span): string {
  if (code === "no_such_key") return `\`${pathUpTo(text, at)}\` is absent`;
  if (code === "unknown_variable") {
    return `\`${text.slice(at.start, at.end)}\` has no value: its step did not run`;
  }
  return summary.charAt(0).toLowerCase() + summary.slice(1);
}

/** The access that an absent key ends: `order.input.total` rather than `total`. */
function pathUpTo(text: string, at: Span): string {
  return /[\w.?[\]"']*$/.exec(text.slice(0, at.start))?.[0] + text.slice(at.start, at.end);
}
