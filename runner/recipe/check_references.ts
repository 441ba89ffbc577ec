import {
  baseType,
  type CelType,
  describeType,
  itemType,
  type RecordType,
} from "../expression/types.ts";
import type { ParseContext, Reference } from "../language/parse_context.ts";
import type { Scope, StepInfo } from "../language/scope.ts";
import { didYouMean } from "../../runtime/suggest.ts";

/** The names and types that a recipe's expressions and references are checked against. */
export interface Known {
  /** The steps that have an id. */
  steps: ReadonlyMap<string, StepInfo>;
  /** The fields of `vars`, `env`, `secrets`, `matrix` and `inputs`, with their types. */
  roots: Record<string, Record<string, CelType>>;
  /** The record types of single steps' results. */
  records: ReadonlyMap<CelType, RecordType>;
}

/** Checks the step ids that are used outside of expressions. */
export function checkReferences(context: ParseContext, known: Known, guards: Guards): void {
  for (const reference of context.references) {
    const info = known.steps.get(reference.id);
    if (!info) reportUnknownStep(reference, context, known);
    else if (
      !info.broken && checkOrder(info, reference.scope, reference.span, context, guards) &&
      !suits(info, reference)
    ) reportWrongStep(info, reference, context, known);
  }
}

function reportUnknownStep(reference: Reference, context: ParseContext, known: Known): void {
  const ids = [...known.steps.values()]
    .filter((step) => suits(step, reference) && step.availableFrom <= reference.scope.order)
    .map((step) => step.id);
  const label = didYouMean(reference.id, ids) ??
    (ids.length > 0 && ids.length <= 8 ? `the ids are ${ids.join(", ")}` : undefined);
  context.diagnostics.error(
    "unknown-step",
    reference.span,
    `there is no step with the id \`${reference.id}\``,
    label === undefined ? {} : { label },
  );
}

function reportWrongStep(
  { id, type }: StepInfo,
  { span, wants }: Reference,
  context: ParseContext,
  { records }: Known,
): void {
  const wanted = WANTED[wants];
  const message = type === undefined
    ? `step \`${id}\` has no result, but ${wanted} is needed`
    : `the result of step \`${id}\` is ${
      records.get(type)?.title ?? describeType(type)
    }, not ${wanted}`;
  const isList = /^list<(Job|Run)Result>$/.test(baseType(type ?? "dyn"));
  context.diagnostics.error("wrong-step", span, message, {
    ...(isList ? { label: `use \`for_each: \${{ ${id} }}\` and the id of each \`item\`` } : {}),
  });
}

/** What references want, in messages. */
const WANTED: Readonly<Record<Reference["wants"], string>> = {
  "job": "a job",
  "run": "a run",
  "job or run": "a job or a run",
  "jobs or runs": "a job or a run",
};

/** Returns whether the result of a step is what a reference wants. */
function suits(info: StepInfo, { wants }: Reference): boolean {
  const type = baseType(info.type ?? "dyn");
  const isEntity = (type: CelType) => type === "JobResult" || type === "RunResult";
  switch (wants) {
    case "job":
      return type === "JobResult";
    case "run":
      return type === "RunResult";
    case "job or run":
      return isEntity(type);
    case "jobs or runs":
      return isEntity(itemType(type) ?? type);
  }
}

/** The steps that the `if` of each step names. If one of them did not run, the step is skipped. */
export class Guards {
  #byScope = new Map<Scope, ReadonlySet<string>>();

  /** Adds the names in an `if`. */
  add(scope: Scope, names: ReadonlySet<string>): void {
    this.#byScope.set(scope, names);
  }

  /** Returns whether the `if` of a step names another step. */
  has(scope: Scope, id: string): boolean {
    for (const [guarded, names] of this.#byScope) {
      if (guarded.phase === scope.phase && guarded.step === scope.step && names.has(id)) {
        return true;
      }
    }
    return false;
  }
}

/** Reports a use of a step that may not have run by then. Returns whether the use is valid. */
export function checkOrder(
  info: StepInfo,
  scope: Scope,
  span: Reference["span"],
  context: ParseContext,
  guards: Guards,
): boolean {
  // The `expect` and `outputs` of a step can use its own result.
  if (info.order === scope.step && scope.order > info.order) return true;
  if (info.availableFrom === Infinity) {
    const message =
      `step \`${info.id}\` runs for each item of a \`for_each\`, so its result cannot be used here`;
    context.diagnostics.error("used-too-early", span, message, {
      label: "give the outer step an `id`, or this step the same `for_each`",
    });
    return false;
  }
  if (info.availableFrom > scope.order) {
    const { line } = context.source.position(info.span.start);
    const message = `step \`${info.id}\` is used before it has run`;
    context.diagnostics.error("used-too-early", span, message, {
      label: info.order === scope.step
        ? "this is the step itself"
        : info.span.start < span.start
        ? "the two steps run side by side"
        : `the step is on line ${line}`,
    });
    return false;
  }
  const alwaysRuns = info.phase === "always" && !info.conditional;
  if (scope.phase === "always" && !alwaysRuns && !guards.has(scope, info.id)) {
    const message = `step \`${info.id}\` may not have run when \`always\` runs`;
    context.diagnostics.error("unguarded", span, message, {
      label: `add an \`if\` that names it: \`if: has(${info.id}.…)\``,
    });
    return false;
  }
  return true;
}
