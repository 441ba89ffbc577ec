import type { Clock } from "../../runtime/clock.ts";
import { Deadline } from "../events/deadline.ts";
import type { Emit, EventFailure } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import { type Entity, Results } from "../events/results.ts";
import type { Ambient } from "../expression/cel.ts";
import { toCel } from "../expression/convert.ts";
import type { Hide } from "../expression/diff.ts";
import type { Values } from "../expression/expression.ts";
import { resolveTemplate, type Template } from "../expression/template.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import type { PublishedEvent, RunnerClient } from "../steps/context.ts";
import { idsOf } from "../steps/step_kinds.ts";
import type { Caller, CaseScope } from "./case_scope.ts";
import { Channels } from "./channels.ts";
import { ALWAYS_TIMEOUT, CleanUpBudget } from "./cleanup_budget.ts";
import { describeError, spanInModule, toMilliseconds } from "./describe_error.ts";
import { EntityEvents } from "./entity_events.ts";
import { initialScope } from "./initial_scope.ts";
import { findLeftovers } from "./leftovers.ts";
import { canBeMasked, type Mask } from "./mask.ts";
import { runStep, skipStep } from "./run_step.ts";
import { ScriptHost } from "./script_host.ts";
import type { OpenScript } from "./script_run.ts";
import type { StepScope } from "./step_scope.ts";
import { type CaseResult, Verdict } from "./verdict.ts";

/** How long the steps of a recipe may take by default, in milliseconds. */
const DEFAULT_TIMEOUT = 300_000;

const NOT_SUBSCRIBED =
  "the recipe's time was over before the server had confirmed its subscriptions";

/** What a case needs besides its recipe. */
export interface CaseOptions {
  /** The number of the case in its run, from 0. */
  index: number;
  /** The connection to the server. */
  client: RunnerClient;
  /** The source of time. */
  clock: Clock;
  /** Returns a random number in the range [0, 1). */
  random: () => number;
  /** Sends an event to the reporters. */
  emit: Emit;
  /** Receives the values of secrets. */
  mask: Mask;
  /** Aborts when the run is interrupted. */
  signal: AbortSignal;
  /** Values that replace those of `vars`. */
  vars: Record<string, unknown>;
  /** The values of `matrix`. */
  matrix?: Record<string, unknown>;
  /** The values of `inputs`. */
  inputs?: Record<string, unknown>;
  /** Reads an environment variable. */
  env(name: string): string | undefined;
  /** A limit for the steps besides the recipe's own, in milliseconds. */
  timeout?: number;
  /** Selects the steps to run; all by default. */
  select?: (step: Step) => boolean;
  /** Prepares to run the function of a recipe in TypeScript. */
  openScript?: OpenScript;
}

/** The case around a nested one. */
interface Outer {
  caller: Caller;
  /** The number of the step that runs the nested case. */
  number: string;
  cleanUpBudget: CleanUpBudget;
}

/** One run of one recipe. */
export class Case implements CaseScope {
  readonly recipe: Recipe;
  readonly index: number;
  readonly client: RunnerClient;
  readonly clock: Clock;
  readonly ambient: Ambient;
  readonly emit: Emit;
  readonly hide: Hide;
  readonly results: Results;
  readonly channels: Channels;
  readonly entityEvents: EntityEvents;
  readonly published: PublishedEvent[] = [];
  readonly verdict: Verdict = new Verdict();
  readonly stepIds: ReadonlySet<string>;
  #options: CaseOptions;
  #outer: Outer | undefined;
  #initial: Values = Object.create(null);
  #vars: Record<string, unknown> = {};
  #nestedEntities: Entity[] = [];
  #script: ScriptHost | undefined;
  #cleanUpBudget: CleanUpBudget;
  #crash = new AbortController();

