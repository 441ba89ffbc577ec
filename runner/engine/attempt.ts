import { Deadline, momentIn } from "../events/deadline.ts";
import { StepFailure } from "../events/failure.ts";
import { resolveTemplate } from "../expression/template.ts";
import { formatDuration } from "../language/duration.ts";
import type { Step } from "../language/model.ts";
import { assertAll } from "../steps/assertions.ts";
import type { StepContext, StepOutcome } from "../steps/context.ts";
import { templateLabel } from "../steps/kind.ts";
import { isWrite, kindOf } from "../steps/step_kinds.ts";
import { toMilliseconds } from "./describe_error.ts";
import { AttemptContext } from "./step_context.ts";
import type { StepReport } from "./step_report.ts";
import { type StepScope, valuesOf } from "./scopes.ts";

/** Runs steps side by side, inside the step whose scope is given. */
export type RunParallel = (scope: StepScope, steps: readonly Step[]) => Promise<void>;

/** The outcome of one attempt. */
export type AttemptResult =
  | { passed: true; outcome: StepOutcome }
  | {
    passed: false;
    error: unknown;
    /** Whether the attempt may have changed the server. */
    hasWritten?: boolean;
    /** Whether another attempt would meet the same error. */
    final?: boolean;
  };

/** Runs a step once, within its own time limit. Reports its start, not its end. */
export async function runAttempt(
  attempt: number,
  step: Step,
  scope: StepScope,
  report: StepReport,
  runParallel: RunParallel,
): Promise<AttemptResult> {
  const { case: owner, deadline: outer } = scope;
  let limit: number;
  try {
    limit = momentIn(owner.clock, ownLimit(step, scope) + (owner.virtual?.grace ?? 0));
  } catch (error) {
    return { passed: false, error, final: true };
  }
  const name = `\`within: ${templateLabel(step.within)}\` of the outer step`;
  using deadline = new Deadline(owner.clock, limit, outer, name);
  let hasWritten = false;
  const inner: StepScope = {
    ...scope,
    deadline,
    onWrite() {
      hasWritten = true;
      scope.onWrite();
    },
  };
  using activity = owner.virtual?.begin();
  const context = new AttemptContext(step, inner, {
    parallel: (steps) => runParallel(inner, steps),
    use: (recipe, inputs) => owner.use(recipe, inputs, { step, deadline, onWrite: inner.onWrite }),
  }, activity);
  report.started(attempt);
  try {
    deadline.signal.throwIfAborted();
    const outcome = await run(step, inner, context);
    const result = keepResult(step, outcome.result, inner, context);
    if (step.expect) await assertAll([], step.expect, context, { result });
    return { passed: true, outcome };
  } catch (error) {
    const isLate = deadline.passed && !(error instanceof StepFailure);
    if (!isLate) return { passed: false, error, hasWritten };
    const message = limit < outer.at
      ? `not done within ${templateLabel(step.within)}`
      : `not done when ${deadline.name} was over, after ${formatDuration(report.elapsed)}`;
    return {
      passed: false,
      error: new StepFailure("deadline", message, { cause: error }),
      hasWritten,
    };
  }
}

/** Returns the step's own limit in milliseconds, `Infinity` if it has none. */
function ownLimit({ within }: Step, scope: StepScope): number {
  if (!within) return Infinity;
  const value = resolveTemplate(within, valuesOf(scope), scope.case.ambient);
  return toMilliseconds(value, within);
}

async function run(step: Step, scope: StepScope, context: StepContext): Promise<StepOutcome> {
  const kind = kindOf(step);
  if (!isWrite(step)) return await kind.run(step.fields, context);
  try {
    const outcome = await kind.run(step.fields, context);
    scope.onWrite();
    return outcome;
  } catch (error) {
    if (mayHaveArrived(error, context.signal)) scope.onWrite();
    throw error;
  }
}

/**
 * Returns whether the server may have carried out a failed request.
 *
 * @param signal The signal that can end the request before its answer arrives.
 */
function mayHaveArrived(error: unknown, signal: AbortSignal): boolean {
  const { delivery, code } = error as { delivery?: string; code?: unknown };
  if (delivery !== undefined) return delivery === "unknown";
  // A code that is a number comes from the server, which has refused the request.
  return signal.aborted && typeof code !== "number";
}

/** Puts the result under the step's id, with the fields of `outputs` added, and returns it. */
function keepResult(
  { id, outputs }: Step,
  result: unknown,
  { results, case: { ambient } }: StepScope,
  context: StepContext,
): unknown {
  let kept = result;
  if (outputs) {
    const added: Record<string, unknown> = {};
    for (const [name, expression] of outputs) {
      added[name] = expression.evaluate(context.values({ result: kept }), ambient);
    }
    kept = { ...(kept as Record<string, unknown> | undefined), ...added };
  }
  if (id !== undefined && kept !== undefined) results.set(id, kept);
  return kept;
}
