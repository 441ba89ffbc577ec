import type { CheckRun, Figures, Incident } from "../health/model.ts";
import type { CheckView } from "./status_source.ts";

/** A value of JSON. */
type Json = Record<string, unknown>;

/** A check as the API shows it. */
export function checkJson(view: CheckView, hasDetails: boolean): Json {
  const { check, state, next, last, figures, incident, problem, maintenanceUntil } = view;
  return {
    ...{ id: check.id, name: check.name, state },
    ...(next === undefined ? {} : { next_run: iso(next) }),
    ...(maintenanceUntil === undefined ? {} : { maintenance_until: iso(maintenanceUntil) }),
    ...(last ? { last_run: runJson(last, hasDetails) } : {}),
    ...(figures
      ? {
        figures: {
          "24h": figuresJson(figures.day),
          "7d": figuresJson(figures.week),
          "90d": figuresJson(figures.quarter),
        },
      }
      : {}),
    ...(incident ? { incident: incidentJson(incident, hasDetails) } : {}),
    ...(hasDetails
      ? {
        ...{ file: check.file, server: check.server, tags: check.tags, schedule: check.when },
        ...(problem === undefined ? {} : { problem }),
      }
      : {}),
  };
}

/** A run as the API shows it. */
export function runJson(run: CheckRun & { id?: number }, hasDetails: boolean): Json {
  const { id, at, slot, verdict, duration_ms, lateness_ms, flaky, failure, steps } = run;
  return {
    ...(id === undefined ? {} : { id }),
    ...{ started: iso(at), due: iso(slot), verdict, duration_ms, lateness_ms, flaky },
    ...(hasDetails && failure !== undefined ? { failure } : {}),
    ...(hasDetails && id !== undefined ? { steps } : {}),
  };
}

/** An incident as the API shows it. */
export function incidentJson(incident: Incident, hasDetails: boolean): Json {
  const { id, check, since, raisedAt, resolvedAt, failures, failure, flapping } = incident;
  return {
    ...{ id, check, since: iso(since), raised: iso(raisedAt), failures, flapping },
    ...(resolvedAt === undefined ? {} : { resolved: iso(resolvedAt) }),
    ...(hasDetails && failure !== undefined ? { failure } : {}),
  };
}

function figuresJson(figures: Figures): Json {
  return { ...figures };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

const text = { type: "string" };
const time = { type: "string", format: "date-time" };
const count = { type: "integer", minimum: 0 };
const ms = { type: "number", minimum: 0 };

function object(properties: Json, required: readonly string[]): Json {
  return { type: "object", properties, required, additionalProperties: false };
}

const schemas = {
  Check: object({
    ...{ id: text, name: text, next_run: time, maintenance_until: time },
    state: { enum: ["alerting", "failing", "broken", "maintenance", "passing", "pending"] },
    last_run: { $ref: "#/components/schemas/Run" },
    figures: object(
      Object.fromEntries(
        ["24h", "7d", "90d"].map((key) => [key, { $ref: "#/components/schemas/Figures" }]),
      ),
      ["24h", "7d", "90d"],
    ),
    incident: { $ref: "#/components/schemas/Incident" },
    ...{ file: text, server: text, schedule: text, problem: text },
    tags: { type: "array", items: text },
  }, ["id", "name", "state"]),
  Run: object({
    ...{ id: count, started: time, due: time, duration_ms: ms, lateness_ms: ms, failure: text },
    verdict: { enum: ["passed", "failed", "errored", "unchecked"] },
    flaky: { type: "boolean" },
    steps: {
      type: "array",
      items: object({
        ...{ number: text, label: text, status: text, duration_ms: ms },
        wait: { type: "boolean" },
      }, ["number", "label", "status", "duration_ms", "wait"]),
    },
  }, ["started", "due", "verdict", "duration_ms", "lateness_ms", "flaky"]),
  Incident: object({
    ...{ id: text, check: text, since: time, raised: time, resolved: time, failure: text },
    failures: count,
    flapping: { type: "boolean" },
  }, ["id", "check", "since", "raised", "failures", "flapping"]),
  Figures: object({
    ...{ runs: count, p50_ms: ms, p95_ms: ms },
    uptime: { type: "number", minimum: 0, maximum: 1 },
  }, ["runs"]),
  Error: object({ error: text }, ["error"]),
};

function list(key: string, schema: string): Json {
  const items = { $ref: `#/components/schemas/${schema}` };
  return object({ [key]: { type: "array", items }, next_before: count }, [key]);
}

function answers(description: string, schema: Json): Json {
  const error = (why: string) => ({
    description: why,
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  });
  return {
    "200": { description, content: { "application/json": { schema } } },
    "401": error("The token is missing or wrong."),
    "404": error("There is no such check."),
    "429": error("Too many wrong tokens; try again in a minute."),
  };
}

function query(name: string, description: string): Json {
  return { name, in: "query", description, schema: { type: "integer", minimum: 1 } };
}

const id = { name: "id", in: "path", required: true, schema: text };
const limit = query("limit", "How many; 50 by default, 500 at most.");

/** The OpenAPI document of the API. */
export function openApi(version: string): Json {
  return {
    openapi: "3.1.0",
    info: { title: "Dispatch checks", version, description: "The state of scheduled recipes." },
    paths: {
      "/api/v1/checks": { get: { responses: answers("All checks.", list("checks", "Check")) } },
      "/api/v1/checks/{id}": {
        get: {
          parameters: [id],
          responses: answers("One check.", { $ref: "#/components/schemas/Check" }),
        },
      },
      "/api/v1/checks/{id}/runs": {
        get: {
          parameters: [id, limit, query("before", "The `next_before` of the page before.")],
          responses: answers("The runs of a check, newest first.", list("runs", "Run")),
        },
      },
      "/api/v1/checks/{id}/incidents": {
        get: {
          parameters: [id, limit],
          responses: answers("The incidents of a check.", list("incidents", "Incident")),
        },
      },
      "/api/v1/incidents": {
        get: {
          parameters: [limit],
          responses: answers("The incidents of all checks.", list("incidents", "Incident")),
        },
      },
    },
    components: {
      schemas,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{ token: [] }, {}],
  };
}
