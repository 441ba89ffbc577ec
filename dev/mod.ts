/**
 * A Dispatch server for development and tests. It runs in this process, speaks the wire protocol as
 * a real server does, can inject faults, and keeps its data in memory.
 *
 * @module
 */
export { constantBackoff, exponentialBackoff, type ExponentialBackoffOptions } from "./backoff.ts";
export {
  type HandlerContext,
  type JobContext,
  StepError,
  type StepFunction,
  type StepOptions,
  type Workflow,
  type WorkflowEvent,
} from "./context.ts";
export { ScheduleError } from "./cron_schedule.ts";
export {
  defineJob,
  defineWorkflow,
  type JobDefinition,
  type JobHandler,
  type JobOptions,
  type WorkflowDefinition,
  type WorkflowHandler,
  type WorkflowOptions,
} from "./define.ts";
export { type CronDefinition, type CronOptions, defineCron } from "./define_cron.ts";
export { type Duration, DurationError, parseDuration } from "./duration.ts";
export { createStore } from "./engine/memory_store.ts";
export {
  checkFault,
  type Fault,
  FAULT_ACTIONS,
  type FaultAction,
  type FaultCondition,
  type FaultConnection,
  FaultError,
  type Faults,
  parseFault,
} from "./faults/fault.ts";
export { ListenError, PortTakenError } from "./listen/errors.ts";
export { loadWorkload, WorkloadError } from "./load_workload.ts";
export {
  type DevServer,
  type DevServerOptions,
  type Observer,
  type ServedRequest,
  type Workload,
} from "./options.ts";
export { OptionsError } from "./options_error.ts";
export {
  type QuirkInfo,
  type QuirkName,
  type QuirkOptions,
  QUIRKS,
  UnknownQuirkError,
} from "./quirks.ts";
export { referenceCrons } from "./reference_crons.ts";
export { referenceWorkload } from "./reference_workload.ts";
export {
  type SchemaOutput,
  type StandardSchema,
  type StandardSchemaIssue,
  type StandardSchemaResult,
} from "./schema.ts";
export { DEFAULT_PORT, serve, type ServeOptions } from "./serve.ts";
export { ClockError, createDevServer } from "./server.ts";
export { type DeadLetter, type Store } from "./store.ts";
export { DEFAULT_TOKENS, type TokenOptions } from "./tokens.ts";
export {
  createVirtualClock,
  type VirtualClock,
  type VirtualClockOptions,
} from "./virtual_clock.ts";
export { type AroundWork, CrashError, type Work, type WorkKind } from "./work.ts";
export type * from "../protocol/public_types.ts";
export type { Clock, TimerHandle } from "../runtime/clock.ts";
