import type { Json } from "./api.ts";
import { CHECK_STATES } from "./status_source.ts";

const text = { type: "string" };
const time = { type: "string", format: "date-time" };
const count = { type: "integer", minimum: 0 };
const ms = { type: "number", minimum: 0 };
const flag = { type: "boolean" };

/** A reference to one of {@linkcode SCHEMAS}. */
const one = (schema: string): Json => ({ $ref: `#/components/schemas/${schema}` });
const many = (schema: string): Json => ({ type: "array", items: one(schema) });

function object(properties: Json, optional: Json = {}): Json {
  const all = { ...properties, ...optional };
  const required = Object.keys(properties);
  return { type: "object", properties: all, required, additionalProperties: false };
}

/** What only those see who see details, and what is not always there, is optional. */
const SCHEMAS = {
  Check: object({ id: text, name: text, state: { enum: CHECK_STATES } }, {
    ...{ next_run: time, maintenance_until: time, last_run: one("LastRun") },
    ...{ figures: one("AllFigures"), incident: one("Incident") },
    ...{ file: text, server: text, schedule: text, tags: { type: "array", items: text } },
    problem: one("Problem"),
  }),
  Problem: object({ code: text, message: text }, {
    place: object({ file: text, line: count, column: count }),
  }),
  LastRun: object(runProperties(), { failure: text }),
  Run: object({ id: count, ...runProperties() }, { failure: text, steps: many("Step") }),
  Step: object({
    ...{ number: text, label: text, duration_ms: ms, wait: flag },
    status: { enum: ["passed", "failed", "errored", "interrupted"] },
  }),
  Incident: object({
    ...{ id: text, check: text, since: time, raised: time, failures: count, flapping: flag },
  }, { resolved: time, failure: text }),
  AllFigures: object({ "24h": one("Figures"), "7d": one("Figures"), "90d": one("Figures") }),
  Figures: object({ runs: count }, {
    ...{ uptime: { type: "number", minimum: 0, maximum: 1 }, p50_ms: ms, p95_ms: ms },
  }),
  Error: object({ error: text }),
};

function runProperties(): Json {
  return {
    ...{ started: time, due: time, duration_ms: ms, lateness_ms: ms, flaky: flag },
    verdict: { enum: ["passed", "failed", "errored", "unchecked"] },
  };
}

/** Why requests fail, by status. */
const ERRORS = {
  400: "`limit` or `before` is not a whole number of at least 1.",
  401: "The token is missing or wrong.",
  403: "The request is for another host, or was sent by another page.",
  404: "There is no such check.",
  429: "Too many wrong tokens; try again in a minute.",
  500: "The page has a fault.",
};

/** How every request can fail, and one that reads checks. */
const [ALWAYS, READING] = [[401, 403, 429], [401, 403, 429, 500]] as const;

function answer(description: string, schema: Json): Json {
  return { description, content: { "application/json": { schema } } };
}

/** The only method of a path, with all its answers. */
function get(
  description: string,
  schema: Json,
  parameters: readonly Parameter[] = [],
  fails: readonly (keyof typeof ERRORS)[] = READING,
): Json {
  const statuses = [...fails, ...parameters.map((parameter) => parameter.fails)];
  const errors = statuses.map((status) => [status, answer(ERRORS[status], one("Error"))]);
  return {
    get: {
      ...(parameters.length > 0 ? { parameters: parameters.map(({ json }) => json) } : {}),
      responses: { 200: answer(description, schema), ...Object.fromEntries(errors) },
    },
  };
}

/** A parameter, and how a request with a bad one fails. */
interface Parameter {
  json: Json;
  fails: 400 | 404;
}

function query(name: string, description: string): Parameter {
  const schema = { type: "integer", minimum: 1 };
  return { json: { name, in: "query", description, schema }, fails: 400 };
}

const id: Parameter = {
  json: { name: "id", in: "path", required: true, schema: text },
  fails: 404,
};
const limit = query("limit", "How many; 50 by default, 500 at most.");
const before = query("before", "The `next_before` of the page before.");

/** The OpenAPI document of the API. */
export function openApi(version: string): Json {
  const incidents = object({ incidents: many("Incident") });
  const runs = object({ runs: many("Run") }, { next_before: count });
  return {
    openapi: "3.1.0",
    info: { title: "Dispatch checks", version, description: "The state of scheduled recipes." },
    paths: {
      "/api/v1/checks": get("All checks.", object({ checks: many("Check") })),
      "/api/v1/checks/{id}": get("One check.", one("Check"), [id]),
      "/api/v1/checks/{id}/runs": get("Its runs, newest first.", runs, [id, limit, before]),
      "/api/v1/checks/{id}/incidents": get("Its incidents, newest first.", incidents, [id, limit]),
      "/api/v1/incidents": get("The incidents of all checks.", incidents, [limit]),
      "/api/v1/openapi.json": get("This document.", { type: "object" }, [], ALWAYS),
    },
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{ token: [] }, {}],
  };
}
