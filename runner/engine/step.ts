import { delay } from "../../runtime/clock.ts";
import { toCel } from "../expression/convert.ts";
import { showValue, typeName } from "../expression/diff.ts";
import { EvaluationError, type Values } from "../expression/expression.ts";
import { freeNames } from "../expression/ast.ts";
import { resolveTemplate, type Template } from "../expression/template.ts";
import { formatDuration } from "../language/duration.ts";
import type { Step } from "../language/model.ts";
import { type StepOutcome, templateLabel } from "../steps/kind.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import { assertAll } from "./assertions.ts";
import type { Case } from "./case.ts";
import { placeOf, toMilliseconds } from "./describe_error.ts";
import { Context } from "./context.ts";
import { Deadline } from "../events/deadline.ts";
import type { EventFailure, StepFinished, StepStatus } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity, Results } from "../events/results.ts";
import { isWrite, mayHaveArrived } from "./writes.ts";

/** The pause before a second attempt when `retry` does not say. */
const DEFAULT_BACKOFF = 200;
/** How long the pause gets by doubling. */
const LONGEST_BACKOFF = 60_000;

/** Why a step that changed something is not tried again. */
const NOT_REPEATED =
  "not tried again: what it sent has arrived, or may have; `repeat_writes: true` sends it again";

/** An attempt that failed. */
interface FailedAttempt {
  /** Why. */
  cause: unknown;
  /** Why, as events tell it. */
  failure: EventFailure;
  /** Whether another one follows. */
  again: boolean;
  /** Why none does, where it is not plain. */
  why?: string[];
}

/** Runs steps: their conditions, loops, deadlines and retries. */
export class StepRunner {
  #case: Case;
  #outer: Deadline;
  #results: Results;
  #locals: Values;
  #wrote: () => void;

  /**
   * Runs in a case, under a deadline.
   * @param wrote Called when something was sent that may have changed the server.
   */
  constructor(
    owner: Case,
    outer: Deadline,
    results: Results,
    locals: Values = {},
    wrote: () => void = owner.options.user?.wrote ?? (() => {}),
  ) {
    this.#case = owner;
    this.#outer = outer;
    this.#results = results;
    this.#locals = locals;
    this.#wrote = wrote;
  }

  /**
   * Runs a step.
   * @returns Why it failed, unless it passed or its failure does not count.
   */
  async run(step: Step): Promise<EventFailure | undefined> {
    const { clock } = this.#case.options;
    const began = clock.now();
    const absent = this.#absent(step);
    if (absent !== undefined) {
      this.skip(step, `\`${absent}\` did not run`);
      return undefined;
    }
    // The condition of a loop is asked for each item.
    if (step.forEach) return await this.#forEach(step, step.forEach);
    const reason = this.#skipReason(step);
    if (reason instanceof Error) return this.#finish(step, began, 1, reason);
    if (reason !== undefined) {
      this.skip(step, reason);
      return undefined;
    }
    return await this.#attempts(step, began);
  }

  /** Tells of a step that is done already. */
  instant(step: Step, error: StepFailure | undefined): EventFailure | undefined {
    const { clock } = this.#case.options;
    const began = clock.now();
    this.#emitStarted(step, 1);
    if (error) return this.#finish(step, began, 1, error);
    this.#emitFinished(step, "passed", clock.now() - began, 1, {});
    return undefined;
  }

  /** Tells that a step does not run. */
  skip(step: Step, detail: string): void {
    this.#emitFinished(step, "skipped", 0, 0, { detail });
  }

  /** Why a step does not run, an error when its `if` has no value, or `undefined`. */
  #skipReason(step: Step): string | Error | undefined {
    if (!step.if) return undefined;
    try {
      const value = step.if.evaluate(this.#values(), this.#case.ambient);
      if (typeof value !== "boolean") {
        return new StepFailure("evaluation", `\`${step.if.text}\` is neither true nor false`);
      }
      return value ? undefined : `\`${step.if.text}\` is false`;
    } catch (error) {
      return error as Error;
    }
  }

