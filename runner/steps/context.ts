import type { Dispatch } from "../../client/dispatch.ts";
import type { CallOptions } from "../../client/options.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Observed } from "../events/event.ts";
import type { Entity, LoggedEvent, Results } from "../events/results.ts";
import type { Ambient } from "../expression/functions.ts";
import type { Hide } from "../expression/diff.ts";
import type { Expression, Values } from "../expression/expression.ts";
import type { Template } from "../expression/template.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";

/** A request that names something of the server. */
export type NamedRequest =
  | { enqueue: string; payload?: unknown; queue?: string }
  | { start: string; input?: unknown }
  | { publish: string }
  /** A wait until a run of a workflow reaches a step. */
  | { start: string; until_step: string };

/** A connected client, without the methods that connect and close it. */
export type RunnerClient = Omit<Dispatch, "connect" | "close" | typeof Symbol.asyncDispose>;

/** An event that a recipe has published. */
export interface PublishedEvent {
  /** Its id. */
  event_id: string;
  /** Its name. */
  name: string;
}

/** What a step can use and do while it runs. */
export interface StepContext {
  /** The connection to the server. */
  readonly client: RunnerClient;
  /** Aborts when the step's time is over or the run is interrupted. */
  readonly signal: AbortSignal;
  /**
   * Options for every call of the client. They hold the step's signal, and turn off the client's own
   * timeout for a step with `within`.
   */
  readonly callOptions: CallOptions;
  /** The source of time. */
  readonly clock: Clock;
  /** The clock for pauses between reads. In virtual time they may be longer. */
  readonly pauses: Clock;
  /** The results of earlier steps. */
  readonly results: Results;
  /** The step's id. */
  readonly id: string | undefined;
  /** The source of `now()`, `uuid()` and `random(n)`. */
  readonly ambient: Ambient;
  /** Returns a value without its secrets; for messages that show a part of a value. */
  readonly hide: Hide;
  /** Runs steps inside this one. */
  readonly nested: Nested;
  /** The events that this case has published. */
  readonly publishedEvents: readonly PublishedEvent[];
  /** Whether `signal` aborted because the step's time is over. */
  readonly timedOut: boolean;
  /**
   * Checks the names and the payload of a request before it is sent: servers accept any name of a
   * job, queue or event, and the recipe would only wait in vain. In YAML, where `check` has seen what
   * is written, only the name of a job is checked: a recipe may compute the others on purpose.
   * @throws {StepFailure} If the server is known not to have the name, or to refuse the payload.
   */
  checkRequest(request: NamedRequest): Promise<void>;
  /** Returns the names of the server's workflows, if it can tell. */
  workflowNames(): Promise<readonly string[] | undefined>;
  /** Returns all names that expressions see. */
  values(locals?: Values): Values;
  /** Returns the value of a template. */
  resolve(template: Template): unknown;
  /** Returns the value of a template that must be a non-empty text. */
  text(template: Template): string;
  /** Returns the value of a template that must be a whole number. */
  number(template: Template): number;
  /** Returns the value of a template that must be a duration, in milliseconds. */
  duration(template: Template): number;
  /** Returns whether a condition holds. */
  holds(condition: Expression, locals?: Values): boolean;
  /** Returns the line of the recipe on which `span` begins. */
  lineOf(span: Span): number;
  /** Reports what a long step last saw. */
  reportProgress(text: string): void;
  /** Prints a line of the recipe. */
  log(text: string): void;
  /** Records a published event, so that the case can warn if no run consumes it. */
  addPublished(event: PublishedEvent): void;
  /** Sets a variable. */
  setVariable(name: string, value: unknown): void;
  /** Counts an assertion or a wait. A case without any does not pass. */
  countCheck(): void;
  /** Returns the events of a channel since the recipe began. */
  channel(name: string): Promise<EventLog>;
  /**
   * Starts to collect the events of this step's job or run, if an expression uses them.
   *
   * @returns The events so far. More are added as they arrive.
   */
  collectEvents(
    entity: Entity,
    open: (signal: AbortSignal) => AsyncIterable<unknown>,
  ): readonly LoggedEvent[];
  /** Returns the events collected for a job or run. More are added as they arrive. */
  eventsOf(entity: Entity): readonly LoggedEvent[];
  /**
   * Lets virtual time pass; it does not count for the limits of the recipe.
   * @throws {StepFailure} If the time is real.
   */
  advance(ms: number): Promise<void>;
  /** Waits briefly for the last events of a job or run that has ended. */
  lastEvents(entity: Entity): Promise<void>;
}

/** Runs the steps inside a step. */
export interface Nested {
  /** Runs steps side by side. */
  parallel(steps: readonly Step[]): Promise<void>;
  /** Runs another recipe and returns its outputs. */
  use(recipe: Recipe, inputs: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** The events of one channel, in the order they arrived. */
export interface EventLog {
  /** The newest events, the oldest of them first. */
  readonly events: readonly LoggedEvent[];
  /** How many events came before `events` and are no longer kept. */
  readonly dropped: number;
  /**
   * When the log began, in milliseconds since 1970; `undefined` if it began with the recipe.
   */
  readonly since: number | undefined;
  /** Describes the events that were missed, if any. */
  readonly missed: string | undefined;
  /** Resolves on the next event or gap; rejects when the subscription fails. */
  changed(signal: AbortSignal): Promise<void>;
}

/** What a step has done. */
export interface StepOutcome {
  /** The value to put under the step's id. */
  result?: unknown;
  /** A few words for its line in reports. */
  detail?: string;
  /** What a wait has seen. */
  observed?: Observed;
}
