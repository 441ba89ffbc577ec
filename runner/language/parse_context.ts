import { Expression } from "../expression/expression.ts";
import { type OpenHole, splitTemplate, type Template } from "../expression/template.ts";
import { ScalarMap } from "./_scalar_map.ts";
import type { Diagnostics } from "./diagnostic.ts";
import type { Step, UsedRecipe } from "./model.ts";
import { describe, type ListNode, type Node, type ScalarNode } from "./node.ts";
import type { Expected, ExpressionUse, Scope } from "./scope.ts";
import type { Source, Span } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import { ANY_MAP, type CelType, typeOfValue } from "../expression/types.ts";

/** A step id that is named outside of expressions. */
export interface Reference {
  /** The id. */
  id: string;
  /** Where it stands. */
  span: Span;
  /** What may be named: `cancel` takes a job, `get` a run too, and `wait` all of a `for_each`. */
  wants: "job" | "job or run" | "jobs or runs";
  /** The place it stands at. */
  scope: Scope;
}

/** A new value that a step gives to a variable. */
export interface Assignment {
  /** The variable. */
  name: string;
  /** Where it is named. */
  span: Span;
  /** The value. */
  value: Node;
  /** The type of the value, as far as it is known. */
  type: CelType;
}

/**
 * What the readers of fields share while one recipe is read: they add what is wrong to
 * `diagnostics`, and expressions and step ids to lists that are checked when the whole recipe is
 * known.
 */
export class Reading {
  /** What is wrong so far. */
  readonly diagnostics: Diagnostics;
  /** The expressions read so far. */
  readonly uses: ExpressionUse[] = [];
  /** The step ids named so far. */
  readonly references: Reference[] = [];
  /** The variables that steps give new values. */
  readonly assignments: Assignment[] = [];
  /** The channels whose events are needed from the recipe's beginning on. */
  readonly channels: Set<string | Template> = new Set();
  /** The ids whose job's or run's `events` are needed. */
  readonly eventIds: Set<string> = new Set();
  /** The ids of steps that read the job or run of another step anew. */
  readonly got: { id: string; of: string }[] = [];
  /** The number of the step that is being read. */
  number = "";
  /** Reads the steps inside a step; set by what reads steps. */
  readSteps: (node: ListNode, prefix: string) => Step[] = () => [];
  /** The recipes that this one uses, by the paths it names them with. */
  used: ReadonlyMap<string, UsedRecipe> = new Map();
  #map: ScalarMap | undefined;
  /** The place that is being read. */
  scope: Scope = { order: 0, phase: "steps", locals: {} };

  /** Starts reading a source. */
  constructor(diagnostics: Diagnostics) {
    this.diagnostics = diagnostics;
  }

  /** The text that is read. */
  get source(): Source {
    return this.diagnostics.source;
  }

  /** Runs a reader with other names in sight. */
  within<T>(scope: Partial<Scope>, read: () => T): T {
    const outer = this.scope;
    this.scope = { ...outer, ...scope };
    try {
      return read();
    } finally {
      this.scope = outer;
    }
  }

  /** Says that a value is not of the type that is wanted. */
  wrongType(node: Node, what: string, wanted: string, label?: string): void {
    this.diagnostics.error("wrong-type", node, `${what} must be ${wanted}, not ${describe(node)}`, {
      ...(label === undefined ? {} : { label }),
    });
  }

  /** Says that a key is not known. */
  unknownKey(key: string, span: Span, where: string, known: readonly string[]): void {
    const label = didYouMean(key, known) ??
      (known.length <= 8 ? `it takes ${known.join(", ")}` : undefined);
    this.diagnostics.error("unknown-key", span, `unknown key \`${key}\` in ${where}`, {
      ...(label === undefined ? {} : { label }),
    });
  }

  /** Reads a JSON value with `${{ }}` in its texts. */
  template(node: Node, what: string, expected: Expected = "any"): Template {
    if (node.kind === "list") {
      const items = node.items.map((item) => this.template(item, what));
      return items.every((item) => item.kind === "literal")
        ? { kind: "literal", value: items.map((item) => item.value) }
        : { kind: "list", items };
    }
    if (node.kind === "map") {
      const entries = node.entries.map(({ key, value }): [string, Template] => [
        key,
        this.template(value, what),
      ]);
      const fixed = entries.flatMap(([key, item]) =>
        item.kind === "literal" ? [[key, item.value]] : []
      );
      return fixed.length === entries.length
        ? { kind: "literal", value: Object.fromEntries(fixed) }
        : { kind: "map", entries };
    }
    if (typeof node.value === "number") this.#number(node);
    if (expected === "any") warnWord(node, this);
    if (typeof node.value !== "string" || !node.value.includes("${{")) {
      return { kind: "literal", value: node.value };
    }
    return this.#text(node, node.value, what, expected);
  }

