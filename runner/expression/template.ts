import type { Span } from "./span.ts";
import { EvaluationError, type Expression, type Values } from "./expression.ts";
import type { Ambient } from "./cel.ts";

/** A value of a recipe, with the expressions in it. */
export type Template =
  | { kind: "literal"; value: unknown }
  | { kind: "expression"; expression: Expression }
  | { kind: "text"; parts: (string | Expression)[] }
  | { kind: "list"; items: Template[] }
  | { kind: "map"; entries: [string, Template][] };

/** A `${{ … }}` found in text; `start` and `end` enclose the expression between the braces. */
export interface Hole extends Span {
  /** Where `${{` begins. */
  from: number;
  /** Behind `}}`. */
  to: number;
}

/** A `${{` that is not closed. */
export interface OpenHole {
  /** Where `${{` begins. */
  from: number;
}

/** A template that holds no expression. */
export function literal(value: unknown): Template {
  return { kind: "literal", value };
}

/**
 * The holes of a text, and the text between them; there is always one text more than there are
 * holes. `$${{` is text: `${{`.
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

/** The offset of the `}}` that ends an expression: not one inside its strings or map literals. */
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
 * The value of a template.
 * @throws {EvaluationError} When an expression in it has no value, or none that text can hold.
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
        // Assigning `__proto__` would set a prototype; the payload is to have a key of that name.
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

/** The expressions of a template, in order. */
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
      `\`${expression.text}\` is ${what}, which text cannot hold`,
      expression.span(),
    );
  }
  return String(value);
}
