import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createVirtualClock, type DevServerOptions, referenceCrons } from "../../dev/mod.ts";
import { ADMIN_ACTIONS, ADMIN_ALIASES } from "../../runner/cli/admin_actions.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { systemClock } from "../../runtime/clock.ts";
import { connected } from "../helpers/server.ts";
import { type CliOptions, runnerCli } from "./_cli.ts";

const ID = "01h455vb4pex5vsknk084sn02q";

/** Runs `admin` in real time, because its requests leave the process. */
function admin(args: readonly string[], options: CliOptions = {}) {
  return runnerCli(["admin", ...args], { clock: systemClock, ...options });
}

async function serve(options: DevServerOptions = {}) {
  const clock = createVirtualClock();
  const it = await connected({}, { crons: referenceCrons(), clock, ...options });
  const { url } = it.server;
  return {
    ...it,
    clock,
    /** Runs an action against the server. */
    run: (...args: string[]) => admin([...args, "--url", url]),
    [Symbol.asyncDispose]: () => it[Symbol.asyncDispose](),
  };
}

/** Runs an action against a server that answers every request alike; returns what it received. */
async function against(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  args: readonly string[],
  options: CliOptions = {},
) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const words = args.map((word) => word.replace("PORT", String(port)));
    return { ...await admin(words, options), requests };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("stats, counts and workflows print rows, or one line of JSON", async () => {
  await using it = await serve();
  await it.client.enqueue("noop", {}, { queue: "unread" });
  const stats = await it.run("stats");
  assert.deepEqual([stats.code, stats.err], [0, ""]);
  assert.match(stats.out, /^jobs pending +1$/m);
  assert.match(stats.out, /^dlq_count +0$/m);
  const counts = await it.run("counts", "--json");
  assert.match(counts.out, /^\{"pending":1,"running":0,.*\}\n$/);
  const { out } = await it.run("workflows");
  assert.deepEqual(out, out.split("\n").sort().slice(1).join("\n") + "\n");
  const names = (await it.run("workflows", "--json")).out.trim().split("\n");
  assert(names.map((line) => JSON.parse(line)).includes("order-pipeline"));
});

test("jobs are shown, cancelled and retried; a refusal of the server ends with 1", async () => {
  await using it = await serve();
  const { job_id } = await it.client.enqueue("noop", { a: "x" }, { queue: "unread" });
  const shown = await it.run("job", job_id);
  assert.match(shown.out, /^payload +\{"a":"x"\}$/m);
  assert.match(shown.out, /^timeout +5 m$/m);
  assert.equal(JSON.parse((await it.run("job", job_id, "--json")).out).timeout, 300_000_000_000);
  const cancelled = await it.run("cancel", job_id, "--json");
  assert.deepEqual(JSON.parse(cancelled.out), { id: job_id, cancelled: true });
  const again = await it.run("cancel", job_id);
  assert.deepEqual([again.code, again.out], [1, ""]);
  assert.match(again.err, /^error: Cannot cancel job .* current state: cancelled\n$/);
  assert.equal((await it.run("retry", `job_${ID}`)).code, 1);
  const failing = await it.client.enqueue("always-fails", {});
  await assert.rejects(failing.wait());
  const retried = await it.run("retry", failing.job_id);
  assert.equal(retried.code, 0);
  assert.match(retried.err, /^The job runs at the next poll of the workers/);
  const run = await it.client.startWorkflow("sleeper", { ms: 1 });
  assert.match((await it.run("run", run.run_id)).out, /^input +\{"ms":1\}$/m);
});

test("dead letters are counted, shown, replayed and purged", async () => {
  await using it = await serve();
  const failing = await it.client.enqueue("always-fails", { n: 1 });
  await assert.rejects(failing.wait());
  const { id } = it.server.store.deadLetters()[0]!;
  assert.deepEqual(JSON.parse((await it.run("dead-letters", "count", "--json")).out), { count: 1 });
  assert.match((await it.run("dead-letters", "get", id)).out, /^error +boom$/m);
  for (const name of ["replay", "dead-letters replay"]) {
    const job = JSON.parse((await it.run(...name.split(" "), id, "--json")).out);
    await assert.rejects(it.client.job(job.id).wait());
  }
  const all = await it.run("replay-all");
  assert.match(all.out, /^replayed +2$/m);
  assert.match(all.err, /1,000 oldest/);
  assert.match((await it.run("purge")).out, /^purged +0$/m);
});

