import type { DefinitionName, Definitions, DefinitionsOf } from "../../client/definitions.ts";
import type { JobState, RunState, Stats } from "../../protocol/entity.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { CaseScope } from "../engine/scopes.ts";
import type { CleanUp, ScriptRun } from "../engine/script_run.ts";
import type { Activity } from "../engine/virtual_time.ts";
import type { Deadline } from "../events/deadline.ts";
import { fromCel } from "../expression/convert.ts";
import { inspectLine } from "../expression/inspect.ts";
import { literal } from "../expression/template.ts";
import type { ScriptBody, Step } from "../language/model.ts";
import type { RunnerClient } from "../steps/context.ts";
import { NO_RESULT } from "../steps/result_types.ts";
import { kindOf } from "../steps/step_kinds.ts";
import type { EnqueueSettings, EventsSettings, Script, StepSettings, WaitSettings } from "./api.ts";
import {
  createHandle,
  type JobHandle,
  missingResult,
  refuseHandle,
  type RunHandle,
} from "./handle.ts";
import { Expectations, valueProblem } from "./matchers.ts";
import type { RecipeBody } from "./recipe.ts";
import { ScriptSteps } from "./script_steps.ts";
import { FunctionExpression, NOWHERE, readStepFields, scriptKind } from "./step_fields.ts";
import { waitFields, waitLabel } from "./wait_fields.ts";

/** Prepares to run the function of a recipe in TypeScript, for the engine. */
export function openScript(
  body: ScriptBody,
  scope: CaseScope,
  deadline: Deadline,
  activity?: Activity,
): ScriptRun {
  const steps = new ScriptSteps(scope, deadline, activity);
  const script = new RunningScript(scope, steps);
  return {
    get pending() {
      return steps.pending;
    },
    get cleanUps() {
      return script.cleanUps;
    },
    run: async () => await (body as RecipeBody)(script),
    settle: () => steps.settle(),
    cleanUp: (...cleanUp) => steps.cleanUp(...cleanUp),
    end: () => steps.end(),
  };
}

/** The `t` of a TypeScript recipe. */
export class RunningScript<D extends Definitions = Definitions> implements Script<D> {
  readonly #case: CaseScope;
  readonly #steps: ScriptSteps;
  readonly #cleanUps: CleanUp[] = [];

  /** Creates the `t` of a recipe that runs in a case. */
  constructor(scope: CaseScope, steps: ScriptSteps) {
    this.#case = scope;
    this.#steps = steps;
  }

  get vars(): Readonly<Record<string, unknown>> {
    return this.#initial("vars");
  }

  get env(): Readonly<Record<string, string>> {
    return this.#initial("env") as Record<string, string>;
  }

  get secrets(): Readonly<Record<string, string>> {
    return this.#initial("secrets") as Record<string, string>;
  }

  get matrix(): Readonly<Record<string, unknown>> {
    return this.#initial("matrix");
  }

  get signal(): AbortSignal {
    return this.#steps.signal;
  }

  get client(): RunnerClient {
    return this.#steps.client;
  }

  /** The functions passed to {@linkcode Script.always}, the last one first. */
  get cleanUps(): readonly CleanUp[] {
    return this.#cleanUps.toReversed();
  }

