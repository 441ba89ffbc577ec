import type { Duration } from "./duration.ts";
import type { OutputOf, Schema } from "./schema.ts";
import type { Workflow } from "./context.ts";

/** What every handler is handed beside its input. */
export interface HandlerContext {
  /** Aborted when the work should stop: its time is up, or whoever asked for it is gone. */
  readonly signal: AbortSignal;
  /** Notes a line; it goes to the server's `log`. */
  readonly log: (message: string) => void;
  /**
   * Waits on the server's clock, so that a test with a virtual clock does not. Rejects when
   * {@linkcode HandlerContext.signal} is aborted, unless `signal` is `null`.
   */
  readonly sleep: (
    duration: Duration,
    options?: { signal?: AbortSignal | null },
  ) => Promise<void>;
}

/** What a job's handler is handed beside its payload. */
export interface JobContext extends HandlerContext {
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
  /** The job's id. */
  readonly job_id: string;
  /** The queue it came from. */
  readonly queue: string;
}

/** Does a job's work. Throw to fail the attempt; what it returns is not kept. */
export type JobHandler<Payload = unknown> = (payload: Payload, context: JobContext) => unknown;

/** Settings of {@linkcode defineJob}. */
export interface JobOptions<S extends Schema = Schema> {
  /** What a payload must be; an attempt whose payload is something else fails. */
  payload?: S;
  /**
   * The queue of a job that is enqueued without one.
   * @default {"default"}
   */
  queue?: string;
  /**
   * The priority of a job that is enqueued without one.
   * @default {0}
   */
  priority?: number;
  /**
   * How often a failed job is tried again.
   * @default {3}
   */
  maxRetries?: number;
  /**
   * How long one attempt may take until its signal is aborted.
   * @default {"5m"}
   */
  timeout?: Duration;
}

/** A job as a server registers it. */
export interface JobDefinition {
  /** Tells it from the other definitions. */
  readonly kind: "job";
  /** The name it is enqueued by. */
  readonly name: string;
  /** Its settings. */
  readonly options: JobOptions;
  /** Does its work. */
  readonly handler: JobHandler<never>;
}

/**
 * Defines a job.
 *
 * @example
 * ```ts
 * import { defineJob } from "@dispatch/sdk/dev";
 *
 * const sendEmail = defineJob("send-email", async (mail: { to: string }, { signal, log }) => {
 *   log(`to ${mail.to}`);
 *   await fetch("https://mail.example.com", { method: "POST", signal });
 * });
 * ```
 */
export function defineJob<Payload = unknown>(
  name: string,
  handler: JobHandler<Payload>,
): JobDefinition;
/**
 * Defines a job with settings; a schema makes the payload typed and checked.
 *
 * @example
 * ```ts ignore
 * defineJob("send-email", { payload: v.object({ to: v.string() }), maxRetries: 1 }, ({ to }) => …);
 * ```
 */
export function defineJob<S extends Schema>(
  name: string,
  options: JobOptions<S> & { payload: S },
  handler: JobHandler<OutputOf<S>>,
): JobDefinition;
/** Defines a job with settings. */
export function defineJob<Payload = unknown>(
  name: string,
  options: JobOptions,
  handler: JobHandler<Payload>,
): JobDefinition;
export function defineJob(
  name: string,
  ...rest: [JobHandler<never>] | [JobOptions, JobHandler<never>]
): JobDefinition {
  const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest;
  return { kind: "job", name, options, handler };
}

/** Does a workflow's work. Throw to fail the run. */
export type WorkflowHandler<Input = unknown> = (wf: Workflow, input: Input) => unknown;

/** Settings of {@linkcode defineWorkflow}. */
export interface WorkflowOptions<S extends Schema = Schema> {
  /** What an input must be; a run whose input is something else fails. */
  input?: S;
  /**
   * The definition's version, stamped on its runs. Of several the highest is started.
   * @default {1}
   */
  version?: number;
}

/** A workflow as a server registers it. */
export interface WorkflowDefinition {
  /** Tells it from the other definitions. */
  readonly kind: "workflow";
  /** The name it is started by. */
  readonly name: string;
  /** Its settings. */
  readonly options: WorkflowOptions;
  /** Does its work. */
  readonly handler: WorkflowHandler<never>;
}

/**
 * Defines a workflow.
 *
 * @example
 * ```ts
 * import { defineWorkflow } from "@dispatch/sdk/dev";
 *
 * const order = defineWorkflow("order", async (wf, input: { order_id: string }) => {
 *   await wf.step("reserve", () => {}, { compensate: () => {} });
 *   const paid = await wf.waitForEvent("payment-received", "5m");
 *   if (!paid) throw new Error("payment timed out");
 *   await wf.step("ship", () => ({ parcel: input.order_id }));
 * });
 * ```
 */
export function defineWorkflow<Input = unknown>(
  name: string,
  handler: WorkflowHandler<Input>,
): WorkflowDefinition;
/** Defines a workflow with settings; a schema makes the input typed and checked. */
export function defineWorkflow<S extends Schema>(
  name: string,
  options: WorkflowOptions<S> & { input: S },
  handler: WorkflowHandler<OutputOf<S>>,
): WorkflowDefinition;
/** Defines a workflow with settings. */
export function defineWorkflow<Input = unknown>(
  name: string,
  options: WorkflowOptions,
  handler: WorkflowHandler<Input>,
): WorkflowDefinition;
export function defineWorkflow(
  name: string,
  ...rest: [WorkflowHandler<never>] | [WorkflowOptions, WorkflowHandler<never>]
): WorkflowDefinition {
  const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest;
  return { kind: "workflow", name, options, handler };
}

/** Settings of {@linkcode defineCron}. */
export interface CronOptions {
  /** When: five fields, or `@every 30s`, `@hourly`, `@daily`. */
  schedule: string;
  /** The job to enqueue. */
  job: string;
  /** What the job is handed. */
  payload?: unknown;
  /** The queue, if not the job's own. */
  queue?: string;
  /**
   * The time zone the schedule is meant in, like `"Europe/Berlin"`.
   * @default {"UTC"}
   */
  timezone?: string;
}

/** A cron entry as a server registers it. */
export interface CronDefinition {
  /** Tells it from the other definitions. */
  readonly kind: "cron";
  /** The entry's name. */
  readonly name: string;
  /** Its settings. */
  readonly options: CronOptions;
}

/**
 * Defines a cron entry: a job enqueued on a schedule.
 *
 * @example
 * ```ts
 * import { defineCron } from "@dispatch/sdk/dev";
 *
 * const report = defineCron("report", {
 *   schedule: "0 7 * * 1-5",
 *   timezone: "Europe/Berlin",
 *   job: "send-report",
 * });
 * ```
 */
export function defineCron(name: string, options: CronOptions): CronDefinition {
  return { kind: "cron", name, options };
}