test("cron entries are shown, paused, resumed and deleted", async () => {
  await using it = await serve();
  const { id } = it.server.store.crons()[0]!;
  assert.match((await it.run("crons", "get", id)).out, /^enabled +true$/m);
  const paused = await it.run("crons", "disable", id);
  assert.match(paused.out, /^enabled +false$/m);
  assert.match(paused.err, /may not hold/);
  assert.match((await it.run("crons", "enable", id)).out, /^enabled +true$/m);
  assert.deepEqual(JSON.parse((await it.run("crons", "delete", id, "--json")).out), {
    id,
    deleted: true,
  });
  assert.equal((await it.run("crons", "get", id)).code, 1);
});

test("lists print an item a line; a server without them ends with 3", async () => {
  await using it = await serve({ quirks: { "admin-lists-missing": false } });
  const { job_id } = await it.client.enqueue("noop", {}, { queue: "unread" });
  const jobs = await it.run("jobs", "--state", "pending", "--queue", "unread");
  assert.equal(jobs.out, `${job_id}  noop  pending\n`);
  const crons = await it.run("crons", "list", "--limit", "1", "--offset", "1");
  assert.match(crons.out, /^cron_\w+ {2}off {2}@every 1s {2}disabled\n$/);
  const none = await it.run("dead-letters", "list", "--queue", "x");
  assert.deepEqual([none.code, none.out, none.err], [0, "", "Nothing to list\n"]);
  const json = await it.run("runs", "--state", "running", "--json");
  assert.deepEqual([json.code, json.out, json.err], [0, "", ""]);
  await using other = await serve();
  const missing = await other.run("crons", "list");
  assert.equal(missing.code, 3);
  assert.match(missing.err, /^error: Cannot list cron entries: this server has no such list/);
});

test("a wrong command line ends with 2, and nothing is sent", async () => {
  const refused: [string, RegExp][] = [
    ["", /^error: admin needs an action: stats, counts, /],
    ["crons", /^error: admin crons needs an action: get, enable, disable, delete, list\n/],
    ["retyr x", /^error: Unknown action 'retyr'; did you mean `retry`\?\n/],
    ["crons gte x", /did you mean `crons get`\?/],
    ["toString", /^error: Unknown action 'toString'\n/],
    ["stats now", /^error: admin stats takes no argument\n/],
    ["job", /^error: admin job takes one id\n/],
    ["job ..", /'id' must be an id/],
    ["jobs", /^error: This list needs --state: a server cannot list them for every state\n/],
    ["jobs --state failed", /needs --queue/],
    ["jobs --state nope --queue x", /'state' must be 'pending' or/],
    ["runs --state failed --queue x", /^error: --queue does not belong to this action\n/],
    ["stats --limit 5", /--limit does not belong/],
    ["crons list --limit 0", /--limit must be a whole number/],
    ["crons list --offset -1x", /--offset must be a whole number/],
    ["stats --timeout soon", /--timeout must be a duration/],
    ["stats --header nope", /^error: --header must be NAME:VALUE\n/],
    ["stats --base nope", /'base' must be an http\(s\) URL or a path/],
    ["stats --heder a:b", /Unknown option --heder; did you mean `--header`/],
  ];
  for (const [words, reason] of refused) {
    const args = words === "" ? [] : words.split(" ");
    const { code, out, err } = await admin([...args, "--url", "ws://127.0.0.1:1/dwp"]);
    assert.deepEqual([code, out], [2, ""], words);
    assert.match(err, reason);
  }
  const nowhere = await admin(["stats"]);
  assert.deepEqual([nowhere.code, nowhere.out], [2, ""]);
  assert.match(nowhere.err, /^error: No server: set --url, --base or DISPATCH_URL\n/);
});

