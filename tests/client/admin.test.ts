import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AdminOptions,
  AuthError,
  ConnectionError,
  DispatchAdmin,
  DispatchError,
  TimeoutError,
} from "../../mod.ts";
import { referenceCrons, referenceWorkload } from "../../dev/mod.ts";
import { createTestDispatch } from "../../testing/mod.ts";
import { within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { hasCode } from "../helpers/has_code.ts";

const URL_OF = "ws://host.test/x/dwp";
const COUNTS = { pending: 1, running: 0, completed: 2, failed: 0, retrying: 0, cancelled: 0 };
const ID = "01h455vb4pex5vsknk084sn02q";

interface Sent {
  method: string;
  url: string;
  headers: Headers;
  redirect: string | undefined;
}

/** Creates a client whose requests get these answers in turn, and the requests that it sent. */
function answered(
  answers: (Response | Error)[],
  options: AdminOptions = { url: URL_OF },
): { admin: DispatchAdmin; sent: Sent[] } {
  const sent: Sent[] = [];
  const admin = new DispatchAdmin({
    maxRetries: 0,
    fetch: (input, init) => {
      const { method = "GET", headers, redirect } = init!;
      sent.push({ method, url: String(input), headers: new Headers(headers), redirect });
      const answer = answers.shift() ?? new Error("no answer is left");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    ...options,
  });
  return { admin, sent };
}

const json = (value: unknown, status = 200) =>
  new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { "Content-Type": "application/json" },
  });

const notFound = () =>
  new Response("404 page not found\n", {
    status: 404,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
  });

test("counts, reads, cancels, retries and replays on the embedded server", async () => {
  await using env = await createTestDispatch({ ...referenceWorkload(), crons: referenceCrons() });
  const { client, server } = env;
  using admin = await DispatchAdmin.connect({ url: server.url });
  const waiting = await client.enqueue("noop", { a: "ü" }, { queue: "unread" });
  const failing = await client.enqueue("always-fails", { n: 1 }, { priority: 9 });
  await env.failed(failing);
  const run = await client.startWorkflow("failing", {});
  await env.failed(run);

  assert.deepEqual(await admin.counts(), {
    pending: 1,
    running: 0,
    completed: 0,
    failed: 1,
    retrying: 0,
    cancelled: 0,
  });
  const { jobs, dlq_count, workflows } = await admin.stats();
  assert.deepEqual([jobs.failed, dlq_count, workflows.failed], [1, 1, 1]);
  const names = await admin.workflows();
  assert.deepEqual(names, [...names].sort());
  assert(names.includes("order-pipeline"));
  assert.deepEqual(await admin.job(waiting.job_id), await client.getJob(waiting.job_id));
  assert.deepEqual(await admin.run(run.run_id), await client.getWorkflow(run.run_id));

  await admin.cancelJob(waiting.job_id);
  assert.equal((await admin.job(waiting.job_id)).state, "cancelled");
  await assert.rejects(
    admin.cancelJob(waiting.job_id),
    hasCode(400, /^Cannot cancel job 'job_\w+': the server answered 400 can only cancel pending/),
  );
  await assert.rejects(admin.retryJob(waiting.job_id), hasCode(400, /can only retry failed jobs/));
  await admin.retryJob(failing.job_id);
  await env.failed(client.job(failing.job_id));

  assert.equal(await admin.deadLetters.count(), 2);
  const { id } = server.store.deadLetters()[0]!;
  const letter = await admin.deadLetters.get(id);
  assert.deepEqual([letter.payload, letter.error, letter.replayed_at], [
    { n: 1 },
    "boom",
    undefined,
  ]);
  const replayed = await admin.deadLetters.replay(id);
  assert.deepEqual([replayed.priority, replayed.timeout, replayed.payload], [
    0,
    undefined,
    { n: 1 },
  ]);
  assert((await admin.deadLetters.get(id)).replayed_at);
  await env.failed(client.job(replayed.id));
  assert.deepEqual(await admin.deadLetters.replayAll(), { replayed: 2, errors: 0 });
  assert.equal(await admin.deadLetters.purge(), 0);

  const off = server.store.crons().find(({ name }) => name === "off")!;
  assert.deepEqual(await admin.crons.get(off.id), off);
  assert.equal((await admin.crons.enable(off.id)).enabled, true);
  assert.equal((await admin.crons.disable(off.id)).enabled, false);
  assert.equal(await admin.crons.delete(off.id), undefined);
  await assert.rejects(
    admin.crons.get(off.id),
    hasCode(404, /^Cannot get cron entry .*: the server answered 404 dispatch: cron entry not/),
  );
});

