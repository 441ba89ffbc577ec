import { literal, type Template } from "../expression/template.ts";
import type { Recipe, Step } from "../language/model.ts";
import { type Entry, type Node, plainValue, type ScalarNode } from "../language/node.ts";
import { literalAt } from "../language/read_template.ts";
import type { Span } from "../language/source.ts";
import { type Token, tokens } from "./_tokens.ts";

/** The arguments of the calls that name something of the server, as keys of a step. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  enqueue: ["enqueue", "payload"],
  start: ["start", "input"],
  publish: ["publish"],
};
const OPENING = "([{";
const CLOSING = ")]}";

/**
 * Returns the steps of a recipe in TypeScript whose names are written in it, such as
 * `t.start("order")`, so that they can be checked before it runs. A call whose name is computed is
 * left out, and so are helper functions: these are checked when they are called.
 */
export function writtenSteps({ script, source, site }: Recipe): Step[] {
  const [, parameter] = /^(?:async\b\s*)?(?:function\b\s*\w*\s*)?\(?\s*([\w$]+)\s*(?:=>|[,)])/
    .exec(String(script)) ?? [];
  if (parameter === undefined || site === undefined) return [];
  const own = new OwnTokens(source.text, site, parameter);
  return own.isShadowed() ? [] : [...own.steps()];
}

/** An argument of a call. */
interface Argument {
  /** Its tokens are those from `start` up to `end`. */
  start: number;
  end: number;
}

/** A value, and the token after it. */
interface ReadValue {
  node: Node;
  end: number;
}

/** The tokens of a recipe's `recipe(…)`. */
class OwnTokens {
  readonly #tokens: Token[] = [];
  readonly #parameter: string;

  constructor(text: string, site: number, parameter: string) {
    this.#parameter = parameter;
    let depth = 0;
    for (const token of tokens(text, site)) {
      const { raw } = token;
      // For a runtime, the second call of `recipe.each(…)(…)` can begin where the first one ends.
      if (raw === ")" && this.#tokens.length === 0) continue;
      // `recipe.each(…)(…)` has several calls. What follows them is not the recipe's.
      const isBehind = depth === 0 && this.#tokens.at(-1)?.raw === ")" && raw !== "(";
      if (isBehind || depth === 0 && (CLOSING.includes(raw) || raw === ";")) break;
      if (OPENING.includes(raw)) depth++;
      if (CLOSING.includes(raw)) depth--;
      this.#tokens.push(token);
    }
  }

  /** Whether another function or variable may have the name of the parameter. */
  isShadowed(): boolean {
    const [, ...others] = this.#tokens.flatMap(({ raw }, i) =>
      raw === this.#parameter && this.#raw(i - 1) !== "." && this.#isBinding(i) ? [i] : []
    );
    return others.length > 0;
  }

