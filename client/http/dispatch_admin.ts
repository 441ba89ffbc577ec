import type { AdminStats, JobCounts } from "../../protocol/admin.ts";
import { decodeJob, decodeRun, type JobRecord, type WorkflowRun } from "../../protocol/entity.ts";
import type { CallOptions, WriteOptions } from "../options.ts";
import { adminStats, jobCounts, listOf, workflowNames } from "./admin_answers.ts";
import { AdminCrons } from "./admin_crons.ts";
import { AdminDeadLetters } from "./admin_dead_letters.ts";
import { type JobListOptions, listRequest, type RunListOptions } from "./admin_lists.ts";
import type { AdminOptions } from "./admin_options.ts";
import { AdminSession } from "./admin_session.ts";

/**
 * A client for operators: it counts, reads, retries and cancels what is on a server, over the
 * server's admin API. Each call is one HTTP request.
 *
 * Only servers that are built with upstream's forge extension have this API. It is no part of the
 * protocol: it asks for no token unless an application guards it, and it sees and changes the jobs of
 * all tenants.
 *
 * @example
 * ```ts
 * import { DispatchAdmin } from "@dispatch/sdk";
 * import { createDevServer, referenceWorkload } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * await using server = await createDevServer(referenceWorkload());
 * using admin = await DispatchAdmin.connect({ url: server.url });
 * const { jobs, dlq_count } = await admin.stats();
 * assert.deepEqual([jobs.failed, dlq_count], [0, 0]);
 * ```
 */
export class DispatchAdmin {
  readonly #session: AdminSession;
  /** The dead letters: jobs that failed for good. */
  readonly deadLetters: AdminDeadLetters;
  /** The cron entries. */
  readonly crons: AdminCrons;

