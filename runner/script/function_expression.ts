import { fromCel } from "../expression/convert.ts";
import { Expression, type Values } from "../expression/expression.ts";
import type { Span } from "../language/source.ts";

/** The place of what stands at none. */
export const NOWHERE: Span = { start: 0, end: 0 };

/** A condition that is a function of the recipe, where a YAML recipe has an expression. */
export class FunctionExpression extends Expression {
  #holds: (it: never) => boolean;
  #local: string;

  /** Keeps a function, which is given the value that `local` names. */
  constructor(holds: (it: never) => boolean, local = "it") {
    super(holds.toString(), () => NOWHERE);
    this.#holds = holds;
    this.#local = local;
  }

  /** What the function says. */
  override evaluate(values: Values): unknown {
    return this.#holds(fromCel(values[this.#local]) as never);
  }
}
