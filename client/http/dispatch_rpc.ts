import type { JobRecord, WorkflowRun } from "../../protocol/entity.ts";
import type { JobEvent, RunEvent } from "../../protocol/event.ts";
import { type Backend, DispatchCalls } from "../calls.ts";
import type { Definitions } from "../definitions.ts";
import { DispatchError } from "../errors.ts";
import type { Follower } from "../follow/entity_handle.ts";
import { pollJob, pollRun } from "../follow/poller.ts";
import { Job } from "../job.ts";
import type { HttpOptions } from "../options.ts";
import { Run } from "../run.ts";
import { HttpSession } from "./http_session.ts";

/** A handle on a job over HTTP: `wait()` polls, and there are no events. */
export type RpcJob = Pick<Job, "job_id" | "queue" | "state" | "get" | "cancel" | "wait">;

/** A handle on a run over HTTP: `wait()` polls, and there are no events. */
export type RpcRun = Pick<Run, "run_id" | "state" | "get" | "timeline" | "wait">;

/** The parts that a client over HTTP is built on. */
export interface HttpBackend extends Backend<RpcJob, RpcRun> {
  readonly transport: HttpSession;
}

/** Creates the backend of a client over HTTP. */
export function httpBackend(
  session: HttpSession,
  createJobFollower: (jobId: string) => Follower<JobRecord, JobEvent>,
  createRunFollower: (runId: string) => Follower<WorkflowRun, RunEvent>,
): HttpBackend {
  return {
    transport: session,
    createJob: (jobId, queue, state) => new Job(session, createJobFollower, jobId, queue, state),
    createRun: (runId, name, state) => new Run(session, createRunFollower, runId, name, state),
    callStart: () => Promise.reject(notPossible("call 'workflow.start'")),
  };
}

/**
 * A client for environments without WebSockets, such as serverless functions: each call is one HTTP
 * request. Most calls are in {@linkcode DispatchCalls}; those that need a WebSocket do not compile.
 *
 * @example
 * ```ts
 * import { DispatchRpc } from "@dispatch/sdk";
 *
 * async function handler(url: string, token: string) {
 *   using client = await DispatchRpc.connect({ url, token });
 *   const job = await client.enqueue("send-email", { to: "user@example.com" });
 *   return job.job_id;
 * }
 * ```
 *
 * @typeParam D The jobs, workflows and events of the server; by default any name is allowed.
 */
export class DispatchRpc<D extends Definitions = Definitions>
  extends DispatchCalls<D, RpcJob, RpcRun> {
  readonly #session: HttpSession;

  /** Creates a client. */
  constructor(options: HttpOptions);
  /** @ignore Called by {@linkcode DispatchSse}. */
  constructor(options: HttpOptions, backend?: HttpBackend);
  constructor(options: HttpOptions, backend: HttpBackend = rpcBackend(options)) {
    super(backend);
    this.#session = backend.transport;
  }

  /**
   * Creates a client. There is no connection to wait for: every call is a separate request.
   *
   * @example
   * ```ts
   * import { DispatchRpc } from "@dispatch/sdk";
   *
   * async function countTopics(url: string) {
   *   using client = await DispatchRpc.connect({ url, token: "demo-token" });
   *   return (await client.stats()).broker.topic_count;
   * }
   * ```
   */
  // deno-lint-ignore require-await
  static async connect<D extends Definitions = Definitions>(
    options: HttpOptions,
  ): Promise<DispatchRpc<D>> {
    return new DispatchRpc<D>(options);
  }

  /**
   * Not possible over HTTP: the server runs the workflow inside the request, so a request that is
   * given up would end the run.
   *
   * @throws {DispatchError} Always, with the code `"not_possible"`.
   */
  startWorkflow(name: never, _input?: unknown): Promise<never> {
    return Promise.reject(notPossible(`start workflow '${name}'`));
  }

  /** Closes the client. Calls in flight reject. */
  close(): void {
    this.#session.close();
  }

  /** Closes the client, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function rpcBackend(options: HttpOptions): HttpBackend {
  const session = new HttpSession(options);
  return httpBackend(session, (id) => pollJob(session, id), (id) => pollRun(session, id));
}

function notPossible(what: string): DispatchError {
  return new DispatchError(
    `Cannot ${what} over HTTP: use a WebSocket`,
    "not_possible",
  );
}