test("a server without lists says so; one that has them is asked with every parameter", async () => {
  await using env = await createTestDispatch();
  using admin = new DispatchAdmin({ url: env.server.url });
  const none = hasCode(404, /^Cannot list .*: this server has no such list \(404 at 'http:/);
  await assert.rejects(admin.jobs({ state: "failed", queue: "default" }), none);
  await assert.rejects(admin.runs({ state: "failed" }), none);
  await assert.rejects(admin.deadLetters.list({ queue: "default" }), none);
  await assert.rejects(admin.crons.list(), none);

  await using other = await createTestDispatch({
    crons: referenceCrons(),
    quirks: { "admin-lists-missing": false },
  });
  using lists = new DispatchAdmin({ url: other.server.url });
  const { job_id } = await other.client.enqueue("x", [1], { queue: "unread" });
  const jobs = await lists.jobs({ state: "pending", queue: "unread" });
  assert.deepEqual(jobs, [await lists.job(job_id)]);
  assert.deepEqual(await lists.jobs({ state: "pending", queue: "unread", offset: 5 }), []);
  assert.deepEqual(await lists.runs({ state: "running" }), []);
  assert.deepEqual(await lists.deadLetters.list({ queue: "x", limit: 1000 }), []);
  assert.deepEqual((await lists.crons.list({ limit: 1, offset: 2 })).map(({ name }) => name), [
    "yearly",
  ]);
});

test("sends all parameters of a list", async () => {
  const { admin, sent } = answered([json(null), json([]), json(null), json(null)]);
  assert.deepEqual(await admin.jobs({ state: "failed", queue: "a b&c" }), []);
  await admin.runs({ state: "running", limit: 7, offset: 3 });
  await admin.deadLetters.list({ queue: "q" });
  await admin.crons.list();
  assert.deepEqual(sent.map(({ url }) => url.replace("http://host.test/x/dispatch/v1", "")), [
    "/jobs?state=failed&queue=a+b%26c&limit=50&offset=0",
    "/workflows/runs?state=running&limit=7&offset=3",
    "/dlq?queue=q&limit=50&offset=0",
    "/crons?limit=50&offset=0",
  ]);
});

test("derives the address from that of the endpoint, or takes it from `base`", async () => {
  const addresses: [AdminOptions, string][] = [
    [{ url: "ws://h/dwp" }, "http://h/dispatch/v1"],
    [{ url: "wss://h:8/x/dwp/?token=secret#a" }, "https://h:8/x/dispatch/v1"],
    [{ url: new URL("https://h/a/b/dwp") }, "https://h/a/b/dispatch/v1"],
    [{ url: "http://h/socket" }, "http://h/dispatch/v1"],
    [{ url: "ws://h" }, "http://h/dispatch/v1"],
    [{ url: "ws://h/x/dwp", base: "/ops" }, "http://h/ops/v1"],
    [{ url: "ws://h/x/dwp", base: "/ops/v1/" }, "http://h/ops/v1"],
    [{ url: "ws://h/dwp", base: "//v1" }, "http://h//v1"],
    [{ base: "https://ops.test/dispatch" }, "https://ops.test/dispatch/v1"],
    [{ base: new URL("wss://ops.test/dispatch/v1") }, "https://ops.test/dispatch/v1"],
    [{ url: "ws://h/dwp", base: "https://ops.test" }, "https://ops.test/v1"],
  ];
  for (const [options, address] of addresses) {
    const { admin, sent } = answered([json(COUNTS)], options);
    await admin.counts();
    assert.equal(sent[0]!.url, `${address}/jobs/counts`, JSON.stringify(options));
  }
});

test("sends the headers and the token, follows no redirect, and sends no body", async () => {
  const headers = { "X-Key": "k" };
  const { admin, sent } = answered([json(COUNTS), json({ purged: 3 })], {
    url: URL_OF,
    token: () => Promise.resolve("t"),
    headers,
  });
  await admin.counts();
  assert.equal(await admin.deadLetters.purge(), 3);
  const [first, second] = sent;
  assert.deepEqual(
    [first!.headers.get("X-Key"), first!.headers.get("Authorization"), first!.redirect],
    ["k", "Bearer t", "manual"],
  );
  assert.deepEqual([second!.method, second!.url], [
    "POST",
    "http://host.test/x/dispatch/v1/dlq/purge",
  ]);
  const other = answered([json(COUNTS)], { url: URL_OF, headers: new Headers(headers) });
  await other.admin.counts();
  assert.equal(other.sent[0]!.headers.get("X-Key"), "k");
  const plain = answered([json(COUNTS)]);
  await plain.admin.counts();
  assert.equal(plain.sent[0]!.headers.has("Authorization"), false);
  const own = answered([json(COUNTS)], {
    url: URL_OF,
    token: "t",
    headers: { authorization: "Basic x" },
  });
  await own.admin.counts();
  assert.equal(own.sent[0]!.headers.get("Authorization"), "Basic x");
});

test("a token that a header cannot have is not shown", async () => {
  const { admin, sent } = answered([], { url: URL_OF, token: "sec\nret" });
  await assert.rejects(admin.counts(), hasCode(401, /^Cannot send token: it has characters/));
  assert.equal(sent.length, 0);
});

test("ids are encoded, and cannot lead to another path", async () => {
  const { admin, sent } = answered([json({}, 400), json({}, 400)]);
  await assert.rejects(admin.job("a/../b?c#d"), DispatchError);
  assert.equal(sent[0]!.url, "http://host.test/x/dispatch/v1/jobs/a%2F..%2Fb%3Fc%23d");
  for (const id of ["", ".", "..", "job_\ud800"]) {
    await assert.rejects(admin.job(id), hasCode("bad_options", /^Cannot get job /));
  }
  await assert.rejects(admin.crons.delete(undefined as never), hasCode("bad_options", /'id' must/));
  assert.equal(sent.length, 1);
});

test("reads an answer that is sent once or twice, and refuses one that is not JSON", async () => {
  const entry = {
    id: `dlq_${ID}`,
    job_id: `job_${ID}`,
    job_name: "a",
    payload: btoa("[1]"),
    error: "x\n\u2028",
  };
  const line = JSON.stringify(entry);
  for (const text of [line, `${line}\n`, `${line}\n${line}\n`, `${line}\r\n${line}`]) {
    const { admin } = answered([new Response(text)]);
    const letter = await admin.deadLetters.get(entry.id);
    assert.deepEqual(letter as unknown, { ...entry, payload: [1] });
  }
  const fails = (answer: Response, reason: RegExp) =>
    assert.rejects(
      answered([answer]).admin.deadLetters.get(entry.id),
      hasCode("bad_answer", reason),
    );
  await fails(
    new Response("<html>hello</html>"),
    /did not answer with JSON; is this the address of the admin API\?$/,
  );
  await fails(
    new Response(""),
    /did not answer with JSON; is this the address of the admin API\?$/,
  );
  await fails(json({ count: 3 }), /the answer is not valid: Cannot decode dead letter: id is/);
  const counts = answered([json({ ...COUNTS, failed: "3" }), json({ names: 1 }), json({})]).admin;
  await assert.rejects(counts.counts(), hasCode("bad_answer", /the answer has no failed$/));
  await assert.rejects(counts.workflows(), hasCode("bad_answer", /the answer has no names$/));
  await assert.rejects(counts.stats(), hasCode("bad_answer", /the answer has no dlq_count$/));
  const list = answered([json({ items: [] })]).admin;
  await assert.rejects(list.crons.list(), hasCode("bad_answer", /the answer is not a list$/));
});

test("an address without the API is told from an id that does not exist", async () => {
  const { admin } = answered([
    notFound(),
    json({ code: 404, error: "dispatch: job not found" }, 404),
    new Response(null, { status: 405 }),
    new Response("<html>", { status: 502 }),
  ]);
  await assert.rejects(
    admin.job("x"),
    hasCode(
      "no_admin_api",
      /^Cannot get job 'x': 'http:\/\/host.test\/x\/dispatch\/v1\/jobs\/x' answered 404: there is no admin API; .*'base'/,
    ),
  );
  await assert.rejects(
    admin.job("x"),
    hasCode(404, /^Cannot get job 'x': the server answered 404 dispatch: job not found$/),
  );
  await assert.rejects(admin.counts(), hasCode("no_admin_api", /answered 405: there is no/));
  await assert.rejects(admin.counts(), hasCode(502, /answered 502: a proxy cannot reach/));
});

test("a refusal of the application is shown, whatever its form", async () => {
  const text = (body: string, status: number, type: string) =>
    new Response(body, { status, headers: { "Content-Type": type } });
  const { admin } = answered([
    text("who are you?\n", 401, "text/plain"),
    json({ error: { message: "no key" } }, 401),
    json({ message: "not you" }, 403),
    text("<html>secret page</html>", 403, "text/html"),
    new Response(null, { status: 403 }),
    json({ code: "INTERNAL_SERVER_ERROR", message: "store is gone" }, 500),
  ]);
  const fails = (code: number, reason: RegExp) =>
    assert.rejects(admin.counts(), hasCode(code, reason));
  await assert.rejects(admin.counts(), (error) => {
    assert(error instanceof AuthError);
    assert.match(error.message, /answered 401 who are you\?: the application guards the API; use/);
    return true;
  });
  await fails(401, /^Cannot count jobs: the server answered 401 no key$/);
  await fails(403, /the server answered 403 not you$/);
  await fails(403, /answered 403: the application guards the API; use the options/);
  await fails(403, /answered 403: the application guards/);
  await fails(500, /the server answered 500 store is gone$/);
});

test("a redirect is refused and says where it leads, without its query", async () => {
  const headers = { Location: "https://login.test/?next=secret" };
  const { admin } = answered([new Response(null, { status: 301, headers })]);
  await assert.rejects(
    admin.deadLetters.replayAll(),
    hasCode(301, /a redirect to 'https:\/\/login.test\/', which the client does not follow$/),
  );
});

test("repeats reads that got no answer, and writes only if that is allowed", async () => {
  const lost = () => new Error("connection reset");
  const clock = new FakeClock();
  const options = { url: URL_OF, maxRetries: 2, random: () => 0, clock };
  const reads = answered([lost(), lost(), json(COUNTS)], options);
  const counted = within(reads.admin.counts(), "the counts");
  for (let i = 0; i < 20; i++) await Promise.resolve().then(() => clock.advance(0));
  assert.deepEqual(await counted, COUNTS);
  assert.equal(reads.sent.length, 3);
  const writes = answered([lost()], options);
  await assert.rejects(writes.admin.retryJob(`job_${ID}`), (error) => {
    assert(error instanceof ConnectionError);
    assert.deepEqual([error.code, error.delivery], ["connect_failed", "unknown"]);
    return true;
  });
  assert.equal(writes.sent.length, 1);
  const repeated = answered([lost(), new Response(null, { status: 204 })], options);
  const retried = within(repeated.admin.retryJob(`job_${ID}`, { retry: "unknown" }), "the retry");
  for (let i = 0; i < 20; i++) await Promise.resolve().then(() => clock.advance(0));
  await retried;
  assert.equal(repeated.sent.length, 2);
});

test("a call ends at its deadline, by its signal, or when the client is closed", async () => {
  const clock = new FakeClock();
  const hanging: AdminOptions = {
    url: URL_OF,
    clock,
    fetch: (_, init) =>
      new Promise((_, reject) => {
        init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason));
      }),
  };
  const admin = new DispatchAdmin(hanging);
  const late = within(admin.deadLetters.purge({ timeout: 50 }), "the deadline");
  await Promise.resolve();
  clock.advance(50);
  await assert.rejects(late, (error) => {
    assert(error instanceof TimeoutError);
    assert.equal(error.delivery, "unknown");
    return true;
  });
  const stop = new AbortController();
  const aborted = within(admin.counts({ signal: stop.signal }), "the abort");
  stop.abort(new Error("enough"));
  await assert.rejects(aborted, /^Error: enough$/);
  const closed = within(admin.counts(), "the close");
  admin.close();
  await assert.rejects(closed, hasCode("closed", /^Cannot count jobs: the client is closed$/));
  await assert.rejects(admin.counts(), hasCode("closed", /the client is closed$/));
  assert.equal(clock.pending, 0);
});

