// Real servers do not have these routes. They answer as a real server does whose router lets them.

import { goQuote } from "../go/encode.ts";
import { rejectionResponse } from "../listen/handshake.ts";
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
      const problem = queryProblem(query, parameters);
      if (problem !== undefined) return answers.error(400, `invalid request: ${problem}`);
      // A Go server panics here.
      if (name === "crons" && Number(query.get("offset")) < 0) {
        return rejectionResponse({ status: 500, text: "Internal Server Error\n" });
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

/** Returns Go's message about missing and malformed parameters. */
function queryProblem(query: URLSearchParams, names: readonly string[]): string | undefined {
  const missing: string[] = [];
  const empty: string[] = [];
  for (const name of names) {
    const isNumber = name === "limit" || name === "offset";
    const value = query.get(name) ?? "";
    if (value === "") {
      missing.push(`${name}: query parameter is required`);
      if (!isNumber) empty.push(`${name}: field is required`);
    } else if (isNumber) {
      const reason = intProblem(value);
      if (reason !== undefined) return `strconv.ParseInt: parsing ${goQuote(value)}: ${reason}`;
    }
  }
  return missing.length === 0 ? undefined : [...missing, ...empty].join("; ");
}

function intProblem(text: string): string | undefined {
  if (!/^[+-]?\d+$/.test(text)) return "invalid syntax";
  const number = BigInt(text.replace("+", ""));
  return BigInt.asIntN(64, number) === number ? undefined : "value out of range";
}

/** Cuts a page out of a list. Past the end a Go server sends `null`, for an empty slice `[]`. */
function pageOf(items: unknown[], query: URLSearchParams, isNullable: boolean): unknown[] | null {
  const limit = Number(query.get("limit"));
  const offset = Math.max(0, Number(query.get("offset")));
  if (isNullable && offset > 0 && offset >= items.length) return null;
  return items.slice(offset, offset + (limit > 0 ? Math.min(limit, MAX_LIMIT) : DEFAULT_LIMIT));
}
