import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { DispatchError, DispatchRpc, DispatchSse } from "../../mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { hasCode } from "../helpers/has_code.ts";
import { Recorder } from "../helpers/recorder.ts";

/** Answers requests over HTTP; `stream` makes the body of a stream of events. */
function answering(stream: () => BodyInit): typeof fetch {
  return (_url, init) => {
    if (init?.method !== "POST") return Promise.resolve(new Response(stream()));
    const { id } = JSON.parse(String(init.body));
    const answer = {
      id: "1",
      type: "response",
      correl_id: id,
      data: {},
      ts: "2026-01-01T00:00:00Z",
    };
    return Promise.resolve(new Response(JSON.stringify(answer)));
  };
}

test("waits longer and longer for a server that ends each stream at once", async () => {
  const clock = new FakeClock();
  const options = { url: "http://localhost/dwp", token: "t", clock, random: () => 0.5, timeout: 0 };
  using client = new DispatchSse({ ...options, fetch: answering(() => "") });
  await within(client.subscribe("jobs"), "subscribing");
  const delays: number[] = [];
  for (let i = 0; i < 5; i++) {
    await eventually(() => clock.pending === 1);
    delays.push(clock.due[0]!);
    clock.advance(clock.due[0]!);
  }
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000]);
});

test("waits a short time again after a stream has lasted 5 seconds", async () => {
  const clock = new FakeClock();
  const options = { url: "http://localhost/dwp", token: "t", clock, random: () => 0.5, timeout: 0 };
  let end = () => {};
  const stream = () => new ReadableStream({ start: (body) => end = () => body.close() });
  using client = new DispatchSse({ ...options, fetch: answering(stream) });
  await within(client.subscribe("jobs"), "subscribing");
  for (let i = 0; i < 3; i++) {
    clock.advance(5_000);
    end();
    await eventually(() => clock.pending === 1);
    assert.deepEqual(clock.due, [500]);
    clock.advance(500);
    await eventually(() => clock.pending === 0);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
});

/** A server for HTTP requests. */
async function serveHttp(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AsyncDisposable & { url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers a request to subscribe, and any other. */
function answer(response: ServerResponse): void {
  const frame = { id: "1", type: "response", data: {}, ts: "2026-01-01T00:00:00Z" };
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(frame));
}

const REDIRECT =
  "a redirect to 'http://127.0.0.1:\\d+/dwp/\\w+', which the client does not follow$";

for (const status of [301, 302, 303, 307, 308]) {
  test(`does not follow a redirect ${status}, which would hand the token to another host`, async () => {
    await using other = await serveHttp((_, response) => answer(response));
    await using it = await serveHttp(({ url }, response) =>
      void response.writeHead(status, { Location: other.url + url }).end()
    );
    const options = { url: `${it.url}/dwp`, token: "secret" };
    using rpc = new DispatchRpc(options);
    await assert.rejects(
      within(rpc.enqueue("noop"), "the call"),
      hasCode(status, new RegExp(`/dwp/rpc' answered ${status}, not a frame: ${REDIRECT}`)),
    );
    using sse = new DispatchSse(options);
    await assert.rejects(
      within(Promise.resolve(sse.subscribe("jobs")), "subscribing"),
      hasCode(status, new RegExp(REDIRECT)),
    );
    assert.deepEqual(other.requests, []);
  });

  test(`does not follow a redirect ${status} of a stream of events`, async () => {
    await using other = await serveHttp((_, response) => void response.end("data: {}\n\n"));
    await using it = await serveHttp(({ url, method }, response) => {
      if (method === "POST") return answer(response);
      response.writeHead(status, { Location: other.url + url }).end();
    });
    using sse = new DispatchSse({ url: `${it.url}/dwp`, token: "secret" });
    await assert.rejects(
      within(Promise.resolve(sse.subscribe("jobs")), "subscribing"),
      hasCode(
        status,
        new RegExp(`^Cannot subscribe to 'jobs': the server answered ${status}: ${REDIRECT}`),
      ),
    );
    assert.deepEqual(other.requests, []);
  });
}

/** Answers with status 200 that are no frames, as proxies and other servers give them. */
const NO_FRAMES: Record<string, string> = {
  "an HTML page": "<!DOCTYPE html><title>Sign in</title>",
  "nothing": "",
  "other JSON": '{"ok":true}',
  "half a frame": '{"id":"1","type":"resp',
  "an event": '{"id":"1","type":"event","data":{}}',
};

for (const [what, body] of Object.entries(NO_FRAMES)) {
  test(`a call that is answered 200 with ${what} rejects with \`bad_answer\` as \`unknown\``, async () => {
    await using it = await serveHttp((_, response) => void response.writeHead(200).end(body));
    const options = { url: `${it.url}/dwp`, token: "t" };
    for (const Client of [DispatchRpc, DispatchSse]) {
      using client = new Client(options);
      await assert.rejects(within(client.enqueue("noop"), "the call"), (error) => {
        assert(error instanceof DispatchError);
        assert.equal(error.code, "bad_answer");
        assert.equal(error.delivery, "unknown");
        assert.match(
          error.message,
          /^Cannot enqueue 'noop': 'http:.*\/dwp\/rpc' answered 200, not a frame; is '\/dwp' the path/,
        );
        return true;
      });
    }
    assert.equal(it.requests.length, 2);
  });
}

test("a write that a proxy answers with 502 may have happened; one that is refused has not", async () => {
  await using proxy = await serveHttp((_, response) => void response.writeHead(502).end("Bad"));
  using rpc = new DispatchRpc({ url: proxy.url, token: "t" });
  await assert.rejects(within(rpc.enqueue("noop"), "the call"), { code: 502, delivery: "unknown" });
  const refusal = { id: "2", type: "error", correl_id: "1", error: { code: 403, message: "no" } };
  await using server = await serveHttp((_, response) => void response.end(JSON.stringify(refusal)));
  using refused = new DispatchRpc({ url: server.url, token: "t" });
  await assert.rejects(within(refused.enqueue("noop"), "the call"), (error) => {
    return error instanceof DispatchError && error.code === 403 && error.delivery === undefined;
  });
});

/** A stream of letters that does not end; counts what was read of it. */
function endless(): {
  stream: ReadableStream<Uint8Array>;
  read: () => number;
  cancelled: () => boolean;
} {
  const chunk = new TextEncoder().encode("x".repeat(1024 * 1024));
  let read = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      read++;
      controller.enqueue(chunk);
    },
    cancel: () => void (cancelled = true),
  });
  return { stream, read: () => read, cancelled: () => cancelled };
}