  enqueue<N extends DefinitionName<D, "jobs">>(
    name: N,
    payload?: DefinitionsOf<D, "jobs">[N],
    settings: EnqueueSettings = {},
  ): Promise<JobHandle> {
    return this.#start(async () => {
      const step = await this.#steps.run("enqueue", settings, ["queue", "priority"], () => {
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
      return this.#result(step) as JobHandle;
    });
  }

  start<N extends DefinitionName<D, "workflows">>(
    name: N,
    input?: DefinitionsOf<D, "workflows">[N],
    settings: StepSettings = {},
  ): Promise<RunHandle> {
    return this.#start(async () => {
      const step = await this.#steps.run("start", settings, [], () => ({
        fields: { start: literal(name), input: literal(input === undefined ? {} : input) },
      }));
      return this.#result(step) as RunHandle;
    });
  }

  publish<N extends DefinitionName<D, "events">>(
    name: N,
    payload?: DefinitionsOf<D, "events">[N],
    settings: StepSettings = {},
  ): Promise<{ event_id: string; name: string }> {
    return this.#start(async () => {
      const step = await this.#steps.run("publish", settings, [], () => ({
        fields: { publish: literal(name), payload: literal(payload ?? null) },
      }));
      return this.#result(step) as { event_id: string; name: string };
    });
  }

  wait(job: JobHandle, settings?: WaitSettings<JobState, JobHandle>): Promise<void>;
  wait(run: RunHandle, settings?: WaitSettings<RunState, RunHandle>): Promise<void>;
  wait(
    handle: JobHandle | RunHandle,
    settings: WaitSettings<string, never> = {},
  ): Promise<void> {
    return this.#start(async () => {
      await this.#steps.run("wait", settings, ["until", "untilStep", "failOn"], () => ({
        fields: waitFields(handle, settings),
        label: waitLabel(handle, settings),
      }));
    });
  }

  events(channel: string, settings: EventsSettings = {}): Promise<DispatchEvent[]> {
    return this.#start(async () => {
      const step = await this.#steps.run("wait", settings, ["where", "count"], () => {
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
      const result = this.#case.results.get(step.id!) as { events: DispatchEvent[] } | undefined;
      return result?.events ?? [];
    });
  }

  cancel(job: JobHandle, settings: StepSettings = {}): Promise<void> {
    return this.#start(async () => {
      await this.#steps.run("cancel", settings, [], () => {
        if (typeof job?.job_id !== "string") refuseHandle(job, "cancel", "`t.enqueue`");
        return { fields: { cancel: { job: literal(job.job_id), span: NOWHERE } } };
      });
    });
  }

  stats(settings: StepSettings = {}): Promise<Stats> {
    return this.#start(async () => {
      const fields = { stats: true };
      const step = await this.#steps.run("stats", settings, [], () => ({ fields }));
      return this.#result(step) as Stats;
    });
  }

  call(method: string, data: unknown = {}, settings: StepSettings = {}): Promise<unknown> {
    return this.#start(async () => {
      const step = await this.#steps.run("call", settings, [], () => ({
        fields: { call: method, data: literal(data) },
      }));
      return this.#result(step);
    });
  }

  sleep(duration: string, settings: StepSettings = {}): Promise<void> {
    return this.#start(async () => {
      const fields = { sleep: literal(duration) };
      await this.#steps.run("sleep", settings, [], () => ({ fields }));
    });
  }

  advance(duration: string, settings: StepSettings = {}): Promise<void> {
    return this.#start(async () => {
      const fields = { advance: literal(duration) };
      await this.#steps.run("advance", settings, [], () => ({ fields }));
    });
  }

  step<Result = unknown>(
    kind: string,
    fields: Record<string, unknown>,
    settings: StepSettings = {},
  ): Promise<Result> {
    return this.#start(async () => {
      const step = await this.#steps.run(kind, settings, [], () => ({
        fields: readStepFields(scriptKind(kind), fields),
      }));
      return this.#result(step) as Result;
    });
  }

  log(value: unknown): void {
    this.#steps.log(inspectLine(value));
  }

  assert(condition: unknown, message?: string): void {
    const text = `the assertion failed${message === undefined ? "" : `: ${message}`}`;
    this.#steps.instant(() => ({
      label: message === undefined ? "assert" : `assert ${message}`,
      mismatch: valueProblem(condition) ?? (condition ? undefined : { message: text, lines: [] }),
    }));
  }

  expect<T>(value: T): Expectations<T> {
    const begun = new Error();
    return new Expectations(value, (check) => this.#steps.instant(check, begun), this.#case.hide);
  }

  always(cleanUp: CleanUp): void {
    this.#cleanUps.push(cleanUp);
  }

  /**
   * Starts a step at once. If the recipe never awaits it, its rejection must not end the process: the
   * case has already recorded the failure.
   */
  #start<T>(run: () => Promise<T>): Promise<T> {
    const promise = run();
    promise.catch(() => {});
    return this.#steps.promise(promise);
  }

  /** Returns the result of a step, as a handle if it is a job or run. */
  #result(step: Step): unknown {
    const { results } = this.#case;
    if (kindOf(step).result === NO_RESULT) return undefined;
    if (!results.has(step.id!)) return missingResult(step);
    return results.entity(step.id!) ? createHandle(this.#case, step.id!) : results.get(step.id!);
  }

  #initial(name: string): Record<string, unknown> {
    return fromCel(this.#case.results.values()[name]) as Record<string, unknown>;
  }
}
