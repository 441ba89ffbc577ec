import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { type AlertContext, alertMessage } from "../../runner/schedule/alert_message.ts";
import type { AlertMessage } from "../../runner/schedule/alert_message.ts";
import { AlertQueue } from "../../runner/schedule/alert_queue.ts";
import { postAlert } from "../../runner/schedule/webhook.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const MESSAGE: AlertMessage = {
  version: 1,
  type: "raised",
  text: "ALERT Smoke has failed",
  recipe: "Smoke",
  file: "smoke.yaml",
  server: "embedded",
  at: "2026-01-01T00:00:00Z",
  failing_since: "2026-01-01T00:00:00Z",
  failures: 1,
};

/** Posts an alert to a server that gives these answers in turn, and then does not answer. */
async function postTo(
  answers: (number | Error)[],
  stop = new AbortController(),
  onWarning = () => {},
) {
  const clock = new FakeClock();
  const began = clock.now();
  const posts: { at: number; body: unknown }[] = [];
  const warnings: string[] = [];
  const delivery = postAlert("https://hooks.example.com/s3cr3t", MESSAGE, {
    clock,
    signal: stop.signal,
    warn: (text) => {
      warnings.push(text);
      queueMicrotask(onWarning);
    },
    fetch: (_address, init) => {
      posts.push({ at: clock.now() - began, body: JSON.parse(String(init!.body)) });
      const answer = answers.shift();
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer !== undefined) return Promise.resolve(new Response(null, { status: answer }));
      return new Promise((_, reject) =>
        init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason), { once: true })
      );
    },
  });
  // The first attempt is made before the clock moves.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const delivered = await clock.runUntil(delivery, 500);
  assert.equal(clock.pending, 0);
  return { delivered, posts, warnings };
}

test("posts an alert once, as JSON, when the server accepts it", async () => {
  const { delivered, posts, warnings } = await postTo([204]);
  assert.equal(delivered, true);
  assert.deepEqual(posts, [{ at: 0, body: MESSAGE }]);
  assert.deepEqual(warnings, []);
});

test("retries after 5xx, 429 and network errors, with doubling pauses and a warning each", async () => {
  const { delivered, posts, warnings } = await postTo([503, 429, new Error("no route"), 200]);
  assert.equal(delivered, true);
  assert.deepEqual(posts.map(({ at }) => at), [0, 1000, 3000, 7000]);
  assert.deepEqual(warnings.map((text) => text.replace(/^.*example\.com: /, "")), [
    "the server answered 503; retrying in 1 s",
    "the server answered 429; retrying in 2 s",
    "no route; retrying in 4 s",
  ]);
});

test("does not retry after another status", async () => {
  const { delivered, posts, warnings } = await postTo([404]);
  assert.equal(delivered, false);
  assert.equal(posts.length, 1);
  assert.match(warnings[0]!, /the server answered 404; giving up$/);
});

test("gives up after five attempts that time out after ten seconds", async () => {
  const { delivered, posts, warnings } = await postTo([]);
  assert.equal(delivered, false);
  assert.equal(posts.length, 5);
  assert.match(warnings[0]!, /no answer within 10 s; retrying in 1 s$/);
  assert.match(warnings.at(-1)!, /giving up$/);
});

test("warnings do not contain the path of the address, which can be a secret", async () => {
  const { posts, warnings } = await postTo([500, 500, 500, 500, 500]);
  assert.equal(posts.length, 5);
  assert.ok(
    warnings.every((text) =>
      text.includes("https://hooks.example.com:") && !text.includes("s3cr3t")
    ),
  );
});

test("a warning has the cause of a network error, not the runtime's wrapper", async () => {
  const cause = new Error("connection refused");
  const { warnings } = await postTo([new TypeError("fetch failed", { cause }), 200]);
  assert.match(warnings[0]!, /: connection refused; retrying in 1 s$/);
});

test("gives up when the signal is aborted during a pause", async () => {
  const stop = new AbortController();
  const { delivered, posts, warnings } = await postTo([503], stop, () => stop.abort());
  assert.equal(delivered, false);
  assert.equal(posts.length, 1);
  assert.equal(warnings.length, 1);
});

test("gives up when the signal is aborted", async () => {
  const stop = new AbortController();
  stop.abort();
  const { delivered, warnings } = await postTo([new Error("aborted")], stop);
  assert.equal(delivered, false);
  assert.match(warnings[0]!, /giving up$/);
});

test("does not follow a redirect, and says so", async () => {
  for (const status of [300, 301, 302, 303, 307, 308]) {
    const { delivered, posts, warnings } = await postTo([status]);
    assert.equal(delivered, false);
    assert.equal(posts.length, 1);
    assert.match(
      warnings[0]!,
      new RegExp(
        `the server answered ${status}, a redirect, which is not followed: .*; giving up$`,
      ),
    );
  }
});

