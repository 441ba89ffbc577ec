import type { JobRecord, Stats, TimelineEntry, WorkflowRun } from "../protocol/entity.ts";
import type { Transport } from "./connection/transport.ts";
import type { CallArgs, DefinitionName, Definitions, DefinitionsOf } from "./definitions.ts";
import {
  type CallOptions,
  checkOptions,
  type EnqueueOptions,
  NAME,
  type WriteOptions,
} from "./options.ts";
import {
  callMethod,
  cancel,
  enqueueRequests,
  getJob,
  getRun,
  getStats,
  getTimeline,
  publishEvent,
  send,
  type TypedRequest,
} from "./connection/requests.ts";

/** What each kind of client provides to {@linkcode DispatchCalls}. */
export interface Backend<JobHandle, RunHandle> {
  readonly transport: Transport;
  createJob(jobId: string, queue: string, state: string): JobHandle;
  createRun(runId: string, name: string, state: string): RunHandle;
  /** Calls `workflow.start`, whose answer comes only when the run has ended. */
  callStart(data: unknown, options?: CallOptions): Promise<unknown>;
}

/**
 * The calls that every client has, whatever its transport: {@linkcode Dispatch},
 * {@linkcode DispatchRpc} and {@linkcode DispatchSse} extend this class.
 *
 * @example
 * ```ts
 * import type { Definitions, DispatchCalls } from "@dispatch/sdk";
 *
 * async function isCompleted(client: DispatchCalls<Definitions, unknown, unknown>, jobId: string) {
 *   return (await client.getJob(jobId)).state === "completed";
 * }
 * ```
 *
 * @typeParam D The jobs, workflows and events of the server; by default any name is allowed.
 * @typeParam JobHandle The client's handle on a job.
 * @typeParam RunHandle The client's handle on a run.
 */
export abstract class DispatchCalls<D extends Definitions, JobHandle, RunHandle> {
  // To add a call, add a method here and its request in `connection/requests.ts`.
  readonly #backend: Backend<JobHandle, RunHandle>;

  /** Called by the clients' constructors. */
  constructor(backend: Backend<JobHandle, RunHandle>) {
    this.#backend = backend;
  }

  /**
   * Enqueues a job. The server accepts any name, even if no worker knows it.
   *
   * @param payload A JSON value, which the job's handler receives.
   * @throws {DispatchError} If the server refuses, with the server's code.
   */
  async enqueue<N extends DefinitionName<D, "jobs">>(
    name: N,
    ...[payload, options]: CallArgs<DefinitionsOf<D, "jobs">[N], EnqueueOptions>
  ): Promise<JobHandle> {
    const createRequest = enqueueRequests(name, options);
    const { job_id, queue, state } = await this.#send(createRequest(payload));
    return this.#backend.createJob(job_id, queue, state);
  }

  /** Creates a handle on a job from its id. */
  job(jobId: string): JobHandle {
    checkOptions("follow job", { id: jobId }, NAME);
    return this.#backend.createJob(jobId, "", "pending");
  }

  /**
   * Reads a job.
   * @throws {DispatchError} With the code 404 if there is no such job, 400 if the id is malformed.
   */
  async getJob(jobId: string, options?: CallOptions): Promise<JobRecord> {
    return await this.#send(getJob(jobId, options));
  }

  /**
   * Cancels a job. Servers do not stop a running job, mark a finished one as cancelled, and send no
   * event for either.
   */
  async cancelJob(jobId: string, options?: WriteOptions): Promise<void> {
    return await cancel(this.#backend.transport, jobId, options);
  }

  /** Creates a handle on a run from its id. */
  run(runId: string): RunHandle {
    checkOptions("follow run", { id: runId }, NAME);
    return this.#backend.createRun(runId, "", "running");
  }

  /**
   * Reads a run.
   * @throws {DispatchError} With the code 404 if there is no such run, 400 if the id is malformed.
   */
  async getWorkflow(runId: string, options?: CallOptions): Promise<WorkflowRun> {
    return await this.#send(getRun(runId, options));
  }

  /**
   * Reads a run's checkpoints, in the order in which the run reached them. An unknown run has none.
   */
  async workflowTimeline(runId: string, options?: CallOptions): Promise<TimelineEntry[]> {
    return await this.#send(getTimeline(runId, options));
  }

  /**
   * Publishes an event for a workflow that waits for it. The server keeps the event until a run of
   * any workflow waits for that name. The answer does not say whether a run took it; to find out,
   * look for the event's id in the `wait:<name>` entry of the run's timeline.
   */
  async publishEvent<N extends DefinitionName<D, "events">>(
    name: N,
    ...[payload, options]: CallArgs<DefinitionsOf<D, "events">[N], WriteOptions>
  ): Promise<{ event_id: string; name: string }> {
    return await this.#send(publishEvent(name, payload, options));
  }

  /** Reads the server's statistics. */
  async stats(options?: CallOptions): Promise<Stats> {
    return await this.#send(getStats(options));
  }

  /**
   * Calls any method and resolves with the data of the answer, as the server sent it. Over a
   * WebSocket `workflow.start` gets its own connection, because servers answer it when the run has
   * ended; over HTTP it is not possible.
   */
  async call(method: string, data?: unknown, options?: WriteOptions): Promise<unknown> {
    if (method === "workflow.start") return await this.#backend.callStart(data, options);
    return await this.#send(callMethod(method, data, options));
  }

  #send<T>(request: TypedRequest<T>): Promise<T> {
    return send(this.#backend.transport, request);
  }
}
