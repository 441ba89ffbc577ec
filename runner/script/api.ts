import type { DefinitionName, Definitions, DefinitionsOf } from "../../client/definitions.ts";
import type { JobState, RunState, Stats } from "../../protocol/entity.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { RunnerClient } from "../steps/kind.ts";
import type { JobHandle, RunHandle } from "./handle.ts";
import type { Expectations } from "./matchers.ts";

/** Settings of every step. */
export interface StepSettings {
  /**
   * Its line in reports.
   * @default {what the step does}
   */
  name?: string;
  /**
   * How long it may take, such as `10s`.
   * @default {what is left of the recipe's time}
   */
  within?: string;
  /**
   * Whether the recipe goes on when it fails. What such a step gives cannot be used: it left nothing.
   * @default {false}
   */
  soft?: boolean;
}

/** Settings of {@linkcode Script.enqueue}. */
export interface EnqueueSettings extends StepSettings {
  /**
   * The queue the job waits in.
   * @default {"default"}
   */
  queue?: string;
  /**
   * Higher runs first.
   * @default {0}
   */
  priority?: number;
}

/** Settings of {@linkcode Script.wait}. */
export interface WaitSettings<State extends string, Result> extends StepSettings {
  /**
   * What ends the wait: a state, one of several, or a function over what was read.
   * @default {"completed"}
   */
  until?: State | State[] | ((it: Result) => boolean);
  /** For a run: the checkpoint that ends the wait. */
  untilStep?: string;
  /**
   * States that fail the wait at once.
   * @default {ends other than `until`}
   */
  failOn?: State | State[];
}

/** Settings of {@linkcode Script.events}. */
export interface EventsSettings extends StepSettings {
  /** Which events count. */
  where?: (event: DispatchEvent) => boolean;
  /**
   * How many.
   * @default {1}
   */
  count?: number;
}

/** What a recipe in TypeScript does things with: each call is a step. */
export interface Script<S extends Definitions = Definitions> {
  /** The recipe's variables. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** The environment variables it declares. */
  readonly env: Readonly<Record<string, string>>;
  /** The secrets it declares; they are masked in every output. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The values of this case. */
  readonly matrix: Readonly<Record<string, unknown>>;
  /** Aborted when the recipe's time is over or the run is interrupted. */
  readonly signal: AbortSignal;
  /** The client, for what no step does. */
  readonly client: RunnerClient;
  /** Enqueues a job. */
  enqueue<N extends DefinitionName<S, "jobs">>(
    name: N,
    payload?: DefinitionsOf<S, "jobs">[N],
    settings?: EnqueueSettings,
  ): Promise<JobHandle>;
  /** Starts a workflow; its run goes on. */
  start<N extends DefinitionName<S, "workflows">>(
    name: N,
    input?: DefinitionsOf<S, "workflows">[N],
    settings?: StepSettings,
  ): Promise<RunHandle>;
  /** Publishes an event. */
  publish<N extends DefinitionName<S, "events">>(
    name: N,
    payload?: DefinitionsOf<S, "events">[N],
    settings?: StepSettings,
  ): Promise<{ event_id: string; name: string }>;
  /** Waits for a job. */
  wait(job: JobHandle, settings?: WaitSettings<JobState, JobHandle>): Promise<void>;
  /** Waits for a run. */
  wait(run: RunHandle, settings?: WaitSettings<RunState, RunHandle>): Promise<void>;
  /** Waits for events of a channel, and gives those that count; none when it failed and is soft. */
  events(channel: string, settings?: EventsSettings): Promise<DispatchEvent[]>;
  /** Cancels a job. */
  cancel(job: JobHandle, settings?: StepSettings): Promise<void>;
  /** Reads the server's statistics. */
  stats(settings?: StepSettings): Promise<Stats>;
  /** Calls any method of the wire protocol. */
  call(method: string, data?: unknown, settings?: StepSettings): Promise<unknown>;
  /** Does nothing for a while, such as `250ms`. */
  sleep(duration: string, settings?: StepSettings): Promise<void>;
  /** Prints a text, or a value as JSON. */
  log(value: unknown): void;
  /** Asserts that something is true. A promise is awaited first: it is no condition. */
  assert(condition: unknown, message?: string): void;
  /** Expects something of a value. */
  expect<T>(value: T): Expectations<T>;
  /** Runs in any case when the recipe has ended, the last one given first. */
  always(cleanup: () => Promise<void> | void): void;
}