test("rejects with `too_large` an answer of more than 64 MiB and reads no more of it", async () => {
  const { stream, read, cancelled } = endless();
  using rpc = new DispatchRpc({
    url: "http://localhost/dwp",
    token: "t",
    fetch: () => Promise.resolve(new Response(stream)),
  });
  await assert.rejects(
    within(rpc.stats(), "the call"),
    hasCode("too_large", /^Cannot get stats: the answer has more than 67108864 characters$/),
  );
  assert(read() < 70, `${read()} MiB`);
  assert(cancelled());
});

test("rejects with `too_large` an endless answer of a real server", async () => {
  let written = 0;
  await using it = await serveHttp((_, response) => {
    const chunk = "x".repeat(1024 * 1024);
    const write = () => {
      while (!response.destroyed) {
        written++;
        if (!response.write(chunk)) return void response.once("drain", write);
      }
    };
    write();
  });
  using rpc = new DispatchRpc({ url: `${it.url}/dwp`, token: "t" });
  await assert.rejects(within(rpc.stats(), "the call"), hasCode("too_large", /67108864/));
  assert(written < 100, `${written} MiB`);
});

test("ends a subscription with `too_large` if a message does not end", async () => {
  const { stream, read, cancelled } = endless();
  using sse = new DispatchSse({
    url: "http://localhost/dwp",
    token: "t",
    fetch: answering(() => stream),
  });
  const jobs = await within(sse.subscribe("jobs"), "subscribing");
  await assert.rejects(
    within(jobs[Symbol.asyncIterator]().next(), "reading"),
    hasCode("too_large", /^Cannot read events: /),
  );
  assert(read() < 70, `${read()} MiB`);
  assert(cancelled());
});

test("delivers a message of several chunks, and one behind it", async () => {
  const event = (n: number) =>
    JSON.stringify({ type: "job.started", ts: "", topic: `job:${n}`, data: { job_id: `${n}` } });
  const text = `retry: 3000\n\ndata: ${event(1)}\r\n\r\ndata: ${event(2)}\n\ndata: ${event(3)}\r\r`;
  for (const size of [1, 2, 3, 50]) {
    const parts = text.match(new RegExp(`[^]{1,${size}}`, "g"))!;
    const stream = () =>
      new ReadableStream({
        start(body) {
          for (const part of parts) body.enqueue(new TextEncoder().encode(part));
        },
      });
    using sse = new DispatchSse({
      url: "http://localhost/dwp",
      token: "t",
      fetch: answering(stream),
    });
    const jobs = new Recorder(await within(sse.subscribe("jobs"), "subscribing"));
    await eventually(() => jobs.items.length === 3);
  }
});

test("a call times out although `fetch` ignores its signal, also while the answer is read", async () => {
  const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const fetches: (() => Promise<Response>)[] = [
    () => new Promise(() => {}),
    () => Promise.resolve(new Response(never)),
  ];
  for (const fetch of fetches) {
    using rpc = new DispatchRpc({ url: "http://localhost/dwp", token: "t", fetch });
    await assert.rejects(within(rpc.stats({ timeout: 20 }), "the call"), { code: "timeout" });
  }
});
