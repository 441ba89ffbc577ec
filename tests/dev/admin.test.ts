import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDevServer,
  createStore,
  createVirtualClock,
  defineCron,
  defineJob,
  type DevServer,
  type DevServerOptions,
  type QuirkOptions,
  referenceCrons,
  referenceWorkload,
} from "../../dev/mod.ts";
import { rawRequest, statusOf } from "./_raw_request.ts";
import { Wire } from "./wire.ts";

const UNKNOWN = "01h455vb4pex5vsknk084sn02q";

async function serve(options: DevServerOptions = {}) {
  const clock = createVirtualClock({ autoSkip: false });
  const server = await createDevServer({
    ...referenceWorkload(),
    crons: referenceCrons(),
    clock,
    ...options,
  });
  const wire = await Wire.connect(server.url);
  return {
    server,
    clock,
    wire,
    [Symbol.asyncDispose]: async () => {
      await wire[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

async function send({ port }: DevServer, request: string, base = "/dispatch/v1") {
  const [method, path] = request.split(" ") as [string, string];
  const url = `http://127.0.0.1:${port}${base}${path}`;
  const response = await fetch(url, { method, redirect: "manual" });
  const text = await response.text();
  const { status, headers } = response;
  const type = headers.get("Content-Type");
  return { status, type, text, location: headers.get("Location"), json: () => JSON.parse(text) };
}

async function statusesOf(server: DevServer, requests: readonly string[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const request of requests) statuses.push((await send(server, request)).status);
  return statuses;
}

/** Fails a job for good; returns its id. */
async function failJob({ wire, clock }: Awaited<ReturnType<typeof serve>>): Promise<string> {
  const { job_id } = await wire.call("job.enqueue", { name: "always-fails", payload: { n: 1 } });
  for (let i = 0; i < 4; i++) await clock.advance("1s");
  assert.equal((await wire.call("job.get", { job_id })).state, "failed");
  return job_id;
}

test("literal paths win over ids, and a wrong method is 405 or, below an id, 404", async () => {
  await using it = await serve();
  assert.deepEqual(
    await statusesOf(it.server, [
      "POST /jobs/counts",
      "POST /jobs/counts/cancel",
      "DELETE /dlq/purge",
      "POST /dlq/nope",
      "PUT /workflows",
      "POST /workflows/runs",
      `POST /workflows/runs/wfrun_${UNKNOWN}`,
      `GET /workflows/runs/wfrun_${UNKNOWN}/timeline`,
      `DELETE /jobs/job_${UNKNOWN}/cancel`,
      `OPTIONS /crons/cron_${UNKNOWN}/enable`,
      `HEAD /crons/cron_${UNKNOWN}`,
      "GET /Stats",
      "GET /nope",
      "GET /",
    ]),
    [405, 400, 405, 405, 405, 404, 405, 404, 404, 404, 405, 404, 404, 404],
  );
});

test("a slash at the end is ignored, and doubled slashes redirect if the route exists", async () => {
  await using it = await serve();
  assert.equal((await send(it.server, "GET /stats/")).status, 200);
  assert.equal((await send(it.server, "POST /dlq/purge/")).status, 200);
  const get = await send(it.server, "GET //stats?a=1&b=2");
  assert.deepEqual([get.status, get.location], [301, "/dispatch/v1/stats?a=1&b=2"]);
  assert.equal(get.text, '<a href="/dispatch/v1/stats?a=1&amp;b=2">Moved Permanently</a>.\n\n');
  assert.equal((await send(it.server, "GET //stats/")).location, "/dispatch/v1/stats");
  const post = await send(it.server, "POST //dlq//purge");
  assert.deepEqual([post.status, post.location, post.text], [301, "/dispatch/v1/dlq/purge", ""]);
  assert.deepEqual(await statusesOf(it.server, ["GET //nope", "POST //stats"]), [404, 404]);
  const rest = await send(it.server, "GET /dlq//a/purge");
  assert.deepEqual([rest.status, /parse \\"purge\\"/.test(rest.text)], [400, true]);
});

test("an id in a path is decoded unless its encoding is unusual", async () => {
  await using it = await serve();
  const problem = async (id: string) => (await send(it.server, `GET /jobs/${id}`)).json().error;
  assert.match(await problem(`job%5F${UNKNOWN}`), /^invalid job ID: id: parse "job%5F/);
  assert.match(await problem("a%20b"), /^invalid job ID: id: parse "a b"/);
});

test("beside an endpoint at `/x/dwp` the API is also at `/x/dispatch/v1`", async () => {
  await using server = await createDevServer({ path: "/x/dwp" });
  assert.equal((await send(server, "GET /stats", "/x/dispatch/v1")).status, 200);
  assert.equal((await send(server, "GET /stats")).status, 200);
  await using other = await createDevServer({ path: "/socket" });
  assert.equal((await send(other, "GET /stats")).status, 200);
  assert.equal((await send(other, "GET /stats", "/socket")).status, 404);
});

test("purge deletes the dead letters that are older than 30 days", async () => {
  await using it = await serve({ crons: [] });
  await failJob(it);
  await it.clock.advance("720h");
  await failJob(it);
  assert.deepEqual((await send(it.server, "POST /dlq/purge")).json(), { purged: 1 });
  assert.deepEqual((await send(it.server, "GET /dlq/count")).json(), { count: 1 });
});

test("replay-all looks at the 1,000 oldest dead letters only", async () => {
  const jobs = [defineJob("bad", { maxRetries: 0 }, () => {
    throw new Error("no");
  })];
  await using it = await serve({ jobs, crons: [] });
  for (let i = 0; i < 1005; i++) it.wire.send("job.enqueue", { name: "bad", payload: i });
  await it.wire.call("stats");
  for (let i = 0; i < 100; i++) await it.clock.advance("1ms");
  assert.equal(it.server.store.deadLetters().length, 1005);
  assert.deepEqual((await send(it.server, "POST /dlq/replay-all")).json(), {
    replayed: 1000,
    errors: 0,
  });
  assert.deepEqual((await send(it.server, "POST /dlq/replay-all")).json(), {
    replayed: 0,
    errors: 0,
  });
});

test("a retried job waits for the next poll of the workers if polling is slow", async () => {
  await using it = await serve({ quirks: { "slow-polling": true }, crons: [] });
  const { job_id } = await it.wire.call("job.enqueue", { name: "always-fails", payload: {} });
  for (let i = 0; i < 10; i++) await it.clock.advance("30s");
  assert.equal((await send(it.server, `POST /jobs/${job_id}/retry`)).status, 204);
  const state = async () => (await it.wire.call("job.get", { job_id })).state;
  assert.equal(await state(), "pending");
  await it.clock.advance("1s");
  assert.equal(await state(), "pending");
  await it.clock.advance("30s");
  assert.notEqual(await state(), "pending");
});

test("a dead letter keeps its numbers when its job is retried", async () => {
  await using it = await serve({ crons: [] });
  const job = await failJob(it);
  const { id } = it.server.store.deadLetters()[0]!;
  const before = (await send(it.server, `GET /dlq/${id}`)).text;
  assert.match(before, /"retry_count":4/);
  await send(it.server, `POST /jobs/${job}/retry`);
  assert.equal((await send(it.server, `GET /dlq/${id}`)).text, before);
});

test("cancelling a job tells the observers, and the job does not run", async () => {
  await using it = await serve({ crons: [] });
  const cancelled: string[] = [];
  it.server.observe({ cancelled: (id) => cancelled.push(id) });
  const { job_id } = await it.wire.call("job.enqueue", { name: "always-fails", payload: {} });
  await it.clock.advance("10ms");
  assert.equal((await it.wire.call("job.get", { job_id })).state, "retrying");
  assert.equal((await send(it.server, `POST /jobs/${job_id}/cancel`)).status, 204);
  await it.clock.advance("1h");
  const { state, retry_count } = await it.wire.call("job.get", { job_id });
  assert.deepEqual([state, retry_count, cancelled], ["cancelled", 1, [job_id]]);
  assert.equal(it.server.store.deadLetters().length, 0);
});

test("a disabled cron entry does not fire, and fires once for the missed times when enabled", async () => {
  const fired: number[] = [];
  const clock = createVirtualClock({ autoSkip: false, start: "2026-01-01T00:00:00Z" });
  const second = () => Math.round((clock.now() - Date.parse("2026-01-01T00:00:00Z")) / 1000);
  const workload = {
    jobs: [defineJob("count", () => void fired.push(second()))],
    crons: [defineCron("often", { schedule: "@every 10s", job: "count" })],
  };
  const store = createStore();
  await using one = await createDevServer({ ...workload, clock, store });
  await using two = await createDevServer({ ...workload, clock, store });
  const { id } = store.crons()[0]!;
  await clock.advance("15s");
  await send(one, `POST /crons/${id}/disable`);
  await clock.advance("30s");
  assert.equal(store.crons()[0]!.enabled, false);
  assert.equal(store.crons()[0]!.next_run_at, "2026-01-01T00:00:20.000Z");
  await send(two, `POST /crons/${id}/enable`);
  await clock.advance("20s");
  assert.deepEqual(fired, [10, 45, 55, 65]);
  // A workload that is loaded again leaves a pause, and creates again what was deleted.
  await send(one, `POST /crons/${id}/disable`);
  await one.reload(workload);
  assert.equal(store.crons()[0]!.enabled, false);
  await send(two, `DELETE /crons/${id}`);
  await clock.advance("1m");
  assert.deepEqual([store.crons().length, fired.length], [0, 4]);
  await one.reload(workload);
  assert.equal(store.crons()[0]!.enabled, true);
  await clock.advance("10s");
  assert.equal(fired.length, 5);
});

test("the lists of the quirk's other side need all parameters and have pages", async () => {
  await using it = await serve({ quirks: { "admin-lists-missing": false } });
  const { server, wire } = it;
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    ids.push((await wire.call("job.enqueue", { name: "x", queue: "unread", payload: n })).job_id);
  }
  const page = async (query: string) =>
    JSON.parse((await send(server, `GET /jobs?${query}`)).text.split("\n")[0]!);
  assert.deepEqual(
    (await page("state=pending&queue=unread&limit=0&offset=-1")).map(({ id }: { id: string }) =>
      id
    ),
    ids,
  );
  const second = await page("state=pending&queue=unread&limit=1&offset=1");
  assert.deepEqual(second.map(({ id }: { id: string }) => id), [ids[1]]);
  assert.deepEqual(await page("state=nope&queue=unread&limit=1&offset=0"), []);
  const past = await send(server, "GET /jobs?state=pending&queue=unread&limit=1&offset=9");
  assert.deepEqual([past.status, past.text], [200, "null\n"]);
  const problem = async (path: string) => {
    const { status, text } = await send(server, `GET ${path}`);
    assert.equal(status, 400);
    return JSON.parse(text).error;
  };
  assert.equal(
    await problem("/jobs?queue=&limit=1"),
    "invalid request: state: query parameter is required; queue: query parameter is required; " +
      "offset: query parameter is required; state: field is required; queue: field is required",
  );
  assert.equal(
    await problem("/crons?limit=abc&offset=b"),
    'invalid request: strconv.ParseInt: parsing "abc": invalid syntax',
  );
  assert.match(await problem(`/crons?limit=${"9".repeat(20)}`), /"9{20}": value out of range$/);
  const negative = await send(server, "GET /crons?limit=1&offset=-1");
  assert.deepEqual([negative.status, negative.type], [500, "text/plain; charset=utf-8"]);
  const crons = (await send(server, "GET /crons?limit=2&offset=1")).text.split("\n");
  assert.equal(crons[0], crons[1]);
  assert.deepEqual(JSON.parse(crons[0]!).map(({ name }: { name: string }) => name), [
    "off",
    "yearly",
  ]);
  assert.equal((await send(server, "GET /crons?limit=2&offset=9")).text, "[]\n[]\n");
  await wire.call("workflow.start", { name: "failing", input: {} });
  const runs = await send(server, "GET /workflows/runs?state=failed&limit=5&offset=0");
  assert.equal(JSON.parse(runs.text.split("\n")[0]!)[0].name, "failing");
  await failJob(it);
  const letters = await send(server, "GET /dlq?queue=default&limit=5&offset=0");
  assert.equal(JSON.parse(letters.text.split("\n")[0]!)[0].job_name, "always-fails");
  assert.equal((await send(server, "POST /jobs")).status, 405);
});

test("without a token, nothing happens if the API is not open", async () => {
  await using it = await serve({ quirks: { "admin-open": false }, crons: [] });
  const job = await failJob(it);
  const { status, text } = await send(it.server, `POST /jobs/${job}/retry`);
  assert.deepEqual([status, text], [401, '{"code":401,"error":"unauthorized"}\n']);
  assert.equal((await it.wire.call("job.get", { job_id: job })).state, "failed");
  assert.equal((await send(it.server, "GET /_test/dlq?job_id=x", "")).status, 401);
});

test("pages of other sites may send reads to an open API, and no writes", async () => {
  const statusFor = async (
    quirks: QuirkOptions,
    request: string,
    allowOrigins: string[] = [],
  ) => {
    await using server = await createDevServer({ quirks, allowOrigins });
    const origin = "Origin: https://evil.example\r\n";
    const { port } = server;
    const text = `${request} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${origin}`;
    return statusOf(await rawRequest(port, `${text}Content-Length: 0\r\n\r\n`));
  };
  assert.equal(await statusFor("default", "GET /dispatch/v1/stats"), 200);
  assert.equal(await statusFor("default", "GET /dispatch/v1/stats?a=/dwp"), 200);
  assert.equal(await statusFor("default", "POST /dispatch/v1/dlq/purge"), 403);
  // As a real server does for every origin.
  for (const origin of ["https://evil.example", "*"]) {
    assert.equal(await statusFor("default", "POST /dispatch/v1/dlq/purge", [origin]), 200);
  }
  assert.equal(await statusFor("default", "GET /dwp/sse?a=/dispatch/v1/"), 403);
  assert.equal(await statusFor("none", "GET /dispatch/v1/stats"), 403);
});

test("the routes of the application around a real server are there, without its metrics", async () => {
  await using it = await serve({ quirks: { "admin-open": false } });
  const get = (path: string) => send(it.server, `GET ${path}`, "/_");
  assert.deepEqual((await get("/health/live")).json(), { status: "alive" });
  assert.deepEqual((await get("/health/ready")).json(), { status: "ready" });
  assert.equal((await get("/health")).json().overall, "healthy");
  await it.clock.advance("1m");
  const { uptime, extensions } = (await get("/info")).json();
  assert.deepEqual([uptime, extensions[0].name], [60e9, "dispatch"]);
  assert.equal((await send(it.server, "POST /info", "/_")).status, 405);
  assert.equal((await get("/metrics")).status, 404);
});

test("requests can be handled without a socket", async () => {
  await using server = await createDevServer({ listen: false });
  const response = await server.fetch("http://127.0.0.1/dispatch/v1/stats");
  assert.equal(response.status, 200);
});

test("the ids of cron entries and dead letters can be looked up", async () => {
  await using it = await serve();
  const tick = it.server.store.crons()[0]!;
  assert.deepEqual((await send(it.server, "GET /_test/cron?name=tick", "")).json(), {
    id: tick.id,
  });
  assert.equal((await send(it.server, "GET /_test/cron?name=nope", "")).status, 404);
  assert.deepEqual((await send(it.server, "GET /_test/dlq?job_id=x", "")).json(), { ids: [] });
});