test("an answer that is too long is refused", async () => {
  const chunk = new TextEncoder().encode("x".repeat(2 ** 24));
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(chunk),
    cancel: () => void (isCancelled = true),
  });
  const { admin } = answered([new Response(body)]);
  await assert.rejects(admin.counts(), hasCode("too_large", /^Cannot count jobs: the answer has/));
  assert(isCancelled);
});

test("options are checked when they are passed, and messages show no header's value", async () => {
  const refuses = (options: unknown, reason: RegExp) =>
    assert.throws(() => new DispatchAdmin(options as AdminOptions), hasCode("bad_options", reason));
  refuses({}, /'url' must be a ws\(s\) or http\(s\) URL/);
  refuses(undefined, /'url' must be/);
  refuses("ws://host/dwp", /'options' must be an object/);
  refuses({ url: "host" }, /'url' must be/);
  refuses({ base: "/dispatch" }, /'url' must be/);
  refuses({ base: "dispatch" }, /'base' must be an http\(s\) URL or a path that begins with '\/'$/);
  refuses({ base: "ftp://host/x" }, /'base' must be/);
  refuses({ base: 5 }, /'base' must be/);
  refuses({ url: URL_OF, header: {} }, /there is no option 'header'; did you mean 'headers'\?$/);
  refuses({ url: URL_OF, token: 5 }, /'token' must be a function or a string that is not empty$/);
  refuses({ url: URL_OF, timeout: -1 }, /'timeout' must be a number of at least 0/);
  refuses({ url: URL_OF, headers: [] }, /'headers' must be an object/);
  refuses(
    { url: URL_OF, headers: { "X-A": "se\ncret" } },
    /'headers' has no valid value for 'X-A'$/,
  );
  refuses({ url: URL_OF, headers: { "X-A": 5 } }, /'headers' has no valid value for 'X-A'$/);
  await assert.rejects(DispatchAdmin.connect({} as AdminOptions), hasCode("bad_options", /'url'/));

  const { admin, sent } = answered([]);
  const rejects = (call: Promise<unknown>, reason: RegExp) =>
    assert.rejects(call, hasCode("bad_options", reason));
  await rejects(admin.counts({ timout: 5 } as never), /there is no option 'timout'/);
  await rejects(admin.counts({ retry: "unknown" } as never), /there is no option 'retry'/);
  await rejects(admin.retryJob("x", { retry: "always" } as never), /'retry' must be/);
  await rejects(admin.jobs({} as never), /'state' must be 'pending' or 'running'/);
  await rejects(admin.jobs(undefined as never), /'state' must be/);
  await rejects(admin.jobs({ state: "failed" } as never), /'queue' must be a string that is not/);
  await rejects(admin.jobs({ state: "nope", queue: "q" } as never), /'state' must be/);
  await rejects(admin.runs({ state: "pending" } as never), /'state' must be 'running' or/);
  await rejects(admin.runs({ state: "failed", queue: "q" } as never), /no option 'queue'/);
  await rejects(admin.crons.list({ limit: 0 }), /'limit' must be a whole number of at least 1/);
  await rejects(admin.crons.list({ offset: 1.5 }), /'offset' must be a whole number/);
  await rejects(admin.crons.list(5 as never), /'options' must be an object/);
  assert.equal(sent.length, 0);
});

test("hooks see each request", async () => {
  const seen: unknown[] = [];
  const { admin } = answered([json(COUNTS), notFound()], {
    url: URL_OF,
    hooks: {
      request: (info) => {
        seen.push(info);
        return (error) => seen.push(error === undefined ? "done" : (error as DispatchError).code);
      },
    },
  });
  await admin.counts();
  await assert.rejects(admin.job("x"), DispatchError);
  assert.deepEqual(seen, [
    { method: "admin GET /jobs/counts", subject: undefined },
    "done",
    { method: "admin GET /jobs/:id", subject: "x" },
    "no_admin_api",
  ]);
});
