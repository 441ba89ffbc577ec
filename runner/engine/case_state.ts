import type { Clock } from "../../runtime/clock.ts";
import type { Emit, EventFailure } from "../events/event.ts";
import { Results } from "../events/results.ts";
import type { Ambient } from "../expression/functions.ts";
import { toCel } from "../expression/convert.ts";
import type { Hide } from "../expression/diff.ts";
import type { Values } from "../expression/expression.ts";
import { resolveTemplate, type Template } from "../expression/template.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import type { PublishedEvent, RunnerClient } from "../steps/context.ts";
import { idsOf } from "../steps/step_kinds.ts";
import type { CaseScope, ServerNames } from "./scopes.ts";
import { Channels } from "./channels.ts";
import { describeError } from "./describe_error.ts";
import { EntityEvents } from "./entity_events.ts";
import { tooManyEvents } from "./event_buffer.ts";
import { initialScope } from "./initial_scope.ts";
import type { Mask } from "./mask.ts";
import { Verdict } from "./verdict.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** Options of {@linkcode CaseState}. */
export interface CaseStateOptions {
  /** The number of the case in its run, from 0. */
  index: number;
  /** The connection to the server. */
  client: RunnerClient;
  /** The source of time. */
  clock: Clock;
  /** Virtual time, if the clock is one. */
  virtual?: VirtualTime | undefined;
  /** What is known about the names of the server. */
  serverNames?: ServerNames | undefined;
  /** Returns a random number in the range [0, 1). */
  random: () => number;
  /** Sends an event to the reporters. */
  emit: Emit;
  /** Receives the values of secrets. */
  mask: Mask;
  /** Reads an environment variable. */
  env(name: string): string | undefined;
  /** Values that replace those of `vars`. */
  vars: Record<string, unknown>;
  /** The values of `matrix`. */
  matrix?: Record<string, unknown> | undefined;
  /** The values of `inputs`. */
  inputs?: Record<string, unknown>;
}

/** The state of a case, which its steps share. */
export class CaseState implements CaseScope {
  readonly recipe: Recipe;
  readonly index: number;
  readonly client: RunnerClient;
  readonly clock: Clock;
  readonly virtual: VirtualTime | undefined;
  readonly serverNames: ServerNames | undefined;
  readonly ambient: Ambient;
  readonly emit: Emit;
  readonly hide: Hide;
  readonly results: Results;
  readonly channels: Channels;
  readonly entityEvents: EntityEvents;
  readonly published: PublishedEvent[] = [];
  readonly verdict: Verdict = new Verdict();
  readonly stepIds: ReadonlySet<string>;
  readonly use: CaseScope["use"];
  #options: CaseStateOptions;
  #outerNumber: string | undefined;
  #initial: Values = Object.create(null);
  #variables: Record<string, unknown> = {};

  /**
   * Creates the state of a case before its first step.
   *
   * @param outerNumber The number of the step that runs the recipe, if it is nested.
   */
  constructor(
    recipe: Recipe,
    options: CaseStateOptions,
    use: CaseScope["use"],
    outerNumber?: string,
  ) {
    const { index, client, clock, random, emit, mask } = options;
    this.recipe = recipe;
    this.index = index;
    this.client = client;
    this.clock = clock;
    this.virtual = options.virtual;
    this.serverNames = options.serverNames;
    this.ambient = { now: () => clock.now(), random };
    this.emit = emit;
    this.hide = (value) => mask.value(value);
    this.results = new Results(this.#initial);
    this.channels = new Channels(client, clock, (text) => this.warn(text));
    this.entityEvents = new EntityEvents({
      clock,
      onEvent: () => this.results.changed(),
      onError: ({ message }) => this.warn(`cannot read further events of a job or run: ${message}`),
      onDrop: ({ kind, id }) => this.warn(tooManyEvents(`${kind} ${id}`)),
    });
    this.stepIds = new Set(idsOf([...recipe.steps, ...recipe.always]));
    this.use = use;
    this.#options = options;
    this.#outerNumber = outerNumber;
  }

  /** The values of the variables. */
  get variables(): Readonly<Record<string, unknown>> {
    return this.#variables;
  }

  /**
   * Sets the names that expressions see before the first step.
   *
   * @throws {Error} If the environment lacks a secret or a variable cannot be evaluated.
   */
  prepare(): void {
    Object.assign(this.#initial, initialScope(this.recipe, this.#options));
    const { vars } = this.#options;
    for (const { name, value } of this.recipe.vars) {
      if (Object.hasOwn(vars, name)) this.setVariable(name, vars[name]);
      else if (value) this.setVariable(name, this.resolve(value));
    }
  }

  /** Returns the value of a template before the first step. */
  resolve(template: Template): unknown {
    return resolveTemplate(template, this.#initial, this.ambient);
  }

  stepNumber({ number }: Step): string {
    return this.#outerNumber === undefined ? number : `${this.#outerNumber}.${number}`;
  }

  setVariable(name: string, value: unknown): void {
    this.#variables[name] = value;
    const type = this.recipe.vars.find((variable) => variable.name === name)?.type;
    (this.#initial.vars as Values)[name] = toCel(value, type);
  }

  describe(error: unknown, fallback?: Span): EventFailure {
    return describeError(error, this.recipe.source, fallback);
  }

  warn(text: string): void {
    this.emit({ type: "warning", case: this.index, text });
  }

  /** Stops listening to channels, jobs and runs. */
  async close(): Promise<void> {
    this.entityEvents.close();
    await this.channels.close();
  }
}
