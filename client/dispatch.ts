import type { JobRecord, Stats, TimelineEntry, WorkflowRun } from "../protocol/entity.ts";
import type { ChannelName } from "../protocol/channel.ts";
import type { RunEvent } from "../protocol/event.ts";
import { delay } from "../runtime/clock.ts";
import { enqueueMany, type EnqueueManyOptions } from "./enqueue_many.ts";
import { Followed } from "./follow/entity_handle.ts";
import { toJson } from "./connection/_to_json.ts";
import {
  call,
  cancelJob,
  type EnqueueOptions,
  getJob,
  getRun,
  getStats,
  getTimeline,
  publishEvent,
} from "./connection/requests.ts";
import { Starts } from "./start/starts.ts";
import { DispatchError } from "./errors.ts";
import type { Gap } from "./gap.ts";
import { DispatchRpc, DispatchSse } from "./http/dispatch_rpc.ts";
import type { HttpOptions } from "./http/http_session.ts";
import { enqueue, Job } from "./job.ts";
import type { CallOptions, DispatchOptions, WriteOptions } from "./options.ts";
import { Run } from "./run.ts";
import type { CallArgs, DefinitionName, Definitions, DefinitionsOf } from "./definitions.ts";
import { Session } from "./session.ts";
import type { Status } from "./status.ts";
import {
  type PendingSubscription,
  subscribe,
  type SubscribeOptions,
} from "./subscribe/pending_subscription.ts";

/** Settings of {@linkcode Dispatch.close}. */
export interface CloseOptions {
  /**
   * Whether to let what is in flight finish, and to leave what subscriptions have received to be
   * read. Runs that were started are not waited for.
   * @default {false}
   */
  drain?: boolean;
}

/**
 * A client of a Dispatch server: jobs, workflows, events and live subscriptions over one
 * WebSocket, which is made again when it is lost.
 *
 * @example Enqueueing a job and waiting for it
 * ```ts
 * import { Dispatch } from "@dispatch/sdk";
 *
 * async function sendWelcome(url: string, token: string) {
 *   await using client = await Dispatch.connect({ url, token });
 *   const job = await client.enqueue("send-email", { to: "user@example.com" });
 *   return await job.wait({ timeout: 60_000 });
 * }
 * ```
 *
 * @typeParam D What the server defines, by name; everything is allowed by default.
 */
export class Dispatch<D extends Definitions = Definitions> {
  readonly #session: Session;
  readonly #starts: Starts;

  /**
   * Makes a client. It connects with `connect()`, or by itself with the first call.
   * @throws {DispatchError} Of code `"bad_options"`.
   */
  constructor(options: DispatchOptions) {
    this.#session = new Session({ ...options, url: webSocketUrl(options.url) });
    this.#starts = new Starts(this.#session);
  }

