import { EvaluationError, type Expression, type Values } from "./expression.ts";
import type { Ambient } from "./functions.ts";
import type { Span } from "./span.ts";

/** A JSON value of a recipe that may contain expressions. */
export type Template =
  | { kind: "literal"; value: unknown }
  | { kind: "expression"; expression: Expression }
  | { kind: "text"; parts: (string | Expression)[] }
  | { kind: "list"; items: Template[] }
  | { kind: "map"; entries: [string, Template][] };

/** A `${{ … }}` in a text. `start` and `end` are the range of the expression between the braces. */
export interface Hole extends Span {
  /** The offset of `${{`. */
  from: number;
  /** The offset after `}}`. */
  to: number;
}

/** A `${{` without a `}}`. */
export interface OpenHole {
  /** The offset of `${{`. */
  from: number;
}

/** A template without expressions. */
export function literal(value: unknown): Template {
  return { kind: "literal", value };
}

/**
 * Splits a text into its holes and the texts around them, of which there is one more. `$${{` escapes
 * `${{`.
 */
export function splitTemplate(text: string): { texts: string[]; holes: Hole[] } | OpenHole {
  const texts: string[] = [];
  const holes: Hole[] = [];
  let current = "";
  let i = 0;
  while (i < text.length) {
    if (text.startsWith("$${{", i)) {
      current += "${{";
      i += 4;
    } else if (text.startsWith("${{", i)) {
      const close = findClose(text, i + 3);
      if (close === undefined) return { from: i };
      texts.push(current);
      current = "";
      holes.push({ from: i, start: i + 3, end: close, to: close + 2 });
      i = close + 2;
    } else {
      current += text[i++];
    }
  }
  texts.push(current);
  return { texts, holes };
}

/** The offset of the `}}` that ends an expression, skipping strings and map literals. */
function findClose(text: string, from: number): number | undefined {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const char = text[i]!;
    if (char === '"' || char === "'") {
      const end = endOfString(text, i);
      if (end === undefined) return undefined;
      i = end;
    } else if (char === "{") {
      depth++;
    } else if (char === "}") {
      if (depth > 0) depth--;
      else if (text[i + 1] === "}") return i;
    }
  }
  return undefined;
}

function endOfString(text: string, from: number): number | undefined {
  const quote = text[from]!;
  const raw = /(?:^|[^\w])r$/i.test(text.slice(Math.max(0, from - 2), from));
  const long = text.startsWith(quote.repeat(3), from);
  const end = long ? quote.repeat(3) : quote;
  for (let i = from + end.length; i < text.length; i++) {
    if (text[i] === "\\" && !raw) i++;
    else if (text.startsWith(end, i)) return i + end.length - 1;
  }
  return undefined;
}

/**
 * Evaluates a template.
 * @throws {EvaluationError} If an expression cannot be evaluated, or has a value that text cannot
 * contain.
 */
export function resolveTemplate(template: Template, values: Values, ambient: Ambient): unknown {
  switch (template.kind) {
    case "literal":
      return template.value;
    case "expression":
      return template.expression.evaluate(values, ambient);
    case "text":
      return template.parts.map((part) =>
        typeof part === "string" ? part : textOf(part.evaluate(values, ambient), part)
      ).join("");
    case "list":
      return template.items.map((item) => resolveTemplate(item, values, ambient));
    case "map": {
      const out: Record<string, unknown> = {};
      for (const [key, item] of template.entries) {
        // Assigning to `__proto__` would set the prototype instead of adding a key.
        Object.defineProperty(out, key, {
          value: resolveTemplate(item, values, ambient),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return out;
    }
  }
}

/** Returns the place of a template that is one expression; other templates do not know theirs. */
export function templateSpan(template: Template): Span | undefined {
  return template.kind === "expression" ? template.expression.span() : undefined;
}

/** The expressions of a template, in source order. */
export function expressionsOf(template: Template): Expression[] {
  switch (template.kind) {
    case "literal":
      return [];
    case "expression":
      return [template.expression];
    case "text":
      return template.parts.filter((part) => typeof part !== "string");
    case "list":
      return template.items.flatMap(expressionsOf);
    case "map":
      return template.entries.flatMap(([, item]) => expressionsOf(item));
  }
}

function textOf(value: unknown, expression: Expression): string {
  if (value === null || typeof value === "object") {
    const what = value === null ? "null" : Array.isArray(value) ? "a list" : "a map";
    throw new EvaluationError(
      `\`${expression.text}\` is ${what}, which text cannot contain`,
      expression.span(),
    );
  }
  return String(value);
}
