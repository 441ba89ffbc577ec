import type { HandlerContext } from "./define.ts";
import type { Duration } from "./duration.ts";

/** An event that a workflow waited for. */
export interface WorkflowEvent<Payload = unknown> {
  /** `evt_` and 26 characters. */
  readonly id: string;
  /** The name it was published under. */
  readonly name: string;
  /** What it carries. */
  readonly payload: Payload;
  /** When it was published, RFC 3339. */
  readonly created_at: string;
}

/** A step's work. What it returns is kept with the step's checkpoint. */
export type StepFunction<Result = unknown> = (
  context: HandlerContext,
) => Result | Promise<Result>;

/** Settings of {@linkcode Workflow.step}. */
export interface StepOptions<Result = unknown> {
  /** Undoes the step when the run fails later. Of several, the last step's is run first. */
  compensate?: (result: Result, context: HandlerContext) => unknown;
}

/**
 * What a workflow's handler works with. Whatever has succeeded is noted in the run's timeline; when
 * a run is taken up again (its server was restarted), what has been noted is not done a second time.
 */
export interface Workflow {
  /** The run's id. */
  readonly run_id: string;
  /** The workflow's name. */
  readonly name: string;
  /** Aborted when the run should stop: whoever started it is gone. */
  readonly signal: AbortSignal;
  /** Notes a line; it goes to the server's `log`. */
  log(message: string): void;

  /**
   * Runs a step. A second step of the same name in one run gives the first one's result.
   * @throws {StepError} When the step failed.
   */
  step<Result>(
    name: string,
    run: StepFunction<Result>,
    options?: StepOptions<Result>,
  ): Promise<Result>;

  /**
   * Runs steps at the same time. When one fails, the others' signals are aborted.
   * @throws {StepError} When one of them failed.
   */
  parallel(group: string, steps: readonly StepFunction[]): Promise<void>;

  /** Registers what undoes the work so far when the run fails later; the last one is run first. */
  compensate(name: string, undo: (context: HandlerContext) => unknown): void;

  /**
   * Waits for an event. Events are a queue: one that was published before is taken too, and only one
   * run takes each.
   *
   * @returns The event, or `undefined` when none came in time.
   */
  waitForEvent<Payload = unknown>(
    name: string,
    timeout: Duration,
  ): Promise<WorkflowEvent<Payload> | undefined>;

  /**
   * Waits for one event of every name.
   * @throws {StepError} When one did not come in time.
   */
  waitForAll(names: readonly string[], timeout: Duration): Promise<WorkflowEvent[]>;

  /** Waits for the first event of any of the names. */
  waitForAny(names: readonly string[], timeout: Duration): Promise<WorkflowEvent | undefined>;

  /** Waits for an event that `match` accepts; the others are left for other runs. */
  waitForMatch<Payload = unknown>(
    name: string,
    timeout: Duration,
    match: (event: WorkflowEvent<Payload>) => boolean,
  ): Promise<WorkflowEvent<Payload> | undefined>;

  /** Sleeps on the server's clock; the name stands in the timeline. */
  sleep(name: string, duration: Duration): Promise<void>;

  /**
   * Runs another workflow to its end.
   * @returns What it gave; `null` as long as the server keeps no outputs.
   * @throws {StepError} When it failed.
   */
  runChild<Output = unknown>(name: string, input?: unknown): Promise<Output>;

  /**
   * Starts another workflow and goes on.
   * @returns The child's run id.
   */
  spawnChild(name: string, input?: unknown): Promise<string>;

  /** Runs one workflow once for each input, all at the same time. */
  fanOut<Output = unknown>(name: string, inputs: readonly unknown[]): Promise<Output[]>;
}

/** Thrown by the methods of {@linkcode Workflow} when what they ran failed; `cause` says why. */
export class StepError extends Error {
  /** Always `"step_failed"`. */
  readonly code = "step_failed";

  /** Says what failed, in the server's words. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StepError";
  }
}
