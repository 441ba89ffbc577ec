import type { CelType } from "../expression/types.ts";
import type { Expression } from "../expression/expression.ts";
import type { Span } from "./source.ts";

/** The part of a recipe a step belongs to. */
export type Phase = "steps" | "always";

/** What the checks know of a step that others can name. */
export interface StepInfo {
  /** Its id. */
  id: string;
  /** Where the id stands. */
  span: Span;
  /** What it leaves under its id; `undefined` for nothing. */
  type: CelType | undefined;
  /** Its own number, counted over the whole recipe. */
  order: number;
  /** Steps whose own number is at least this may use it. */
  availableFrom: number;
  /** The part of the recipe it belongs to. */
  phase: Phase;
  /** Whether it has an `if`, so that it may not run. */
  conditional?: boolean;
  /** Whether something is wrong with the step itself, so that no more is said of those that use it. */
  broken?: boolean;
  /** The waits for it: from which step on, and the states it then has; none for any. */
  waits: { order: number; states: readonly string[] }[];
}

/** What an expression may see: the place in the recipe it stands at. */
export interface Scope {
  /** The number of the step it stands in; higher ones come later. */
  order: number;
  /** The part of the recipe. */
  phase: Phase;
  /** Names that exist only here, such as `item` or `event`, with their types. */
  locals: Readonly<Record<string, CelType>>;
  /** The number of the step, counted over the whole recipe. */
  step?: number;
  /** How many `vars` are defined above; all of them when absent. */
  varCount?: number;
}

/** What an expression's value is used as. */
export type Expected =
  | "any"
  | "condition"
  | "in text"
  | "text"
  | "whole number"
  | "number"
  | "flag"
  | "duration"
  | "list";

/** An expression of a recipe, still to be checked. */
export interface ExpressionUse {
  /** The expression. */
  expression: Expression;
  /** What it may see. */
  scope: Scope;
  /** What its value is used as. */
  expected: Expected;
  /** How messages name the place: `` `priority` ``. */
  what: string;
  /** Values that an `expect` compares it with. */
  comparedWith?: readonly { value: unknown; span: Span }[];
  /** Whether it gives a field of a step's own type, so that it is checked before what uses that. */
  defines?: boolean;
  /** Called with the type of its value, once that is known. */
  onType?: (type: CelType) => void;
}
