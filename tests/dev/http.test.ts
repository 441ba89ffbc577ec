import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  createDevServer,
  createVirtualClock,
  type DevServer,
  referenceWorkload,
} from "../../dev/mod.ts";
import { within } from "../helpers/eventually.ts";
import { Wire } from "./wire.ts";

const clock = createVirtualClock({ autoSkip: false });
let server: DevServer;
let base: string;
before(async () => {
  server = await createDevServer({ ...referenceWorkload(), clock });
  base = `http://127.0.0.1:${server.port}/dwp`;
});
after(() => server.close());

async function rpc(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${base}/rpc`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const frame = await response.json();
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    correl_id: frame.correl_id,
    data: frame.data,
    message: frame.error?.message,
  };
}

const statsRequest = { id: "a", type: "request", method: "stats", token: "demo-token" };

test("RPC refuses a byte order mark", async () => {
  const { status, message } = await rpc(`\ufeff${JSON.stringify(statsRequest)}`);
  assert.deepEqual([status, message], [400, "invalid request body"]);
});

test("HEAD is refused everywhere", async () => {
  for (const path of ["", "/rpc", "/sse?channel=jobs&token=demo-token"]) {
    assert.equal((await fetch(base + path, { method: "HEAD" })).status, 405, path);
  }
  assert.equal((await fetch(`${base}/nope`, { method: "HEAD" })).status, 404);
});

test("RPC responds with a frame, and with the error's code as the status", async () => {
  const good = await rpc(statsRequest);
  assert.deepEqual([good.status, good.type, good.correl_id], [200, "application/json", "a"]);
  assert.equal(good.data.connections, 0);
  const bad = await rpc({ ...statsRequest, method: "job.get", data: { job_id: "x" } });
  assert.equal(bad.status, 400);
  assert.match(bad.message, /^invalid job ID: /);
  assert.equal((await rpc({ ...statsRequest, method: "nope" })).status, 405);
});

test("RPC uses the token of the frame, or else the whole Authorization header", async () => {
  const { token: _, ...bare } = statsRequest;
  assert.equal((await rpc(bare, { Authorization: "demo-token" })).status, 200);
  const bearer = await rpc(bare, { Authorization: "Bearer demo-token" });
  assert.deepEqual([bearer.status, bearer.correl_id, bearer.message], [401, "a", "unauthorized"]);
  const wrong = await rpc({ ...statsRequest, token: "bad" }, { Authorization: "demo-token" });
  assert.equal(wrong.status, 401);
  const readonly = { ...statsRequest, token: "readonly" };
  assert.deepEqual((await rpc({ ...readonly, method: "job.enqueue" })).message, "forbidden");
  assert.equal((await rpc({ ...readonly, method: "" })).status, 403);
});

test("RPC rejects a body that is not a frame, and a content type with parameters", async () => {
  for (const body of ["", "[]", '{"id":5}', '{"ts":"x"}', "{"]) {
    const { status, message } = await rpc(body);
    assert.deepEqual([status, message], [400, "invalid request body"], body);
  }
  assert.equal((await rpc("null")).status, 401);
  assert.equal((await rpc(`${JSON.stringify(statsRequest)} trailing`)).status, 200);
  for (const type of ["application/json; charset=utf-8", "text/plain", "APPLICATION/JSON"]) {
    assert.equal((await rpc(statsRequest, { "Content-Type": type })).status, 400, type);
  }
});

test("RPC answers methods that only make sense on a connection", async () => {
  const resultOf = async (method: string, data?: object) => {
    const { status, data: result, message } = await rpc({ ...statsRequest, method, data });
    return [status, result?.status ?? message];
  };
  assert.deepEqual(await resultOf("subscribe", { channel: "jobs" }), [200, "subscribed"]);
  assert.deepEqual(await resultOf("unsubscribe", { channel: "x" }), [200, "unsubscribed"]);
  assert.deepEqual(await resultOf("auth"), [405, "unknown method: auth"]);
  assert.equal((await rpc({ ...statsRequest, credits: 5 })).status, 200);
  assert.equal((await rpc({ ...statsRequest, type: "ping" })).status, 200);
});

test("other HTTP methods and paths are rejected as by a Go server", async () => {
  const status = async (method: string, path: string) => {
    const response = await fetch(base + path, { method });
    return [response.status, await response.text()];
  };
  for (const method of ["GET", "PUT", "OPTIONS", "DELETE"]) {
    assert.deepEqual(await status(method, "/rpc"), [405, ""]);
  }
  assert.deepEqual(await status("POST", ""), [405, ""]);
  assert.deepEqual(await status("POST", "/sse"), [405, ""]);
  assert.deepEqual(await status("GET", "/other"), [404, "404 page not found\n"]);
  assert.deepEqual(await status("GET", ""), [400, 'handshake error: bad "Upgrade" header']);
});

test("RPC answers `workflow.start` when the run ends, and stops the run when the request ends", async () => {
  await using wire = await Wire.connect(server.url);
  await wire.call("subscribe", { channel: "workflows" });
  const start = (name: string, input: object) => ({
    ...statsRequest,
    method: "workflow.start",
    data: { name, input },
  });
  const done = await rpc(start("order-pipeline", { order_id: "1" }));
  assert.equal(done.data.state, "completed");

  const controller = new AbortController();
  const request = fetch(`${base}/rpc`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(start("sleeper", { ms: 60_000 })),
    signal: controller.signal,
  });
  await wire.take(({ data }) => data?.data?.step_name === "before");
  controller.abort();
  await assert.rejects(request);
  const failed = await wire.event("workflow.failed");
  assert.deepEqual([failed.data.name, failed.data.error], ["sleeper", "context canceled"]);
});

/** Reads a response until it contains a text; returns what it has read. */
async function readTo(response: Response, end: string): Promise<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes(end)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return text;
}

test("SSE streams the events of a channel", async () => {
  const response = await fetch(`${base}/sse?token=readonly&channel=jobs`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.equal(response.headers.get("cache-control"), "no-cache");
  const data = { name: "noop", payload: {}, queue: "unread" };
  const { data: { job_id } } = await rpc({ ...statsRequest, method: "job.enqueue", data });
  const text = await readTo(response, "job.enqueued");
  const [retry, event, ...rest] = text.split("\n\n");
  assert.equal(retry, "retry: 3000");
  assert.deepEqual(rest, [""]);
  const [name, line] = event!.split("\n");
  assert.equal(name, "event: job.enqueued");
  const { type, topic, data: { queue } } = JSON.parse(line!.slice("data: ".length));
  assert.deepEqual([type, topic, queue], ["job.enqueued", `job:${job_id}`, "unread"]);
});

test("SSE answers a rejected request with 200 and an empty stream", async () => {
  for (const query of ["token=bad&channel=jobs", "channel=jobs", "token=demo-token", ""]) {
    const response = await fetch(`${base}/sse?${query}`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "retry: 3000\n\n", query);
  }
});

test("SSE accepts an invalid channel, which counts in `stats` and has no events", async () => {
  const before = (await rpc(statsRequest)).data.broker;
  const response = await fetch(`${base}/sse?token=demo-token&channel=bogus`);
  await rpc({ ...statsRequest, method: "job.enqueue", data: { name: "noop", queue: "unread" } });
  const during = (await rpc(statsRequest)).data.broker;
  assert.equal(during.topic_count, before.topic_count + 1);
  assert.equal(during.subscriber_count, before.subscriber_count + 1);
  assert.equal(during.total_published, before.total_published);
  await response.body!.cancel();
  while ((await rpc(statsRequest)).data.broker.subscriber_count > before.subscriber_count);
});

test("closing the server ends SSE streams", async () => {
  const other = await createDevServer();
  const response = await fetch(
    `http://127.0.0.1:${other.port}/dwp/sse?token=demo-token&channel=jobs`,
  );
  // Runtimes differ in whether the client sees the end of the stream or a lost connection.
  const ended = response.text().then(() => {}, () => {});
  await other.close();
  await within(ended, "the stream");
});
