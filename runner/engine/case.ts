import { monotonicNow } from "../../runtime/clock.ts";
import { Deadline, limitBy, momentIn } from "../events/deadline.ts";
import type { EventQuarantine } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity } from "../events/results.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import type { Caller, StepScope } from "./scopes.ts";
import { CaseState, type CaseStateOptions } from "./case_state.ts";
import { ALWAYS_TIMEOUT, CleanUpBudget } from "./cleanup_budget.ts";
import { describeError, spanInModule, toMilliseconds } from "./describe_error.ts";
import { findLeftovers, leftoverWarning, type SiblingLeftovers } from "./leftovers.ts";
import { canBeMasked } from "./mask.ts";
import { runStep, skipStep } from "./run_step.ts";
import { ScriptHost } from "./script_host.ts";
import type { OpenScript } from "./script_run.ts";
import type { CaseResult } from "./verdict.ts";

/** How long the steps of a recipe may take by default, in milliseconds. */
const DEFAULT_TIMEOUT = 300_000;
/** The same in virtual time, where waiting costs nothing. */
const DEFAULT_VIRTUAL_TIMEOUT = 60 * 86_400_000;

const NOT_SUBSCRIBED =
  "the recipe's time was over before the server had confirmed its subscriptions";

/** Options of {@linkcode Case}. */
export interface CaseOptions extends CaseStateOptions {
  /** The name of the case in reports. */
  name: string;
  /** The name that it shares with other cases, if the one in reports numbers them. */
  repeats?: string | undefined;
  /** The attempt of the case, from 1. */
  attempt: number;
  /** Why the case may fail without failing the run. */
  quarantine?: EventQuarantine | undefined;
  /** Aborts when the run is interrupted. */
  signal: AbortSignal;
  /** Collects unconsumed events if other cases run at the same time; they may consume them. */
  siblings?: SiblingLeftovers | undefined;
  /** A limit for the steps besides the recipe's own, in milliseconds. */
  timeout?: number | undefined;
  /** Selects the steps to run; all by default. */
  select?: ((step: Step) => boolean) | undefined;
  /** Prepares to run the function of a recipe in TypeScript. */
  openScript?: OpenScript | undefined;
}

/** What a nested case shares with the case around it. */
interface Outer {
  caller: Caller;
  /** The number of the step that runs the nested case. */
  number: string;
  cleanUpBudget: CleanUpBudget;
}

/** One run of one recipe, from its first event to its last. */
export class Case {
  #recipe: Recipe;
  #options: CaseOptions;
  #outer: Outer | undefined;
  #state: CaseState;
  #script: ScriptHost | undefined;
  #cleanUpBudget: CleanUpBudget;
  #nestedEntities: Entity[] = [];
  #crash = new AbortController();

