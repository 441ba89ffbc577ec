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
export { DispatchCalls } from "./client/calls.ts";
export type { CallArgs, DefinitionName, Definitions, DefinitionsOf } from "./client/definitions.ts";
export { type CloseOptions, Dispatch } from "./client/dispatch.ts";
export type { EnqueueManyOptions } from "./client/enqueue_many.ts";
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
export type { Gap } from "./client/gap.ts";
export type { Hooks, RequestInfo } from "./client/hooks.ts";
export type { AdminCrons } from "./client/http/admin_crons.ts";
export type { AdminDeadLetters } from "./client/http/admin_dead_letters.ts";
export type {
  AdminListOptions,
  DeadLetterListOptions,
  JobListOptions,
  RunListOptions,
} from "./client/http/admin_lists.ts";
export type { AdminOptions } from "./client/http/admin_options.ts";
export { DispatchAdmin } from "./client/http/dispatch_admin.ts";
export { DispatchRpc, type RpcJob, type RpcRun } from "./client/http/dispatch_rpc.ts";
export { DispatchSse } from "./client/http/dispatch_sse.ts";
export type { EntityHandle, Job } from "./client/job.ts";
export {
  type OpenTelemetryApi,
  openTelemetryHooks,
  type OpenTelemetryOptions,
  type OpenTelemetrySpan,
  type OpenTelemetryTracer,
} from "./client/opentelemetry.ts";
export type {
  CallOptions,
  DispatchOptions,
  EnqueueOptions,
  HttpOptions,
  TokenSource,
  WriteOptions,
} from "./client/options.ts";
export type { Run } from "./client/run.ts";
export type { Status } from "./client/status.ts";
export type { Overflow } from "./client/subscribe/bounded_queue.ts";
export type {
  PendingSubscription,
  SubscribeOptions,
  Subscription,
} from "./client/subscribe/subscription.ts";
export type { AdminStats, DeadLetterRecord, JobCounts } from "./protocol/admin.ts";
export type { ChannelName, Stats, TimelineEntry } from "./protocol/mod.ts";
export type * from "./protocol/public_types.ts";
export type { Clock, TimerHandle } from "./runtime/clock.ts";
