import { StepFailure } from "../events/failure.ts";
import { fromCel, isPlain } from "../expression/convert.ts";
import { Expression, type Values } from "../expression/expression.ts";
import { Diagnostics } from "../language/diagnostic.ts";
import { readFields } from "../language/field.ts";
import type { MapNode, Node, ScalarNode } from "../language/node.ts";
import { ParseContext } from "../language/parse_context.ts";
import { Source, type Span } from "../language/source.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import type { StepKind } from "../steps/kind.ts";
import { kindNamed, STEP_KINDS } from "../steps/step_kinds.ts";
import type { JobHandle, RunHandle } from "./handle.ts";
import { jsonProblem } from "./json_problem.ts";

/** The span of something that is not written in a file. */
export const NOWHERE: Span = { start: 0, end: 0 };

/** A condition that is a function, where a YAML recipe has an expression. */
export class FunctionExpression extends Expression {
  #holds: (it: never) => boolean;
  #local: string;

  /** Wraps a function; its argument is the value of the local name `local`. */
  constructor(holds: (it: never) => boolean, local = "it") {
    super(holds.toString(), () => NOWHERE);
    this.#holds = holds;
    this.#local = local;
  }

  /** Returns what the function returns. */
  override evaluate(values: Values): unknown {
    return this.#holds(fromCel(values[this.#local]) as never);
  }
}

/**
 * Returns the step kind with a name, for `t.step`.
 *
 * @throws {StepFailure} If there is none, or if it holds other steps.
 */
export function scriptKind(name: string): StepKind {
  const kind = kindNamed(name);
  if (!kind) {
    const meant = didYouMean(name, Object.keys(STEP_KINDS));
    refuse(`unknown step kind \`${name}\`${meant === undefined ? "" : `; ${meant}`}`);
  }
  if (kind.stepsKey !== undefined || kind.recipeKey !== undefined) {
    refuse(`\`t.step\` cannot run ${kind.title}: use functions and \`Promise.all\``);
  }
  return kind;
}

/**
 * Returns the fields of a step, read from JavaScript values by the readers and checks that YAML goes
 * through.
 *
 * @throws {StepFailure} If a value does not fit.
 */
export function readStepFields(kind: StepKind, given: Record<string, unknown>): unknown {
  if (typeof given !== "object" || given === null) refuse("the fields of a step must be an object");
  const context = new ScriptContext();
  const node = context.mapNode(given);
  const fields = readFields(node, kind.fields, context, kind.title);
  context.throwOnError();
  kind.check?.(fields, {
    context,
    node,
    id: undefined,
    at: (key) => node.entries.find((entry) => entry.key === key)?.value,
    typeOf: () => undefined,
    waitedFor: () => {},
    defineType: () => "dyn",
  });
  context.throwOnError();
  return fields;
}

/** A parse context for values of a TypeScript recipe, whose expressions are functions. */
class ScriptContext extends ParseContext {
  #functions = new Map<Node, (it: never) => boolean>();

  constructor() {
    super(new Diagnostics(new Source("", "")));
  }

  override addExpression(node: ScalarNode, _span: Span, what: string): Expression | undefined {
    const condition = this.#functions.get(node);
    if (!condition) {
      this.diagnostics.error("wrong-type", node, `${what} must be a function`);
      return undefined;
    }
    this.#functions.delete(node);
    const [local] = Object.keys(this.scope.locals);
    return new FunctionExpression(condition, local);
  }

  override addReference(id: string): void {
    this.diagnostics.error("wrong-type", NOWHERE, `\`${id}\` must be a handle of a job or run`);
  }

  /** Throws the first error found so far. */
  throwOnError(): void {
    const error = this.diagnostics.all().find(({ severity }) => severity === "error");
    if (error) {
      refuse(error.label === undefined ? error.message : `${error.message}; ${error.label}`);
    }
    if (this.#functions.size > 0) refuse("only conditions can be functions");
  }

  /** Returns the fields of a step, or an object inside them, as a node. */
  mapNode(fields: object, path = "", around: readonly unknown[] = []): MapNode {
    const entries = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ({
        key,
        keySpan: NOWHERE,
        value: this.#node(value, path === "" ? key : `${path}.${key}`, around),
      }));
    return { kind: "map", ...NOWHERE, entries };
  }

  #node(value: unknown, path: string, around: readonly unknown[]): Node {
    if (isHandle(value)) {
      return this.mapNode("job_id" in value ? { job: value.job_id } : { run: value.run_id });
    }
    if (typeof value === "function") {
      const node = scalarNode(String(value));
      this.#functions.set(node, value as (it: never) => boolean);
      return node;
    }
    if (typeof value === "object" && value !== null) {
      if (around.includes(value)) refuse(`\`${path}\` must be JSON and contains itself`);
      const within = [...around, value];
      if (Array.isArray(value)) {
        const items = value.map((item, i) => this.#node(item, `${path}[${i}]`, within));
        return { kind: "list", ...NOWHERE, items };
      }
      if (isPlain(value)) return this.mapNode(value, path, within);
    }
    const problem = jsonProblem(value, path);
    if (problem !== undefined) refuse(problem);
    return scalarNode(value as string | number | boolean | null);
  }
}

function isHandle(value: unknown): value is JobHandle | RunHandle {
  return typeof value === "object" && value !== null && "stepId" in value;
}

function scalarNode(value: string | number | boolean | null): ScalarNode {
  // In a TypeScript recipe `${{` is only text.
  const written = typeof value === "string" ? value.replaceAll("${{", () => "$${{") : value;
  return { kind: "scalar", ...NOWHERE, value: written, style: "double", raw: String(written) };
}

function refuse(message: string): never {
  throw new StepFailure("evaluation", message);
}
