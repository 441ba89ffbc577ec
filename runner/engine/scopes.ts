import type { Clock } from "../../runtime/clock.ts";
import type { Deadline } from "../events/deadline.ts";
import type { Emit, EventFailure } from "../events/event.ts";
import type { Results } from "../events/results.ts";
import type { Hide } from "../expression/diff.ts";
import type { Ambient } from "../expression/functions.ts";
import type { Values } from "../expression/expression.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Span } from "../language/source.ts";
import type { NamedRequest, PublishedEvent, RunnerClient } from "../steps/context.ts";
import type { Channels } from "./channels.ts";
import type { EntityEvents } from "./entity_events.ts";
import type { Verdict } from "./verdict.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** What is known about the names of the server. */
export interface ServerNames {
  /** Returns why the server cannot do what a request asks for, if that is known. */
  problemOf(request: NamedRequest): Promise<string | undefined>;
  /** Returns the names of the server's workflows, if it can tell. */
  workflows(): Promise<readonly string[] | undefined>;
}

/** The part of a case that its steps use. */
export interface CaseScope {
  /** The recipe. */
  readonly recipe: Recipe;
  /** The number of the case in its run, from 0. */
  readonly index: number;
  /** The connection to the server. */
  readonly client: RunnerClient;
  /** The source of time. */
  readonly clock: Clock;
  /** Virtual time; absent if the time is real. */
  readonly virtual: VirtualTime | undefined;
  /** What is known about the names of the server. */
  readonly serverNames: ServerNames | undefined;
  /** The source of `now()`, `uuid()` and `random(n)`. */
  readonly ambient: Ambient;
  /** Sends an event to the reporters. */
  readonly emit: Emit;
  /** Returns a value without its secrets. */
  readonly hide: Hide;
  /** The results of the steps. */
  readonly results: Results;
  /** The channels that steps listen to. */
  readonly channels: Channels;
  /** The events of jobs and runs whose results include them. */
  readonly entityEvents: EntityEvents;
  /** The events that steps have published. */
  readonly published: PublishedEvent[];
  /** The outcome so far. */
  readonly verdict: Verdict;
  /** The ids of all steps. */
  readonly stepIds: ReadonlySet<string>;
  /** Returns the number that reports show for a step, such as `2.1`. */
  stepNumber(step: Step): string;
  /** Returns an error as events describe it; `fallback` is the place of an error without one. */
  describe(error: unknown, fallback?: Span): EventFailure;
  /** Reports a warning. It fails nothing. */
  warn(text: string): void;
  /** Sets a variable. */
  setVariable(name: string, value: unknown): void;
  /**
   * Runs another recipe as a step of this case.
   *
   * @returns The outputs of that recipe.
   */
  use(
    recipe: Recipe,
    inputs: Record<string, unknown>,
    caller: Caller,
  ): Promise<Record<string, unknown>>;
}

/** The step that runs another recipe. */
export interface Caller {
  /** The step. */
  readonly step: Step;
  /** The limit of the step. */
  readonly deadline: Deadline;
  /** Called when a step of the other recipe may have changed the server. */
  readonly onWrite: () => void;
}

/** The surroundings of a step: the top of a case, a `parallel`, or an item of a `for_each`. */
export interface StepScope {
  /** The case. */
  readonly case: CaseScope;
  /** The limit around the step. */
  readonly deadline: Deadline;
  /** The results that the step sees and adds to. */
  readonly results: Results;
  /** Names that exist only here, such as `item`. */
  readonly locals: Values;
  /** Called when the step may have changed the server. */
  readonly onWrite: () => void;
}

/** Returns all names that the expressions of a step see. */
export function valuesOf({ results, locals }: StepScope, more: Values = {}): Values {
  return Object.assign(Object.create(results.values()), locals, more);
}