  #isBinding(at: number): boolean {
    const before = this.#raw(at - 1);
    const after = this.#raw(at + 1);
    if (after === "=>" || ["const", "let", "var", "function"].includes(before)) return true;
    if (!"({[,".includes(before) || !",):=}]".includes(after)) return false;
    // `f(t)` is no binding; `(t) =>`, `f(t) {` and `(t): T =>` are.
    const close = this.#closing(at);
    return this.#raw(close) !== ")" || ["=>", "{", ":"].includes(this.#raw(close + 1));
  }

  *steps(): Generator<Step> {
    for (let i = 0; i < this.#tokens.length; i++) {
      const method = this.#methodAt(i);
      if (method === undefined) continue;
      const given = this.#arguments(i + 3);
      const step = method === "wait" ? this.#wait(given) : this.#request(method, given);
      if (!step) continue;
      yield { ...step, id: idAt(i), number: "", phase: "steps", soft: false };
    }
  }

  /** The method that is called at a token, which is the recipe's parameter. */
  #methodAt(at: number): string | undefined {
    const isCall = this.#raw(at) === this.#parameter && this.#raw(at - 1) !== "." &&
      this.#raw(at + 1) === "." && this.#raw(at + 3) === "(";
    return isCall ? this.#raw(at + 2) : undefined;
  }

  #request(method: string, given: Argument[]): Pick<Step, "kind" | "fields" | "span"> | undefined {
    if (method === "step") return this.#anyStep(given);
    const keys = Object.hasOwn(CALLS, method) ? CALLS[method]! : [];
    const name = given[0] && this.#template(given[0]);
    if (keys.length === 0 || name?.kind !== "literal") return undefined;
    const fields: Record<string, Template> = { [keys[0]!]: name };
    if (keys[1]) fields[keys[1]] = given[1] ? this.#template(given[1]) : literal(defaultOf(method));
    const queue = method === "enqueue" && given[2] && this.#property(given[2], "queue");
    if (queue) fields.queue = this.#template(queue);
    return { kind: method, fields, span: this.#span(given[0]!) };
  }

  /** The step of `t.step("start", { start: "order" })`. */
  #anyStep([kind, given]: Argument[]): Pick<Step, "kind" | "fields" | "span"> | undefined {
    const name = kind && this.#template(kind);
    if (name?.kind !== "literal" || !Object.hasOwn(CALLS, String(name.value))) return undefined;
    const method = String(name.value);
    const fields: Record<string, Template> = {};
    for (const key of [...CALLS[method]!, "queue"]) {
      const value = given && this.#property(given, key);
      if (value) fields[key] = this.#template(value);
    }
    // A name or an input that is not found may be there all the same.
    if (fields[method]?.kind !== "literal") return undefined;
    const [, value] = CALLS[method]!;
    if (value) fields[value] ??= UNKNOWN;
    return { kind: method, fields, span: this.#span(given!) };
  }

  /** The step of a wait until a run reaches a step, if it is known which run that is. */
  #wait([handle, settings]: Argument[]): Pick<Step, "kind" | "fields" | "span"> | undefined {
    const untilStep = settings && this.#property(settings, "untilStep");
    const run = untilStep && this.#startOf(handle!);
    if (run === undefined) return undefined;
    const fields = { wait: { step: idAt(run) }, until_step: this.#template(untilStep!) };
    return { kind: "wait", fields, span: this.#span(untilStep!) };
  }

  /** Where the run that a handle stands for is started: `await t.start(…)`, or a constant of it. */
  #startOf({ start, end }: Argument): number | undefined {
    if (this.#raw(start) === "await") return start + 1;
    const name = this.#raw(start);
    if (end !== start + 1 || this.#tokens[start]!.kind !== "name") return undefined;
    const declared = this.#tokens.flatMap(({ raw }, i) => {
      const isDeclared = raw === name && ["const", "let", "var"].includes(this.#raw(i - 1));
      return isDeclared ? [i] : [];
    });
    const [at] = declared;
    const isConstant = declared.length === 1 && this.#raw(at! - 1) === "const";
    const isStarted = this.#raw(at! + 1) === "=" && this.#raw(at! + 2) === "await";
    return isConstant && isStarted ? at! + 3 : undefined;
  }

  /** The arguments of a call whose parenthesis is at a token. */
  #arguments(open: number): Argument[] {
    const found: Argument[] = [];
    let start = open + 1;
    while (start < this.#tokens.length && this.#raw(start) !== ")") {
      const end = this.#end(start);
      found.push({ start, end });
      if (this.#raw(end) !== ",") break;
      start = end + 1;
    }
    return found;
  }

  /** The value of a key of an object, if the object is written there and spreads no other. */
  #property({ start }: Argument, key: string): Argument | undefined {
    if (this.#raw(start) !== "{") return undefined;
    let found: Argument | undefined;
    for (let at = start + 1; at < this.#tokens.length && this.#raw(at) !== "}";) {
      const end = this.#end(at);
      if (this.#raw(at) === ".") return undefined;
      if (this.#keyOf(at) === key && this.#raw(at + 1) === ":") found = { start: at + 2, end };
      at = this.#raw(end) === "," ? end + 1 : end;
      if (end === at && this.#raw(at) !== "}") return undefined;
    }
    return found;
  }

  #keyOf(at: number): string | undefined {
    const { kind, raw, value } = this.#tokens[at]!;
    return kind === "name" ? raw : kind === "text" ? String(value) : undefined;
  }

  /** A literal value with its place, or a template that is known only in a run. */
  #template({ start, end }: Argument): Template {
    const read = this.#value(start);
    const isWhole = read && (read.end === end || ["as", "satisfies"].includes(this.#raw(read.end)));
    return isWhole ? literalAt(plainValue(read.node), read.node) : UNKNOWN;
  }

  /** Reads a value of JSON as JavaScript writes it. */
  #value(at: number): ReadValue | undefined {
    const token = this.#tokens[at];
    const sign = token?.raw === "-" ? -1 : 1;
    const value = sign === -1 ? this.#tokens[at + 1] : token;
    if (!token || !value) return undefined;
    const scalar = (content: ScalarNode["value"]): ReadValue => ({
      node: {
        kind: "scalar",
        style: "plain",
        raw: value.raw,
        value: content,
        start: token.start,
        end: value.end,
      },
      end: at + (sign === -1 ? 2 : 1),
    });
    if (value.kind === "number") return scalar(sign * Number(value.value));
    if (sign === -1) return undefined;
    if (value.kind === "text") return scalar(String(value.value));
    if (value.raw === "true" || value.raw === "false") return scalar(value.raw === "true");
    if (value.raw === "null") return scalar(null);
    if (value.raw === "[") return this.#list(at);
    return value.raw === "{" ? this.#map(at) : undefined;
  }

  #list(open: number): ReadValue | undefined {
    const items: Node[] = [];
    let at = open + 1;
    while (this.#raw(at) !== "]") {
      const item = this.#value(at);
      if (!item) return undefined;
      items.push(item.node);
      const next = this.#afterItem(item.end, "]");
      if (next === undefined) return undefined;
      at = next;
    }
    return {
      node: { kind: "list", items, ...this.#span({ start: open, end: at + 1 }) },
      end: at + 1,
    };
  }

  #map(open: number): ReadValue | undefined {
    const entries: Entry[] = [];
    let at = open + 1;
    while (this.#raw(at) !== "}") {
      const key = at < this.#tokens.length ? this.#keyOf(at) : undefined;
      const value = this.#raw(at + 1) === ":" ? this.#value(at + 2) : undefined;
      if (key === undefined || !value) return undefined;
      entries.push({ key, keySpan: this.#span({ start: at, end: at + 1 }), value: value.node });
      const next = this.#afterItem(value.end, "}");
      if (next === undefined) return undefined;
      at = next;
    }
    return {
      node: { kind: "map", entries, ...this.#span({ start: open, end: at + 1 }) },
      end: at + 1,
    };
  }

  /** The token after an item of a list or map and its comma. */
  #afterItem(at: number, close: string): number | undefined {
    if (this.#raw(at) === ",") return at + 1;
    return this.#raw(at) === close ? at : undefined;
  }

  /** The token that ends an expression: a comma, a semicolon, or a bracket around it. */
  #end(start: number): number {
    let depth = 0;
    for (let i = start; i < this.#tokens.length; i++) {
      const raw = this.#raw(i);
      if (depth === 0 && (CLOSING.includes(raw) || raw === "," || raw === ";")) return i;
      if (OPENING.includes(raw)) depth++;
      if (CLOSING.includes(raw)) depth--;
    }
    return this.#tokens.length;
  }

  /** The bracket that closes what is around a token. */
  #closing(at: number): number {
    let end = this.#end(at);
    while ([",", ";"].includes(this.#raw(end))) end = this.#end(end + 1);
    return end;
  }

  #raw(at: number): string {
    return this.#tokens[at]?.raw ?? "";
  }

  #span({ start, end }: Argument): Span {
    return { start: this.#tokens[start]!.start, end: this.#tokens[end - 1]!.end };
  }
}

/** The id of the step of a call. */
function idAt(token: number): string {
  return `$${token}`;
}

/** A value that is known only in a run. */
const UNKNOWN: Template = { kind: "list", items: [] };

/** What a call sends without a payload or input. */
function defaultOf(method: string): unknown {
  return method === "start" ? {} : null;
}