  /** Prepares a case, nested in another one if `outer` is given. */
  constructor(recipe: Recipe, options: CaseOptions, outer?: Outer) {
    const { index, client, clock, random, emit, mask, openScript } = options;
    this.recipe = recipe;
    this.index = index;
    this.client = client;
    this.clock = clock;
    this.ambient = { now: () => clock.now(), random };
    this.emit = emit;
    this.hide = (value) => mask.value(value);
    this.results = new Results(this.#initial);
    this.channels = new Channels(client, clock);
    this.entityEvents = new EntityEvents({
      clock,
      onEvent: () => this.results.changed(),
      onError: ({ message }) => this.warn(`events ended: ${message}`),
    });
    this.stepIds = new Set(idsOf([...recipe.steps, ...recipe.always]));
    this.#options = options;
    this.#outer = outer;
    this.#cleanUpBudget = new CleanUpBudget(clock, outer?.cleanUpBudget);
    if (openScript) this.#script = new ScriptHost(this, openScript);
  }

  /** Runs the case and reports it. */
  async run(): Promise<CaseResult> {
    const { recipe } = this;
    const { matrix, mask } = this.#options;
    const began = this.clock.now();
    const about = {
      case: this.index,
      name: caseName(recipe, matrix),
      file: recipe.source.name,
    };
    const problem = this.#prepare();
    this.emit({
      type: "case.started",
      ...about,
      tags: recipe.tags,
      vars: mask.value(this.#vars),
      ...(matrix === undefined ? {} : { matrix }),
    });
    this.#warnAboutShortSecrets();
    await this.#execute(began, problem);
    await this.#warnAboutLeftovers();
    await this.#close();
    const result = this.verdict.result();
    this.emit({
      type: "case.finished",
      ...about,
      duration_ms: this.clock.now() - began,
      ...result,
    });
    return result;
  }

  async use(
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
        number: this.stepNumber(caller.step),
        cleanUpBudget: this.#cleanUpBudget,
      },
    );
    const { status, failure } = await nested.#runNested();
    this.verdict.include(nested.verdict);
    this.published.push(...nested.published);
    this.#nestedEntities.push(...nested.#entities());
    if (failure) {
      throw new StepFailure(failure.kind, `'${recipe.name}' ${status}: ${failure.message}`, {
        span: caller.step.span,
      });
    }
    return nested.#outputs();
  }

