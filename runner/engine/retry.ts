import { delay } from "../../runtime/clock.ts";
import type { EventFailure } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import { toCel } from "../expression/convert.ts";
import { EvaluationError } from "../expression/expression.ts";
import { resolveTemplate, type Template, templateSpan } from "../expression/template.ts";
import type { Retry, Step } from "../language/model.ts";
import { runAttempt, type RunParallel } from "./attempt.ts";
import { toMilliseconds } from "./describe_error.ts";
import type { StepReport } from "./step_report.ts";
import { type StepScope, valuesOf } from "./scopes.ts";

/** The default pause before the second attempt, in milliseconds. */
const DEFAULT_BACKOFF = 200;
/** The pause stops doubling here, in milliseconds. */
const MAX_BACKOFF = 60_000;

const NOT_RETRIED =
  "not retried, because its request may have reached the server; `repeat_writes: true` retries it anyway";

/**
 * Runs a step until it passes or may not be retried, and reports each attempt.
 *
 * @returns The failure, unless the step has passed or is soft.
 */
export async function runWithRetry(
  step: Step,
  scope: StepScope,
  report: StepReport,
  runParallel: RunParallel,
): Promise<EventFailure | undefined> {
  const { case: owner, deadline } = scope;
  const { retry } = step;
  let attempts: number;
  let pause: number;
  try {
    attempts = retry ? readAttempts(retry.attempts, scope) : 1;
    pause = readBackoff(retry?.backoff, scope);
  } catch (error) {
    return report.failed(1, error);
  }
  let earlier: string[] = [];
  for (let attempt = 1;; attempt++) {
    const result = await runAttempt(attempt, step, scope, report, runParallel);
    if (result.passed) {
      if (attempt > 1) owner.verdict.flaky = true;
      report.passed(attempt, result.outcome);
      return undefined;
    }
    const { error, hasWritten, final } = result;
    const failure = owner.describe(error, step.span);
    const wanted = !final && attempt < attempts && mayRetry(retry!, scope, failure);
    if (!wanted || (hasWritten && !retry!.repeatWrites)) {
      return report.failed(attempt, error, [
        ...(failure.kind === "deadline" ? earlier : []),
        ...(wanted ? [NOT_RETRIED] : []),
      ]);
    }
    earlier = [`attempt ${attempt}: ${failure.message}`];
    report.retried(attempt, failure);
    try {
      // The attempts ask for something within some time, which must not be shorter for a late server.
      const late = owner.virtual?.lateness ?? 0;
      await delay(pause + late, { signal: deadline.signal, clock: owner.clock });
    } catch (stop) {
      if (!deadline.passed) return report.failed(attempt, stop);
      return report.failed(attempt, error, [`${deadline.name} was over before the next attempt`]);
    }
    pause = Math.max(pause, Math.min(pause * 2, MAX_BACKOFF));
  }
}

function readAttempts(template: Template, scope: StepScope): number {
  const value = resolve(template, scope);
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  const message = `\`attempts\` must be a whole number of at least 1, not ${value}`;
  throw new StepFailure("evaluation", message, { span: templateSpan(template) });
}

function readBackoff(template: Template | undefined, scope: StepScope): number {
  return template ? toMilliseconds(resolve(template, scope), template) : DEFAULT_BACKOFF;
}

function resolve(template: Template, scope: StepScope): unknown {
  return resolveTemplate(template, valuesOf(scope), scope.case.ambient);
}

/** Returns whether another attempt makes sense: there is time left, and `only_if` holds. */
function mayRetry({ onlyIf }: Retry, scope: StepScope, failure: EventFailure): boolean {
  const { case: { ambient }, deadline } = scope;
  if (deadline.signal.aborted) return false;
  if (!onlyIf) return true;
  const { kind, message, code } = failure;
  const values = valuesOf(scope, { error: { kind, message, code: toCel(code ?? "") } });
  try {
    return onlyIf.evaluate(values, ambient) === true;
  } catch (error) {
    if (error instanceof EvaluationError) return false;
    throw error;
  }
}