  /** Prepares a case, nested in another one if `outer` is given. */
  constructor(recipe: Recipe, options: CaseOptions, outer?: Outer) {
    this.#recipe = recipe;
    this.#options = options;
    this.#outer = outer;
    this.#state = new CaseState(
      recipe,
      options,
      (used, inputs, caller) => this.#use(used, inputs, caller),
      outer?.number,
    );
    this.#cleanUpBudget = new CleanUpBudget(options.clock, outer?.cleanUpBudget);
    if (options.openScript) this.#script = new ScriptHost(this.#state, options.openScript);
  }

  /** Runs the case, and reports everything but its end. */
  async run(): Promise<CaseResult> {
    const { tags, source } = this.#recipe;
    const { index, name, repeats, attempt, quarantine, clock, emit, mask, matrix } = this.#options;
    const began = monotonicNow(clock);
    const problem = this.#prepare();
    emit({
      type: "case.started",
      ...{ case: index, name, file: source.name },
      ...(repeats === undefined ? {} : { repeats }),
      tags,
      vars: mask.value(this.#state.variables) as Record<string, unknown>,
      ...(matrix === undefined ? {} : { matrix }),
      ...(attempt > 1 ? { attempt } : {}),
      ...(quarantine === undefined ? {} : { quarantine }),
    });
    this.#warnAboutShortSecrets();
    await this.#execute(began, problem);
    await this.#warnAboutLeftovers();
    await this.#state.close();
    return this.#state.verdict.result();
  }

  /** Whether the recipe is written in TypeScript. */
  get isScript(): boolean {
    return this.#recipe.script !== undefined;
  }

  /** Whether the recipe's module is in the stack of an error. */
  isInStackOf(error: Error): boolean {
    return spanInModule(error, this.#recipe) !== undefined;
  }

  /** Stops the case because of an unhandled error, which may come from the code of another case. */
  crash(error: Error): void {
    if (this.#crash.signal.aborted) return;
    const span = spanInModule(error, this.#recipe);
    const failure = describeError(error, this.#recipe.source, span);
    const { verdict } = this.#state;
    if (verdict.failed) this.#state.warn(`unhandled error: ${failure.message}`);
    else verdict.fail(failure);
    this.#crash.abort(new StepFailure("interrupted", "the recipe has already failed"));
  }

  /** Runs another recipe as a step of this case, and returns its outputs. */
  async #use(
    recipe: Recipe,
    inputs: Record<string, unknown>,
    caller: Caller,
  ): Promise<Record<string, unknown>> {
    const { select: _, matrix: __, timeout: ___, ...options } = this.#options;
    const nested = new Case(
      recipe,
      { ...options, signal: caller.deadline.signal, vars: {}, inputs },
      {
        caller,
        number: this.#state.stepNumber(caller.step),
        cleanUpBudget: this.#cleanUpBudget,
      },
    );
    const { status, failure } = await nested.#runNested();
    this.#state.verdict.include(nested.#state.verdict);
    this.#state.published.push(...nested.#state.published);
    this.#nestedEntities.push(...nested.#entities());
    if (failure) {
      throw new StepFailure(failure.kind, `'${recipe.name}' ${status}: ${failure.message}`);
    }
    return nested.#outputs();
  }

  async #runNested(): Promise<CaseResult> {
    await this.#execute(monotonicNow(this.#options.clock), this.#prepare());
    await this.#state.close();
    return this.#state.verdict.result();
  }

  /** Returns why the case cannot start, if it cannot. */
  #prepare(): { error: unknown } | undefined {
    try {
      this.#state.prepare();
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  async #execute(began: number, problem: { error: unknown } | undefined): Promise<void> {
    const { verdict } = this.#state;
    if (problem) verdict.fail(this.#state.describe(problem.error), "errored");
    else await this.#runSteps(began);
    await this.#runAlways();
    this.#script?.end();
  }

  async #runSteps(began: number): Promise<void> {
    const { verdict, channels, clock } = this.#state;
    let limit: number;
    try {
      limit = this.#timeout();
    } catch (error) {
      verdict.fail(this.#state.describe(error));
      return;
    }
    const signal = AbortSignal.any([this.#options.signal, this.#crash.signal]);
    const outer = this.#outer?.caller.deadline;
    using deadline = new Deadline(
      clock,
      began + limit,
      outer ? limitBy(outer, signal) : signal,
      "the recipe's time",
    );
    this.#cleanUpBudget.stopWith(deadline.signal);
    const { script, steps } = this.#recipe;
    try {
      const resolve = this.#state.resolve.bind(this.#state);
      await channels.begin(this.#recipe.channels, resolve, deadline.signal);
    } catch (error) {
      const late = deadline.passed && new StepFailure("deadline", NOT_SUBSCRIBED);
      verdict.fail(this.#state.describe(late || error));
      if (script) return;
    }
    if (script) {
      if (!this.#script) throw new Error("Cannot run a recipe in TypeScript without openScript");
      return await this.#script.runBody(script, deadline);
    }
    const scope = this.#stepScope(deadline);
    const { select } = this.#options;
    for (const step of steps) {
      if (verdict.failed) skipStep(step, scope, "not reached");
      else if (select && !select(step)) skipStep(step, scope, "not selected");
      else await this.#runStep(step, scope);
    }
  }

  /** Runs `always`. Only its own time limit ends it: a second interruption ends the process. */
  async #runAlways(): Promise<void> {
    const { always, script } = this.#recipe;
    if (always.length === 0 && !script) return;
    using deadline = new Deadline(
      this.#options.clock,
      this.#cleanUpBudget.deadline() + (this.#options.virtual?.grace ?? 0),
      this.#cleanUpBudget.around(this.#outer?.caller.deadline),
      "the time of `always`",
    );
    this.#cleanUpBudget.beginWith(deadline, this.#options.virtual?.grace);
    const scope = this.#stepScope(deadline);
    for (const step of always) await this.#runStep(step, scope);
    await this.#script?.runCleanUps(deadline);
  }

  async #runStep(step: Step, scope: StepScope): Promise<void> {
    const failure = await runStep(step, scope);
    if (failure) this.#state.verdict.fail(failure);
  }

  #stepScope(deadline: Deadline): StepScope {
    const onWrite = this.#outer?.caller.onWrite ?? (() => {});
    return { case: this.#state, deadline, results: this.#state.results, locals: {}, onWrite };
  }

  #outputs(): Record<string, unknown> {
    const { name: recipeName, source, outputs } = this.#recipe;
    const values = this.#state.results.values();
    return Object.fromEntries(
      outputs.map(({ name, expression }) => {
        try {
          return [name, expression.evaluate(values, this.#state.ambient)];
        } catch (cause) {
          const { kind, message } = this.#state.describe(cause);
          const text = `output \`${name}\` of '${recipeName}': ${message}`;
          const span = (cause as { span?: Span }).span ?? expression.span();
          throw new StepFailure(kind, text, { span, source, cause });
        }
      }),
    );
  }

  /** The jobs and runs of this case and of nested ones. */
  #entities(): Entity[] {
    return [...this.#state.results.entities(), ...this.#nestedEntities];
  }

  #warnAboutShortSecrets(): void {
    const secrets = [...withUsed([this.#recipe])].flatMap(({ secrets }) => secrets);
    for (const name of new Set(secrets.map(({ name }) => name))) {
      const value = this.#options.env(name);
      if (value === undefined || canBeMasked(value)) continue;
      this.#state.warn(`secret \`${name}\` is too short to be masked in the output`);
    }
  }

  async #warnAboutLeftovers(): Promise<void> {
    const { clock, client, signal, siblings, name } = this.#options;
    const { published } = this.#state;
    if (published.length === 0) return siblings?.add(name, [], this.#entities());
    // After an interruption the check shares the time of `always`.
    const until = signal.aborted ? this.#cleanUpBudget.deadline() : momentIn(clock, ALWAYS_TIMEOUT);
    using deadline = new Deadline(clock, until, new AbortController().signal);
    try {
      const left = await findLeftovers(published, this.#entities(), client, deadline.signal);
      if (siblings) siblings.add(name, left, this.#entities());
      else for (const event of left) this.#state.warn(leftoverWarning(event));
    } catch (error) {
      this.#state.warn(`Cannot check for unconsumed events: ${(error as Error).message}`);
    }
  }

  /** Returns how long the steps may take, in milliseconds. */
  #timeout(): number {
    const { timeout } = this.#recipe;
    const fallback = this.#options.virtual ? DEFAULT_VIRTUAL_TIMEOUT : DEFAULT_TIMEOUT;
    const own = timeout ? toMilliseconds(this.#state.resolve(timeout), timeout) : fallback;
    return Math.min(own, this.#options.timeout ?? Infinity) + (this.#options.virtual?.grace ?? 0);
  }
}
