import { Deadline, limitBy } from "../events/deadline.ts";
import type { EventFailure } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity } from "../events/results.ts";
import { toCel } from "../expression/convert.ts";
import { shownType, showValue } from "../expression/diff.ts";
import { resolveTemplate, type Template, templateSpan } from "../expression/template.ts";
import type { Step } from "../language/model.ts";
import { kindOf, nestedSteps } from "../steps/step_kinds.ts";
import { type StepScope, valuesOf } from "./scopes.ts";
import type { StepReport } from "./step_report.ts";

/** Runs a step, and returns its failure. */
type RunStep = (step: Step, scope: StepScope) => Promise<EventFailure | undefined>;

/** What the step has left for an item. */
interface ItemResult {
  value: unknown;
  entity: Entity | undefined;
}

/**
 * Runs a step for each item of its list, some at the same time if it says so. The results are in the
 * order of the items. After the first failure no other item starts, and those that run are stopped.
 */
export async function runForEach(
  step: Step,
  items: Template,
  scope: StepScope,
  report: StepReport,
  runStep: RunStep,
): Promise<EventFailure | undefined> {
  let list: unknown[];
  let parallel: number;
  try {
    list = readItems(items, scope);
    parallel = readParallel(step.forEachParallel, scope);
  } catch (error) {
    return report.failed(1, error);
  }
  const { forEach: _, forEachParallel: __, ...once } = step;
  const kept: ItemResult[] = [];
  let failure: EventFailure | undefined;
  let next = 0;
  const runItems = async (around: StepScope, stop?: AbortController) => {
    while (next < list.length && !failure) {
      const i = next++;
      const results = scope.results.child();
      const number = `${step.number}[${i}]`;
      const own = stop ? renumbered(once, step.number, number) : { ...once, number };
      const failed = await runStep(own, { ...around, results, locals: { item: toCel(list[i]) } });
      if (step.id !== undefined) {
        kept[i] = { value: results.own(step.id), entity: results.entity(step.id) };
      }
      if (!failed || failure) continue;
      failure = failed;
      stop?.abort(new StepFailure("interrupted", `step ${number} has failed`));
    }
  };
  if (parallel === 1) await runItems(scope);
  else {
    const stop = new AbortController();
    const signal = AbortSignal.any([scope.deadline.signal, stop.signal]);
    const limit = limitBy(scope.deadline, signal);
    using deadline = new Deadline(scope.case.clock, Infinity, limit);
    const around = { ...scope, deadline };
    const workers = Math.min(parallel, list.length);
    await Promise.all(Array.from({ length: workers }, () => runItems(around, stop)));
  }
  // After a failure the other items are kept too, so that `always` can clean them up.
  if (step.id !== undefined) {
    const ended = kept.filter((one) => one !== undefined);
    const values = ended.flatMap(({ value }) => value === undefined ? [] : [value]);
    scope.results.setList(step.id, values, ended.flatMap(({ entity }) => entity ?? []));
  }
  if (list.length === 0) report.skipped("`for_each` has no items");
  return failure;
}

/** Returns a step with a number of its own, and those inside it, which run at the same time as others. */
function renumbered(step: Step, before: string, number: string): Step {
  const { stepsKey } = kindOf(step);
  if (stepsKey === undefined) return { ...step, number };
  const steps = nestedSteps(step).map((nested) =>
    renumbered(nested, before, number + nested.number.slice(before.length))
  );
  return { ...step, number, fields: { ...step.fields, [stepsKey]: steps } };
}

function readItems(items: Template, scope: StepScope): unknown[] {
  const { ambient, hide } = scope.case;
  const list = resolveTemplate(items, valuesOf(scope), ambient);
  if (Array.isArray(list)) return list;
  const shown = `${showValue(list, hide, 60)} (${shownType(list)})`;
  throw new StepFailure("evaluation", `\`for_each\` needs a list, not ${shown}`, {
    span: templateSpan(items),
  });
}

function readParallel(template: Template | undefined, scope: StepScope): number {
  if (!template) return 1;
  const value = resolveTemplate(template, valuesOf(scope), scope.case.ambient);
  const number = typeof value === "bigint" ? Number(value) : value;
  if (Number.isInteger(number) && (number as number) >= 1) return number as number;
  const shown = showValue(value, scope.case.hide, 60);
  throw new StepFailure("evaluation", `\`parallel\` must be at least 1, not ${shown}`, {
    span: templateSpan(template),
  });
}