test("no answer, no API and no permission end with 3", async () => {
  const unreachable = await admin(["retry", `job_${ID}`, "--url", "ws://127.0.0.1:1/dwp"]);
  assert.equal(unreachable.code, 3);
  assert.match(unreachable.err, /The server may have done it: look before you try again\.\n$/);
  const notThere = await against(
    (_, response) => response.writeHead(404, { "Content-Type": "text/plain" }).end("404\n"),
    ["job", `job_${ID}`, "--url", "ws://127.0.0.1:PORT/x/dwp"],
  );
  assert.equal(notThere.code, 3);
  assert.match(
    notThere.err,
    /\/x\/dispatch\/v1\/jobs\/job_\w+' answered 404: there is no admin API/,
  );
  const guarded = await against(
    (_, response) => response.writeHead(403, { "Content-Type": "text/plain" }).end("no entry"),
    ["stats", "--url", "ws://127.0.0.1:PORT/dwp"],
  );
  assert.equal(guarded.code, 3);
  assert.match(guarded.err, /answered 403 no entry: the application guards the API/);
  const slow = await against(() => {}, [
    "stats",
    "--timeout",
    "20ms",
    "--url",
    "ws://127.0.0.1:PORT/dwp",
  ]);
  assert.deepEqual([slow.code, slow.err], [
    3,
    "error: Cannot get admin stats: no answer within 20 ms\n",
  ]);
});

test("an interruption ends with 130", async () => {
  const stop = new AbortController();
  const { code } = await against(
    () => stop.abort(new InterruptedError("SIGINT")),
    ["stats", "--url", "ws://127.0.0.1:PORT/dwp"],
    { signal: stop.signal },
  );
  assert.equal(code, 130);
});

test("the token and the headers are sent, and masked in what is printed", async () => {
  const env = { DISPATCH_TOKEN: "token-of-the-environment" };
  const echo = (request: IncomingMessage, response: ServerResponse) => {
    const { authorization = "none", "x-key": key = "none" } = request.headers;
    response.writeHead(400, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ code: 400, error: `${authorization} ${key}` }));
  };
  const base = "http://127.0.0.1:PORT/ops";
  const header = ["--header", "X-Key: key-with-a-secret"];
  const given = await against(
    echo,
    ["stats", "--base", base, "--token", "given-token", ...header],
    {
      env,
    },
  );
  assert.equal(given.requests[0]!.url, "/ops/v1/stats");
  assert.equal(given.requests[0]!.headers.authorization, "Bearer given-token");
  assert.equal(given.requests[0]!.headers["x-key"], "key-with-a-secret");
  assert.equal(
    given.err,
    "error: Cannot get admin stats: the server answered 400 Bearer *** ***\n",
  );
  const elsewhere = await against(echo, ["stats", "--base", base], { env });
  assert.equal(elsewhere.requests[0]!.headers.authorization, undefined, "another host");
  const url = "ws://127.0.0.1:PORT/dwp";
  const own = await against(echo, ["stats", "--url", url, "--base", "/ops"], { env });
  assert.equal(own.requests[0]!.headers.authorization, "Bearer token-of-the-environment");
  const basic = await against(echo, [
    "stats",
    "--url",
    url,
    "--header",
    "Authorization: Basic c2VjcmV0",
  ]);
  assert.ok(!basic.err.includes("c2VjcmV0"), basic.err);
});

test("texts of the server cannot control the terminal or the CI system", async () => {
  const job = { id: "job_1", name: "a\u001b[31m\n::error::x", state: "failed", payload: "\u202e" };
  const send = (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(job));
  };
  const args = ["job", "job_1", "--url", "ws://127.0.0.1:PORT/dwp"];
  const text = await against(send, args);
  // deno-lint-ignore no-control-regex -- The test is about control characters.
  assert.doesNotMatch(text.out, /[\u001b\u202e]|^::error/m);
  const json = await against(send, [...args, "--json"]);
  // deno-lint-ignore no-control-regex -- The test is about control characters.
  assert.doesNotMatch(json.out, /[\u001b\u202e]/);
  assert.deepEqual(JSON.parse(json.out), job);
});

test("docs/cli.md has a row for each action, and --help lists it", async () => {
  const page = await readFile("docs/cli.md", "utf8");
  const actions = page.split("| action")[1]!.split("\n\n")[0]!;
  const { out } = await admin(["--help"]);
  for (const [name, { takesId }] of Object.entries(ADMIN_ACTIONS)) {
    const written = takesId ? `${name} ID` : name;
    assert.ok(actions.includes(`\`${written}\``), written);
    assert.match(out, new RegExp(`^  ${written}  `, "m"));
  }
  for (const alias of Object.keys(ADMIN_ALIASES)) assert.ok(actions.includes(`\`${alias}`), alias);
});
