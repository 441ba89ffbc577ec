import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import {
  type Ast,
  BINDERS,
  childrenOf,
  type FreeName,
  freeNames,
  textRange,
} from "../expression/ast.ts";
import { type Cel, faultOf } from "../expression/cel.ts";
import {
  baseType,
  type CelType,
  describeType,
  isRecordType,
  type RecordType,
  recordType,
} from "../expression/types.ts";
import type { Diagnostics } from "../language/diagnostic.ts";
import { Environments } from "./environments.ts";
import { checkOrder, type Guards, type Known } from "./check_references.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { Expected, ExpressionUse, StepInfo } from "../language/scope.ts";
import type { Span } from "../language/source.ts";
import { didYouMean } from "../language/suggest.ts";
import { syntaxHint } from "./syntax_hint.ts";
import { explainTypeError } from "./type_errors.ts";

/** Checks every expression: its syntax, its names, its types, and what its value is used as. */
export function checkExpressions(
  context: ParseContext,
  known: Known,
  guards: Guards,
  cel: Cel,
): void {
  const { diagnostics } = context;
  const bound = context.expressions.filter((use) => {
    try {
      use.expression.bind(cel.parse(use.expression.text));
      return true;
    } catch (error) {
      const { text } = use.expression;
      const fault = faultOf(error, text.length);
      const start = Math.min(fault.start, Math.max(0, text.length - 1));
      const span = use.expression.span(start, Math.max(fault.end, start + 1));
      diagnostics.error("bad-expression", span, `cannot read the expression in ${use.what}`, {
        label: syntaxHint(text, fault),
      });
      return false;
    }
  });
  for (const use of bound) {
    if (use.scope.phase === "always" && use.what === "`if`") {
      guards.add(use.scope, new Set(freeNames(use.expression.ast).map(({ name }) => name)));
    }
  }
  // The types of variables and of fields that `outputs` add are what the others are checked with.
  const isFirst = (use: ExpressionUse) => use.scope.varCount !== undefined || use.first === true;
  for (const some of [bound.filter(isFirst), bound.filter((use) => !isFirst(use))]) {
    const environments = new Environments(cel, known);
    for (const use of some) {
      new Checker(use, context, known, guards, environments).check();
    }
  }
}

class Checker {
  #use: ExpressionUse;
  #context: ParseContext;
  #diagnostics: Diagnostics;
  #known: Known;
  #guards: Guards;
  #environments: Environments;

  constructor(
    use: ExpressionUse,
    context: ParseContext,
    known: Known,
    guards: Guards,
    environments: Environments,
  ) {
    this.#use = use;
    this.#context = context;
    this.#diagnostics = context.diagnostics;
    this.#known = known;
    this.#guards = guards;
    this.#environments = environments;
  }

