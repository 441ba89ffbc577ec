import { Expression } from "../expression/expression.ts";
import type { OpenHole, Template } from "../expression/template.ts";
import { ANY_MAP, type CelType, typeOfValue } from "../expression/types.ts";
import type { Diagnostics } from "./diagnostic.ts";
import type { Step, UsedRecipe } from "./model.ts";
import { keyOfOtherTools } from "./other_names.ts";
import { describeNode, type ListNode, type Node, type ScalarNode } from "./node.ts";
import { ScalarOffsets } from "./scalar_offsets.ts";
import type { Expected, ExpressionDetails, ExpressionUse, OnType, Scope } from "./scope.ts";
import type { Source, Span } from "./source.ts";
import { didYouMean } from "../../runtime/suggest.ts";

/** A step id that is used outside of expressions, as in `wait: order`. */
export interface Reference {
  /** The id. */
  id: string;
  /** Where it is written. */
  span: Span;
  /** What the step must have left; `jobs or runs` also accepts the list that a `for_each` leaves. */
  wants: "job" | "run" | "job or run" | "jobs or runs";
  /** The place it is used at. */
  scope: Scope;
}

/** A variable that a step gives a new value. */
export interface Assignment {
  /** The variable's name. */
  name: string;
  /** Where the name is written. */
  span: Span;
  /** The node of the new value. */
  value: Node;
  /** The type of the new value, `dyn` until it is known. */
  type: CelType;
}

/** A `get` step, which reads the job or run of another step again. */
export interface Refresh {
  /** The id of the step. */
  id: string;
  /** The id of the other step. */
  of: string;
}

/** The most names that `vars`, `env`, `secrets`, `inputs`, `outputs` and `tags` may have. */
const MAX_NAMES = 1000;

/** Reads the steps inside a step; `prefix` is the number of the step around them. */
export type ReadSteps = (node: ListNode, prefix: string) => Step[];

/**
 * The state that the readers of one recipe share. They report problems to `diagnostics`, and record
 * expressions, step ids and assignments here, to be checked once the whole recipe has been read.
 */
export class ParseContext {
  /** The problems found so far. */
  readonly diagnostics: Diagnostics;
  readonly #expressions: ExpressionUse[] = [];
  readonly #references: Reference[] = [];
  readonly #assignments: Assignment[] = [];
  readonly #refreshes: Refresh[] = [];
  readonly #channels = new Set<string | Template>();
  readonly #eventIds = new Set<string>();
  readonly #usedRecipes: ReadonlyMap<string, UsedRecipe>;
  #scope: Scope = { order: 0, phase: "steps", locals: {} };
  #readSteps: ReadSteps | undefined;
  #offsets: ScalarOffsets | undefined;

  /**
   * Creates the context of one recipe.
   * @param usedRecipes The recipes that it uses, by the paths it names them with.
   */
  constructor(diagnostics: Diagnostics, usedRecipes: ReadonlyMap<string, UsedRecipe> = new Map()) {
    this.diagnostics = diagnostics;
    this.#usedRecipes = usedRecipes;
  }

  /** The recipe's text. */
  get source(): Source {
    return this.diagnostics.source;
  }

  /** The place in the recipe that is being read. */
  get scope(): Scope {
    return this.#scope;
  }

  /** The expressions recorded so far. */
  get expressions(): readonly ExpressionUse[] {
    return this.#expressions;
  }

  /** The step ids recorded so far. */
  get references(): readonly Reference[] {
    return this.#references;
  }

  /** The assignments recorded so far. */
  get assignments(): readonly Assignment[] {
    return this.#assignments;
  }

  /** The channels whose events are kept from the start of the recipe; grows while it is read. */
  get channels(): ReadonlySet<string | Template> {
    return this.#channels;
  }

  /** The ids of steps whose `events` are used; grows until all expressions have been checked. */
  get eventIds(): ReadonlySet<string> {
    return this.#eventIds;
  }

  /** Calls `read` with parts of the scope replaced, and restores the scope afterwards. */
  within<T>(scope: Partial<Scope>, read: () => T): T {
    const outer = this.#scope;
    this.#scope = { ...outer, ...scope };
    try {
      return read();
    } finally {
      this.#scope = outer;
    }
  }

  /** The recipe that a `use` step names. */
  usedRecipe(path: string): UsedRecipe | undefined {
    return this.#usedRecipes.get(path);
  }

  /** Sets the function that {@linkcode readSteps} calls. */
  setStepReader(readSteps: ReadSteps): void {
    this.#readSteps = readSteps;
  }

