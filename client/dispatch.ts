// Imported first, because the parts of a bundle then stand in an order that compresses better.
import { Job } from "./job.ts";
import { Session } from "./session.ts";
import { Run } from "./run.ts";
import type { ChannelName } from "../protocol/channel.ts";
import type { RunEvent } from "../protocol/event.ts";
import { delay, monotonicNow } from "../runtime/clock.ts";
import { type Backend, DispatchCalls } from "./calls.ts";
import { callMethod, toJson } from "./connection/requests.ts";
import type { CallArgs, DefinitionName, Definitions, DefinitionsOf } from "./definitions.ts";
import { trackJob } from "./follow/trackers.ts";
import type { Gap } from "./gap.ts";
import {
  CALL,
  type CallOptions,
  checkOptions,
  type DispatchOptions,
  NAME,
  SIGNAL,
} from "./options.ts";
import type { Status } from "./status.ts";
import type { PendingSubscription, SubscribeOptions } from "./subscribe/subscription.ts";
import { enqueueMany, type EnqueueManyOptions } from "./enqueue_many.ts";
import { openSubscription } from "./subscribe/open_subscription.ts";
import { Lanes } from "./start/lanes.ts";

/** Settings of {@linkcode Dispatch.close}. */
export interface CloseOptions {
  /**
   * Whether to let the pending calls finish first, including those not sent yet, and to keep buffered
   * events readable. Jobs and runs are not waited for.
   * @default {false}
   */
  drain?: boolean;
}

/**
 * A client of a Dispatch server, over one WebSocket that it replaces when it is lost. The calls that
 * it shares with the clients over HTTP are in {@linkcode DispatchCalls}.
 *
 * @example Enqueue a job and wait for it
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
 * @typeParam D The jobs, workflows and events of the server; by default any name is allowed.
 */
export class Dispatch<D extends Definitions = Definitions> extends DispatchCalls<D, Job, Run> {
  readonly #session: Session;
  readonly #lanes: Lanes;
  readonly #backend: Backend<Job, Run>;

  /**
   * Creates a client. It connects when you call `connect()`, or else with the first call.
   * @throws {DispatchError} With the code `"bad_options"`, if the address is not valid.
   */
  constructor(options: DispatchOptions) {
    const session = new Session(options);
    const lanes = new Lanes(session);
    const createJobFollower = (jobId: string) => trackJob(session, jobId);
    const createRunFollower = (runId: string) => lanes.tracker(runId);
    const backend: Backend<Job, Run> = {
      transport: session,
      createJob: (jobId, queue, state) => new Job(session, createJobFollower, jobId, queue, state),
      createRun: (runId, name, state) => new Run(session, createRunFollower, runId, name, state),
      callStart: (data, options) => lanes.call(callMethod("workflow.start", data, options)),
    };
    super(backend);
    this.#session = session;
    this.#lanes = lanes;
    this.#backend = backend;
  }

  /**
   * Creates a client and connects it.
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
  static async connect<D extends Definitions = Definitions>(
    options: DispatchOptions & { signal?: AbortSignal },
  ): Promise<Dispatch<D>> {
    const client = new Dispatch<D>(options);
    try {
      await client.connect({ signal: options.signal });
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  /**
   * Connects and authenticates; does nothing if the client is connected.
   *
   * @returns The server's id for this session.
   * @throws {AuthError} If the server refuses the token.
   * @throws {ConnectionError} If the server cannot be reached.
   * @throws {TimeoutError} If it takes longer than `connectTimeout`.
   */
  async connect(options: { signal?: AbortSignal } = {}): Promise<string> {
    checkOptions("connect", options, SIGNAL);
    return await this.#session.connect(options.signal);
  }

  /**
   * Closes the connection and ends every loop over a subscription. Calls in flight reject with a
   * {@linkcode ConnectionError}, unless `drain` waits for them. Runs that were started go on.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkOptions("close", options, { drain: "a boolean" });
    const session = this.#session;
    if (options.drain) {
      const until = session.lastDeadline!;
      // Waits and loops begin new calls, which may never be sent while the server is away.
      while (
        !session.closedWith && session.inFlight + this.#lanes.inFlight &&
        !(session.isReconnecting && monotonicNow(session.clock) > until)
      ) {
        await delay(5, session);
      }
    }
    await session.close(options.drain);
  }

  /** Closes with `drain`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ drain: true });
  }

  /**
   * Reads the state of the connection, then every change and anomaly until the client is closed.
   */
  status(): AsyncIterableIterator<Status, undefined> {
    return this.#session.status.read();
  }

  /**
   * Enqueues a job for each payload, with several requests in flight. The jobs are in the order of
   * the payloads.
   *
   * @throws {EnqueueManyError} For the first payload that fails, with its index.
   */
  enqueueMany<N extends DefinitionName<D, "jobs">>(
    name: N,
    payloads: Iterable<DefinitionsOf<D, "jobs">[N]>,
    options?: EnqueueManyOptions,
  ): Promise<Job[]> {
    return enqueueMany(this.#session, this.#backend.createJob, name, payloads, options);
  }

  /**
   * Starts a workflow. Resolves as soon as its run is known, while it is still running. The run goes
   * on if the client is closed or the call is aborted.
   *
   * Only a mark in the input can prove early that a run is yours. A number, a boolean, `null` and a
   * text of less than 48 characters have no room for one: with such an input the call resolves when
   * the run has ended.
   *
   * @param input A JSON value, which the workflow receives; an empty object if it is left out.
   * @throws {DispatchError} With the code 500, if there is no workflow with that name.
   */
  async startWorkflow<N extends DefinitionName<D, "workflows">>(
    name: N,
    ...[input, options]: CallArgs<DefinitionsOf<D, "workflows">[N], CallOptions>
  ): Promise<Run> {
    const what = `start workflow '${name}'`;
    checkOptions(what, { name }, NAME);
    checkOptions(what, options, CALL);
    // An object, unlike `null`, can be marked; handlers read it as no input.
    const text = toJson(what, input === undefined ? {} : input);
    const { run_id, state } = await this.#lanes.start(what, name, text, options);
    return this.#backend.createRun(run_id, name, state);
  }

  /**
   * Subscribes to a channel: `jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` or
   * `queue:<name>`. Iterate over the result right away, or `await` it first to be sure that no later
   * event is missed. Subscribers to one channel are independent of each other.
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
  /** Subscribes to a channel whose name is not known at compile time. */
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription;
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription {
    return openSubscription(this.#session, channel, options);
  }

  /**
   * Reads a run's events from the first to the last, even if the run has already ended. Events that
   * no connection received are reconstructed from the run's timeline; where a failed step may be
   * missing from it, the stream contains a {@linkcode Gap}.
   */
  watch(
    runId: string,
    options?: { signal?: AbortSignal },
  ): AsyncIterableIterator<RunEvent | Gap, undefined> {
    return this.run(runId).events(options);
  }
}
