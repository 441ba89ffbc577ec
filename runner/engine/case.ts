import { abortable } from "../../runtime/abortable.ts";
import type { Clock } from "../../runtime/clock.ts";
import { toCel } from "../expression/convert.ts";
import type { Hide } from "../expression/diff.ts";
import type { Values } from "../expression/expression.ts";
import type { Ambient } from "../expression/cel.ts";
import { resolveTemplate, type Template } from "../expression/template.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import { idsOf } from "../recipe/step_ids.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import type { RunningScript } from "../script/running_script.ts";
import type { RecipeBody } from "../script/recipe.ts";
import { toError } from "../events/failure.ts";
import { type Nested, type RunnerClient, templateLabel } from "../steps/kind.ts";
import { STEP_KINDS } from "../steps/step_kinds.ts";
import { Channels } from "./channels.ts";
import { describeError, placeOf, spanInModule, toMilliseconds } from "./describe_error.ts";
import { FollowedEvents } from "./followed_events.ts";
import { findLeftovers, type Published } from "./leftovers.ts";
import { makeRoots } from "./roots.ts";
import { Deadline, InterruptedError } from "../events/deadline.ts";
import type { CaseStatus, Emit, EventFailure } from "../events/event.ts";
import { isVerdict, StepFailure } from "../events/failure.ts";
import { canBeMasked, type Mask } from "./mask.ts";
import { type Entity, Results } from "../events/results.ts";
import { StepRunner } from "./step.ts";

/** How long a recipe's steps may take when it does not say. */
export const DEFAULT_TIMEOUT = 300_000;
const NOT_LISTENING = "the server had not confirmed the recipe's channels when its time was over";
/** How long `always` may take. */
export const ALWAYS_TIMEOUT = 10_000;

/** A step of a case that uses another recipe. */
interface User {
  /** The case. */
  case: Case;
  /** The step's limit. */
  deadline: Deadline;
  /** Called when something was sent that may have changed the server. */
  wrote: () => void;
}

/** What a case needs besides its recipe. */
export interface CaseOptions {
  /** The number of the case in its run. */
  index: number;
  /** The connection. */
  client: RunnerClient;
  /** Where time comes from. */
  clock: Clock;
  /** Gives numbers from 0 up to, not including, 1. */
  random: () => number;
  /** Takes the events. */
  emit: Emit;
  /** Learns the values of secrets. */
  mask: Mask;
  /** Aborted when the run is interrupted. */
  signal: AbortSignal;
  /** Values that replace those of `vars`. */
  vars: Record<string, unknown>;
  /** The values of `matrix` for this case. */
  matrix?: Record<string, unknown>;
  /** The values of `inputs`. */
  inputs?: Record<string, unknown>;
  /** Reads the environment. */
  env(name: string): string | undefined;
  /** A limit for the steps that holds besides the recipe's own, in milliseconds. */
  timeout?: number;
  /** What stands before the numbers of its steps, where it is a step of another case. */
  prefix?: string;
  /** The step of another case that it is. */
  user?: User;
  /** Which of the steps run; all when it is not given. */
  select?: (step: Step) => boolean;
}

/** How a case ended. */
export interface CaseResult {
  /** How. */
  status: CaseStatus;
  /** Whether a step passed only on a later attempt. */
  flaky: boolean;
  /** What failed first. */
  failure?: EventFailure;
}

/** One run of one recipe. */
export class Case {
  /** The recipe. */
  readonly recipe: Recipe;
  /** What it was given. */
  readonly options: CaseOptions;
  /** Where `now()`, `uuid()` and `random(n)` come from. */
  readonly ambient: Ambient;
  /** What steps left. */
  readonly results: Results;
  /** The channels. */
  readonly channels: Channels;
  /** The events of jobs and runs whose results hold them. */
  readonly followed: FollowedEvents;
  /** Events that the case has published. */
  readonly published: Published[] = [];
  /** The ids of all steps. */
  readonly stepIds: ReadonlySet<string>;
  /** Assertions and waits that were made. */
  checks = 0;
  /** Whether a step passed only on a later attempt. */
  flaky = false;
  #roots: Values = Object.create(null);
  #vars: Record<string, unknown> = {};
  #failure: EventFailure | undefined;
  #status: CaseStatus | undefined;
  #entities: Entity[] = [];
  #running: RunningScript | undefined;
  #stopped: AbortSignal | undefined;
  #cleanUntil: number | undefined;
  #unhandled = new AbortController();

