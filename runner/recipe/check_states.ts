import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import { type Ast, BINDERS, childrenOf } from "../expression/ast.ts";
import { baseType, type CelType, describeType, itemType } from "../expression/types.ts";
import type { Diagnostics } from "../language/diagnostic.ts";
import type { ExpressionUse } from "../language/scope.ts";
import type { Span } from "../language/source.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import type { Known } from "./check_references.ts";

/** The types of the names that macros such as `all` bind. */
type Bound = Readonly<Record<string, CelType | undefined>>;

/** The states that a value can have, and the type it belongs to. */
interface States {
  type: CelType;
  states: readonly string[];
}

/**
 * Finds comparisons of a job's or run's state with a text that is not a state, such as
 * `order.state == "complete"`. They are well typed, but never true.
 */
export class StateChecker {
  readonly #use: ExpressionUse;
  readonly #known: Known;
  readonly #diagnostics: Diagnostics;

  /** Checks one expression. */
  constructor(use: ExpressionUse, known: Known, diagnostics: Diagnostics) {
    this.#use = use;
    this.#known = known;
    this.#diagnostics = diagnostics;
  }

  /** Checks the values that an `expect` compares the whole expression with. */
  checkComparedValues(): void {
    const states = this.#statesOf(this.#use.expression.ast, {});
    if (!states) return;
    for (const { value, span } of this.#use.comparedWith ?? []) {
      if (typeof value === "string") this.#checkState(value, span, states);
    }
  }

  /** Checks the comparisons inside a part of the expression. */
  check(node: Ast, bound: Bound = {}): void {
    if (node.op === "==" || node.op === "!=" || node.op === "in") {
      const [left, right] = node.args;
      this.#checkLiterals(left, right, bound);
      if (node.op !== "in") this.#checkLiterals(right, left, bound);
    }
    let inner = bound;
    if (node.op === "rcall") {
      const [name, list, [item]] = node.args;
      if (BINDERS.has(name) && item?.op === "id") {
        inner = { ...bound, [item.args]: itemType(this.#typeOf(list, bound)) };
      }
    }
    for (const child of childrenOf(node)) this.check(child, inner);
  }

  #checkLiterals(subject: Ast, other: Ast, bound: Bound): void {
    const states = this.#statesOf(subject, bound);
    if (!states) return;
    for (const literal of other.op === "list" ? other.args : [other]) {
      if (literal.op !== "value" || typeof literal.args !== "string") continue;
      const span = this.#use.expression.span(literal.start, literal.end);
      this.#checkState(literal.args, span, states);
    }
  }

  #checkState(state: string, span: Span, { type, states }: States): void {
    if (states.includes(state)) return;
    const label = didYouMean(state, states) ?? `it can be ${states.join(", ")}`;
    const message = `${describeType(type)} is never \`${state}\``;
    this.#diagnostics.error("unknown-state", span, message, { label });
  }

  /** The possible values of a node that is the `state` of a job or run. */
  #statesOf(node: Ast, bound: Bound): States | undefined {
    if (node.op !== "." || node.args[1] !== "state") return undefined;
    const type = this.#typeOf(node.args[0], bound);
    if (type === "JobResult") return { type, states: JOB_STATES };
    return type === "RunResult" ? { type, states: RUN_STATES } : undefined;
  }

  /** The type of a job, a run or a list of them, if the names alone decide it. */
  #typeOf(node: Ast, bound: Bound): CelType | undefined {
    if (node.op === "[]") return itemType(this.#typeOf(node.args[0], bound));
    if (node.op === "rcall" && node.args[0] === "filter") return this.#typeOf(node.args[1], bound);
    if (node.op !== "id") return undefined;
    const { locals } = this.#use.scope;
    const name = node.args;
    if (Object.hasOwn(bound, name)) return bound[name];
    const type = Object.hasOwn(locals, name) ? locals[name] : this.#known.steps.get(name)?.type;
    return type === undefined ? undefined : baseType(type);
  }
}
