import type { DefinitionName, Definitions, DefinitionsOf } from "../../client/definitions.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { JobState, RunState, Stats } from "../../protocol/entity.ts";
import type { Case } from "../engine/case.ts";
import type { Deadline } from "../events/deadline.ts";
import { fromCel } from "../expression/convert.ts";
import { literal } from "../expression/template.ts";
import type { Step } from "../language/model.ts";
import type { RunnerClient } from "../steps/kind.ts";
import type { EnqueueSettings, EventsSettings, Script, StepSettings, WaitSettings } from "./api.ts";
import { waitFields, waitLabel } from "./wait_fields.ts";
import { FunctionExpression, NOWHERE } from "./function_expression.ts";
import { type JobHandle, makeHandle, refuseHandle, type RunHandle } from "./handle.ts";
import { Expectations, unasked } from "./matchers.ts";
import { nothingLeft } from "./nothing_left.ts";
import { inspectLine } from "../expression/inspect.ts";
import { ScriptSteps } from "./script_steps.ts";

/** A recipe in TypeScript that runs. */
export class RunningScript<S extends Definitions = Definitions> implements Script<S> {
  readonly #case: Case;
  readonly #cleanups: (() => Promise<void> | void)[] = [];
  /** Its steps. */
  readonly steps: ScriptSteps;

  /** Runs steps in a case. */
  constructor(owner: Case, deadline: Deadline) {
    this.#case = owner;
    this.steps = new ScriptSteps(owner, deadline);
  }

  /** The recipe's variables. */
  get vars(): Readonly<Record<string, unknown>> {
    return this.#root("vars");
  }

  /** The environment variables it declares. */
  get env(): Readonly<Record<string, string>> {
    return this.#root("env") as Record<string, string>;
  }

  /** The secrets it declares; they are masked in every output. */
  get secrets(): Readonly<Record<string, string>> {
    return this.#root("secrets") as Record<string, string>;
  }

  /** The values of this case. */
  get matrix(): Readonly<Record<string, unknown>> {
    return this.#root("matrix");
  }

  /** Aborted when the recipe's time is over or the run is interrupted. */
  get signal(): AbortSignal {
    return this.steps.signal;
  }

  /** The client, for what no step does. */
  get client(): RunnerClient {
    return this.#case.options.client;
  }