  /** Reads a bare expression, or one in `${{ }}` that is the whole value. */
  expression(
    node: Node,
    what: string,
    expected: Expected,
    onType?: (type: CelType) => void,
  ): Expression | undefined {
    if (node.kind !== "scalar" || node.value === null) {
      this.wrongType(node, what, "an expression");
      return undefined;
    }
    const text = typeof node.value === "string" ? node.value : node.raw;
    let [start, end] = [0, text.length];
    if (text.trimStart().startsWith("${{")) {
      const split = splitTemplate(text);
      if ("from" in split) return this.#unclosed(node, split);
      const whole = split.holes.length === 1 && split.texts.every((part) => part.trim() === "");
      if (!whole) {
        this.diagnostics.error("bad-expression", node, `${what} is one expression, not text`);
        return undefined;
      }
      [start, end] = [split.holes[0]!.start, split.holes[0]!.end];
    }
    return this.#use(node, text, start, end, what, expected, onType);
  }

  /** Tells the type of a template that has been read: at once, or when its expression is checked. */
  typeOf(template: Template, tell: (type: CelType) => void): void {
    switch (template.kind) {
      case "literal":
        return tell(typeOfValue(template.value));
      case "text":
        return tell("string");
      case "list":
        return tell("list<dyn>");
      case "map":
        return tell(ANY_MAP);
      case "expression": {
        const use = this.useOf(template.expression);
        if (use) use.onType = tell;
      }
    }
  }

  /** What is known of an expression that has been read: of one of the last, mostly. */
  useOf(expression: Expression): ExpressionUse | undefined {
    return this.uses.findLast((use) => use.expression === expression);
  }

  /** Remembers a step id to be looked up when all are known. */
  reference(id: string, span: Span, wants: Reference["wants"]): void {
    this.references.push({ id, span, wants, scope: this.scope });
  }

  #text(node: ScalarNode, text: string, what: string, expected: Expected): Template {
    const split = splitTemplate(text);
    if ("from" in split) {
      this.#unclosed(node, split);
      return { kind: "literal", value: text };
    }
    const { texts, holes } = split;
    if (holes.length === 0) return { kind: "literal", value: texts[0] };
    if (holes.length === 1 && texts.every((part) => part === "")) {
      const { start, end } = holes[0]!;
      const expression = this.#use(node, text, start, end, what, expected);
      return expression ? { kind: "expression", expression } : { kind: "literal", value: text };
    }
    const parts: (string | Expression)[] = [];
    texts.forEach((part, i) => {
      if (part !== "") parts.push(part);
      const hole = holes[i];
      if (!hole) return;
      const expression = this.#use(node, text, hole.start, hole.end, what, "in text");
      if (expression) parts.push(expression);
    });
    return { kind: "text", parts };
  }

  #use(
    node: ScalarNode,
    text: string,
    from: number,
    to: number,
    what: string,
    expected: Expected,
    onType?: (type: CelType) => void,
  ): Expression | undefined {
    const inner = text.slice(from, to);
    const trimmed = inner.trim();
    const map = this.#mapOf(node);
    const offset = from + (inner.length - inner.trimStart().length);
    if (trimmed === "") {
      const span = map.span(Math.max(0, from - 3), Math.min(text.length, to + 2));
      this.diagnostics.error("bad-template", span, `there is no expression in ${what}`);
      return undefined;
    }
    const expression = new Expression(
      trimmed,
      (start, end) => map.span(offset + start, offset + end),
    );
    this.uses.push({
      expression,
      scope: this.scope,
      expected,
      what,
      ...(onType === undefined ? {} : { onType }),
    });
    return expression;
  }

  /** A scalar with many expressions is aligned once. */
  #mapOf(node: ScalarNode): ScalarMap {
    if (this.#map?.node !== node) this.#map = new ScalarMap(node, this.source.text);
    return this.#map;
  }

  #unclosed(node: ScalarNode, { from }: OpenHole): undefined {
    const span = this.#mapOf(node).span(from, from + 3);
    this.diagnostics.error("bad-template", span, "a `${{` without its `}}`");
    return undefined;
  }

  /** A number that is not written as it is read was most likely meant as text. */
  #number(node: ScalarNode): void {
    const { raw, value, style } = node;
    if (!Number.isFinite(value)) {
      const message = `\`${raw}\` is no number that JSON can hold`;
      return void this.diagnostics.error("wrong-value", node, message);
    }
    const read = Number.isInteger(value) ? BigInt(value as number) : value;
    if (style !== "plain" || String(read) === raw) return;
    this.diagnostics.warning("ambiguous-scalar", node, `\`${raw}\` is read as the number ${read}`, {
      label: `for text write "${raw}"`,
    });
  }
}

/** A plain word that is not the same to every reader of YAML: `yes` is true to older ones. */
export function warnWord(node: ScalarNode, { diagnostics }: Reading, onlyText = false): void {
  const { value, style } = node;
  if (style !== "plain" || typeof value !== "string") return;
  if (!/^(y|yes|n|no|on|off|\d+:\d\d(:\d\d)?)$/i.test(value)) return;
  // A letter in a payload is most likely just that.
  if (!onlyText && value.length === 1) return;
  const flag = /^(yes|on)$/i.test(value) ? "true" : "false";
  diagnostics.warning("ambiguous-scalar", node, `\`${value}\` is not text to every YAML reader`, {
    label: onlyText || /^\d/.test(value)
      ? `write "${value}"`
      : `write "${value}" for text, or \`${flag}\``,
  });
}
