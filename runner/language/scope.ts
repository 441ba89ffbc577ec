import type { Expression } from "../expression/expression.ts";
import type { CelType } from "../expression/types.ts";
import type { Span } from "./source.ts";

/** The part of a recipe that a step belongs to. */
export type Phase = "steps" | "always";

/** What the checks know about a step with an id. */
export interface StepInfo {
  /** The step's id. */
  id: string;
  /** Where the id is written. */
  span: Span;
  /** The type of the result under its id; `undefined` if it has none. */
  type: CelType | undefined;
  /** The step's position, counted over the whole recipe. */
  order: number;
  /** The first position at which other steps may use the result. */
  availableFrom: number;
  /** The part of the recipe the step belongs to. */
  phase: Phase;
  /** Whether the step has an `if`, so that it may be skipped. */
  conditional?: boolean;
  /** Whether the step itself has errors; uses of its id then report no further errors. */
  broken?: boolean;
  /** Waits for the step: the position each one applies from, and the states it guarantees. */
  waits: { order: number; states: readonly string[] }[];
}

/** The place of an expression in the recipe, which decides what it can see. */
export interface Scope {
  /** The position of the step that contains it. */
  order: number;
  /** The part of the recipe. */
  phase: Phase;
  /** Names that exist only here, such as `item` or `event`, with their types. */
  locals: Readonly<Record<string, CelType>>;
  /** The number of the step as reports show it: `3`, or `3.1` inside `parallel`. */
  number?: string;
  /** The position of the step; in its `expect` and `outputs`, `order` is one higher. */
  step?: number;
  /** How many `vars` are visible; all of them if absent. */
  varCount?: number;
}

/** How the value of an expression is used. */
export type Expected =
  | "any"
  | "condition"
  | "in text"
  | "text"
  | "whole number"
  | "duration"
  | "list";

/** A literal that an `expect` compares an expression with. */
export interface ComparedValue {
  /** The literal. */
  value: unknown;
  /** Where it is written. */
  span: Span;
}

/** Called with the type of an expression's value once the checks have found it. */
export type OnType = (type: CelType) => void;

/** What can be known about an expression besides its place. */
export interface ExpressionDetails {
  /** The literals that an `expect` compares the expression with. */
  comparedWith?: readonly ComparedValue[];
  /** Called with the type of its value. */
  onType?: OnType;
  /** Explains what is wrong with its value, if it is constant; returns `undefined` if nothing is. */
  problemOf?: (value: unknown) => string | undefined;
}

/** An expression of a recipe that is still to be checked. */
export interface ExpressionUse extends ExpressionDetails {
  /** The expression. */
  expression: Expression;
  /** What it can see. */
  scope: Scope;
  /** How its value is used. */
  expected: Expected;
  /** How messages name its place, such as `` `priority` ``. */
  what: string;
  /** Whether other types depend on it, so that it must be checked before the rest. */
  first?: boolean;
}

/** Names that ids and variables cannot have, because expressions use them. */
export const RESERVED: ReadonlySet<string> = new Set([
  ...["vars", "env", "secrets", "matrix", "inputs", "item", "it", "event", "result", "error"],
  ...["true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function"],
  ...["if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"],
  ...["bool", "bytes", "cel", "double", "duration", "dyn", "google", "has", "int", "list", "map"],
  ...["null_type", "optional", "string", "timestamp", "type", "uint", "size", "matches"],
  ...["uuid", "now", "random", "__proto__", "prototype"],
]);

/** Whether a name can be used in expressions on its own. */
export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name);
}

/** Words that cannot be used even after a dot. */
const KEYWORDS: ReadonlySet<string> = new Set(["true", "false", "null", "in"]);

/** Whether a name can be used after a dot, as in `vars.name`. */
export function isFieldName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name) && name !== "__proto__";
}