  /** Enqueues a job. */
  enqueue<N extends DefinitionName<S, "jobs">>(
    name: N,
    payload?: DefinitionsOf<S, "jobs">[N],
    settings: EnqueueSettings = {},
  ): Promise<JobHandle> {
    return this.#do(async () => {
      const step = await this.steps.run("enqueue", settings, ["queue", "priority"], () => {
        const { queue, priority } = settings;
        return {
          fields: {
            enqueue: literal(name),
            payload: literal(payload ?? null),
            ...(queue === undefined ? {} : { queue: literal(queue) }),
            ...(priority === undefined ? {} : { priority: literal(priority) }),
          },
        };
      });
      return this.#handle(step) as JobHandle;
    });
  }

  /** Starts a workflow; its run goes on. */
  start<N extends DefinitionName<S, "workflows">>(
    name: N,
    input?: DefinitionsOf<S, "workflows">[N],
    settings: StepSettings = {},
  ): Promise<RunHandle> {
    return this.#do(async () => {
      const step = await this.steps.run("start", settings, [], () => ({
        fields: { start: literal(name), input: literal(input ?? null) },
      }));
      return this.#handle(step) as RunHandle;
    });
  }

  /** Publishes an event. */
  publish<N extends DefinitionName<S, "events">>(
    name: N,
    payload?: DefinitionsOf<S, "events">[N],
    settings: StepSettings = {},
  ): Promise<{ event_id: string; name: string }> {
    return this.#do(async () => {
      const step = await this.steps.run("publish", settings, [], () => ({
        fields: { publish: literal(name), payload: literal(payload ?? null) },
      }));
      return this.#left(step) as { event_id: string; name: string };
    });
  }

  /** Waits for a job. */
  wait(job: JobHandle, settings?: WaitSettings<JobState, JobHandle>): Promise<void>;
  /** Waits for a run. */
  wait(run: RunHandle, settings?: WaitSettings<RunState, RunHandle>): Promise<void>;
  wait(
    handle: JobHandle | RunHandle,
    settings: WaitSettings<string, never> = {},
  ): Promise<void> {
    return this.#do(async () => {
      await this.steps.run("wait", settings, ["until", "untilStep", "failOn"], () => ({
        fields: waitFields(handle, settings),
        label: waitLabel(handle, settings),
      }));
    });
  }

  /** Waits for events of a channel, and gives those that count. */
  events(channel: string, settings: EventsSettings = {}): Promise<DispatchEvent[]> {
    return this.#do(async () => {
      const step = await this.steps.run("wait", settings, ["where", "count"], () => {
        const { where, count = 1 } = settings;
        const condition = where &&
          new FunctionExpression(where as (event: never) => boolean, "event");
        return {
          fields: {
            wait: {
              channel: literal(channel),
              count: literal(count),
              ...(condition ? { where: condition } : {}),
            },
          },
        };
      });
      const left = this.#case.results.get(step.id!) as { events: DispatchEvent[] } | undefined;
      return left?.events ?? [];
    });
  }

  /** Cancels a job. */
  cancel(job: JobHandle, settings: StepSettings = {}): Promise<void> {
    return this.#do(async () => {
      await this.steps.run("cancel", settings, [], () => {
        if (typeof job?.job_id !== "string") refuseHandle(job, "cancel", "`t.enqueue`");
        return { fields: { cancel: { job: literal(job.job_id), span: NOWHERE } } };
      });
    });
  }

  /** Reads the server's statistics. */
  stats(settings: StepSettings = {}): Promise<Stats> {
    return this.#do(async () => {
      const step = await this.steps.run("stats", settings, [], () => ({ fields: { stats: true } }));
      return this.#left(step) as Stats;
    });
  }

  /** Calls any method of the wire protocol. */
  call(method: string, data: unknown = {}, settings: StepSettings = {}): Promise<unknown> {
    return this.#do(async () => {
      const step = await this.steps.run("call", settings, [], () => ({
        fields: { call: method, data: literal(data) },
      }));
      return this.#left(step);
    });
  }

  /** Does nothing for a while, such as `250ms`. */
  sleep(duration: string, settings: StepSettings = {}): Promise<void> {
    return this.#do(async () => {
      await this.steps.run("sleep", settings, [], () => ({
        fields: { sleep: literal(duration) },
      }));
    });
  }

  /** Prints a text, or a value as JSON. */
  log(value: unknown): void {
    this.steps.log(inspectLine(value));
  }

  /** Asserts that something is true. */
  assert(condition: unknown, message = "the assertion"): void {
    this.steps.instant(() => ({
      label: `assert ${message}`,
      notMet: unasked(condition) ??
        (condition ? undefined : { message: `${message} does not hold`, lines: [] }),
    }));
  }

  /** Expects something of a value. */
  expect<T>(value: T): Expectations<T> {
    const { hide } = this.#case;
    return new Expectations(value, (check) => this.steps.instant(check), hide);
  }

  /** Runs in any case when the recipe has ended, the last one given first. */
  always(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  /** The functions given to {@linkcode Script.always}, in the order they run. */
  get cleanups(): readonly (() => Promise<void> | void)[] {
    return this.#cleanups.toReversed();
  }

  /** What a step left; a soft one that failed has left nothing to go on with. */
  #left(step: Step): unknown {
    const { results } = this.#case;
    return results.has(step.id!) ? results.get(step.id!) : nothingLeft(step);
  }

  #handle(step: Step): unknown {
    return this.#case.results.has(step.id!) ? makeHandle(this.#case, step.id!) : nothingLeft(step);
  }

  /**
   * What a method does, begun at once. A step that nobody awaits must not end the process when it
   * fails: its failure is the recipe's already.
   */
  #do<T>(begin: () => Promise<T>): Promise<T> {
    const promise = begin();
    promise.catch(() => {});
    return promise;
  }

  #root(name: string): Record<string, unknown> {
    return fromCel(this.#case.results.values()[name]) as Record<string, unknown>;
  }
}
