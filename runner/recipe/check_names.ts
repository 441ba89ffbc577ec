import type { Ast, FreeName } from "../expression/ast.ts";
import { baseType, type CelType, type RecordType, recordType } from "../expression/types.ts";
import type { DiagnosticCode } from "../language/codes.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { ExpressionUse, StepInfo } from "../language/scope.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { checkOrder, type Guards, type Known } from "./check_references.ts";

/** Checks that the names in one expression are known, and that their values have the fields used. */
export class NameChecker {
  readonly #use: ExpressionUse;
  readonly #context: ParseContext;
  readonly #known: Known;
  readonly #guards: Guards;

  /** Reports to `context`. */
  constructor(use: ExpressionUse, context: ParseContext, known: Known, guards: Guards) {
    this.#use = use;
    this.#context = context;
    this.#known = known;
    this.#guards = guards;
  }

  /** Checks one name and the fields taken from it; returns whether all are known. */
  check({ name, node, path, asks }: FreeName): boolean {
    const { scope } = this.#use;
    if (Object.hasOwn(scope.locals, name)) {
      const type = scope.locals[name]!;
      return this.#checkFields(name, type, path) && this.#checkAsked(name, type, path, asks);
    }
    const root = Object.hasOwn(this.#known.roots, name) ? this.#known.roots[name] : undefined;
    if (root) return this.#checkRoot(name, root, path);
    const info = this.#known.steps.get(name);
    if (info?.broken) return false;
    if (!info) {
      const other = Object.hasOwn(OTHER_ROOTS, name) ? OTHER_ROOTS[name] : undefined;
      const label = other ?? didYouMean(name, this.#namesInSight());
      this.#error("unknown-name", node.start, node.end, `unknown name \`${name}\``, label);
      return false;
    }
    const span = this.#use.expression.span(node.start, node.end);
    if (!checkOrder(info, scope, span, this.#context, this.#guards)) return false;
    if (info.type === undefined) {
      const message = `step \`${name}\` has no result`;
      this.#error("unknown-field", node.start, node.end, message);
      return false;
    }
    if (path.length === 0 || path[0]!.field === "events") this.#context.keepEvents(name);
    if (!this.#checkFields(name, info.type, path)) return false;
    this.#checkPresence(info, path, asks);
    return true;
  }

  /** Warns about an optional field, unless a wait or a `has()` guarantees that it is there. */
  #checkPresence(info: StepInfo, path: FreeName["path"], asks: boolean): void {
    const { scope, what } = this.#use;
    const [first] = path;
    // A wait evaluates its `until` again until the field is there.
    if (!first || asks || what === "`until`" || what.startsWith("a key of")) return;
    const { field } = first;
    if (!this.#record(info.type ?? "dyn")?.optional?.includes(field)) return;
    if (this.#isAsked(info.id, field)) return;
    const guaranteed = info.waits.some(({ order, states }) =>
      order <= scope.order &&
      states.every((state) => PRESENT[baseType(info.type!)]?.[state]?.includes(field))
    );
    if (guaranteed) return;
    const { message, span, details } = this.#absence(info.id, first);
    this.#context.diagnostics.warning("may-be-absent", span, message, details);
  }

  /** Reports an optional field of a value whose expressions must ask; returns whether there is none. */
  #checkAsked(name: string, type: CelType, path: FreeName["path"], asks: boolean): boolean {
    const record = this.#record(type);
    const [first] = path;
    if (!record?.mustAsk || !first || !record.optional?.includes(first.field)) return true;
    if (asks || this.#isAsked(name, first.field)) return true;
    const { message, span, details } = this.#absence(name, first);
    this.#context.diagnostics.error("may-be-absent", span, message, details);
    return false;
  }

  #isAsked(name: string, field: string): boolean {
    return this.#use.expression.text.includes(`has(${name}.${field})`);
  }

  #absence(name: string, { field, node }: FreeName["path"][number]) {
    const text = `${name}.${field}`;
    const label = `check with \`has(${text})\`, or use \`${name}.?${field}.orValue(…)\``;
    return {
      message: `\`${text}\` may be absent`,
      span: this.#use.expression.span(node.end - field.length, node.end),
      details: { label },
    };
  }

  #namesInSight(): string[] {
    const { scope } = this.#use;
    const ids = [...this.#known.steps.values()]
      .filter((step) => step.availableFrom <= scope.order)
      .map((step) => step.id);
    return [...ids, ...Object.keys(this.#known.roots), ...Object.keys(scope.locals)];
  }

  #checkRoot(name: string, fields: Record<string, CelType>, path: FreeName["path"]): boolean {
    const first = path[0];
    if (!first) return true;
    const names = Object.keys(fields);
    const { varCount } = this.#use.scope;
    if (!Object.hasOwn(fields, first.field)) {
      const label = didYouMean(first.field, names) ?? declarationHint(name, first.field);
      const what = ROOT_TITLES[name] ?? name;
      this.#fieldError("unknown-variable", first.node, `unknown ${what} \`${first.field}\``, label);
      return false;
    }
    if (name === "vars" && varCount !== undefined && names.indexOf(first.field) >= varCount) {
      const message = `variable \`${first.field}\` is defined further down`;
      this.#fieldError("used-too-early", first.node, message);
      return false;
    }
    return this.#checkFields(`${name}.${first.field}`, fields[first.field]!, path.slice(1));
  }

  #checkFields(name: string, from: CelType, path: FreeName["path"]): boolean {
    let type = from;
    let text = name;
    for (const { field, node } of path) {
      const record = this.#record(type);
      if (!record) return true;
      if (!Object.hasOwn(record.fields, field)) {
        const names = Object.keys(record.fields);
        const label = didYouMean(field, names) ?? `it has ${names.join(", ")}`;
        const message = `\`${text}\` is ${record.title} and has no \`${field}\``;
        this.#fieldError("unknown-field", node, message, label);
        return false;
      }
      type = record.fields[field]!;
      text += `.${field}`;
    }
    return true;
  }

  #record(type: CelType): RecordType | undefined {
    return recordType(type) ?? this.#known.records.get(type);
  }

  /** Marks only the field's name, not the value it is taken from. */
  #fieldError(code: DiagnosticCode, node: Ast, message: string, label?: string): void {
    const [, field] = node.args as [Ast, string];
    this.#error(code, node.end - field.length, node.end, message, label);
  }

  #error(code: DiagnosticCode, start: number, end: number, message: string, label?: string): void {
    const span = this.#use.expression.span(start, end);
    this.#context.diagnostics.error(code, span, message, label === undefined ? {} : { label });
  }
}

/** The optional fields that are there in each state. A failed job has no `completed_at`, a run has. */
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

/** Hints for names of other tools. */
const OTHER_ROOTS: Record<string, string> = {
  var: "did you mean `vars`?",
  variable: "did you mean `vars`?",
  variables: "did you mean `vars`?",
  environment: "did you mean `env`?",
  process: "did you mean `env`?",
  secret: "did you mean `secrets`?",
  input: "did you mean `inputs`?",
  steps: "the result of a step has the step's id as its name",
  now: "write `now()` for the time",
  uuid: "write `uuid()` for a new one",
  random: "write `random(n)` for a whole number below n",
};

const ROOT_TITLES: Record<string, string> = {
  vars: "variable",
  env: "environment variable",
  secrets: "secret",
  matrix: "matrix key",
  inputs: "input",
};

function declarationHint(root: string, field: string): string | undefined {
  if (root === "env") return `declare it: \`env: [${field}]\``;
  if (root === "secrets") return `declare it: \`secrets: [${field}]\``;
  return undefined;
}
