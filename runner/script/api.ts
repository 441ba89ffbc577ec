import type { DefinitionName, Definitions, DefinitionsOf } from "../../client/definitions.ts";
import type { JobState, RunState, Stats } from "../../protocol/entity.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { RunnerClient } from "../steps/context.ts";
import type { JobHandle, RunHandle } from "./handle.ts";
import type { Expectations } from "./matchers.ts";

/** Settings of every step. */
export interface StepSettings {
  /**
   * The line that reports show for the step.
   * @default {what the step does}
   */
  name?: string;
  /**
   * How long the step may take, such as `10s`.
   * @default {the rest of the recipe's time}
   */
  within?: string;
  /**
   * Whether the recipe goes on after the step has failed. The promise then resolves, and any use of
   * its value throws.
   * @default {false}
   */
  soft?: boolean;
}

/** Settings of {@linkcode Script.enqueue}. */
export interface EnqueueSettings extends StepSettings {
  /**
   * The job's queue.
   * @default {"default"}
   */
  queue?: string;
  /**
   * The job's priority. Higher runs first.
   * @default {0}
   */
  priority?: number;
}

/** Settings of {@linkcode Script.wait}. */
export interface WaitSettings<State extends string, Result> extends StepSettings {
  /**
   * What ends the wait: a state, one of several states, or a condition over the job or run.
   * @default {"completed"}
   */
  until?: State | State[] | ((it: Result) => boolean);
  /** The checkpoint that ends the wait for a run. */
  untilStep?: string;
  /**
   * States that fail the wait at once.
   * @default {final states other than `until`}
   */
  failOn?: State | State[];
}

/** Settings of {@linkcode Script.events}. */
export interface EventsSettings extends StepSettings {
  /** Which events count; all by default. */
  where?: (event: DispatchEvent) => boolean;
  /**
   * The number of events to wait for.
   * @default {1}
   */
  count?: number;
}

/** The steps of a TypeScript recipe. Each call of a method is a step. */
export interface Script<D extends Definitions = Definitions> {
  /** The recipe's variables. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** The environment variables that the recipe declares. */
  readonly env: Readonly<Record<string, string>>;
  /** The secrets that the recipe declares. All output masks them. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The values of the matrix for this case. */
  readonly matrix: Readonly<Record<string, unknown>>;
  /** Aborts when the recipe's time is over or the run is interrupted. */
  readonly signal: AbortSignal;
  /** The client, for requests that should not be steps. */
  readonly client: RunnerClient;
  /** Enqueues a job. */
  enqueue<N extends DefinitionName<D, "jobs">>(
    name: N,
    payload?: DefinitionsOf<D, "jobs">[N],
    settings?: EnqueueSettings,
  ): Promise<JobHandle>;
  /** Starts a workflow. */
  start<N extends DefinitionName<D, "workflows">>(
    name: N,
    input?: DefinitionsOf<D, "workflows">[N],
    settings?: StepSettings,
  ): Promise<RunHandle>;
  /** Publishes an event for workflows. */
  publish<N extends DefinitionName<D, "events">>(
    name: N,
    payload?: DefinitionsOf<D, "events">[N],
    settings?: StepSettings,
  ): Promise<{ event_id: string; name: string }>;
  /** Waits for a job. */
  wait(job: JobHandle, settings?: WaitSettings<JobState, JobHandle>): Promise<void>;
  /** Waits for a run. */
  wait(run: RunHandle, settings?: WaitSettings<RunState, RunHandle>): Promise<void>;
  /** Waits for events of a channel, and returns those that count; none if a soft wait failed. */
  events(channel: string, settings?: EventsSettings): Promise<DispatchEvent[]>;
  /** Cancels a job. */
  cancel(job: JobHandle, settings?: StepSettings): Promise<void>;
  /** Reads the server's statistics. */
  stats(settings?: StepSettings): Promise<Stats>;
  /** Calls any method of the wire protocol. */
  call(method: string, data?: unknown, settings?: StepSettings): Promise<unknown>;
  /** Pauses the recipe for a duration such as `250ms`. */
  sleep(duration: string, settings?: StepSettings): Promise<void>;
  /**
   * Lets virtual time pass: a run with `--clock virtual`. It does not count for the limits of the
   * recipe.
   */
  advance(duration: string, settings?: StepSettings): Promise<void>;
  /**
   * Runs a step of any kind, for kinds that have no method here.
   *
   * @param kind The step kind, such as `get`.
   * @param fields The keys of the step as in YAML. A condition is a function, and a handle stands for
   * its job or run.
   * @returns The step's result; a handle if that is a job or run.
   */
  step<Result = unknown>(
    kind: string,
    fields: Record<string, unknown>,
    settings?: StepSettings,
  ): Promise<Result>;
  /** Prints text, or a value as JSON. */
  log(value: unknown): void;
  /** Asserts that a condition is true. A promise is refused: await it first. */
  assert(condition: unknown, message?: string): void;
  /** Returns the expectations that a value can be checked with. */
  expect<T>(value: T): Expectations<T>;
  /**
   * Registers a function to call when the recipe has ended, even after a failure. The last one
   * registered is called first.
   */
  always(cleanUp: () => Promise<void> | void): void;
}