  /** Prepares a case. */
  constructor(recipe: Recipe, options: CaseOptions) {
    this.recipe = recipe;
    this.options = options;
    this.ambient = { now: () => options.clock.now(), random: options.random };
    this.results = new Results(this.#roots);
    this.channels = new Channels(options.client, options.clock);
    this.followed = new FollowedEvents({
      clock: options.clock,
      onEvent: () => this.results.changed(),
      onError: ({ message }) => this.warn(`events ended: ${message}`),
    });
    this.stepIds = new Set(idsOf([...recipe.steps, ...recipe.always]));
  }

  /** Gives a value without its secrets. */
  readonly hide: Hide = (value) => this.options.mask.value(value);

  /** What people call it. */
  get name(): string {
    return caseName({ recipe: this.recipe, ...this.options });
  }

  /** A step's number for people. */
  numberOf(step: Step): string {
    return `${this.options.prefix ?? ""}${step.number}`;
  }

  /** What steps that contain others can do. */
  nested(
    step: Step,
    deadline: Deadline,
    results: Results,
    locals: Values,
    wrote: () => void,
  ): Nested {
    return {
      parallel: async (steps) => {
        const runner = new StepRunner(this, deadline, results, locals, wrote);
        const failures = await Promise.all(steps.map((one) => runner.run(one)));
        const failed = failures.filter((failure) => failure !== undefined);
        const first = failed[0];
        if (!first) return;
        throw new StepFailure(
          first.kind,
          `${failed.length} of ${failures.length} steps failed: ${first.message}`,
          { span: step.span },
        );
      },
      use: (recipe, inputs) => this.#use(recipe, inputs, step, { case: this, deadline, wrote }),
    };
  }

  async #use(
    recipe: Recipe,
    inputs: Record<string, unknown>,
    step: Step,
    user: User,
  ): Promise<Record<string, unknown>> {
    const { select: _, matrix: __, timeout: ___, ...options } = this.options;
    const inner = new Case(recipe, {
      ...options,
      signal: user.deadline.signal,
      user,
      vars: {},
      inputs,
      prefix: `${this.options.prefix ?? ""}${step.number}.`,
    });
    const { status, failure } = await inner.run();
    this.checks += inner.checks;
    this.flaky ||= inner.flaky;
    this.published.push(...inner.published);
    this.#entities.push(...inner.results.entities(), ...inner.#entities);
    if (failure) {
      throw new StepFailure(failure.kind, `'${recipe.name}' ${status}: ${failure.message}`, {
        span: step.span,
      });
    }
    return inner.#outputs();
  }

