import {
  cancelWaitingJob,
  deleteCron,
  enableCron,
  purgeDeadLetters,
  replayDeadLetter,
  replayDeadLetters,
  retryFailedJob,
} from "../engine/admin_actions.ts";
import type { IdPrefix } from "../engine/ids.ts";
import type { MemoryStore } from "../engine/memory_store.ts";
import { wireCron, wireDeadLetter, wireJob, wireRun } from "../engine/wire_format.ts";
import type { AdminAnswers } from "./_admin_answers.ts";
import { listRoutes } from "./_admin_lists.ts";
import { type AdminRoute, adminRoute } from "./_admin_router.ts";
import { checkId, MethodError, type ServerParts } from "./method.ts";

/** Creates the routes of the admin API. */
export function adminRoutes(server: ServerParts, answers: AdminAnswers): AdminRoute[] {
  const { quirks } = server.state;
  return [
    ...(quirks["admin-lists-missing"] ? [] : listRoutes(server, answers)),
    ...jobRoutes(server, answers),
    ...runRoutes(server, answers),
    ...deadLetterRoutes(server, answers),
    ...cronRoutes(server, answers),
    adminRoute("GET /stats", () =>
      answers.json({
        jobs: jobCounts(server.state.store),
        dlq_count: server.state.store.deadLetterRows.size,
        workflows: runCounts(server.state.store),
      })),
  ];
}

function jobRoutes(server: ServerParts, answers: AdminAnswers): AdminRoute[] {
  const { store } = server.state;
  const find = finder(store.jobRows, "job", "job", "job");
  const refused = (action: string, states: string, state: string) =>
    answers.error(400, `can only ${action} ${states} jobs, current state: ${state}`);
  return [
    adminRoute("GET /jobs/counts", () => answers.json(jobCounts(store))),
    adminRoute("GET /jobs/:id", ({ id }) => {
      const job = find(id);
      return answers.entity(wireJob(job, server.jobs.heartbeatOf(job)));
    }),
    adminRoute("POST /jobs/:id/cancel", ({ id }) => {
      const job = find(id);
      return cancelWaitingJob(server, job)
        ? answers.done()
        : refused("cancel", "pending or retrying", job.state);
    }),
    adminRoute("POST /jobs/:id/retry", ({ id }) => {
      const job = find(id);
      return retryFailedJob(server, job) ? answers.done() : refused("retry", "failed", job.state);
    }),
  ];
}

function runRoutes({ state }: ServerParts, answers: AdminAnswers): AdminRoute[] {
  const find = finder(state.store.runRows, "wfrun", "run", "run");
  return [
    adminRoute("GET /workflows", () => {
      // A Go server lists a map, whose order changes from request to request.
      const names = state.registry.workflowNames().map((name) => [state.random(), name] as const);
      return answers.json({ names: names.sort(([a], [b]) => a - b).map(([, name]) => name) });
    }),
    adminRoute("GET /workflows/runs/:id", ({ id }) => answers.entity(wireRun(find(id)))),
  ];
}

function deadLetterRoutes(server: ServerParts, answers: AdminAnswers): AdminRoute[] {
  const { deadLetterRows } = server.state.store;
  const find = finder(deadLetterRows, "dlq", "DLQ entry", "dlq entry");
  return [
    adminRoute("GET /dlq/count", () => answers.json({ count: deadLetterRows.size })),
    adminRoute("GET /dlq/:id", ({ id }) => answers.entity(wireDeadLetter(find(id)))),
    adminRoute(
      "POST /dlq/:id/replay",
      ({ id }) => answers.entity(wireJob(replayDeadLetter(server, find(id))), 201),
    ),
    adminRoute(
      "POST /dlq/replay-all",
      () => answers.json({ replayed: replayDeadLetters(server), errors: 0 }),
    ),
    adminRoute("POST /dlq/purge", () => answers.json({ purged: purgeDeadLetters(server) })),
  ];
}

function cronRoutes(server: ServerParts, answers: AdminAnswers): AdminRoute[] {
  const { cronRows } = server.state.store;
  const byId = {
    get: (id: string) => [...cronRows.values()].find((row) => row.id === id),
  };
  const find = finder(byId, "cron", "cron", "cron entry");
  const enable = (enabled: boolean) => ({ id }: { id: string }) => {
    const row = find(id);
    enableCron(server, row, enabled);
    return answers.entity(wireCron(row));
  };
  return [
    adminRoute("GET /crons/:id", ({ id }) => answers.entity(wireCron(find(id)))),
    adminRoute("POST /crons/:id/enable", enable(true)),
    adminRoute("POST /crons/:id/disable", enable(false)),
    adminRoute("DELETE /crons/:id", ({ id }) => {
      deleteCron(server, find(id));
      return answers.done();
    }),
  ];
}

/** Counts jobs by their state. */
function jobCounts({ jobRows }: MemoryStore): Record<string, number> {
  // In the order in which a Go server writes them.
  const counts = {
    pending: 0,
    running: 0,
    completed: 0,
    failed: 0,
    retrying: 0,
    cancelled: 0,
  };
  for (const { state } of jobRows.values()) counts[state]++;
  return counts;
}

/** Counts runs by their state; child runs count as runs. */
function runCounts({ runRows }: MemoryStore): Record<string, number> {
  const counts = { running: 0, completed: 0, failed: 0 };
  for (const { state } of runRows.values()) counts[state]++;
  return counts;
}

/**
 * Creates a function that finds a row by its id.
 *
 * @param kind What an error calls the id.
 * @param entity What an error calls the entity.
 * @throws {MethodError} With 400 if the id is not valid, with 404 if there is no such row.
 */
function finder<Row>(
  rows: { get(id: string): Row | undefined },
  prefix: IdPrefix,
  kind: string,
  entity: string,
): (id: string) => Row {
  return (id) => {
    checkId(id, prefix, kind);
    const row = rows.get(id);
    if (!row) throw new MethodError(404, `dispatch: ${entity} not found`);
    return row;
  };
}