  /**
   * A step that the condition names and that did not run. It has no state to ask for, so whatever
   * depends on it does not run either.
   */
  #absent(step: Step): string | undefined {
    if (!step.if) return undefined;
    return freeNames(step.if.ast).find(({ name }) =>
      this.#case.stepIds.has(name) && !this.#results.has(name)
    )?.name;
  }

  async #forEach(step: Step, items: Template): Promise<EventFailure | undefined> {
    const { clock } = this.#case.options;
    let list: unknown;
    try {
      list = resolveTemplate(items, this.#values(), this.#case.ambient);
      if (!Array.isArray(list)) {
        const shown = `${showValue(list, this.#case.hide, 60)} (${typeName(list)})`;
        throw new StepFailure("evaluation", `\`for_each\` needs a list, not ${shown}`, {
          span: items.kind === "expression" ? items.expression.span() : undefined,
        });
      }
    } catch (error) {
      return this.#finish(step, clock.now(), 1, error);
    }
    const results: unknown[] = [];
    const entities: Entity[] = [];
    let failure: EventFailure | undefined;
    for (const [i, item] of (list as unknown[]).entries()) {
      const locals = { ...this.#locals, item: toCel(item) };
      const child = this.#results.child();
      const inner = new StepRunner(this.#case, this.#outer, child, locals, this.#wrote);
      const { forEach: _, ...one } = step;
      failure = await inner.run({ ...one, number: `${step.number}[${i}]` });
      const left = step.id === undefined ? undefined : child.own(step.id);
      if (left !== undefined) results.push(left);
      const entity = step.id === undefined ? undefined : child.entity(step.id);
      if (entity) entities.push(entity);
      if (failure) break;
    }
    // What the items before a failure left is there to be cleaned up.
    if (step.id !== undefined) this.#results.setList(step.id, results, entities);
    if ((list as unknown[]).length === 0) this.skip(step, "`for_each` has no items");
    return failure;
  }

  async #attempts(step: Step, began: number): Promise<EventFailure | undefined> {
    const { clock, emit, index } = this.#case.options;
    const { retry } = step;
    let attempts = 1;
    let pause = DEFAULT_BACKOFF;
    try {
      if (retry) attempts = this.#attemptsOf(retry.attempts);
      if (retry?.backoff) pause = toMilliseconds(this.#resolve(retry.backoff), retry.backoff);
    } catch (error) {
      return this.#finish(step, began, 1, error);
    }
    let before: string[] = [];
    for (let attempt = 1;; attempt++) {
      const failed = await this.#attempt(step, attempt, began, attempts);
      if (failed === undefined) return undefined;
      const { cause, failure, again, why = [] } = failed;
      if (!again) {
        const lines = failure.kind === "deadline" ? [...before, ...why] : why;
        return this.#finish(step, began, attempt, cause, lines);
      }
      before = [`attempt ${attempt}: ${failure.message}`];
      emit({
        type: "step.retried",
        case: index,
        step: this.#case.numberOf(step),
        phase: step.phase,
        attempt,
        failure,
      });
      try {
        await delay(pause, { signal: this.#outer.signal, clock });
      } catch (error) {
        if (!this.#outer.passed) return this.#finish(step, began, attempt, error);
        const line = `${this.#outer.whose} was over before the next attempt`;
        return this.#finish(step, began, attempt, cause, [line]);
      }
      pause = Math.max(pause, Math.min(pause * 2, LONGEST_BACKOFF));
    }
  }

  async #attempt(
    step: Step,
    attempt: number,
    began: number,
    attempts: number,
  ): Promise<FailedAttempt | undefined> {
    const { clock } = this.#case.options;
    let own = Infinity;
    try {
      if (step.within) {
        own = clock.now() + toMilliseconds(this.#resolve(step.within), step.within);
      }
    } catch (cause) {
      return { cause, failure: this.#case.describe(cause, step.span), again: false };
    }
    const isOwn = own < this.#outer.at;
    const whose = `\`within: ${templateLabel(step.within)}\` of the step around it`;
    using deadline = new Deadline(clock, own, this.#outer, whose);
    this.#emitStarted(step, attempt);
    let hasWritten = false;
    const wrote = () => {
      hasWritten = true;
      this.#wrote();
    };
    const context = new Context(
      this.#case,
      step,
      deadline,
      this.#results,
      this.#locals,
      wrote,
    );
    try {
      deadline.signal.throwIfAborted();
      const outcome = await this.#send(step, context, wrote);
      const result = await this.#keep(step, outcome.result, context);
      if (step.expect) await assertAll([], step.expect, context, { result });
      if (attempt > 1) this.#case.flaky = true;
      this.#emitFinished(step, "passed", clock.now() - began, attempt, {
        ...(outcome.detail === undefined ? {} : { detail: outcome.detail }),
        ...(outcome.observed === undefined ? {} : { observed: outcome.observed }),
      });
      return undefined;
    } catch (error) {
      const cause = deadline.passed && !(error instanceof StepFailure)
        ? new StepFailure(
          "deadline",
          isOwn
            ? `not done within ${templateLabel(step.within)}`
            : `not done when ${deadline.whose} was over, after ${
              formatDuration(clock.now() - began)
            }`,
          { cause: error },
        )
        : error;
      const failure = this.#case.describe(cause, step.span);
      const wanted = attempt < attempts && !this.#outer.signal.aborted &&
        failure.kind !== "interrupted" && this.#worthAnother(step, failure);
      const again = wanted && (!hasWritten || step.retry!.repeatWrites);
      return { cause, failure, again, ...(wanted && !again ? { why: [NOT_REPEATED] } : {}) };
    }
  }

  /** Does what the step does, and tells whether the server may have carried out a write. */
  async #send(step: Step, context: Context, wrote: () => void): Promise<StepOutcome> {
    if (!isWrite(step)) return await STEP_KINDS[step.kind]!.run(step.fields, context);
    try {
      const outcome = await STEP_KINDS[step.kind]!.run(step.fields, context);
      wrote();
      return outcome;
    } catch (error) {
      if (mayHaveArrived(error, context.signal)) wrote();
      throw error;
    }
  }

  /** Puts a step's result under its id, with the fields that `outputs` adds. */
  #keep(step: Step, result: unknown, context: Context): unknown {
    let own = result ?? (step.id === undefined ? undefined : this.#results.get(step.id));
    if (step.outputs) {
      const added: Record<string, unknown> = {};
      for (const [name, expression] of step.outputs) {
        added[name] = expression.evaluate(context.values({ result: own }), this.#case.ambient);
      }
      own = { ...(own as Record<string, unknown> | undefined), ...added };
    }
    if (step.id !== undefined && own !== undefined) this.#results.set(step.id, own);
    return own;
  }

  /** Whether `only_if` lets a failure be tried again. */
  #worthAnother(step: Step, failure: EventFailure): boolean {
    if (!step.retry?.onlyIf) return true;
    const { kind, message, code } = failure;
    const values = this.#values({ error: { kind, message, code: toCel(code ?? "") } });
    try {
      return step.retry.onlyIf.evaluate(values, this.#case.ambient) === true;
    } catch (cause) {
      if (cause instanceof EvaluationError) return false;
      throw cause;
    }
  }

  #finish(
    step: Step,
    began: number,
    attempts: number,
    error: unknown,
    lines: readonly string[] = [],
  ): EventFailure | undefined {
    const described = this.#case.describe(error, step.span);
    const failure: EventFailure = {
      ...described,
      lines: [...described.lines, ...lines],
      step: this.#case.numberOf(step),
    };
    const status: StepStatus = failure.kind === "interrupted"
      ? "interrupted"
      : failure.kind === "server" || failure.kind === "connection"
      ? "errored"
      : "failed";
    const ms = this.#case.options.clock.now() - began;
    const { observed } = error as Partial<StepFailure>;
    this.#emitFinished(step, status, ms, attempts, { failure, ...(observed ? { observed } : {}) });
    return this.#isSoft(step) && status !== "interrupted" ? undefined : failure;
  }

  /** Whether a step may fail. That the time around it is over is not its own failure. */
  #isSoft(step: Step): boolean {
    return step.soft && !this.#outer.passed;
  }

  /** What every event of a step says of it. */
  #about(step: Step) {
    return {
      case: this.#case.options.index,
      step: this.#case.numberOf(step),
      phase: step.phase,
      kind: step.kind,
      label: this.#label(step),
      ...(step.id === undefined || step.id.startsWith("$") ? {} : { id: step.id }),
      place: placeOf(this.#case.recipe.source, step.span),
    };
  }

  #emitStarted(step: Step, attempt: number): void {
    this.#case.options.emit({
      type: "step.started",
      ...this.#about(step),
      attempt,
    });
  }

  #emitFinished(
    step: Step,
    status: StepStatus,
    duration_ms: number,
    attempts: number,
    more: Pick<StepFinished, "detail" | "failure" | "observed">,
  ): void {
    this.#case.options.emit({
      type: "step.finished",
      ...this.#about(step),
      status,
      duration_ms,
      attempts,
      soft: this.#isSoft(step),
      ...more,
    });
  }

  #label(step: Step): string {
    if (!step.name) return STEP_KINDS[step.kind]!.label(step.fields);
    try {
      return String(this.#resolve(step.name));
    } catch (error) {
      // A skipped step's name may ask for what is not there; the step itself is not at fault.
      if (error instanceof EvaluationError) return templateLabel(step.name);
      throw error;
    }
  }

  #resolve(template: Template): unknown {
    return resolveTemplate(template, this.#values(), this.#case.ambient);
  }

  #attemptsOf(template: Template): number {
    const value = this.#resolve(template);
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
    const span = template.kind === "expression" ? template.expression.span() : undefined;
    const message = `\`attempts\` must be a whole number of at least 1, not ${value}`;
    throw new StepFailure("evaluation", message, { span });
  }

  #values(locals: Values = {}): Values {
    return Object.assign(Object.create(this.#results.values()), this.#locals, locals);
  }
}
