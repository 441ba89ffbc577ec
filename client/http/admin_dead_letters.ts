import { decodeJob, type JobRecord } from "../../protocol/entity.ts";
import { type DeadLetterRecord, decodeDeadLetter } from "../../protocol/admin.ts";
import type { CallOptions, WriteOptions } from "../options.ts";
import { countIn, listOf } from "./admin_answers.ts";
import { type DeadLetterListOptions, listRequest } from "./admin_lists.ts";
import type { AdminSession } from "./admin_session.ts";

/**
 * The dead letters of a server: jobs that failed for good.
 *
 * @example
 * ```ts
 * import { DispatchAdmin } from "@dispatch/sdk";
 * import { createDevServer } from "@dispatch/sdk/dev";
 *
 * await using server = await createDevServer();
 * using admin = await DispatchAdmin.connect({ url: server.url });
 * if (await admin.deadLetters.count() > 0) await admin.deadLetters.replayAll();
 * ```
 */
export class AdminDeadLetters {
  readonly #session: AdminSession;

  /** Called by {@linkcode DispatchAdmin}. */
  constructor(session: AdminSession) {
    this.#session = session;
  }

  /**
   * Counts the dead letters of the whole server, those included that were replayed.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer();
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.equal(await admin.deadLetters.count(), 0);
   * ```
   */
  async count(options?: CallOptions): Promise<number> {
    const what = "count dead letters";
    const decode = (answer: unknown) => countIn(what, answer, "count").count;
    return await this.#session.call({ what, route: "GET /dlq/count", decode }, options);
  }

  /**
   * Reads a dead letter. No route of today's servers tells its id: it comes from the application
   * around the server, or from a server that has lists.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer, defineJob } from "@dispatch/sdk/dev";
   * import { createTestDispatch } from "@dispatch/sdk/testing";
   * import assert from "node:assert/strict";
   *
   * const broken = defineJob("broken", { maxRetries: 0 }, () => {
   *   throw new Error("no disk space");
   * });
   * await using env = await createTestDispatch({ jobs: [broken] });
   * await env.failed(await env.client.enqueue("broken", { n: 1 }));
   * using admin = await DispatchAdmin.connect({ url: env.server.url });
   * const { id } = env.server.store.deadLetters()[0]!;
   * const letter = await admin.deadLetters.get(id);
   * assert.deepEqual([letter.error, letter.payload], ["no disk space", { n: 1 }]);
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such dead letter, 400 if the id is
   * malformed.
   */
  async get(id: string, options?: CallOptions): Promise<DeadLetterRecord> {
    const what = `get dead letter '${id}'`;
    const call = { what, route: "GET /dlq/:id", id, decode: decodeDeadLetter } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Enqueues the job of a dead letter again, as a new job with a new id. It has the name, queue,
   * payload and retries of the old one, the priority 0, and no timeout, so it may run for ever. The
   * old job stays `failed`, and the dead letter stays too, with `replayed_at`: it can be replayed
   * again. The workers are not woken, so on an idle server the job waits for their next poll, up to
   * 30 seconds by default. There is no `job.enqueued` event.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { defineJob } from "@dispatch/sdk/dev";
   * import { createTestDispatch } from "@dispatch/sdk/testing";
   * import assert from "node:assert/strict";
   *
   * let hasSpace = false;
   * const save = defineJob("save", { maxRetries: 0 }, () => {
   *   if (!hasSpace) throw new Error("no disk space");
   * });
   * await using env = await createTestDispatch({ jobs: [save] });
   * const failed = await env.client.enqueue("save");
   * await env.failed(failed);
   * using admin = await DispatchAdmin.connect({ url: env.server.url });
   * hasSpace = true;
   * const job = await admin.deadLetters.replay(env.server.store.deadLetters()[0]!.id);
   * assert.notEqual(job.id, failed.job_id);
   * await env.completed(env.client.job(job.id));
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such dead letter, 400 if the id is
   * malformed.
   */
  async replay(id: string, options?: WriteOptions): Promise<JobRecord> {
    const what = `replay dead letter '${id}'`;
    const call = { what, route: "POST /dlq/:id/replay", id, decode: decodeJob } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Replays the dead letters that were not replayed yet, one by one, as `replay` does. The server
   * looks at its 1,000 oldest only, those included that were replayed: 0 does not mean that nothing
   * is left. It touches the jobs of all tenants.
   *
   * @returns How many were replayed, and how many could not be.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer();
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.deepEqual(await admin.deadLetters.replayAll(), { replayed: 0, errors: 0 });
   * ```
   */
  async replayAll(options?: WriteOptions): Promise<{ replayed: number; errors: number }> {
    const what = "replay all dead letters";
    const decode = (answer: unknown) => countIn(what, answer, "replayed", "errors");
    return await this.#session.call({ what, route: "POST /dlq/replay-all", decode }, options);
  }

  /**
   * Deletes the dead letters that failed more than 30 days ago, replayed or not, of all tenants. No
   * other age is possible.
   *
   * @returns How many were deleted.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer();
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.equal(await admin.deadLetters.purge(), 0);
   * ```
   */
  async purge(options?: WriteOptions): Promise<number> {
    const what = "purge dead letters";
    const decode = (answer: unknown) => countIn(what, answer, "purged").purged;
    return await this.#session.call({ what, route: "POST /dlq/purge", decode }, options);
  }

  /**
   * Lists the dead letters of a queue, oldest first. **Today's servers have no such list** and answer
   * 404; the embedded server has it if its quirk `admin-lists-missing` is off.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer({ quirks: { "admin-lists-missing": false } });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert.deepEqual(await admin.deadLetters.list({ queue: "default" }), []);
   * ```
   *
   * @throws {DispatchError} With the code 404 if the server has no such list.
   */
  async list(options: DeadLetterListOptions): Promise<DeadLetterRecord[]> {
    const what = "list dead letters";
    const { query, call } = listRequest("dead letters", options);
    const decode = listOf(what, decodeDeadLetter);
    return await this.#session.call({ what, route: "GET /dlq", query, decode }, call);
  }
}