  /** Creates a client. */
  constructor(options: AdminOptions) {
    this.#session = new AdminSession(options);
    this.deadLetters = new AdminDeadLetters(this.#session);
    this.crons = new AdminCrons(this.#session);
  }

  /**
   * Creates a client. There is no connection to wait for: every call is a separate request.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   *
   * function connectBehindProxy(key: string) {
   *   return DispatchAdmin.connect({
   *     base: "https://ops.example.com/dispatch",
   *     headers: { "X-Api-Key": key },
   *   });
   * }
   * ```
   */
  // deno-lint-ignore require-await
  static async connect(options: AdminOptions): Promise<DispatchAdmin> {
    return new DispatchAdmin(options);
  }

  /**
   * Counts the jobs of the whole server by state. There are no counts for a queue or tenant.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer();
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.equal((await admin.counts()).pending, 0);
   * ```
   */
  async counts(options?: CallOptions): Promise<JobCounts> {
    const what = "count jobs";
    const decode = (answer: unknown) => jobCounts(what, answer);
    return await this.#session.call({ what, route: "GET /jobs/counts", decode }, options);
  }

  /**
   * Counts the jobs and runs of the whole server by state, and its dead letters. Child runs count as
   * runs.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createTestDispatch } from "@dispatch/sdk/testing";
   * import { defineWorkflow } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * const workflows = [defineWorkflow("hello", () => {})];
   * await using env = await createTestDispatch({ workflows });
   * await env.completed(await env.client.startWorkflow("hello"));
   * using admin = await DispatchAdmin.connect({ url: env.server.url });
   * assert.equal((await admin.stats()).workflows.completed, 1);
   * ```
   */
  async stats(options?: CallOptions): Promise<AdminStats> {
    const what = "get admin stats";
    const decode = (answer: unknown) => adminStats(what, answer);
    return await this.#session.call({ what, route: "GET /stats", decode }, options);
  }

  /**
   * Lists the names of the workflows that the server knows, sorted. There is no such list of jobs.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer, defineWorkflow } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * const workflows = ["order", "invoice"].map((name) => defineWorkflow(name, () => {}));
   * await using server = await createDevServer({ workflows });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.deepEqual(await admin.workflows(), ["invoice", "order"]);
   * ```
   */
  async workflows(options?: CallOptions): Promise<string[]> {
    const what = "list workflows";
    const decode = (answer: unknown) => workflowNames(what, answer);
    return await this.#session.call({ what, route: "GET /workflows", decode }, options);
  }

  /**
   * Reads a job of any tenant.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createTestDispatch } from "@dispatch/sdk/testing";
   * import assert from "node:assert/strict";
   *
   * await using env = await createTestDispatch();
   * const { job_id } = await env.client.enqueue("email", { to: "a" }, { queue: "unread" });
   * using admin = await DispatchAdmin.connect({ url: env.server.url });
   * const { state, payload } = await admin.job(job_id);
   * assert.deepEqual([state, payload], ["pending", { to: "a" }]);
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such job, 400 if the id is malformed.
   */
  async job(id: string, options?: CallOptions): Promise<JobRecord> {
    const what = `get job '${id}'`;
    const call = { what, route: "GET /jobs/:id", id, decode: decodeJob } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Reads a run of any tenant, also while it runs. The API has no timeline, and it cannot cancel or
   * repeat a run.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createTestDispatch } from "@dispatch/sdk/testing";
   * import { defineWorkflow } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * const workflows = [defineWorkflow("hello", () => {})];
   * await using env = await createTestDispatch({ workflows });
   * const { run_id } = await env.client.startWorkflow("hello", { name: "you" });
   * using admin = await DispatchAdmin.connect({ url: env.server.url });
   * assert.deepEqual((await admin.run(run_id)).input, { name: "you" });
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such run, 400 if the id is malformed.
   */
  async run(id: string, options?: CallOptions): Promise<WorkflowRun> {
    const what = `get workflow run '${id}'`;
    const call = { what, route: "GET /workflows/runs/:id", id, decode: decodeRun } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Cancels a job that is `pending` or `retrying`: it does not run any more, gets no dead letter, and
   * has `completed_at`. No event tells of it. A job in another state stays as it is, unlike with
   * `Dispatch.cancelJob`, which overwrites every state.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createTestDispatch } from "@dispatch/sdk/testing";
   * import assert from "node:assert/strict";
   *
   * await using env = await createTestDispatch();
   * const { job_id } = await env.client.enqueue("email", {}, { queue: "unread" });
   * using admin = await DispatchAdmin.connect({ url: env.server.url });
   * await admin.cancelJob(job_id);
   * assert.equal((await admin.job(job_id)).state, "cancelled");
   * ```
   *
   * @throws {DispatchError} With the code 400 if the job is in another state or the id is malformed,
   * 404 if there is no such job.
   */
  async cancelJob(id: string, options?: WriteOptions): Promise<void> {
    const what = `cancel job '${id}'`;
    const call = { what, route: "POST /jobs/:id/cancel", id, decode: () => {} } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Queues a `failed` job again under its own id, as if it had never run: `pending`, with no failed
   * attempts, no error and no times; payload, priority and timeout stay. Its dead letter stays as it
   * is, so a job that fails again has two. The workers are not woken: on an idle server the job waits
   * for their next poll, up to 30 seconds by default. There is no `job.enqueued` event.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { defineJob } from "@dispatch/sdk/dev";
   * import { createTestDispatch } from "@dispatch/sdk/testing";
   *
   * let hasSpace = false;
   * const save = defineJob("save", { maxRetries: 0 }, () => {
   *   if (!hasSpace) throw new Error("no disk space");
   * });
   * await using env = await createTestDispatch({ jobs: [save] });
   * const job = await env.client.enqueue("save");
   * await env.failed(job);
   * using admin = await DispatchAdmin.connect({ url: env.server.url });
   * hasSpace = true;
   * await admin.retryJob(job.job_id);
   * await env.completed(env.client.job(job.job_id));
   * ```
   *
   * @throws {DispatchError} With the code 400 if the job has not failed or the id is malformed, 404 if
   * there is no such job.
   */
  async retryJob(id: string, options?: WriteOptions): Promise<void> {
    const what = `retry job '${id}'`;
    const call = { what, route: "POST /jobs/:id/retry", id, decode: () => {} } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Lists the jobs in a state and a queue, oldest first. **Today's servers have no such list** and
   * answer 404; the embedded server has it if its quirk `admin-lists-missing` is off.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer({ quirks: { "admin-lists-missing": false } });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.deepEqual(await admin.jobs({ state: "failed", queue: "default" }), []);
   * ```
   *
   * @throws {DispatchError} With the code 404 if the server has no such list.
   */
  async jobs(options: JobListOptions): Promise<JobRecord[]> {
    const what = "list jobs";
    const { query, call } = listRequest("jobs", options);
    const decode = listOf(what, decodeJob);
    return await this.#session.call({ what, route: "GET /jobs", query, decode }, call);
  }

  /**
   * Lists the runs in a state, oldest first. **Today's servers have no such list** and answer 404; the
   * embedded server has it if its quirk `admin-lists-missing` is off.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer({ quirks: { "admin-lists-missing": false } });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.deepEqual(await admin.runs({ state: "running" }), []);
   * ```
   *
   * @throws {DispatchError} With the code 404 if the server has no such list.
   */
  async runs(options: RunListOptions): Promise<WorkflowRun[]> {
    const what = "list workflow runs";
    const { query, call } = listRequest("workflow runs", options);
    const decode = listOf(what, decodeRun);
    return await this.#session.call({ what, route: "GET /workflows/runs", query, decode }, call);
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
