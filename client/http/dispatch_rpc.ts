import type { ChannelName } from "../../protocol/channel.ts";
import type { JobRecord, Stats, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import type { RunEvent } from "../../protocol/event.ts";
import { Followed } from "../follow/entity_handle.ts";
import { toJson } from "../connection/_to_json.ts";
import {
  call,
  cancelJob,
  type EnqueueOptions,
  getJob,
  getRun,
  getStats,
  getTimeline,
  publishEvent,
} from "../connection/requests.ts";
import { DispatchError } from "../errors.ts";
import type { Gap } from "../gap.ts";
import { type HttpOptions, HttpSession } from "./http_session.ts";
import { enqueue, Job } from "../job.ts";
import type { CallOptions, WriteOptions } from "../options.ts";
import { Run } from "../run.ts";
import type { CallArgs, DefinitionName, Definitions, DefinitionsOf } from "../definitions.ts";
import {
  type PendingSubscription,
  subscribe,
  type SubscribeOptions,
} from "../subscribe/pending_subscription.ts";

/** A job over HTTP: `wait()` polls, and there are no events. */
export type RpcJob = Pick<Job, "job_id" | "queue" | "state" | "get" | "cancel" | "wait">;

/** A run over HTTP: `wait()` polls, and there are no events. */
export type RpcRun = Pick<Run, "run_id" | "state" | "get" | "timeline" | "wait">;

/** What carries a client's requests; only this file can ask. */
const sessions = new WeakMap<object, HttpSession>();

function sessionOf(client: object): HttpSession {
  return sessions.get(client)!;
}

/**
 * A client where no WebSocket is to be had, such as a serverless function: each call is one HTTP
 * request. What HTTP cannot do does not compile.
 *
 * @example
 * ```ts
 * import { DispatchRpc } from "@dispatch/sdk";
 *
 * async function handler(url: string, token: string) {
 *   const client = new DispatchRpc({ url, token });
 *   const job = await client.enqueue("send-email", { to: "user@example.com" });
 *   return job.job_id;
 * }
 * ```
 *
 * @typeParam D What the server defines, by name; everything is allowed by default.
 */
export class DispatchRpc<D extends Definitions = Definitions> {
  readonly #session: HttpSession;

  /** Makes a client; there is nothing to connect. */
  constructor(options: HttpOptions) {
    this.#session = new HttpSession(options, new.target === DispatchSse);
    sessions.set(this, this.#session);
  }

  /** Enqueues a job. A server takes any name, also one that no worker knows. */
  enqueue<N extends DefinitionName<D, "jobs">>(
    name: N,
    ...[payload, options]: CallArgs<DefinitionsOf<D, "jobs">[N], EnqueueOptions>
  ): Promise<RpcJob> {
    return enqueue(this.#session, name, payload, options);
  }

  /** A handle on a job that is known by its id. */
  job(jobId: string): RpcJob {
    return new Job(this.#session, jobId, "", "pending");
  }

  /** Reads a job. */
  getJob(jobId: string, options?: CallOptions): Promise<JobRecord> {
    return getJob(this.#session, jobId, options);
  }

  /** Cancels a job. */
  cancelJob(jobId: string, options?: WriteOptions): Promise<void> {
    return cancelJob(this.#session, jobId, options);
  }

  /**
   * Not possible over HTTP: the server runs the workflow inside the request, so giving up on the
   * request would kill the run.
   *
   * @throws {DispatchError} Always, of code `"not_possible"`.
   */
  startWorkflow(name: never, _input?: unknown): Promise<never> {
    return Promise.reject(
      new DispatchError(
        `Cannot start workflow '${name}' over HTTP: the run would die with the request; use a WebSocket`,
        "not_possible",
      ),
    );
  }

  /** A handle on a run that is known by its id. */
  run(runId: string): RpcRun {
    return new Run(this.#session, runId, "", "running", follow(this.#session, runId));
  }

  /** Reads a run. */
  getWorkflow(runId: string, options?: CallOptions): Promise<WorkflowRun> {
    return getRun(this.#session, runId, options);
  }

  /** Reads a run's checkpoints, in the order they were reached. */
  workflowTimeline(runId: string, options?: CallOptions): Promise<TimelineEntry[]> {
    return getTimeline(this.#session, runId, options);
  }

  /** Publishes an event, for a workflow that waits for it. */
  publishEvent<N extends DefinitionName<D, "events">>(
    name: N,
    ...[payload, options]: CallArgs<DefinitionsOf<D, "events">[N], WriteOptions>
  ): Promise<{ event_id: string; name: string }> {
    return publishEvent(this.#session, name, payload, options);
  }

  /** Reads the server's statistics. */
  stats(options?: CallOptions): Promise<Stats> {
    return getStats(this.#session, options);
  }

  /** Calls any method but `workflow.start`, and gives its answer as it came. */
  async call(method: string, data?: unknown, options?: WriteOptions): Promise<unknown> {
    if (method === "workflow.start") return await this.startWorkflow("" as never);
    const text = data === undefined ? undefined : toJson(`call '${method}'`, data);
    return await call(this.#session, method, text, options);
  }

  /** Ends what waits; what is in flight rejects. */
  close(): void {
    this.#session.close();
  }

  /** Closes, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * {@linkcode DispatchRpc}, and subscriptions over server-sent events: each channel is an HTTP
 * request of its own, made again before its 1,000 events are used up. The token stands in that
 * request's address, where proxies may log it.
 *
 * @typeParam D What the server defines, by name; everything is allowed by default.
 */
export class DispatchSse<D extends Definitions = Definitions> extends DispatchRpc<D> {
  /** Subscribes to a channel. */
  subscribe(channel: ChannelName, options?: SubscribeOptions): PendingSubscription;
  /** Subscribes to a channel whose name is not known before. */
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription;
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription {
    return subscribe(sessionOf(this), channel, options);
  }

  /** A run's events from its first on, ended by its last, also when it had ended before. */
  watch(
    runId: string,
    options?: { signal?: AbortSignal },
  ): AsyncIterableIterator<RunEvent | Gap, undefined> {
    return follow(sessionOf(this), runId).events(options);
  }
}

function follow(session: HttpSession, runId: string): Followed<WorkflowRun, RunEvent> {
  return new Followed(
    session,
    `workflow run '${runId}'`,
    (part) => part.trackRun(session, runId),
  );
}
