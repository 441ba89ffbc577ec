import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { Ajv, type AnySchema, type ValidateFunction } from "ajv";
import type { CheckStep } from "../../runner/health/model.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { runAt } from "./_health.ts";
import { ask, failingView, incident, NOW, type OpenPage, openPage, view } from "./_page.ts";

/** A part of an OpenAPI document. */
type Schema = {
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
};
interface Operation {
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content: Record<string, { schema: Schema }> }>;
}

const STEPS: CheckStep[] = (["passed", "failed", "errored", "interrupted"] as const)
  .map((status, i) => ({ number: `${i}`, label: "noop", status, duration_ms: 1.5, wait: i === 0 }));

/** A page whose checks have everything that a check can have. */
async function openFull(options: Parameters<typeof openPage>[1]): Promise<OpenPage> {
  const verdicts = ["errored", "unchecked"] as const;
  const page = await openPage([
    view("a", {
      problem: {
        ...{ code: "unknown-key", message: "unknown key `stps`" },
        place: { file: "recipes/a.yaml", line: 3, column: 1 },
      },
      maintenanceUntil: NOW,
    }),
    failingView("b"),
    view("c", { state: "pending" }),
    ...verdicts.map((verdict) =>
      view(verdict, { state: "failing", last: { ...runAt(NOW, false), verdict } })
    ),
    view("broken", { state: "broken" }),
    view("maintenance", { state: "maintenance" }),
  ], options);
  const failing = page.source.check("b")!;
  failing.last = { ...failing.last!, steps: STEPS };
  failing.incident = { ...incident("b"), resolvedAt: NOW };
  return page;
}

/** The paths of all fields that a schema allows, and of all words that a field can have. */
function* fieldsOf(schema: Schema, find: (ref: string) => Schema, path = ""): Generator<string> {
  if (schema.$ref !== undefined) return yield* fieldsOf(find(schema.$ref), find, path);
  for (const word of schema.enum ?? []) yield `${path}=${word}`;
  if (schema.items) yield* fieldsOf(schema.items, find, `${path}[]`);
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    yield `${path}.${name}`;
    yield* fieldsOf(one, find, `${path}.${name}`);
  }
}

/** The paths of all fields of a value, and the texts that they have. */
function* fieldsIn(value: unknown, path = ""): Generator<string> {
  if (typeof value === "string") yield `${path}=${value}`;
  if (Array.isArray(value)) { for (const one of value) yield* fieldsIn(one, `${path}[]`); }
  else if (typeof value === "object" && value !== null) {
    for (const [name, one] of Object.entries(value)) {
      yield `${path}.${name}`;
      yield* fieldsIn(one, `${path}.${name}`);
    }
  }
}

test("each operation gives the answers of its OpenAPI document, and no other", async () => {
  const clock = new FakeClock(NOW);
  await using page = await openFull({ token: "s3cret", clock });
  const token = { authorization: "Bearer s3cret" };
  const { host } = new URL(page.url);
  const open = (path: string, headers: Record<string, string> = token) =>
    ask(page.url + path, { host, ...headers });
  const document = JSON.parse((await open("/api/v1/openapi.json")).body);
  const ajv = new Ajv({ strict: false, formats: { "date-time": /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ } });
  ajv.addSchema(document as AnySchema, "api");
  const find = (ref: string): Schema =>
    ref.split("/").slice(1).reduce((part, key) => part[key], document);
  for (const [route, { get, ...others }] of Object.entries<{ get: Operation }>(document.paths)) {
    deepEqual(others, {}, route);
    const parameters = get.parameters ?? [];
    const has = (name: string) => parameters.some((one) => one.name === name);
    const of = (id: string) => route.replace("{id}", id);
    const ids = has("id") ? page.source.views.map(({ check }) => check.id) : [""];
    const seen: Record<string, Set<string>> = {};
    const validators: Record<string, ValidateFunction> = {};
    const check = async (expected: number, path: string, headers = token) => {
      const { status, type, body } = await open(path, headers);
      equal(status, expected, `${path} answers ${status}: ${body}`);
      equal(type, "application/json", path);
      const answer = get.responses[status];
      ok(answer, `${route} does not document ${status}`);
      const parts = ["paths", route, "get", "responses", `${status}`];
      const pointer = parts.map((part) => encodeURIComponent(part.replaceAll("/", "~1"))).join("/");
      const $ref = `api#/${pointer}/content/application~1json/schema`;
      const validate = validators[status] ??= ajv.compile({ $ref });
      const value = JSON.parse(body);
      ok(validate(value), `${path}: ${ajv.errorsText(validate.errors)}`);
      seen[status] ??= new Set();
      for (const field of fieldsIn(value)) seen[status].add(field);
    };
    for (const id of ids) await check(200, of(id));
    if (has("limit")) await check(200, `${of("b")}?limit=1`);
    for (const name of ["limit", "before"]) {
      for (const bad of ["0", "-1", "1.5", "many", ""]) {
        // Others ignore what they do not know.
        await check(has(name) ? 400 : 200, `${of("b")}?${name}=${bad}`);
      }
    }
    if (has("id")) await check(404, of("none"));
    await check(401, of("b"), {} as typeof token);
    await check(403, of("b"), { ...token, host: "evil.example" } as typeof token);
    page.source.fault = new Error("the database is away");
    // The document is the same whatever the checks are.
    await check(route === "/api/v1/openapi.json" ? 200 : 500, of("b"));
    page.source.fault = undefined;
    for (let i = 0; i < 10; i++) await check(401, of("b"), { authorization: "Bearer wrong" });
    await check(429, of("b"));
    clock.advance(61_000);
    deepEqual(Object.keys(seen), Object.keys(get.responses), route);
    for (const [status, { content }] of Object.entries(get.responses)) {
      const fields = new Set(fieldsOf(content["application/json"]!.schema, find));
      deepEqual([...fields].filter((field) => !seen[status]!.has(field)), [], `${route} ${status}`);
    }
  }
});

test("the runs of a check are read page by page", async () => {
  await using page = await openFull({});
  const seen: number[] = [];
  for (let next: number | undefined = 1_000; next !== undefined;) {
    const path: string = `/api/v1/checks/b/runs?limit=70&before=${next}`;
    const { runs, next_before } = await (await fetch(page.url + path)).json();
    seen.push(...runs.map(({ id }: { id: number }) => id));
    next = next_before;
  }
  deepEqual(seen, Array.from({ length: 200 }, (_, i) => 200 - i));
  equal((await fetch(`${page.url}/api/v1/..%2f..%2fetc/passwd`)).status, 404);
});