  /**
   * Makes a client and connects it.
   *
   * @example
   * ```ts
   * import { Dispatch } from "@dispatch/sdk";
   *
   * async function countTopics(url: string) {
   *   await using client = await Dispatch.connect({ url, token: "demo-token" });
   *   return (await client.stats()).broker.topic_count;
   * }
   * ```
   */
  static connect<D extends Definitions = Definitions>(
    options: DispatchOptions & { transport?: "websocket"; signal?: AbortSignal },
  ): Promise<Dispatch<D>>;
  /** Makes a client that sends each request over HTTP, for where no WebSocket is to be had. */
  static connect<D extends Definitions = Definitions>(
    options: HttpOptions & { transport: "rpc" },
  ): Promise<DispatchRpc<D>>;
  /** Makes a client that sends requests over HTTP and reads channels as server-sent events. */
  static connect<D extends Definitions = Definitions>(
    options: HttpOptions & { transport: "sse" },
  ): Promise<DispatchSse<D>>;
  static async connect<D extends Definitions = Definitions>(
    options:
      | (DispatchOptions & { transport?: "websocket"; signal?: AbortSignal })
      | (HttpOptions & { transport: "rpc" | "sse" }),
  ): Promise<Dispatch<D> | DispatchRpc<D>> {
    if (options.transport === "rpc" || options.transport === "sse") {
      return new (options.transport === "rpc" ? DispatchRpc : DispatchSse)<D>(options);
    }
    const client = new Dispatch<D>(options);
    try {
      await client.connect({ signal: (options as { signal?: AbortSignal }).signal });
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  /**
   * Connects and authenticates; does nothing when that is done.
   *
   * @returns What the server calls this session.
   * @throws {AuthError} When the token is refused.
   * @throws {ConnectionError} When the server cannot be reached.
   * @throws {TimeoutError} When it takes longer than `connectTimeout`.
   */
  connect(options: { signal?: AbortSignal } = {}): Promise<string> {
    return this.#session.connect(options.signal);
  }

  /**
   * Closes the connection and ends every loop over a subscription. What is in flight rejects with a
   * {@linkcode ConnectionError}, unless `drain` lets it finish. Runs that were started go on.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    if (options.drain) {
      // Each request has its own deadline, so this ends.
      while (!this.#session.over && this.#session.inFlight + this.#starts.inFlight > 0) {
        await delay(5, { clock: this.#session.clock });
      }
    }
    await this.#session.close(options.drain);
  }

  /** Closes with `drain`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ drain: true });
  }

  /**
   * The state of the connection now, then each change and each oddity, until the client is closed.
   */
  status(): AsyncIterableIterator<Status, undefined> {
    return this.#session.status.read();
  }

  /**
   * Enqueues a job. A server takes any name, also one that no worker knows.
   *
   * @param payload What the handler is given, as a JSON value.
   * @throws {DispatchError} When the server refuses, with its code.
   */
  enqueue<N extends DefinitionName<D, "jobs">>(
    name: N,
    ...[payload, options]: CallArgs<DefinitionsOf<D, "jobs">[N], EnqueueOptions>
  ): Promise<Job> {
    return enqueue(this.#session, name, payload, options);
  }

  /**
   * Enqueues a job for each payload, many at a time, and gives the jobs back in the payloads' order.
   *
   * @throws {EnqueueManyError} For the first that fails, with its index.
   */
  enqueueMany<N extends DefinitionName<D, "jobs">>(
    name: N,
    payloads: Iterable<DefinitionsOf<D, "jobs">[N]>,
    options?: EnqueueManyOptions,
  ): Promise<Job[]> {
    return enqueueMany(this.#session, name, payloads, options);
  }

  /** A handle on a job that is known by its id. */
  job(jobId: string): Job {
    return new Job(this.#session, jobId, "", "pending");
  }

  /**
   * Reads a job.
   * @throws {DispatchError} Of code 404 when there is none, 400 when the id is none.
   */
  getJob(jobId: string, options?: CallOptions): Promise<JobRecord> {
    return getJob(this.#session, jobId, options);
  }

  /**
   * Cancels a job. One that runs is not stopped, one that has ended is marked cancelled, and no
   * event tells of it: so servers do.
   */
  cancelJob(jobId: string, options?: WriteOptions): Promise<void> {
    return cancelJob(this.#session, jobId, options);
  }

  /**
   * Starts a workflow and resolves as soon as its run is known, while it runs. The run goes on when
   * the client is closed or the call is aborted.
   *
   * @param input What the workflow is given, as a JSON value.
   * @throws {DispatchError} Of code 500 when no workflow has that name.
   */
  async startWorkflow<N extends DefinitionName<D, "workflows">>(
    name: N,
    ...[input, options]: CallArgs<DefinitionsOf<D, "workflows">[N], CallOptions>
  ): Promise<Run> {
    const what = `start workflow '${name}'`;
    const text = toJson(what, input);
    const { run_id, name: runs, state } = await this.#starts.run(
      what,
      name,
      options,
      (lanes, request) => lanes.start(request, name, text),
    );
    return new Run(this.#session, run_id, runs, state, this.#follow(run_id));
  }

  /** A handle on a run that is known by its id. */
  run(runId: string): Run {
    return new Run(this.#session, runId, "", "running", this.#follow(runId));
  }

  /** The tracker that a run's lane feeds, where one does, or another. */
  #follow(runId: string): Followed<WorkflowRun, RunEvent> {
    return new Followed(
      this.#session,
      `workflow run '${runId}'`,
      (part) => this.#starts.lanes?.tracker(runId) ?? part.trackRun(this.#session, runId),
    );
  }

  /**
   * Reads a run.
   * @throws {DispatchError} Of code 404 when there is none, 400 when the id is none.
   */
  getWorkflow(runId: string, options?: CallOptions): Promise<WorkflowRun> {
    return getRun(this.#session, runId, options);
  }

  /** Reads a run's checkpoints, in the order they were reached; none for an unknown run. */
  workflowTimeline(runId: string, options?: CallOptions): Promise<TimelineEntry[]> {
    return getTimeline(this.#session, runId, options);
  }

  /**
   * Publishes an event, for a workflow that waits for it. The server keeps it until some run of any
   * workflow waits for that name: whether one did, the answer cannot say. To know, look for its id
   * in the `wait:<name>` entry of the run's timeline.
   */
  publishEvent<N extends DefinitionName<D, "events">>(
    name: N,
    ...[payload, options]: CallArgs<DefinitionsOf<D, "events">[N], WriteOptions>
  ): Promise<{ event_id: string; name: string }> {
    return publishEvent(this.#session, name, payload, options);
  }

  /**
   * Subscribes to a channel: `jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` or
   * `queue:<name>`. Read it at once with `for await`, or `await` it first to know that the server
   * has confirmed: nothing after that is missed. Subscribers of one channel are independent.
   *
   * @example
   * ```ts
   * import type { Dispatch } from "@dispatch/sdk";
   *
   * async function firstFailure(client: Dispatch) {
   *   for await (const event of client.subscribe("jobs")) {
   *     if (event.type === "job.failed") return event.data.error;
   *   }
   * }
   * ```
   */
  subscribe(channel: ChannelName, options?: SubscribeOptions): PendingSubscription;
  /** Subscribes to a channel whose name is not known before. */
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription;
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription {
    return subscribe(this.#session, channel, options);
  }

  /**
   * A run's events from its first on, ended by its last, also when it had ended before. What no
   * connection saw is told from the run's timeline; where a failed step may be missing from that, a
   * gap says so.
   */
  watch(
    runId: string,
    options?: { signal?: AbortSignal },
  ): AsyncIterableIterator<RunEvent | Gap, undefined> {
    return this.#follow(runId).events(options);
  }

  /** Reads the server's statistics. */
  stats(options?: CallOptions): Promise<Stats> {
    return getStats(this.#session, options);
  }

  /**
   * Calls any method, and gives its answer as it came. `workflow.start` goes on a connection of its
   * own, since servers answer it when the run has ended.
   */
  call(method: string, data?: unknown, options?: WriteOptions): Promise<unknown> {
    const what = `call '${method}'`;
    const text = data === undefined ? undefined : toJson(what, data);
    if (method !== "workflow.start") return call(this.#session, method, text, options);
    return this.#starts.run(
      what,
      undefined,
      options,
      (lanes, request) => lanes.call(request, text),
    );
  }
}

function webSocketUrl(url: string | URL): string {
  const parsed = URL.parse(url);
  if (parsed) {
    parsed.protocol = parsed.protocol.replace(/^http/, "ws");
    parsed.hash = "";
    if (/^wss?:$/.test(parsed.protocol)) return parsed.href;
  }
  // A password stands before the host, a key behind the path; what the platform says has both.
  const shown = `${url}`.replace(/.*@|[?#].*/g, "");
  const text = `Cannot make client: '${shown}' is no address with ws:, wss:, http: or https:`;
  throw new DispatchError(text, "bad_options");
}