  #outputs(): Record<string, unknown> {
    const values = this.results.values();
    return Object.fromEntries(
      this.recipe.outputs.map(({ name, expression }) => {
        try {
          return [name, expression.evaluate(values, this.ambient)];
        } catch (cause) {
          const { kind, message } = this.describe(cause);
          const text = `'${this.recipe.name}' cannot give \`${name}\`: ${message}`;
          const span = (cause as { span?: Span }).span ?? expression.span();
          throw new StepFailure(kind, text, { span, source: this.recipe.source, cause });
        }
      }),
    );
  }

  /** Runs it, and tells all of it as events. */
  async run(): Promise<CaseResult> {
    const { emit, index, clock, mask, matrix, prefix } = this.options;
    const nested = prefix !== undefined;
    const began = clock.now();
    let prepared: unknown;
    try {
      this.#prepare();
    } catch (error) {
      prepared = error;
    }
    if (!nested) {
      emit({
        type: "case.started",
        case: index,
        name: this.name,
        file: this.recipe.source.name,
        tags: this.recipe.tags,
        vars: mask.value(this.#vars),
        ...(matrix === undefined ? {} : { matrix }),
      });
    }
    const secrets = nested ? [] : [...withUsed([this.recipe])].flatMap(({ secrets }) => secrets);
    for (const name of new Set(secrets.map(({ name }) => name))) {
      const value = this.options.env(name);
      if (value === undefined || canBeMasked(value)) continue;
      this.warn(`secret \`${name}\` is too short to be masked in what is printed`);
    }
    if (prepared === undefined) await this.#steps(began);
    else this.fail(this.describe(prepared), "errored");
    await this.#always();
    this.#running?.steps.end();
    if (!nested) await this.#leftovers();
    this.followed.close();
    await this.channels.close();
    if (!this.#status) this.#status = this.checks === 0 ? "unchecked" : "passed";
    const result: CaseResult = {
      status: this.#status,
      flaky: this.flaky && this.#status === "passed",
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
    if (!nested) {
      emit({
        type: "case.finished",
        case: index,
        name: this.name,
        file: this.recipe.source.name,
        duration_ms: clock.now() - began,
        ...result,
      });
    }
    return result;
  }

  /** Keeps the first failure. */
  fail(failure: EventFailure, status?: CaseStatus): void {
    if (this.#status) return;
    this.#failure = failure;
    this.#status = status ??
      (failure.kind === "interrupted"
        ? "interrupted"
        : isVerdict(failure.kind)
        ? "failed"
        : "errored");
  }

  /** Stops it for an error that nobody handled, which may well be of its own making. */
  crash(error: Error): void {
    if (this.#unhandled.signal.aborted) return;
    const failure = describeError(error, this.recipe.source, spanInModule(error, this.recipe));
    if (this.#status) this.warn(`nobody handled: ${failure.message}`);
    else this.fail(failure);
    this.#unhandled.abort(error);
  }

  /** Gives a variable a new value. */
  setVariable(name: string, value: unknown): void {
    this.#vars[name] = value;
    const type = this.recipe.vars.find((variable) => variable.name === name)?.type;
    (this.#roots.vars as Values)[name] = toCel(value, type);
  }

  /** An error as events tell it. */
  describe(error: unknown, fallback?: Span): EventFailure {
    return describeError(error, this.recipe.source, fallback);
  }

  /** Tells something that fails nothing. */
  warn(text: string): void {
    this.options.emit({ type: "warning", case: this.options.index, text });
  }

  #prepare(): void {
    Object.assign(this.#roots, makeRoots(this.recipe, this.options));
    const { vars } = this.options;
    for (const { name, value } of this.recipe.vars) {
      if (Object.hasOwn(vars, name)) this.setVariable(name, vars[name]);
      else if (value) this.setVariable(name, resolveTemplate(value, this.#roots, this.ambient));
    }
  }

  async #steps(began: number): Promise<void> {
    const { clock, user } = this.options;
    let limit: number;
    try {
      limit = this.#milliseconds(this.recipe.timeout) ?? DEFAULT_TIMEOUT;
    } catch (error) {
      this.fail(this.describe(error));
      return;
    }
    const signal = AbortSignal.any([this.options.signal, this.#unhandled.signal]);
    using deadline = new Deadline(
      clock,
      began + Math.min(limit, this.options.timeout ?? Infinity),
      user ? { signal, at: user.deadline.at, whose: user.deadline.whose } : signal,
      "the recipe's time",
    );
    this.#stopped = deadline.signal;
    try {
      const resolve = (template: Template) => resolveTemplate(template, this.#roots, this.ambient);
      await this.channels.begin(this.recipe.channels, resolve, deadline.signal);
    } catch (error) {
      const late = deadline.passed && new StepFailure("deadline", NOT_LISTENING, { cause: error });
      this.fail(this.describe(late || error));
      if (this.recipe.script) return;
    }
    if (this.recipe.script) return await this.#script(this.recipe.script as RecipeBody, deadline);
    const runner = new StepRunner(this, deadline, this.results);
    for (const step of this.recipe.steps) {
      if (this.#status || !(this.options.select?.(step) ?? true)) {
        runner.skip(step, this.#status ? "not reached" : "not selected");
        continue;
      }
      const failure = await runner.run(step);
      if (failure) this.fail(failure);
    }
  }

  /** Runs a recipe that is written in TypeScript. */
  async #script(body: RecipeBody, deadline: Deadline): Promise<void> {
    const { RunningScript } = await import("../script/running_script.ts");
    const ending = new AbortController();
    const signal = AbortSignal.any([deadline.signal, ending.signal]);
    const { at, whose } = deadline;
    using steps = new Deadline(this.options.clock, at, { signal, at, whose });
    const script = new RunningScript(this, steps);
    this.#running = script;
    try {
      // A function that awaits something else than a step does not notice that its time is over.
      await abortable((async () => await body(script))(), deadline.signal);
      for (const { kind, fields, name, span } of script.steps.pending) {
        const { file, line } = placeOf(this.recipe.source, span);
        const label = name ? templateLabel(name) : STEP_KINDS[kind]!.label(fields);
        this.warn(`\`${label}\` is not awaited (${file}:${line})`);
      }
    } catch (error) {
      const late = deadline.passed
        ? new StepFailure("deadline", "the recipe was not done when its time was over", {
          cause: error,
        })
        : toError(error);
      this.fail(describeError(late, this.recipe.source, spanInModule(error, this.recipe)));
      ending.abort(new StepFailure("interrupted", "the recipe has failed meanwhile"));
    }
    await script.steps.settle();
    ending.abort(new InterruptedError("the recipe's end"));
  }

  /** Runs in any case. A person who interrupts again ends the process, so nothing cuts it but time. */
  async #always(): Promise<void> {
    const cleanups = this.#running?.cleanups ?? [];
    if (this.recipe.always.length === 0 && cleanups.length === 0) return;
    const calm = new AbortController();
    using deadline = new Deadline(
      this.options.clock,
      this.#cleanBy(),
      calm.signal,
      "the time of `always`",
    );
    const runner = new StepRunner(this, deadline, this.results);
    for (const step of this.recipe.always) {
      const failure = await runner.run(step);
      if (failure) this.fail(failure);
    }
    for (const cleanup of cleanups) {
      try {
        const cleaning = this.#running!.steps.clean(deadline, cleanup);
        await abortable(cleaning, deadline.signal);
      } catch (cause) {
        const error = toError(cause);
        const span = spanInModule(error, this.recipe);
        if (this.#status) this.warn(`clean-up failed: ${error.message}`);
        else this.fail(describeError(error, this.recipe.source, span));
      }
    }
    await this.#running?.steps.settle();
  }

  /** When `always` must be done. A case that is stopped or cleans up has one time with what it uses. */
  #cleanBy(): number {
    const owner = this.options.user?.case;
    const isOver = owner && (owner.#cleanUntil !== undefined || owner.#stopped?.aborted);
    this.#cleanUntil ??= isOver ? owner.#cleanBy() : this.options.clock.now() + ALWAYS_TIMEOUT;
    return this.#cleanUntil;
  }

  async #leftovers(): Promise<void> {
    const { client, clock, signal } = this.options;
    // Who interrupts waits no longer than for `always`.
    const until = signal.aborted ? this.#cleanBy() : clock.now() + ALWAYS_TIMEOUT;
    using deadline = new Deadline(clock, until, new AbortController().signal);
    try {
      const entities = [...this.results.entities(), ...this.#entities];
      const left = await findLeftovers(this.published, entities, client, deadline.signal);
      for (const { event_id, name } of left) {
        this.warn(
          `no run of this recipe took the event \`${name}\` (${event_id}): unless another one did, it stays on the server and wakes the next run that waits for that name`,
        );
      }
    } catch (error) {
      this.warn(`Cannot tell whether published events were taken: ${(error as Error).message}`);
    }
  }

  #milliseconds(template: Template | undefined): number | undefined {
    if (!template) return undefined;
    return toMilliseconds(resolveTemplate(template, this.#roots, this.ambient), template);
  }
}

/** What people call a case: the recipe's name and the values of its matrix. */
export function caseName(
  { recipe, matrix }: { recipe: Recipe; matrix?: Record<string, unknown> },
): string {
  if (!matrix) return recipe.name;
  const values = Object.entries(matrix).map(([key, value]) =>
    `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`
  );
  return `${recipe.name} [${values.join(", ")}]`;
}
