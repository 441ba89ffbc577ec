import type { Duration } from "./duration.ts";

/** The context that every handler, step and compensation receives. */
export interface HandlerContext {
  /** Aborted when the work should stop: it timed out, or the request that started it has ended. */
  readonly signal: AbortSignal;
  /** Logs a line to the server's `log`. */
  readonly log: (message: string) => void;
  /**
   * Waits on the server's clock; a virtual clock skips the wait. Rejects when the context's signal
   * aborts. The option `signal` replaces that signal; `null` means none.
   */
  readonly sleep: (
    duration: Duration,
    options?: { signal?: AbortSignal | null },
  ) => Promise<void>;
}

/** The context that a job's handler receives with the payload. */
export interface JobContext extends HandlerContext {
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  /** The job's id. */
  readonly job_id: string;
  /** The job's queue. */
  readonly queue: string;
}

/** An event that a workflow waited for. */
export interface WorkflowEvent<Payload = unknown> {
  /** `evt_` and 26 characters. */
  readonly id: string;
  /** The name it was published under. */
  readonly name: string;
  /** The payload it was published with. */
  readonly payload: Payload;
  /** When it was published, RFC 3339. */
  readonly created_at: string;
}

/** The work of a step. The checkpoint of the step keeps its result. */
export type StepFunction<Result = unknown> = (
  context: HandlerContext,
) => Result | Promise<Result>;

/** Settings of {@linkcode Workflow.step}. */
export interface StepOptions<Result = unknown> {
  /** Undoes the step if the run fails later. The compensation of the last step runs first. */
  compensate?: (result: Result, context: HandlerContext) => unknown;
}

/**
 * The context that a workflow's handler receives with the input. Everything that succeeds is saved
 * as a checkpoint in the run's timeline. When another server resumes the run, for example after a
 * restart, steps with a checkpoint do not run again.
 */
export interface Workflow {
  /** The run's id. */
  readonly run_id: string;
  /** The workflow's name. */
  readonly name: string;
  /**
   * Aborted when the run should stop, for example because the request that started it has ended.
   */
  readonly signal: AbortSignal;
  /** Logs a line to the server's `log`. */
  log(message: string): void;

  /**
   * Runs a step. A second step with the same name returns the result of the first one.
   * @throws {StepError} If the step fails.
   */
  step<Result>(
    name: string,
    run: StepFunction<Result>,
    options?: StepOptions<Result>,
  ): Promise<Result>;

  /**
   * Runs steps at the same time. If one fails, the signals of the others abort.
   * @throws {StepError} If a step fails.
   */
  parallel(group: string, steps: readonly StepFunction[]): Promise<void>;

  /**
   * Registers a compensation, which runs if the run fails later. The last one registered runs
   * first.
   */
  compensate(name: string, undo: (context: HandlerContext) => unknown): void;

  /**
   * Waits for an event. Events are queued: one that was published earlier counts too, and each goes
   * to only one run.
   *
   * @returns The event, or `undefined` if none came in time.
   */
  waitForEvent<Payload = unknown>(
    name: string,
    timeout: Duration,
  ): Promise<WorkflowEvent<Payload> | undefined>;

  /**
   * Waits for one event of every name.
   * @throws {StepError} If one does not come in time.
   */
  waitForAll(names: readonly string[], timeout: Duration): Promise<WorkflowEvent[]>;

  /** Waits for the first event of any of the names. */
  waitForAny(names: readonly string[], timeout: Duration): Promise<WorkflowEvent | undefined>;

  /** Waits for an event that `match` accepts; the others stay queued for other runs. */
  waitForMatch<Payload = unknown>(
    name: string,
    timeout: Duration,
    match: (event: WorkflowEvent<Payload>) => boolean,
  ): Promise<WorkflowEvent<Payload> | undefined>;

  /** Sleeps on the server's clock. The timeline shows the name. */
  sleep(name: string, duration: Duration): Promise<void>;

  /**
   * Runs another workflow until it ends.
   * @returns Its output, or `null` if the server does not keep outputs (quirk `outputs-lost`).
   * @throws {StepError} If it fails.
   */
  runChild<Output = unknown>(name: string, input?: unknown): Promise<Output>;

  /**
   * Starts another workflow without waiting for it.
   * @returns The child's run id.
   */
  spawnChild(name: string, input?: unknown): Promise<string>;

  /** Runs another workflow once for each input, all at the same time. */
  fanOut<Output = unknown>(name: string, inputs: readonly unknown[]): Promise<Output[]>;
}

/**
 * Thrown by the methods of {@linkcode Workflow} when a step fails; `cause` is the original error.
 *
 * @example
 * ```ts
 * import { defineWorkflow, StepError } from "@dispatch/sdk/dev";
 *
 * const order = defineWorkflow("order", async (wf) => {
 *   try {
 *     await wf.runChild("payment");
 *   } catch (error) {
 *     if (!(error instanceof StepError)) throw error;
 *     await wf.step("ask-again", () => {});
 *   }
 * });
 * ```
 */
export class StepError extends Error {
  /** Always `"step_failed"`. */
  readonly code = "step_failed";

  /** Creates an error with the message that a Go server would use. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StepError";
  }
}
