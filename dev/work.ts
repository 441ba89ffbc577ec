/** What a server carries out: for a job, for a part of a run, or for a request. */
export type WorkKind =
  /** An attempt of a job. */
  | "job"
  /** A step of a run. */
  | "step"
  /** One step of a `parallel`; its name is that of the checkpoint. */
  | "parallel"
  /** A compensation of a run that has failed. */
  | "compensate"
  /** A child run, until it has ended. */
  | "child"
  /** A sleep of a run. */
  | "sleep"
  /** A wait of a run for events; its name is that of the checkpoint. */
  | "wait"
  /** A request to enqueue a job. */
  | "enqueue"
  /** A request to publish an event. */
  | "publish"
  /** A request to start a workflow, until its answer is ready. */
  | "start";

/** A piece of work of a server. */
export interface Work {
  /** What it is. */
  readonly kind: WorkKind;
  /** The name of the job, step, event or workflow. */
  readonly name: string;
  /** The name of the workflow, for a part of a run. */
  readonly workflow?: string;
  /** The id of the job or run; absent for a request. */
  readonly id?: string;
  /** For a sleep, or a wait until it times out: how long it takes, in milliseconds. */
  readonly ms?: number;
  /** For a wait that has not begun: lets it time out, as if its events came too late. */
  readonly expire?: () => void;
  /** For a job: the number of the attempt, from 1. */
  readonly attempt?: number;
  /** For a job: whether it is retried if this attempt fails. */
  readonly isRetried?: boolean;
}

/**
 * Carries out a piece of work by calling `run`, and returns its result. It can call `run` later or,
 * for a request, twice. If it throws, the work fails with that error; if it throws a
 * {@linkcode CrashError}, the process that did the work has died before the result was stored.
 */
export type AroundWork = <T>(work: Work, run: () => Promise<T>) => Promise<T>;

/**
 * Thrown by an {@linkcode AroundWork} to let the process that does the work die. The job, or the
 * whole run, goes on after some time without the result: a job is attempted again and is no retry,
 * a run repeats what is not in its timeline.
 *
 * @example
 * ```ts
 * import { CrashError, createDevServer, referenceWorkload } from "@dispatch/sdk/dev";
 *
 * let crashes = 0;
 * await using server = await createDevServer({
 *   ...referenceWorkload(),
 *   aroundWork: async (work, run) => {
 *     const result = await run();
 *     if (work.kind === "step" && crashes++ === 0) throw new CrashError(1_000);
 *     return result;
 *   },
 * });
 * ```
 */
export class CrashError extends Error {
  /** Always `"crashed"`. */
  readonly code = "crashed";
  /** After how many milliseconds the work goes on. */
  readonly ms: number;

  /** Creates the error. */
  constructor(ms: number) {
    super(`Cannot finish the work: its process has died, and starts again in ${ms} ms`);
    this.name = "CrashError";
    this.ms = ms;
  }
}