  check(): void {
    const { expression, expected, onType, comparedWith = [] } = this.#use;
    const states = this.#statesOf(expression.ast);
    for (const { value, span } of comparedWith) {
      if (states && typeof value === "string") this.#state(value, span, states);
    }
    const type = this.#type(expression.ast, 0, expression.text.length);
    if (type === undefined) return;
    if (this.#suits(type, expected)) onType?.(type);
  }

  /** Whether a name and the fields taken from it are known. */
  #name({ name, node, path, asks }: FreeName): boolean {
    const { scope } = this.#use;
    if (Object.hasOwn(scope.locals, name)) return this.#fields(name, scope.locals[name]!, path);
    const root = Object.hasOwn(this.#known.roots, name) ? this.#known.roots[name] : undefined;
    if (root) return this.#rootField(name, root, path);
    const info = this.#known.steps.get(name);
    if (info?.broken) return false;
    if (!info) {
      const names = this.#namesInSight();
      const label = didYouMean(name, names);
      this.#error("unknown-name", node, `there is no \`${name}\` here`, label);
      return false;
    }
    const span = this.#use.expression.span(node.start, node.end);
    if (!checkOrder(info, scope, span, this.#context, this.#guards)) return false;
    if (info.type === undefined) {
      this.#error("unknown-field", node, `step \`${name}\` leaves nothing under its id`);
      return false;
    }
    if (path.length === 0 || path[0]!.field === "events") this.#context.keepEvents(name);
    if (!this.#fields(name, info.type, path)) return false;
    this.#mayBeAbsent(info, path, asks);
    return true;
  }

  /** A field that is not always there is warned about, unless something makes sure of it. */
  #mayBeAbsent(info: StepInfo, path: FreeName["path"], asks: boolean): void {
    const { scope, what, expression } = this.#use;
    const [first] = path;
    // A wait asks again until the field is there.
    if (!first || asks || what === "`until`" || what.startsWith("a key of")) return;
    const { field } = first;
    if (!this.#record(info.type ?? "")?.optional?.includes(field)) return;
    if (expression.text.includes(`has(${info.id}.${field})`)) return;
    const sure = info.waits.some(({ order, states }) =>
      order <= scope.order &&
      states.every((state) => PRESENT[baseType(info.type!)]?.[state]?.includes(field))
    );
    if (sure) return;
    const end = first.node.end;
    const span = expression.span(end - field.length, end);
    this.#diagnostics.warning("may-be-absent", span, `\`${info.id}.${field}\` may be absent`, {
      label: `ask with \`has(${info.id}.${field})\`, or use \`${info.id}.?${field}.orValue(…)\``,
    });
  }

  #namesInSight(): string[] {
    const { scope } = this.#use;
    const ids = [...this.#known.steps.values()]
      .filter((step) => step.availableFrom <= scope.order)
      .map((step) => step.id);
    return [...ids, ...Object.keys(this.#known.roots), ...Object.keys(scope.locals)];
  }

  #rootField(name: string, fields: Record<string, CelType>, path: FreeName["path"]): boolean {
    const first = path[0];
    if (!first) return true;
    const names = Object.keys(fields);
    const { varCount } = this.#use.scope;
    if (!Object.hasOwn(fields, first.field)) {
      const label = didYouMean(first.field, names) ?? missingRoot(name, first.field);
      const what = ROOT_TITLES[name] ?? name;
      this.#fieldError("unknown-variable", first.node, `unknown ${what} \`${first.field}\``, label);
      return false;
    }
    if (name === "vars" && varCount !== undefined && names.indexOf(first.field) >= varCount) {
      this.#fieldError(
        "used-too-early",
        first.node,
        `variable \`${first.field}\` is defined further down`,
      );
      return false;
    }
    return this.#fields(`${name}.${first.field}`, fields[first.field]!, path.slice(1));
  }

  #fields(name: string, from: CelType, path: FreeName["path"]): boolean {
    let type = from;
    let text = name;
    for (const { field, node } of path) {
      const record = this.#record(type);
      if (!record) return true;
      if (!Object.hasOwn(record.fields, field)) {
        this.#unknownField(node, text, field, record);
        return false;
      }
      type = record.fields[field]!;
      text += `.${field}`;
    }
    return true;
  }

  #unknownField(node: Ast, text: string, field: string, record: RecordType): void {
    const names = Object.keys(record.fields);
    const label = didYouMean(field, names) ?? `it has ${names.join(", ")}`;
    this.#fieldError(
      "unknown-field",
      node,
      `\`${text}\` is ${record.title} and has no \`${field}\``,
      label,
    );
  }

  /** `order.state == "complete"` is well typed, and never true. */
  #states(node: Ast, bound: Bound = {}): void {
    if (node.op === "==" || node.op === "!=" || node.op === "in") {
      const [a, b] = node.args;
      this.#stateLiteral(a, b, bound);
      if (node.op !== "in") this.#stateLiteral(b, a, bound);
    }
    if (node.op === "rcall") {
      const [name, list, [item]] = node.args;
      // The item of a macro is one of the list's.
      if (BINDERS.has(name) && item?.op === "id") {
        const type = itemOf(this.#typeOf(list, bound));
        bound = { ...bound, [item.args]: type };
      }
    }
    for (const child of childrenOf(node)) this.#states(child, bound);
  }

  #stateLiteral(subject: Ast, other: Ast, bound: Bound): void {
    const states = this.#statesOf(subject, bound);
    if (!states) return;
    for (const literal of other.op === "list" ? other.args : [other]) {
      if (literal.op !== "value" || typeof literal.args !== "string") continue;
      this.#state(literal.args, this.#use.expression.span(literal.start, literal.end), states);
    }
  }

  /** The states of which a node is one, where it is the state of a job or a run. */
  #statesOf(
    node: Ast,
    bound: Bound = {},
  ): { type: CelType; states: readonly string[] } | undefined {
    if (node.op !== "." || node.args[1] !== "state") return undefined;
    const type = this.#typeOf(node.args[0], bound);
    if (type === "JobResult") return { type, states: JOB_STATES };
    return type === "RunResult" ? { type, states: RUN_STATES } : undefined;
  }

  /** The type of a job, a run or a list of them, as far as it is plain from the names. */
  #typeOf(node: Ast, bound: Bound): CelType | undefined {
    if (node.op === "[]") return itemOf(this.#typeOf(node.args[0], bound));
    if (node.op === "rcall" && node.args[0] === "filter") return this.#typeOf(node.args[1], bound);
    if (node.op !== "id") return undefined;
    const { locals } = this.#use.scope;
    const name = node.args;
    if (Object.hasOwn(bound, name)) return bound[name];
    const own = Object.hasOwn(locals, name) ? locals[name] : this.#known.steps.get(name)?.type;
    return own === undefined ? undefined : baseType(own);
  }

  #state(
    state: string,
    span: Span,
    { type, states }: { type: CelType; states: readonly string[] },
  ) {
    if (states.includes(state)) return;
    const label = didYouMean(state, states) ?? `it can be ${states.join(", ")}`;
    const message = `${describeType(type)} is never \`${state}\``;
    this.#diagnostics.error("unknown-state", span, message, { label });
  }

  /** The type of a part of the expression; `undefined` when something is wrong with it. */
  #type(node: Ast, start: number, end: number): CelType | undefined {
    const { expression } = this.#use;
    // Each side is checked by itself, so that one run shows the mistakes of both.
    if (node.op === "&&" || node.op === "||") {
      let ok = true;
      for (const side of node.args) {
        const range = textRange(side, expression.text);
        const type = this.#type(side, range.start, range.end);
        if (type === undefined) ok = false;
        else if (type !== "bool" && type !== "dyn") {
          ok = false;
          this.#error(
            "not-a-condition",
            side,
            `\`${node.op}\` takes true or false, this is ${describeType(type)}`,
          );
        }
      }
      return ok ? "bool" : undefined;
    }
    const named = freeNames(node).map((name) => this.#name(name)).every((ok) => ok);
    if (!named) return undefined;
    this.#states(node);
    const text = expression.text.slice(start, end);
    let result;
    try {
      result = this.#environments.for(this.#use.scope).parse(text).check();
    } catch (error) {
      result = { valid: false, error: error as Error, type: undefined };
    }
    if (result.valid) return String(result.type);
    this.#typeError(result.error, start, text.length);
    return undefined;
  }

  #typeError(error: unknown, offset: number, length: number): void {
    const fault = faultOf(error, length);
    const span = this.#use.expression.span(offset + fault.start, offset + fault.end);
    const text = this.#use.expression.text.slice(offset + fault.start, offset + fault.end);
    const { code, message, label } = explainTypeError(fault, text, this.#known.records.values());
    this.#diagnostics.error(code, span, message, label === undefined ? {} : { label });
  }

  #suits(type: CelType, expected: Expected): boolean {
    if (type === "dyn" || expected === "any") return true;
    const { expression, what } = this.#use;
    const is = describeType(type);
    if (expected === "condition") {
      if (type === "bool") return true;
      this.#diagnostics.error(
        "not-a-condition",
        expression.span(),
        `${what} must be true or false, this is ${is}`,
      );
      return false;
    }
    if (expected === "in text") {
      const simple = !/^(list|map|null|optional)/.test(type) && !isRecordType(type);
      if (simple) return true;
      this.#diagnostics.error("object-in-text", expression.span(), `text cannot hold ${is}`, {
        label: "name one of its fields, or let the expression be the whole value",
      });
      return false;
    }
    if (SUITABLE[expected].test(type)) return true;
    this.#diagnostics.error(
      "wrong-type",
      expression.span(),
      `${what} must be ${WANTED[expected]}, this is ${is}`,
    );
    return false;
  }

  #record(type: CelType): RecordType | undefined {
    return recordType(type) ?? this.#known.records.get(type);
  }

  #error(code: Parameters<Diagnostics["error"]>[0], node: Ast, message: string, label?: string) {
    const span = this.#use.expression.span(node.start, node.end);
    this.#diagnostics.error(code, span, message, label === undefined ? {} : { label });
  }

  /** Marks only the field of an access, not all that it is taken from. */
  #fieldError(
    code: Parameters<Diagnostics["error"]>[0],
    node: Ast,
    message: string,
    label?: string,
  ) {
    const field = node.args as [Ast, string];
    const start = node.end - field[1].length;
    const span = this.#use.expression.span(start, node.end);
    this.#diagnostics.error(code, span, message, label === undefined ? {} : { label });
  }
}