  /** Reads the steps inside the current step. */
  readSteps(node: ListNode): Step[] {
    if (!this.#readSteps) throw new Error("Cannot read steps: no step reader has been set");
    return this.#readSteps(node, this.#scope.number ?? "");
  }

  /** Reports a value of the wrong type. */
  wrongType(node: Node, what: string, wanted: string, label?: string): void {
    this.diagnostics.error(
      "wrong-type",
      node,
      `${what} must be ${wanted}, not ${describeNode(node)}`,
      {
        ...(label === undefined ? {} : { label }),
      },
    );
  }

  /** Reports an unknown key. */
  unknownKey(key: string, span: Span, where: string, known: readonly string[]): void {
    const label = keyOfOtherTools(key, known) ?? didYouMean(key, known) ??
      (known.length <= 8 ? `it takes ${known.join(", ")}` : undefined);
    this.diagnostics.error("unknown-key", span, `unknown key \`${key}\` in ${where}`, {
      ...(label === undefined ? {} : { label }),
    });
  }

  /**
   * Reports a map or list with so many names that it must be a mistake. Returns whether it is one.
   */
  hasTooMany(node: Node, what: string): boolean {
    const parts = node.kind === "map" ? node.entries : node.kind === "list" ? node.items : [];
    const first = parts[MAX_NAMES];
    if (!first) return false;
    const span = "keySpan" in first ? first.keySpan : first;
    const message = `${what} has more than ${MAX_NAMES.toLocaleString("en")} entries`;
    this.diagnostics.error("too-large", span, message);
    return true;
  }

  /**
   * Records the expression in a range of a scalar's value.
   * @returns The expression, or `undefined` if there is only white space.
   */
  addExpression(
    node: ScalarNode,
    { start, end }: Span,
    what: string,
    expected: Expected,
    details: ExpressionDetails = {},
  ): Expression | undefined {
    const text = textOf(node);
    const inner = text.slice(start, end);
    const trimmed = inner.trim();
    const offsets = this.#offsetsOf(node);
    if (trimmed === "") {
      const span = offsets.span(Math.max(0, start - 3), Math.min(text.length, end + 2));
      this.diagnostics.error("bad-template", span, `there is no expression in ${what}`);
      return undefined;
    }
    const base = start + (inner.length - inner.trimStart().length);
    const expression = new Expression(trimmed, (from, to) => offsets.span(base + from, base + to));
    this.#expressions.push({ expression, scope: this.#scope, expected, what, ...details });
    return expression;
  }

  /** Reports a `${{` at an offset of a scalar's value that has no `}}`. */
  unclosedHole(node: ScalarNode, { from }: OpenHole): undefined {
    const span = this.#offsetsOf(node).span(from, from + 3);
    this.diagnostics.error("bad-template", span, "a `${{` without a `}}`");
    return undefined;
  }

  /** Calls back with the type of a template: at once, or when its expression has been checked. */
  onType(template: Template, callback: OnType): void {
    switch (template.kind) {
      case "literal":
        return callback(typeOfValue(template.value));
      case "text":
        return callback("string");
      case "list":
        return callback("list<dyn>");
      case "map":
        return callback(ANY_MAP);
      case "expression": {
        const use = this.#useOf(template.expression);
        if (use) use.onType = callback;
      }
    }
  }

  /** Marks an expression to be checked before the others, because they depend on its type. */
  checkFirst(expression: Expression, onType: OnType): void {
    const use = this.#useOf(expression);
    if (use) Object.assign(use, { first: true, onType });
  }

  /** Replaces the types of local names for an expression that has been read already. */
  setLocals(expression: Expression, locals: Scope["locals"]): void {
    const use = this.#useOf(expression);
    if (use) use.scope = { ...use.scope, locals: { ...use.scope.locals, ...locals } };
  }

  /** Records a step id, to be looked up when all of them are known. */
  addReference(id: string, span: Span, wants: Reference["wants"]): void {
    this.#references.push({ id, span, wants, scope: this.#scope });
  }

  /** Records a new value for a variable, to be checked against the variable's type. */
  addAssignment(name: string, span: Span, value: Node, template: Template | undefined): void {
    const assignment: Assignment = { name, span, value, type: "dyn" };
    this.#assignments.push(assignment);
    if (template) this.onType(template, (type) => void (assignment.type = type));
  }

  /** Keeps the events of a channel from the start of the recipe. */
  keepChannel(channel: string | Template): void {
    this.#channels.add(channel);
  }

  /** Keeps the events of the job or run that a step leaves. */
  keepEvents(id: string): void {
    this.#eventIds.add(id);
  }

  /** Records that a step reads the job or run of another step again. */
  addRefresh(id: string, of: string): void {
    this.#refreshes.push({ id, of });
  }

  /** Keeps the events of a job or run even if they are only used under the id of a `get` step. */
  keepRefreshedEvents(): void {
    for (const { id, of } of this.#refreshes.toReversed()) {
      if (this.#eventIds.has(id)) this.#eventIds.add(of);
    }
  }

  /** The record of an expression. The search starts at the end, because most are recent. */
  #useOf(expression: Expression): ExpressionUse | undefined {
    return this.#expressions.findLast((use) => use.expression === expression);
  }

  /** Returns the offsets of a scalar, and keeps them for the next expression in the same scalar. */
  #offsetsOf(node: ScalarNode): ScalarOffsets {
    if (this.#offsets?.node !== node) this.#offsets = new ScalarOffsets(node, this.source.text);
    return this.#offsets;
  }
}

/** The text of a scalar: a string's value, or what a number or boolean is written as. */
export function textOf({ value, raw }: ScalarNode): string {
  return typeof value === "string" ? value : raw;
}
