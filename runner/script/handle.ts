import type { JobState, RunState, TimelineEntry } from "../../protocol/entity.ts";
import type { CaseScope } from "../engine/scopes.ts";
import { StepFailure } from "../events/failure.ts";
import { jobResult, runResult } from "../events/results.ts";
import { inspectLine } from "../expression/inspect.ts";
import type { Step } from "../language/model.ts";

/** A job of a recipe, as the recipe last read it. */
export interface JobHandle {
  /** The id of the step whose result it is. */
  readonly stepId: string;
  /** The job's id. */
  readonly job_id: string;
  /** The job's name. */
  readonly name: string;
  /** The job's queue. */
  readonly queue: string;
  /** The job's priority. */
  readonly priority: number;
  /** The job's state. */
  readonly state: JobState;
  /** The payload for its handler. */
  readonly payload: unknown;
  /** The number of failed attempts. */
  readonly retry_count: number;
  /** The error of the last failed attempt. */
  readonly last_error: string | undefined;
  /** How long the last attempt took, in milliseconds. */
  readonly duration_ms: number | undefined;
  /** Reads the job again. */
  refresh(): Promise<JobHandle>;
}

/** A run of a recipe, as the recipe last read it. */
export interface RunHandle {
  /** The id of the step whose result it is. */
  readonly stepId: string;
  /** The run's id. */
  readonly run_id: string;
  /** The workflow's name. */
  readonly name: string;
  /** The run's state. */
  readonly state: RunState;
  /** The workflow's input. */
  readonly input: unknown;
  /** The workflow's output. */
  readonly output: unknown;
  /** Why the run failed. */
  readonly error: string | undefined;
  /** How long the run took, in milliseconds. */
  readonly duration_ms: number | undefined;
  /** The run's checkpoints. */
  readonly steps: readonly TimelineEntry[];
  /** Reads the run again. */
  refresh(): Promise<RunHandle>;
  /** Reads the run's checkpoints again. */
  timeline(): Promise<TimelineEntry[]>;
}

/** Returns a handle of a step's job or run. It reads its fields from the current result. */
export function createHandle(
  { results, client }: CaseScope,
  stepId: string,
): JobHandle | RunHandle {
  const entity = results.entity(stepId)!;
  const own: Record<string, unknown> = {
    stepId,
    refresh: () => withoutRejection(refresh()),
    timeline: () => withoutRejection(client.workflowTimeline(entity.id)),
  };
  async function refresh(): Promise<unknown> {
    if (entity.kind === "job") {
      const job = await client.getJob(entity.id);
      results.update(stepId, jobResult(job, []));
    } else {
      const run = await client.getWorkflow(entity.id);
      results.update(stepId, runResult(run, await client.workflowTimeline(entity.id), []));
    }
    return handle;
  }
  const fields = () => results.get(stepId) as Record<string, unknown>;
  const handle: unknown = new Proxy(own, {
    get(target, key) {
      // `await` asks whether the value is a promise.
      if (typeof key === "symbol" || key === "then") return undefined;
      if (Object.hasOwn(target, key)) return target[key];
      return fields()[key];
    },
    has: (target, key) => key in target || key in fields(),
    // Printing and comparing a handle uses the fields of the result only.
    ownKeys: () => Reflect.ownKeys(fields()),
    getOwnPropertyDescriptor: (target, key) => {
      const descriptor = Object.getOwnPropertyDescriptor(fields(), key);
      if (descriptor) return { ...descriptor, configurable: true };
      return Object.hasOwn(target, key)
        ? { value: target[key as string], configurable: true, enumerable: false }
        : undefined;
    },
  });
  return handle as JobHandle | RunHandle;
}

/** Returns a stand-in for the result of a soft step that has failed. Any use of it throws. */
export function missingResult({ number }: Step): unknown {
  const refuse = (): never => {
    throw new StepFailure("evaluation", `step ${number} has failed and has no result`);
  };
  return new Proxy({}, {
    // `await` asks whether the value is a promise.
    get: (_, key) => typeof key === "symbol" || key === "then" ? undefined : refuse(),
    has: refuse,
    ownKeys: refuse,
  });
}

/** Throws because a method needs a handle and was given something else. */
export function refuseHandle(given: unknown, method: string, source: string): never {
  const shown = given instanceof Promise ? "a promise: await it" : inspectLine(given);
  const message = `\`t.${method}\` takes a handle from ${source}, not ${shown}`;
  throw new StepFailure("evaluation", message);
}

/** If the recipe does not await the promise, its rejection must not end the process. */
function withoutRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
