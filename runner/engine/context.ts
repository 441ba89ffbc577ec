import type { CallOptions } from "../../client/options.ts";
import type { Clock } from "../../runtime/clock.ts";
import { toCel } from "../expression/convert.ts";
import type { Hide } from "../expression/diff.ts";
import type { Expression, Values } from "../expression/expression.ts";
import type { Ambient } from "../expression/cel.ts";
import { resolveTemplate, type Template } from "../expression/template.ts";
import type { Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import type { EventLog, Nested, RunnerClient, StepContext } from "../steps/kind.ts";
import type { Case } from "./case.ts";
import { toMilliseconds } from "./describe_error.ts";
import type { Deadline } from "../events/deadline.ts";
import { StepFailure } from "../events/failure.ts";
import type { Entity, LoggedEvent, Results } from "../events/results.ts";

/** What one attempt of a step has at hand. */
export class Context implements StepContext {
  readonly client: RunnerClient;
  readonly signal: AbortSignal;
  readonly call: CallOptions;
  readonly clock: Clock;
  readonly results: Results;
  readonly id: string | undefined;
  readonly ambient: Ambient;
  readonly hide: Hide;
  #case: Case;
  #step: Step;
  #deadline: Deadline;
  #locals: Values;
  #wrote: () => void;
  #seen: { text: string; since: string } | undefined;

  constructor(
    owner: Case,
    step: Step,
    deadline: Deadline,
    results: Results,
    locals: Values,
    wrote: () => void,
  ) {
    this.client = owner.options.client;
    this.signal = deadline.signal;
    this.call = { signal: deadline.signal, ...(step.within ? { timeout: 0 } : {}) };
    this.clock = owner.options.clock;
    this.results = results;
    this.id = step.id;
    this.ambient = owner.ambient;
    this.hide = owner.hide;
    this.#case = owner;
    this.#step = step;
    this.#deadline = deadline;
    this.#locals = locals;
    this.#wrote = wrote;
  }

  get nested(): Nested {
    const { results } = this;
    return this.#case.nested(this.#step, this.#deadline, results, this.#locals, this.#wrote);
  }

  values(locals: Values = {}): Values {
    const own = Object.assign(Object.create(this.results.values()), this.#locals);
    for (const [name, value] of Object.entries(locals)) own[name] = toCel(value);
    return own;
  }

  resolve(template: Template): unknown {
    return template.kind === "literal"
      ? template.value
      : resolveTemplate(template, this.values(), this.ambient);
  }

  text(template: Template): string {
    const value = this.resolve(template);
    if (typeof value === "string" && value !== "") return value;
    throw this.#wrong(template, value, value === "" ? "allowed: it is empty" : "text");
  }

  number(template: Template): number {
    const value = this.resolve(template);
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw this.#wrong(template, value, "a whole number");
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

  progress(text: string): void {
    const { emit, index } = this.#case.options;
    if (this.#seen?.text !== text) {
      this.#seen = { text, since: new Date(this.clock.now()).toISOString() };
    }
    emit({
      type: "step.progress",
      case: index,
      step: this.#case.numberOf(this.#step),
      phase: this.#step.phase,
      ...this.#seen,
    });
  }

  log(text: string): void {
    const { emit, index } = this.#case.options;
    emit({
      type: "log",
      case: index,
      step: this.#case.numberOf(this.#step),
      phase: this.#step.phase,
      text,
    });
  }

  published(event: { event_id: string; name: string }): void {
    this.#case.published.push(event);
  }

  publishedEvents(): readonly { event_id: string; name: string }[] {
    return this.#case.published;
  }

  setVariable(name: string, value: unknown): void {
    this.#case.setVariable(name, value);
  }

  checked(): void {
    this.#case.checks++;
  }

  channel(name: string): Promise<EventLog> {
    return this.#case.channels.open(name, this.signal);
  }

  follow(
    entity: Entity,
    open: (signal: AbortSignal) => AsyncIterable<unknown>,
  ): readonly LoggedEvent[] {
    const { followed, recipe } = this.#case;
    const asked = this.id !== undefined && recipe.eventIds.has(this.id);
    return asked ? followed.follow(entity, open) : followed.of(entity);
  }

  eventsOf(entity: Entity): readonly LoggedEvent[] {
    return this.#case.followed.of(entity);
  }

  lastEvents(entity: Entity): Promise<void> {
    return this.#case.followed.complete(entity, this.signal);
  }

  timedOut(): boolean {
    return this.#deadline.passed;
  }

  #wrong(template: Template, value: unknown, wanted: string): StepFailure {
    const span = template.kind === "expression" ? template.expression.span() : undefined;
    const shown = JSON.stringify(value) ?? "nothing";
    return new StepFailure("evaluation", `${shown} is not ${wanted}`, { span });
  }
}
