import type { EventFailure } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import { freeNames } from "../expression/ast.ts";
import { needsBreak, takeBreak } from "../expression/budget.ts";
import type { Step } from "../language/model.ts";
import { runForEach } from "./for_each.ts";
import { runWithRetry } from "./retry.ts";
import { StepReport } from "./step_report.ts";
import { type StepScope, valuesOf } from "./scopes.ts";

/**
 * Runs a step: its condition, its `for_each` and its retries.
 *
 * @returns The failure, unless the step has passed or is soft.
 */
export async function runStep(step: Step, scope: StepScope): Promise<EventFailure | undefined> {
  const report = new StepReport(step, scope);
  const missing = missingResult(step, scope);
  if (missing !== undefined) {
    report.skipped(`\`${missing}\` did not run`);
    return undefined;
  }
  // The condition of a `for_each` step is evaluated for each item.
  if (step.forEach) return await runForEach(step, step.forEach, scope, report, runStep);
  if (needsBreak()) {
    const release = scope.case.virtual?.hold();
    await takeBreak();
    release?.();
  }
  // After the deadline the step fails, regardless of its condition.
  if (step.if && !scope.deadline.signal.aborted) {
    try {
      if (!holds(step.if, scope)) {
        report.skipped(`\`${step.if.text}\` is false`);
        return undefined;
      }
    } catch (error) {
      return report.failed(1, error);
    }
  }
  return await runWithRetry(step, scope, report, runParallel);
}

/** Reports a step that has done its work already, and failed with `error` if it is given. */
export function reportInstantStep(
  step: Step,
  scope: StepScope,
  error: StepFailure | undefined,
): EventFailure | undefined {
  const report = new StepReport(step, scope);
  report.started(1);
  if (error) return report.failed(1, error);
  report.passed(1);
  return undefined;
}

/** Reports a step that does not run, and why. */
export function skipStep(step: Step, scope: StepScope, reason: string): void {
  new StepReport(step, scope).skipped(reason);
}

/**
 * Returns the id of a step that the condition names and that did not run. A condition cannot ask
 * for the state of such a step, so the step that depends on it is skipped too.
 */
function missingResult(step: Step, { case: { stepIds }, results }: StepScope): string | undefined {
  if (!step.if) return undefined;
  const names = freeNames(step.if.ast).map(({ name }) => name);
  return names.find((name) => stepIds.has(name) && !results.has(name));
}

function holds(condition: NonNullable<Step["if"]>, scope: StepScope): boolean {
  const value = condition.evaluate(valuesOf(scope), scope.case.ambient);
  if (typeof value === "boolean") return value;
  throw new StepFailure("evaluation", `\`${condition.text}\` is neither true nor false`);
}

async function runParallel(scope: StepScope, steps: readonly Step[]): Promise<void> {
  const failures = await Promise.all(steps.map((one) => runStep(one, scope)));
  const failed = failures.filter((failure) => failure !== undefined);
  const [first] = failed;
  if (!first) return;
  const message = `${failed.length} of ${failures.length} steps failed: ${first.message}`;
  throw new StepFailure(first.kind, message);
}