  /** Stops the case because of an error that its code has left unhandled, or that of another case. */
  crash(error: Error): void {
    if (this.#crash.signal.aborted) return;
    const failure = describeError(error, this.recipe.source, spanInModule(error, this.recipe));
    if (this.verdict.failed) this.warn(`unhandled error: ${failure.message}`);
    else this.verdict.fail(failure);
    this.#crash.abort(error);
  }

  stepNumber(step: Step): string {
    return this.#outer ? `${this.#outer.number}.${step.number}` : step.number;
  }

  setVariable(name: string, value: unknown): void {
    this.#vars[name] = value;
    const type = this.recipe.vars.find((variable) => variable.name === name)?.type;
    (this.#initial.vars as Values)[name] = toCel(value, type);
  }

  describe(error: unknown, fallback?: Span): EventFailure {
    return describeError(error, this.recipe.source, fallback);
  }

  warn(text: string): void {
    this.emit({ type: "warning", case: this.index, text });
  }

  async #runNested(): Promise<CaseResult> {
    await this.#execute(this.clock.now(), this.#prepare());
    await this.#close();
    return this.verdict.result();
  }

  /** Sets the names that expressions see. Returns why that failed, if it did. */
  #prepare(): { error: unknown } | undefined {
    try {
      Object.assign(this.#initial, initialScope(this.recipe, this.#options));
      const { vars } = this.#options;
      for (const { name, value } of this.recipe.vars) {
        if (Object.hasOwn(vars, name)) this.setVariable(name, vars[name]);
        else if (value) this.setVariable(name, this.#resolve(value));
      }
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  async #execute(began: number, problem: { error: unknown } | undefined): Promise<void> {
    if (problem) this.verdict.fail(this.describe(problem.error), "errored");
    else await this.#runSteps(began);
    await this.#runAlways();
    this.#script?.end();
  }

  async #runSteps(began: number): Promise<void> {
    let limit: number;
    try {
      limit = this.#timeout();
    } catch (error) {
      this.verdict.fail(this.describe(error));
      return;
    }
    const signal = AbortSignal.any([this.#options.signal, this.#crash.signal]);
    const outer = this.#outer?.caller.deadline;
    using deadline = new Deadline(
      this.clock,
      began + limit,
      outer ? { signal, at: outer.at, name: outer.name } : signal,
      "the recipe's time",
    );
    this.#cleanUpBudget.stopWith(deadline.signal);
    const { script, channels, steps } = this.recipe;
    try {
      await this.channels.begin(channels, (one) => this.#resolve(one), deadline.signal);
    } catch (error) {
      const late = deadline.passed && new StepFailure("deadline", NOT_SUBSCRIBED, { cause: error });
      this.verdict.fail(this.describe(late || error));
      if (script) return;
    }
    if (script) return await this.#script!.runBody(script, deadline);
    const scope = this.#stepScope(deadline);
    const { select } = this.#options;
    for (const step of steps) {
      if (this.verdict.failed) skipStep(step, scope, "not reached");
      else if (select && !select(step)) skipStep(step, scope, "not selected");
      else await this.#runStep(step, scope);
    }
  }

  /** Runs `always`. Only its own time limit ends it: a second interruption ends the process. */
  async #runAlways(): Promise<void> {
    if (this.recipe.always.length === 0 && !this.#script?.hasCleanUps) return;
    using deadline = new Deadline(
      this.clock,
      this.#cleanUpBudget.deadline(),
      new AbortController().signal,
      "the time of `always`",
    );
    const scope = this.#stepScope(deadline);
    for (const step of this.recipe.always) await this.#runStep(step, scope);
    await this.#script?.runCleanUps(deadline);
  }

  async #runStep(step: Step, scope: StepScope): Promise<void> {
    const failure = await runStep(step, scope);
    if (failure) this.verdict.fail(failure);
  }

  #stepScope(deadline: Deadline): StepScope {
    const onWrite = this.#outer?.caller.onWrite ?? (() => {});
    return { case: this, deadline, results: this.results, locals: {}, onWrite };
  }

  async #close(): Promise<void> {
    this.entityEvents.close();
    await this.channels.close();
  }

  #outputs(): Record<string, unknown> {
    const values = this.results.values();
    return Object.fromEntries(
      this.recipe.outputs.map(({ name, expression }) => {
        try {
          return [name, expression.evaluate(values, this.ambient)];
        } catch (cause) {
          const { kind, message } = this.describe(cause);
          const text = `output \`${name}\` of '${this.recipe.name}': ${message}`;
          const span = (cause as { span?: Span }).span ?? expression.span();
          throw new StepFailure(kind, text, { span, source: this.recipe.source, cause });
        }
      }),
    );
  }

  /** The jobs and runs of this case and of nested ones. */
  #entities(): Entity[] {
    return [...this.results.entities(), ...this.#nestedEntities];
  }

  #warnAboutShortSecrets(): void {
    const secrets = [...withUsed([this.recipe])].flatMap(({ secrets }) => secrets);
    for (const name of new Set(secrets.map(({ name }) => name))) {
      const value = this.#options.env(name);
      if (value === undefined || canBeMasked(value)) continue;
      this.warn(`secret \`${name}\` is too short to be masked in the output`);
    }
  }

  async #warnAboutLeftovers(): Promise<void> {
    // After an interruption the check shares the time of `always`.
    const until = this.#options.signal.aborted
      ? this.#cleanUpBudget.deadline()
      : this.clock.now() + ALWAYS_TIMEOUT;
    using deadline = new Deadline(this.clock, until, new AbortController().signal);
    const { published, client } = this;
    try {
      const left = await findLeftovers(published, this.#entities(), client, deadline.signal);
      for (const { event_id, name } of left) {
        this.warn(
          `event \`${name}\` (${event_id}) was not consumed by this recipe's runs; it stays queued and will wake the next run that waits for \`${name}\``,
        );
      }
    } catch (error) {
      this.warn(`Cannot check for unconsumed events: ${(error as Error).message}`);
    }
  }

  /** Returns how long the steps may take, in milliseconds. */
  #timeout(): number {
    const { timeout } = this.recipe;
    const own = timeout ? toMilliseconds(this.#resolve(timeout), timeout) : DEFAULT_TIMEOUT;
    return Math.min(own, this.#options.timeout ?? Infinity);
  }

  #resolve(template: Template): unknown {
    return resolveTemplate(template, this.#initial, this.ambient);
  }
}

/** Returns the name of a case: that of its recipe and the values of its matrix. */
export function caseName(recipe: Recipe, matrix?: Record<string, unknown>): string {
  if (!matrix) return recipe.name;
  const values = Object.entries(matrix).map(([key, value]) =>
    `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`
  );
  return `${recipe.name} [${values.join(", ")}]`;
}
