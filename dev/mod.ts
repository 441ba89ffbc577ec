/**
 * A Dispatch server in this process: true to the wire, ready at once, made to break. It keeps nothing;
 * production is a Dispatch server.
 *
 * @module
 */
export { constantBackoff, exponentialBackoff, type ExponentialBackoffOptions } from "./backoff.ts";
export {
  type CronDefinition,
  type CronOptions,
  defineCron,
  defineJob,
  defineWorkflow,
  type HandlerContext,
  type JobContext,
  type JobDefinition,
  type JobHandler,
  type JobOptions,
  type WorkflowDefinition,
  type WorkflowHandler,
  type WorkflowOptions,
} from "./define.ts";
export { type Duration, DurationError, parseDuration } from "./duration.ts";
export {
  type QuirkInfo,
  type QuirkName,
  type QuirkOptions,
  QUIRKS,
  UnknownQuirkError,
} from "./quirks.ts";
export { loadWorkload, WorkloadError } from "./load_workload.ts";
export { referenceWorkload } from "./reference_workload.ts";
export { type OutputOf, type Schema, type SchemaIssue, type SchemaResult } from "./schema.ts";
export { DEFAULT_PORT, serve, type ServeOptions } from "./serve.ts";
export { ClockError, createDevServer } from "./server.ts";
export { type DevServer, type DevServerOptions, type Observer, type Workload } from "./options.ts";
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
export { createStore, type DeadLetter, type Store } from "./store.ts";
export { DEFAULT_TOKENS, type TokenOptions } from "./tokens.ts";
export {
  createVirtualClock,
  type VirtualClock,
  type VirtualClockOptions,
} from "./virtual_clock.ts";
export {
  StepError,
  type StepFunction,
  type StepOptions,
  type Workflow,
  type WorkflowEvent,
} from "./context.ts";
export { ScheduleError } from "./engine/cron_engine.ts";
export { PortTakenError } from "./listen/socket.ts";
export type { Clock, TimerHandle } from "../runtime/clock.ts";
export type {
  CronFired,
  DispatchEvent,
  EventOf,
  EventType,
  JobCompleted,
  JobDead,
  JobEnqueued,
  JobEvent,
  JobEventData,
  JobFailed,
  JobRecord,
  JobRetrying,
  JobStarted,
  JobState,
  RunCompleted,
  RunEvent,
  RunEventData,
  RunFailed,
  RunStarted,
  RunState,
  StepCompleted,
  StepFailed,
  WorkflowRun,
} from "../protocol/mod.ts";
