import { startStopwatch } from "../events/deadline.ts";
import type { EventFailure, EventPlace, StepFinished, StepStatus } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import type { Results } from "../events/results.ts";
import { EvaluationError } from "../expression/expression.ts";
import { resolveTemplate } from "../expression/template.ts";
import type { Step } from "../language/model.ts";
import type { StepOutcome } from "../steps/context.ts";
import { templateLabel } from "../steps/kind.ts";
import { kindOf } from "../steps/step_kinds.ts";
import { placeOf } from "./describe_error.ts";
import { type StepScope, valuesOf } from "./scopes.ts";

/** Sends the events of one step. */
export class StepReport {
  readonly #step: Step;
  readonly #scope: StepScope;
  readonly #elapsed: () => number;
  readonly #place: EventPlace;
  #kindLabel: string | undefined;

  /** Prepares to report a step, whose time begins now. */
  constructor(step: Step, scope: StepScope) {
    this.#step = step;
    this.#scope = scope;
    this.#elapsed = startStopwatch(scope.case.clock);
    this.#place = placeOf(scope.case.recipe.source, step.span);
  }

  /** How long the step has taken so far, in milliseconds. */
  get elapsed(): number {
    return this.#elapsed();
  }

  /** Reports that an attempt begins. */
  started(attempt: number): void {
    this.#scope.case.emit({ type: "step.started", ...this.#about(), attempt });
  }

  /** Reports that an attempt has failed and another one follows. */
  retried(attempt: number, failure: EventFailure): void {
    const { case: owner } = this.#scope;
    owner.emit({
      type: "step.retried",
      case: owner.index,
      step: owner.stepNumber(this.#step),
      phase: this.#step.phase,
      attempt,
      failure,
    });
  }

  /** Reports that the step has passed. */
  passed(attempts: number, { detail, observed }: StepOutcome = {}): void {
    this.#finished("passed", this.elapsed, attempts, {
      ...(detail === undefined ? {} : { detail }),
      ...(observed === undefined ? {} : { observed }),
    });
  }

  /** Reports that the step does not run. */
  skipped(detail: string): void {
    this.#finished("skipped", 0, 0, { detail });
  }

  /**
   * Reports that the step has failed.
   *
   * @param lines Details besides those of the error.
   * @returns The failure, unless the step is soft.
   */
  failed(
    attempts: number,
    error: unknown,
    lines: readonly string[] = [],
  ): EventFailure | undefined {
    const { case: owner } = this.#scope;
    const described = owner.describe(error, this.#step.span);
    const failure: EventFailure = {
      ...described,
      lines: [...described.lines, ...lines, ...lostOutput(described, this.#scope.results)],
      step: owner.stepNumber(this.#step),
    };
    const status = statusOf(failure);
    const observed = error instanceof StepFailure ? error.observed : undefined;
    this.#finished(status, this.elapsed, attempts, { failure, ...(observed ? { observed } : {}) });
    return this.#isSoft && status !== "interrupted" ? undefined : failure;
  }

  #finished(
    status: StepStatus,
    duration_ms: number,
    attempts: number,
    more: Pick<StepFinished, "detail" | "failure" | "observed">,
  ): void {
    this.#scope.case.emit({
      type: "step.finished",
      ...this.#about(),
      status,
      duration_ms,
      attempts,
      soft: this.#isSoft,
      ...more,
    });
  }

  /** A soft step still fails the recipe when the time around it is over. */
  get #isSoft(): boolean {
    return this.#step.soft && !this.#scope.deadline.passed;
  }

  #about() {
    const { case: owner } = this.#scope;
    const { phase, kind, id } = this.#step;
    return {
      case: owner.index,
      step: owner.stepNumber(this.#step),
      phase,
      kind,
      label: this.#label(),
      // The steps of a TypeScript recipe have made-up ids, which begin with `$`.
      ...(id === undefined || id.startsWith("$") ? {} : { id }),
      place: this.#place,
    };
  }

  #label(): string {
    const { name, fields } = this.#step;
    if (!name) return this.#kindLabel ??= kindOf(this.#step).label(fields);
    try {
      return String(resolveTemplate(name, valuesOf(this.#scope), this.#scope.case.ambient));
    } catch (error) {
      // The name of a skipped step may refer to a result that does not exist.
      if (error instanceof EvaluationError) return templateLabel(name);
      throw error;
    }
  }
}

const ABSENT_OUTPUT = /`(\w+)\.output\b[^`]*` is absent/g;

/** Explains the absent output of a run that has completed. */
function lostOutput({ message, lines }: EventFailure, results: Results): string[] {
  const names = [message, ...lines].flatMap((text) => [...text.matchAll(ABSENT_OUTPUT)]);
  for (const [, id] of names) {
    const run = results.get(id!) as { run_id?: unknown; state?: unknown } | undefined;
    if (run?.run_id === undefined || run.state !== "completed") continue;
    return [
      `\`${id}\` has completed, but today's servers keep no output of runs: quirk \`outputs-lost\` in docs/dev.md`,
      "check its `steps`, or an event that the workflow publishes",
    ];
  }
  return [];
}

function statusOf({ kind }: EventFailure): StepStatus {
  if (kind === "interrupted") return "interrupted";
  return kind === "server" || kind === "connection" ? "errored" : "failed";
}