/** The types of the names that the macros around an expression bring. */
type Bound = Readonly<Record<string, CelType | undefined>>;

function itemOf(list: CelType | undefined): CelType | undefined {
  return /^list<(.*)>$/.exec(list ?? "")?.[1];
}

/** Fields that are there in a state. A job that failed has no `completed_at`, a run has. */
const PRESENT: Record<string, Record<string, readonly string[]>> = {
  JobResult: {
    running: ["started_at"],
    retrying: ["started_at", "last_error"],
    completed: ["started_at", "completed_at", "duration_ms"],
    failed: ["started_at", "last_error"],
  },
  RunResult: {
    completed: ["completed_at", "duration_ms"],
    failed: ["completed_at", "duration_ms", "error"],
  },
};

type Wanted = Exclude<Expected, "any" | "condition" | "in text">;

const SUITABLE: Record<Wanted, RegExp> = {
  "text": /^string$/,
  "whole number": /^u?int$/,
  "duration": /^(string|google.protobuf.Duration)$/,
  "list": /^list/,
};

const WANTED: Record<Wanted, string> = {
  "text": "text",
  "whole number": "a whole number",
  "duration": "a duration",
  "list": "a list",
};

const ROOT_TITLES: Record<string, string> = {
  vars: "variable",
  env: "environment variable",
  secrets: "secret",
  matrix: "matrix key",
  inputs: "input",
};

function missingRoot(root: string, field: string): string | undefined {
  if (root === "env") return `declare it: \`env: [${field}]\``;
  if (root === "secrets") return `declare it: \`secrets: [${field}]\``;
  return undefined;
}
