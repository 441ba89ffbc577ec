import {
  baseType,
  type CelType,
  describeType,
  itemType,
  type RecordType,
} from "../expression/types.ts";
import type { ParseContext, Reference } from "../language/parse_context.ts";
import type { Scope, StepInfo } from "../language/scope.ts";
import { didYouMean } from "../language/suggest.ts";

/** What a recipe's expressions and references are checked against. */
export interface Known {
  /** Its steps with an id. */
  steps: ReadonlyMap<string, StepInfo>;
  /** Fields of `vars`, `env`, `secrets`, `matrix` and `inputs`, with their types. */
  roots: Record<string, Record<string, CelType>>;
  /** The types that single steps leave: those with `use` or with `outputs`. */
  records: ReadonlyMap<CelType, RecordType>;
}

/** Checks the step ids that are named outside of expressions. */
export function checkReferences(context: ParseContext, known: Known, guards: Guards): void {
  for (const reference of context.references) {
    const info = known.steps.get(reference.id);
    if (info?.broken) continue;
    if (!info) {
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
    } else if (checkOrder(info, reference.scope, reference.span, context, guards)) {
      if (!suits(info, reference)) {
        const what = reference.wants === "job" ? "a job" : "a job or a run";
        context.diagnostics.error(
          "wrong-step",
          reference.span,
          `step \`${info.id}\` leaves ${
            info.type === undefined ? "nothing" : describeType(info.type)
          }, not ${what}`,
          /^list<(Job|Run)Result>$/.test(baseType(info.type ?? "dyn"))
            ? { label: `use \`for_each: \${{ ${info.id} }}\` and the id of each \`item\`` }
            : {},
        );
      }
    }
  }
}

function suits(info: StepInfo, { wants }: Reference): boolean {
  const left = baseType(info.type ?? "dyn");
  const one = itemType(left);
  const type = one !== undefined && wants === "jobs or runs" ? one : left;
  return type === "JobResult" || (type === "RunResult" && wants !== "job");
}

/** The steps that an `always` step's `if` names: the step is skipped where they did not run. */
export class Guards {
  #byScope = new Map<Scope, ReadonlySet<string>>();

  /** Remembers the names of an `if`. */
  add(scope: Scope, names: ReadonlySet<string>): void {
    this.#byScope.set(scope, names);
  }

  /** Whether a place is guarded by a step's name. */
  has(scope: Scope, id: string): boolean {
    for (const [guarded, names] of this.#byScope) {
      if (guarded.phase === scope.phase && guarded.step === scope.step && names.has(id)) {
        return true;
      }
    }
    return false;
  }
}

/** Checks that a step has run, or is guarded, where it is used. */
export function checkOrder(
  info: StepInfo,
  scope: Scope,
  span: Reference["span"],
  context: ParseContext,
  guards: Guards,
): boolean {
  // What a step left is there in its own `expect` and `outputs`, wherever it stands.
  if (info.order === scope.step && scope.order > info.order) return true;
  if (info.availableFrom === Infinity) {
    const message =
      `step \`${info.id}\` runs for each item of a \`for_each\` and is not known here`;
    context.diagnostics.error("used-too-early", span, message, {
      label: "give the outer step an `id`, or the step a `for_each` of its own",
    });
    return false;
  }
  if (info.availableFrom > scope.order) {
    const { line } = context.source.position(info.span.start);
    context.diagnostics.error(
      "used-too-early",
      span,
      `step \`${info.id}\` is used before it has run`,
      {
        label: info.order === scope.step
          ? "this is that step itself"
          : info.span.start < span.start
          ? "the two run side by side"
          : `it stands on line ${line}`,
      },
    );
    return false;
  }
  const sure = info.phase === "always" && !info.conditional;
  if (scope.phase === "always" && !sure && !guards.has(scope, info.id)) {
    context.diagnostics.error(
      "unguarded",
      span,
      `step \`${info.id}\` may not have run when \`always\` does`,
      { label: `add an \`if\` that names it: \`if: has(${info.id}.…)\`` },
    );
    return false;
  }
  return true;
}
