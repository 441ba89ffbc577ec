/**
 * The client of Dispatch, the durable job and workflow engine: jobs, workflows, events and live
 * subscriptions over one WebSocket, on Deno, Bun, Node and in browsers.
 *
 * @example
 * ```ts
 * import { Dispatch } from "@dispatch/sdk";
 *
 * async function pay(url: string, token: string) {
 *   await using client = await Dispatch.connect({ url, token });
 *   const run = await client.startWorkflow("order-payment", { order_id: "ORD-7" });
 *   await client.publishEvent("payment-received", { order_id: "ORD-7" });
 *   return await run.wait({ timeout: 60_000 });
 * }
 * ```
 *
 * @module
 */
export { type BackoffOptions, fullJitter } from "./client/backoff.ts";
export { type CloseOptions, Dispatch, type EnqueueManyOptions } from "./client/dispatch.ts";
export { type EnqueueOptions } from "./client/_requests.ts";
export { DispatchRpc, DispatchSse, type RpcJob, type RpcRun } from "./client/http.ts";
export { type HttpOptions } from "./client/http_session.ts";
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
} from "./client/errors.ts";
export { type Gap } from "./client/gap.ts";
export { type Hooks, type RequestInfo } from "./client/hooks.ts";
export { type Job } from "./client/job.ts";
export {
  type OpenTelemetryApi,
  openTelemetryHooks,
  type OpenTelemetryOptions,
  type OpenTelemetrySpan,
  type OpenTelemetryTracer,
} from "./client/opentelemetry.ts";
export {
  type CallOptions,
  type DispatchOptions,
  type TokenSource,
  type WriteOptions,
} from "./client/options.ts";
export { type Run } from "./client/run.ts";
export { type Given, type Named, type NameOf, type Schema } from "./client/schema.ts";
export { type Status } from "./client/status.ts";
export {
  type PendingSubscription,
  type SubscribeOptions,
  type Subscription,
} from "./client/subscription.ts";
export { type Overflow } from "./client/_stream.ts";
export {
  type ChannelName,
  type CronFired,
  type DispatchEvent,
  type EventOf,
  type EventType,
  type JobCompleted,
  type JobDead,
  type JobEnqueued,
  type JobEvent,
  type JobEventData,
  type JobFailed,
  type JobRecord,
  type JobRetrying,
  type JobStarted,
  type JobState,
  type RunCompleted,
  type RunEvent,
  type RunEventData,
  type RunFailed,
  type RunStarted,
  type RunState,
  type Stats,
  type StepCompleted,
  type StepFailed,
  type TimelineEntry,
  type WorkflowRun,
} from "./protocol/mod.ts";
export { type Clock, type TimerHandle } from "./runtime/mod.ts";
