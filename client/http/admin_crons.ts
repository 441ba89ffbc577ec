import { type CronRecord, decodeCron } from "../../protocol/admin.ts";
import type { CallOptions, WriteOptions } from "../options.ts";
import { listOf } from "./admin_answers.ts";
import { type AdminListOptions, listRequest } from "./admin_lists.ts";
import type { AdminSession } from "./admin_session.ts";

/**
 * The cron entries of a server. An entry is made by the program around the server; no route makes or
 * changes one, or fires it by hand.
 *
 * No route and no event of today's servers tells the id of an entry, not even `cron.fired`, which has
 * its name. It comes from the application around the server, or from a server that has lists.
 *
 * @example
 * ```ts
 * import { DispatchAdmin } from "@dispatch/sdk";
 * import { createDevServer, defineCron, defineJob } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * await using server = await createDevServer({
 *   jobs: [defineJob("report", () => {})],
 *   crons: [defineCron("daily", { schedule: "@daily", job: "report" })],
 * });
 * using admin = await DispatchAdmin.connect({ url: server.url });
 * const { id } = server.store.crons()[0]!;
 * assert.equal((await admin.crons.disable(id)).enabled, false);
 * ```
 */
export class AdminCrons {
  readonly #session: AdminSession;

  /** Called by {@linkcode DispatchAdmin}. */
  constructor(session: AdminSession) {
    this.#session = session;
  }

  /**
   * Reads a cron entry. A disabled one keeps its old `next_run_at`: show it as paused, not as due.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer, defineCron } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * const daily = defineCron("daily", { schedule: "@daily", job: "report" });
   * await using server = await createDevServer({ crons: [daily] });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * const entry = await admin.crons.get(server.store.crons()[0]!.id);
   * assert.deepEqual([entry.name, entry.job_name, entry.payload], ["daily", "report", {}]);
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such entry, 400 if the id is malformed.
   */
  async get(id: string, options?: CallOptions): Promise<CronRecord> {
    const what = `get cron entry '${id}'`;
    const call = { what, route: "GET /crons/:id", id, decode: decodeCron } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Lets a cron entry fire again. Its `next_run_at` stays as it is: if it has passed, the entry fires
   * once within a second, and the times that were missed are not made up for. On a server with a SQL,
   * Mongo or Redis store it may take up to 30 seconds to have an effect. No event tells of it.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer, defineCron } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * const daily = defineCron("daily", { schedule: "@daily", job: "report", enabled: false });
   * await using server = await createDevServer({ crons: [daily] });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * assert((await admin.crons.enable(server.store.crons()[0]!.id)).enabled);
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such entry, 400 if the id is malformed.
   */
  async enable(id: string, options?: WriteOptions): Promise<CronRecord> {
    const what = `enable cron entry '${id}'`;
    const call = { what, route: "POST /crons/:id/enable", id, decode: decodeCron } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Pauses a cron entry. Jobs that it made before still run. **The pause may not hold** on a server
   * with a SQL, Mongo or Redis store: its scheduler keeps entries for 30 seconds, and an entry that
   * fires in that time is enabled again. Read the entry after more than 30 seconds to be sure.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer, defineCron } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * const daily = defineCron("daily", { schedule: "@daily", job: "report" });
   * await using server = await createDevServer({ crons: [daily] });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * const { enabled, next_run_at } = await admin.crons.disable(server.store.crons()[0]!.id);
   * assert.equal(enabled, false);
   * assert(next_run_at, "the time is kept");
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such entry, 400 if the id is malformed.
   */
  async disable(id: string, options?: WriteOptions): Promise<CronRecord> {
    const what = `disable cron entry '${id}'`;
    const call = { what, route: "POST /crons/:id/disable", id, decode: decodeCron } as const;
    return await this.#session.call(call, options);
  }

  /**
   * Deletes a cron entry at once. When the program around the server starts again, it registers its
   * entries again, and this one comes back, with a new id. To keep it from firing for longer, disable
   * it.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer, defineCron } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * const daily = defineCron("daily", { schedule: "@daily", job: "report" });
   * await using server = await createDevServer({ crons: [daily] });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * await admin.crons.delete(server.store.crons()[0]!.id);
   * assert.equal(server.store.crons().length, 0);
   * ```
   *
   * @throws {DispatchError} With the code 404 if there is no such entry, 400 if the id is malformed.
   */
  async delete(id: string, options?: WriteOptions): Promise<void> {
    const what = `delete cron entry '${id}'`;
    await this.#session.call(
      { what, route: "DELETE /crons/:id", id, decode: () => {} },
      options,
    );
  }

  /**
   * Lists the cron entries, oldest first. **Today's servers have no such list** and answer 404; the
   * embedded server has it if its quirk `admin-lists-missing` is off.
   *
   * @example
   * ```ts
   * import { DispatchAdmin } from "@dispatch/sdk";
   * import { createDevServer, referenceCrons } from "@dispatch/sdk/dev";
   * import assert from "node:assert/strict";
   *
   * await using server = await createDevServer({
   *   crons: referenceCrons(),
   *   quirks: { "admin-lists-missing": false },
   * });
   * using admin = await DispatchAdmin.connect({ url: server.url });
   * const entries = await admin.crons.list({ limit: 2 });
   * assert.deepEqual(entries.map(({ name }) => name), ["tick", "off"]);
   * ```
   *
   * @throws {DispatchError} With the code 404 if the server has no such list.
   */
  async list(options?: AdminListOptions): Promise<CronRecord[]> {
    const what = "list cron entries";
    const { query, call } = listRequest("cron entries", options);
    const decode = listOf(what, decodeCron);
    return await this.#session.call({ what, route: "GET /crons", query, decode }, call);
  }
}
