// Real servers do not have these routes. They answer as the sources of a real server would.

import type { ServerState } from "../engine/server_state.ts";
import { wireCron, wireDeadLetter, wireJob, wireRun } from "../engine/wire_format.ts";
import type { AdminAnswers } from "./_admin_answers.ts";
import { type AdminRequest, type AdminRoute, adminRoute } from "./_admin_router.ts";
import type { ServerParts } from "./method.ts";

/** How many items a list has if the request does not say it, and at most. */
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;

/** Creates the routes that list jobs, runs, dead letters and cron entries. */
export function listRoutes(
  { state, jobs }: Pick<ServerParts, "state" | "jobs">,
  answers: AdminAnswers,
): AdminRoute[] {
  const { store } = state;
  const list = (
    name: string,
    parameters: readonly string[],
    items: (query: URLSearchParams) => Iterable<unknown>,
  ) =>
    adminRoute(`GET /${name}`, ({ query }: AdminRequest) => {
      const problems = parameters.flatMap((parameter) => parameterProblem(query, parameter) ?? []);
      if (problems.length > 0) {
        return answers.error(400, `invalid request: ${problems.join("; ")}`);
      }
      const page = pageOf([...items(query)], query, name !== "crons");
      return page ? answers.entity(page) : answers.json(null);
    });
  return [
    list("jobs", ["state", "queue", "limit", "offset"], (query) =>
      [...store.jobRows.values()]
        .filter((job) => job.state === query.get("state") && job.queue === query.get("queue"))
        .map((job) => wireJob(job, jobs.heartbeatOf(job)))),
    list("workflows/runs", ["state", "limit", "offset"], (query) =>
      [...store.runRows.values()]
        .filter(({ state }) => state === query.get("state")).map(wireRun)),
    list("dlq", ["queue", "limit", "offset"], (query) =>
      [...store.deadLetterRows.values()]
        .filter(({ job }) => job.queue === query.get("queue")).map(wireDeadLetter)),
    list("crons", ["limit", "offset"], () => cronEntries(state)),
  ];
}

function cronEntries({ store }: ServerState): unknown[] {
  return [...store.cronRows.values()].map(wireCron);
}

function parameterProblem(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name) ?? "";
  if (value === "") return `${name}: query parameter is required`;
  const isNumber = name === "limit" || name === "offset";
  return isNumber && !/^[+-]?\d{1,15}$/.test(value) ? `${name}: invalid integer value` : undefined;
}

/** Cuts a page out of a list. Past the end a Go server sends `null`, for an empty slice `[]`. */
function pageOf(items: unknown[], query: URLSearchParams, isNullable: boolean): unknown[] | null {
  const limit = Number(query.get("limit"));
  const offset = Math.max(0, Number(query.get("offset")));
  if (isNullable && offset > 0 && offset >= items.length) return null;
  return items.slice(offset, offset + (limit > 0 ? Math.min(limit, MAX_LIMIT) : DEFAULT_LIMIT));
}
