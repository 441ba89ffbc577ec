import {
  aFunction,
  optional,
  type OptionRules,
  someText,
  wholeNumberFrom,
} from "../runtime/check_options.ts";
import type { JobContext, Workflow } from "./context.ts";
import type { Duration } from "./duration.ts";
import { aDuration, aSchema } from "./option_rules.ts";
import { checkArgument, checkOptions } from "./options_error.ts";
import type { SchemaOutput, StandardSchema } from "./schema.ts";

/** Processes a job. If it throws, the attempt fails; its return value is ignored. */
export type JobHandler<Payload = unknown> = (payload: Payload, context: JobContext) => unknown;

/** Settings of {@linkcode defineJob}. */
export interface JobOptions<S extends StandardSchema = StandardSchema> {
  /** Validates the payload; if it is not valid, the attempt fails. */
  payload?: S;
  /**
   * The queue, for jobs enqueued without one.
   * @default {"default"}
   */
  queue?: string;
  /**
   * The priority, for jobs enqueued without one.
   * @default {0}
   */
  priority?: number;
  /**
   * How often a failed job is retried.
   * @default {3}
   */
  maxRetries?: number;
  /**
   * How long an attempt may take before its signal aborts.
   * @default {"5m"}
   */
  timeout?: Duration;
}

/** The definition of a job, for a {@linkcode Workload}. */
export interface JobDefinition {
  /** Distinguishes it from the other definitions. */
  readonly kind: "job";
  /** The name that jobs are enqueued under. */
  readonly name: string;
  /** Its settings. */
  readonly options: JobOptions;
  /** Processes the jobs. */
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
 * Defines a job with settings. A schema validates the payload and determines its type.
 *
 * @example
 * ```ts
 * import { defineJob, type StandardSchema } from "@dispatch/sdk/dev";
 *
 * function defineSendEmail(payload: StandardSchema<{ to: string }>) {
 *   return defineJob("send-email", { payload, maxRetries: 1 }, ({ to }, { log }) => log(to));
 * }
 * ```
 */
export function defineJob<S extends StandardSchema>(
  name: string,
  options: JobOptions<S> & { payload: S },
  handler: JobHandler<SchemaOutput<S>>,
): JobDefinition;
/**
 * Defines a job with settings.
 *
 * @example
 * ```ts
 * import { defineJob } from "@dispatch/sdk/dev";
 *
 * const cleanUp = defineJob("clean-up", { queue: "slow", timeout: "1h" }, () => {});
 * ```
 */
export function defineJob<Payload = unknown>(
  name: string,
  options: JobOptions,
  handler: JobHandler<Payload>,
): JobDefinition;
/** Defines a job, with or without settings. */
export function defineJob(
  name: string,
  ...rest: [JobHandler<never>] | [JobOptions, JobHandler<never>]
): JobDefinition {
  const { options, handler } = checkDefinition("job", name, rest, JOB_RULES);
  return { kind: "job", name, options, handler };
}

/** Executes a workflow run. If it throws, the run fails. */
export type WorkflowHandler<Input = unknown> = (wf: Workflow, input: Input) => unknown;

/** Settings of {@linkcode defineWorkflow}. */
export interface WorkflowOptions<S extends StandardSchema = StandardSchema> {
  /** Validates the input; if it is not valid, the run fails. */
  input?: S;
  /**
   * The version of the definition, which its runs record. New runs use the highest version.
   * @default {1}
   */
  version?: number;
}

/** The definition of a workflow, for a {@linkcode Workload}. */
export interface WorkflowDefinition {
  /** Distinguishes it from the other definitions. */
  readonly kind: "workflow";
  /** The name that runs are started under. */
  readonly name: string;
  /** Its settings. */
  readonly options: WorkflowOptions;
  /** Executes the runs. */
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
/**
 * Defines a workflow with settings. A schema validates the input and determines its type.
 *
 * @example
 * ```ts
 * import { defineWorkflow, type StandardSchema } from "@dispatch/sdk/dev";
 *
 * function defineGreeting(input: StandardSchema<{ name: string }>) {
 *   return defineWorkflow("greet", { input }, (wf, { name }) => wf.log(`hello ${name}`));
 * }
 * ```
 */
export function defineWorkflow<S extends StandardSchema>(
  name: string,
  options: WorkflowOptions<S> & { input: S },
  handler: WorkflowHandler<SchemaOutput<S>>,
): WorkflowDefinition;
/**
 * Defines a workflow with settings.
 *
 * @example
 * ```ts
 * import { defineWorkflow } from "@dispatch/sdk/dev";
 *
 * const order = defineWorkflow("order", { version: 2 }, async (wf) => {
 *   await wf.step("reserve", () => {});
 * });
 * ```
 */
export function defineWorkflow<Input = unknown>(
  name: string,
  options: WorkflowOptions,
  handler: WorkflowHandler<Input>,
): WorkflowDefinition;
/** Defines a workflow, with or without settings. */
export function defineWorkflow(
  name: string,
  ...rest: [WorkflowHandler<never>] | [WorkflowOptions, WorkflowHandler<never>]
): WorkflowDefinition {
  const { options, handler } = checkDefinition("workflow", name, rest, WORKFLOW_RULES);
  return { kind: "workflow", name, options, handler };
}

const JOB_RULES: OptionRules = {
  payload: optional(aSchema),
  queue: optional(someText),
  priority: optional(wholeNumberFrom(Number.MIN_SAFE_INTEGER)),
  maxRetries: optional(wholeNumberFrom(0)),
  timeout: optional(aDuration),
};

const WORKFLOW_RULES: OptionRules = {
  input: optional(aSchema),
  version: optional(wholeNumberFrom(1)),
};

/** Validates the arguments of a definition: its name, its options if there are any, its handler. */
function checkDefinition<Options extends object, Handler>(
  kind: "job" | "workflow",
  name: string,
  rest: readonly [Handler] | readonly [Options, Handler],
  rules: OptionRules,
): { options: Options; handler: Handler } {
  checkArgument(`define ${kind}`, "name", name, someText);
  const action = `define ${kind} '${name}'`;
  const [options, handler] = rest.length === 1 ? [{} as Options, rest[0]] : rest;
  checkOptions(action, options, rules);
  checkArgument(action, "handler", handler, aFunction);
  return { options, handler };
}
