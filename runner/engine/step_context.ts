import type { CallOptions } from "../../client/options.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Deadline } from "../events/deadline.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity, LoggedEvent, Results } from "../events/results.ts";
import type { Ambient } from "../expression/functions.ts";
import { toCel } from "../expression/convert.ts";
import type { Hide } from "../expression/diff.ts";
import type { Expression, Values } from "../expression/expression.ts";
import { resolveTemplate, type Template, templateSpan } from "../expression/template.ts";
import type { Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import type {
  EventLog,
  NamedRequest,
  Nested,
  PublishedEvent,
  RunnerClient,
  StepContext,
} from "../steps/context.ts";
import { type CaseScope, type StepScope, valuesOf } from "./scopes.ts";
import { toMilliseconds } from "./describe_error.ts";
import type { Activity } from "./virtual_time.ts";

const NOT_VIRTUAL =
  "`advance` needs virtual time: run the recipe with `--clock virtual`, on the embedded server";

/** The context of one attempt of a step. */
export class AttemptContext implements StepContext {
  readonly client: RunnerClient;
  readonly signal: AbortSignal;
  readonly callOptions: CallOptions;
  readonly clock: Clock;
  readonly pauses: Clock;
  readonly results: Results;
  readonly id: string | undefined;
  readonly ambient: Ambient;
  readonly hide: Hide;
  readonly nested: Nested;
  readonly #case: CaseScope;
  readonly #scope: StepScope;
  readonly #step: Step;
  readonly #deadline: Deadline;
  readonly #activity: Activity | undefined;
  #lastProgress: { text: string; since: string } | undefined;

  /**
   * Creates the context of an attempt that runs under the deadline of `scope`. In virtual time,
   * `activity` is the work of the attempt.
   */
  constructor(step: Step, scope: StepScope, nested: Nested, activity?: Activity) {
    const { case: owner, deadline } = scope;
    this.client = activity?.client(owner.client) ?? owner.client;
    this.signal = deadline.signal;
    this.callOptions = { signal: deadline.signal, ...(step.within ? { timeout: 0 } : {}) };
    this.clock = activity?.clock(owner.clock) ?? owner.clock;
    this.pauses = activity?.clock(owner.virtual!.pauses) ?? owner.clock;
    this.results = scope.results;
    this.id = step.id;
    this.ambient = owner.ambient;
    this.hide = owner.hide;
    this.nested = {
      parallel: (steps) => this.#waitFor(nested.parallel(steps)),
      use: (recipe, inputs) => this.#waitFor(nested.use(recipe, inputs)),
    };
    this.#case = owner;
    this.#scope = scope;
    this.#step = step;
    this.#deadline = deadline;
    this.#activity = activity;
  }

  get publishedEvents(): readonly PublishedEvent[] {
    return this.#case.published;
  }

  get timedOut(): boolean {
    return this.#deadline.passed;
  }

  async checkRequest(request: NamedRequest): Promise<void> {
    const { serverNames, recipe } = this.#case;
    const asked = recipe.script ? request : "enqueue" in request && { enqueue: request.enqueue };
    if (!serverNames || !asked) return;
    const problem = await this.#waitFor(serverNames.problemOf(asked));
    if (problem !== undefined) throw new StepFailure("evaluation", problem);
  }

  async workflowNames(): Promise<readonly string[] | undefined> {
    const { serverNames } = this.#case;
    return serverNames && await this.#waitFor(serverNames.workflows());
  }

  values(locals: Values = {}): Values {
    const values = valuesOf(this.#scope);
    for (const [name, value] of Object.entries(locals)) values[name] = toCel(value);
    return values;
  }

  resolve(template: Template): unknown {
    return resolveTemplate(template, this.values(), this.ambient);
  }

  text(template: Template): string {
    const value = this.resolve(template);
    if (typeof value === "string" && value !== "") return value;
    throw invalid(template, value === "" ? "the text is empty" : `${shown(value)} is not text`);
  }

  number(template: Template): number {
    const value = this.resolve(template);
    if (Number.isSafeInteger(value)) return value as number;
    throw invalid(template, `${shown(value)} is not a whole number`);
  }

  duration(template: Template): number {
    return toMilliseconds(this.resolve(template), template);
  }

  holds(condition: Expression, locals?: Values): boolean {
    const value = condition.evaluate(this.values(locals), this.ambient);
    if (typeof value === "boolean") return value;
    throw new StepFailure("evaluation", `\`${condition.text}\` is neither true nor false`, {
      span: condition.span(),
    });
  }

  lineOf(span: Span): number {
    return this.#case.recipe.source.position(span.start).line;
  }

  reportProgress(text: string): void {
    if (this.#lastProgress?.text !== text) {
      this.#lastProgress = { text, since: new Date(this.clock.now()).toISOString() };
    }
    this.#case.emit({ type: "step.progress", ...this.#about(), ...this.#lastProgress });
  }

  log(text: string): void {
    this.#case.emit({ type: "log", ...this.#about(), text });
  }

  addPublished(event: PublishedEvent): void {
    this.#case.published.push(event);
  }

  setVariable(name: string, value: unknown): void {
    this.#case.setVariable(name, value);
  }

  countCheck(): void {
    this.#case.verdict.checks++;
  }

  async channel(name: string): Promise<EventLog> {
    const log = await this.#waitFor(this.#case.channels.open(name, this.signal));
    return this.#activity?.client<EventLog>(log) ?? log;
  }

  async advance(ms: number): Promise<void> {
    const { virtual } = this.#case;
    if (!virtual) throw new StepFailure("evaluation", NOT_VIRTUAL);
    // The limits are for waits; what a recipe skips on purpose does not count.
    this.#deadline.postpone(ms);
    await this.#waitFor(virtual.pass(ms, this.signal));
  }

  collectEvents(
    entity: Entity,
    open: (signal: AbortSignal) => AsyncIterable<unknown>,
  ): readonly LoggedEvent[] {
    const { entityEvents, recipe } = this.#case;
    return recipe.eventIds.has(this.id!)
      ? entityEvents.collect(entity, open)
      : entityEvents.of(entity);
  }

  eventsOf(entity: Entity): readonly LoggedEvent[] {
    return this.#case.entityEvents.of(entity);
  }

  lastEvents(entity: Entity): Promise<void> {
    return this.#waitFor(this.#case.entityEvents.complete(entity, this.signal));
  }

  /** Waits for the server, or for other steps. */
  #waitFor<T>(promise: Promise<T>): Promise<T> {
    return this.#activity?.during(promise) ?? promise;
  }

  /** The fields that all events of the step have. */
  #about() {
    const { phase } = this.#step;
    return { case: this.#case.index, step: this.#case.stepNumber(this.#step), phase };
  }
}

function invalid(template: Template, message: string): StepFailure {
  return new StepFailure("evaluation", message, { span: templateSpan(template) });
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}