/** A server that records its requests and answers each with the next of some statuses. */
async function withServer(
  answers: [status: number, headers?: Record<string, string>][],
  use: (url: string, requests: { line: string; authorization?: string; body: string }[]) => Promise<
    void
  >,
): Promise<void> {
  const requests: { line: string; authorization?: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => void (body += chunk));
    request.on("end", () => {
      const { authorization } = request.headers;
      const line = `${request.method} ${request.url}`;
      requests.push({ line, body, ...(authorization === undefined ? {} : { authorization }) });
      const [status, headers] = answers.shift() ?? [200];
      response.writeHead(status, headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Posts an alert with the platform's `fetch`, on a clock that moves through the pauses. */
async function postWithFetch(address: string): Promise<{ delivered: boolean; warnings: string[] }> {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const options = { fetch, clock, signal: new AbortController().signal };
  const delivery = postAlert(address, MESSAGE, {
    ...options,
    warn: (text) => void warnings.push(text),
  });
  return { delivered: await clock.runUntil(delivery, 20), warnings };
}

test("a redirected alert counts as undelivered, whatever the other server answers", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    await withServer([[status, { location: "/elsewhere" }]], async (url, requests) => {
      const { delivered, warnings } = await postWithFetch(`${url}/hook`);
      assert.equal(delivered, false);
      assert.deepEqual(requests.map(({ line }) => line), ["POST /hook"]);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /a redirect, which is not followed/);
    });
  }
});

test("a user and password in the address are sent as a header", async () => {
  await withServer([], async (url, requests) => {
    const address = url.replace("http://", "http://user:p%C3%A4ss%zz@");
    const { delivered } = await postWithFetch(`${address}/hook`);
    assert.equal(delivered, true);
    assert.equal(requests[0]!.line, "POST /hook");
    const [, credentials] = requests[0]!.authorization!.split("Basic ");
    assert.equal(Buffer.from(credentials!, "base64").toString(), "user:p%C3%A4ss%zz");
  });
});

test("a warning does not show an address that nobody listens on, in any form", async () => {
  for (
    const address of [
      "http://127.0.0.1:1/s3cr3t-path",
      "http://user:s3cr3t-pw@127.1:1/a/../s3cr3t-path?k=s3cr3t-key",
      "http://127.0.0.1:65500/s3cr3t-path?k=s3cr3t-key#s3cr3t",
      "http://no-such-host.invalid/s3cr3t-path",
      "HTTPS://127.1:65500/./s3cr3t path",
    ]
  ) {
    const { delivered, warnings } = await postWithFetch(address);
    assert.equal(delivered, false);
    assert.equal(warnings.length, 5, warnings.join("\n"));
    for (const text of warnings) {
      assert.ok(text.includes(` to ${new URL(address).origin}: `), text);
      assert.ok(!text.includes("s3cr3t"), text);
    }
  }
});

test("alerts to one address arrive in order, also when one is sent again", async () => {
  await withServer([[503], [200], [503], [503]], async (url, requests) => {
    const clock = new FakeClock();
    const signal = new AbortController().signal;
    const queue = new AlertQueue({ fetch, clock, signal, warn: () => {} });
    for (const type of ["raised", "reminder", "resolved"] as const) {
      queue.send(`${url}/hook`, { ...MESSAGE, type });
    }
    // An alert to another address does not wait.
    queue.send(`${url}/other`, { ...MESSAGE, type: "raised" });
    await clock.runUntil(queue.idle(), 20);
    const types = requests.filter(({ line }) => line === "POST /hook")
      .map(({ body }) => JSON.parse(body).type);
    assert.deepEqual(types.filter((type, i) => type !== types[i - 1]), [
      "raised",
      "reminder",
      "resolved",
    ]);
    assert.ok(types.length >= 5 && requests.length === types.length + 1, types.join());
    // An address is one however it is written, and a queue that was idle starts again.
    queue.send(url, MESSAGE);
    queue.send(`${url}/`, { ...MESSAGE, type: "resolved" });
    await clock.runUntil(queue.idle(), 20);
    assert.deepEqual(requests.slice(-2).map(({ body }) => JSON.parse(body).type), [
      "raised",
      "resolved",
    ]);
  });
});

test("a queue drops reminders first when too many alerts wait, and says so", async () => {
  const warnings: string[] = [];
  const sent: string[] = [];
  const { promise: first, resolve: answer } = Promise.withResolvers<Response>();
  const queue = new AlertQueue({
    clock: new FakeClock(),
    signal: new AbortController().signal,
    warn: (text) => void warnings.push(text),
    fetch: (_address, init) => {
      sent.push(JSON.parse(String(init!.body)).type);
      return sent.length === 1 ? first : Promise.resolve(new Response());
    },
  });
  queue.send("https://hooks.example.com/s3cr3t", MESSAGE);
  for (let i = 0; i < 150; i++) {
    queue.send("https://hooks.example.com/s3cr3t", { ...MESSAGE, type: "reminder" });
  }
  queue.send("https://hooks.example.com/s3cr3t", { ...MESSAGE, type: "resolved" });
  answer(new Response());
  await queue.idle();
  assert.deepEqual([sent[0], sent.at(-1), sent.length], ["raised", "resolved", 101]);
  assert.equal(warnings.length, 51);
  assert.equal(
    warnings[0],
    "dropped an alert for Smoke: 100 wait for https://hooks.example.com",
  );
});

test("a message cuts what is too long for a chat, after secrets are masked", () => {
  const limits: number[] = [];
  const context: AlertContext = {
    file: "a.yaml",
    server: "embedded",
    line: (text, limit) => {
      limits.push(limit);
      return text.replaceAll("s3cr3t", "***").slice(0, limit);
    },
  };
  const entry = { name: "n s3cr3t", jitter: 0, maintenance: [] };
  const message = alertMessage({
    kind: "raised",
    entry: { ...entry, next: () => undefined, run: () => Promise.resolve({ exitCode: 1 }) },
    at: 0,
    since: 0,
    failures: 2,
    failure: `s3cr3t ${"x".repeat(5_000_000)}`,
  }, context);
  assert.equal(message.recipe, "n ***");
  assert.ok(message.failure!.startsWith("*** x") && message.failure!.length === 2_000);
  assert.ok(message.text.startsWith("ALERT n *** has failed 2 times in a row since 1970-01-01T"));
  assert.ok(JSON.stringify(message).length < 5_000);
});
