/**
 * The client: jobs, workflows, events and live subscriptions of a Dispatch server.
 *
 * @module
 */
export { type BackoffOptions, fullJitter } from "./backoff.ts";
export { type CloseOptions, Dispatch } from "./dispatch.ts";
export type { EnqueueManyOptions } from "./enqueue_many.ts";
export type { EnqueueOptions } from "./connection/requests.ts";
export { DispatchRpc, DispatchSse, type RpcJob, type RpcRun } from "./http/dispatch_rpc.ts";
export type { HttpOptions } from "./http/http_session.ts";
export {
  AuthError,
  ConnectionError,
  type ConnectionErrorCode,
  type Delivery,
  DispatchError,
  type DispatchErrorOptions,
  EnqueueManyError,
  JobFailedError,
  OverflowError,
  RunFailedError,
  TimeoutError,
} from "./errors.ts";
export type { Gap } from "./gap.ts";
export type { Hooks, RequestInfo } from "./hooks.ts";
export type { Job } from "./job.ts";
export {
  type OpenTelemetryApi,
  openTelemetryHooks,
  type OpenTelemetryOptions,
  type OpenTelemetrySpan,
  type OpenTelemetryTracer,
} from "./opentelemetry.ts";
export type { CallOptions, DispatchOptions, TokenSource, WriteOptions } from "./options.ts";
export type { Run } from "./run.ts";
export type { CallArgs, DefinitionName, Definitions, DefinitionsOf } from "./definitions.ts";
export type { Status } from "./status.ts";
export type { PendingSubscription, SubscribeOptions } from "./subscribe/pending_subscription.ts";
export type { Subscription } from "./subscribe/subscription.ts";
export type { Overflow } from "./subscribe/bounded_queue.ts";
