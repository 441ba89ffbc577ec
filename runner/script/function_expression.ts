import { fromCel } from "../expression/convert.ts";
import { Expression, type Values } from "../expression/expression.ts";
import type { Span } from "../language/source.ts";

/** The span of something that is not written in a file. */
export const NOWHERE: Span = { start: 0, end: 0 };

/** A condition that is a function, where a YAML recipe has an expression. */
export class FunctionExpression extends Expression {
  #holds: (it: never) => boolean;
  #local: string;

  /** Wraps a function; its argument is the value of the local name `local`. */
  constructor(holds: (it: never) => boolean, local = "it") {
    super(holds.toString(), () => NOWHERE);
    this.#holds = holds;
    this.#local = local;
  }

  /** Returns what the function returns. */
  override evaluate(values: Values): unknown {
    return this.#holds(fromCel(values[this.#local]) as never);
  }
}
