import type { JobState, RunState, TimelineEntry } from "../../protocol/entity.ts";
import type { Case } from "../engine/case.ts";
import { StepFailure } from "../events/failure.ts";
import { jobResult, runResult } from "../events/results.ts";
import { inspectLine } from "../expression/inspect.ts";

/** A job of a recipe, as it was last read. */
export interface JobHandle {
  /** The step that left it. */
  readonly stepId: string;
  /** The job's id. */
  readonly job_id: string;
  /** Its name. */
  readonly name: string;
  /** Its queue. */
  readonly queue: string;
  /** Its priority. */
  readonly priority: number;
  /** Where it stood. */
  readonly state: JobState;
  /** What its handler is given. */
  readonly payload: unknown;
  /** How many attempts have failed. */
  readonly retry_count: number;
  /** What the last failed attempt said. */
  readonly last_error: string | undefined;
  /** From the last attempt's beginning to its end. */
  readonly duration_ms: number | undefined;
  /** Reads it anew. */
  refresh(): Promise<JobHandle>;
}

/** A run of a recipe, as it was last read. */
export interface RunHandle {
  /** The step that left it. */
  readonly stepId: string;
  /** The run's id. */
  readonly run_id: string;
  /** The workflow's name. */
  readonly name: string;
  /** Where it stood. */
  readonly state: RunState;
  /** What it was started with. */
  readonly input: unknown;
  /** What it gave. */
  readonly output: unknown;
  /** Why it failed. */
  readonly error: string | undefined;
  /** How long it took. */
  readonly duration_ms: number | undefined;
  /** Its checkpoints, as they were last read. */
  readonly steps: readonly TimelineEntry[];
  /** Reads it anew. */
  refresh(): Promise<RunHandle>;
  /** Reads its checkpoints anew. */
  timeline(): Promise<TimelineEntry[]>;
}

/** A handle on what a step left; its fields are those of the result, always the newest. */
export function makeHandle(owner: Case, stepId: string): JobHandle | RunHandle {
  const entity = owner.results.entity(stepId)!;
  const { client } = owner.options;
  const own: Record<string, unknown> = {
    stepId,
    refresh: () => handled(refresh()),
    timeline: () => handled(client.workflowTimeline(entity.id)),
  };
  async function refresh(): Promise<unknown> {
    if (entity.kind === "job") {
      const job = await client.getJob(entity.id);
      owner.results.update(stepId, jobResult(job, []));
    } else {
      const run = await client.getWorkflow(entity.id);
      owner.results.update(stepId, runResult(run, await client.workflowTimeline(entity.id), []));
    }
    return handle;
  }
  const fields = () => owner.results.get(stepId) as Record<string, unknown>;
  const handle: unknown = new Proxy(own, {
    get(target, key) {
      // A promise that resolves with a handle asks whether it is a promise itself.
      if (typeof key === "symbol" || key === "then") return undefined;
      if (Object.hasOwn(target, key)) return target[key];
      return fields()[key];
    },
    has: (target, key) => key in target || key in fields(),
    // It is printed and compared by the fields of the result.
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

/** Refuses what is no handle, where one is needed. */
export function refuseHandle(given: unknown, method: string, giver: string): never {
  const shown = given instanceof Promise ? "a promise: await it" : inspectLine(given);
  const message = `\`t.${method}\` takes what ${giver} gave, not ${shown}`;
  throw new StepFailure("evaluation", message);
}

/** A promise that nobody awaits must not end the process when it fails. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
