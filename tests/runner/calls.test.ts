import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualClock, type DevServerOptions } from "../../dev/mod.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { findJsonFault } from "../../runner/cli/calls/json_fault.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { systemClock } from "../../runtime/clock.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { connected } from "../helpers/server.ts";
import { type CliOptions, runnerCli } from "./_cli.ts";
import { RunnerProcess, runtimeCommand } from "./_process.ts";
import { withFiles } from "./_recipe.ts";

const ID = "01h455vb4pex5vsknk084sn02q";
const NOWHERE = "ws://127.0.0.1:1/dwp";

/** Runs a command in real time, because its requests leave the process. */
function cli(args: readonly string[], options: CliOptions = {}) {
  return runnerCli(args, { clock: systemClock, ...options });
}

async function serve(options: DevServerOptions = {}) {
  const it = await connected({}, { clock: createVirtualClock(), ...options });
  const { url } = it.server;
  return {
    ...it,
    run: (args: readonly string[], more: CliOptions = {}) =>
      cli([...args, "--url", url, "--token", "demo-token"], more),
    [Symbol.asyncDispose]: () => it[Symbol.asyncDispose](),
  };
}

test("enqueue prints the job as rows, or as one line of JSON", async () => {
  await using it = await serve();
  const rows = await it.run(["enqueue", "noop", '{"a": 1}', "--queue", "q", "--priority", "7"]);
  assert.deepEqual([rows.code, rows.err], [0, ""]);
  assert.match(rows.out, /^job_id {2}job_\w{26}\nqueue {3}q\nstate {3}pending\n$/);
  const [job] = it.server.store.jobs();
  assert.deepEqual([job!.name, job!.payload, job!.queue, job!.priority], [
    "noop",
    {
      a: 1,
    },
    "q",
    7,
  ]);
  const json = await it.run(["enqueue", "noop", "--json"]);
  assert.match(json.out, /^\{"job_id":"job_\w{26}","queue":"default","state":"pending"\}\n$/);
  assert.equal(it.server.store.jobs()[1]!.payload, null);
});

test("--wait prints the final record; a job or run that fails ends with 1", async () => {
  await using it = await serve();
  const done = await it.run(["enqueue", "noop", "[1]", "--wait", "--json"]);
  assert.equal(done.code, 0);
  assert.deepEqual([JSON.parse(done.out).state, JSON.parse(done.out).payload], ["completed", [1]]);
  const failed = await it.run(["enqueue", "always-fails", "--wait", "--json"]);
  assert.equal(failed.code, 1);
  assert.equal(JSON.parse(failed.out).last_error, "boom");
  assert.match(failed.err, /^error: Job 'always-fails' \(job_\w+\) failed: boom\n$/);
  const run = await it.run(["start", "failing", "--wait", "--json"]);
  assert.deepEqual([run.code, JSON.parse(run.out).state], [1, "failed"]);
  const words = "enqueue noop --queue unread --wait --timeout 20s";
  const late = await it.run(words.split(" "), { clock: new FakeClock() });
  assert.deepEqual([late.code, late.out], [1, ""]);
  assert.match(
    late.err,
    /^error: Cannot wait for job .*: no end \(it is pending\) within \d+ ms\n$/,
  );
});

test("start, publish, timeline, get and wait follow a run", async () => {
  await using it = await serve({ clock: undefined });
  const started = await it.run(["start", "order-payment", '{"order_id": "ORD-7"}', "--json"]);
  const { run_id, ...rest } = JSON.parse(started.out);
  assert.deepEqual(rest, { name: "order-payment", state: "running" });
  const published = await it.run(["publish", "payment-received", '{"n": 1}', "--json"]);
  assert.deepEqual(Object.keys(JSON.parse(published.out)), ["event_id", "name"]);
  const ended = await it.run(["wait", run_id]);
  assert.equal(ended.code, 0, ended.err);
  assert.match(ended.out, /^state +completed$/m);
  const { out } = await it.run(["timeline", run_id, "--json"]);
  const steps = out.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(steps.map(({ step_name }) => step_name), [
    "reserve",
    "wait:payment-received",
    "ship",
  ]);
  assert.deepEqual(steps[1].data.payload, { n: 1 });
  const text = await it.run(["timeline", run_id]);
  assert.match(
    text.out,
    /^\S+Z {2}reserve\n\S+Z {2}wait:payment-received {2}\{.*\}\n\S+Z {2}ship\n$/,
  );
  const record = JSON.parse((await it.run(["get", run_id, "--json"])).out);
  assert.deepEqual([record.id, record.input], [run_id, { order_id: "ORD-7" }]);
});

test("get, wait and cancel take the id of a job", async () => {
  await using it = await serve();
  const { job_id } = await it.client.enqueue("noop", "x", { queue: "unread" });
  assert.match((await it.run(["get", job_id])).out, /^payload +x$/m);
  const cancelled = await it.run(["cancel", job_id, "--json"]);
  assert.equal(cancelled.out, `{"id":"${job_id}","cancelled":true}\n`);
  const waited = await it.run(["wait", job_id, "--json"]);
  assert.deepEqual([waited.code, JSON.parse(waited.out).state], [1, "cancelled"]);
  const unknown = await it.run(["get", `job_${ID}`]);
  assert.deepEqual([unknown.code, unknown.out], [1, ""]);
  assert.match(unknown.err, /^error: Cannot get job .* 404 /);
});

test("stats and call print what the server answers", async () => {
  await using it = await serve();
  const stats = await it.run(["stats"]);
  assert.match(stats.out, /^broker topic_count +\d+$/m);
  const json = JSON.parse((await it.run(["stats", "--json"])).out);
  assert.equal(json.connections, 0);
  const { job_id } = await it.client.enqueue("noop", { a: 1 }, { queue: "unread" });
  const pretty = await it.run(["call", "job.get", JSON.stringify({ job_id })]);
  assert.match(pretty.out, /^\{\n {2}"/);
  const line = await it.run(["call", "job.get", JSON.stringify({ job_id }), "--json"]);
  assert.deepEqual(JSON.parse(line.out), JSON.parse(pretty.out));
  assert.equal(atob(JSON.parse(line.out).payload), '{"a":1}');
  const missing = await it.run(["call", "job.list"]);
  assert.deepEqual([missing.code, missing.out], [3, ""]);
  assert.match(missing.err, /405/);
  assert.equal((await it.run(["call", "job.get", "{}"])).code, 1);
});

test("a payload comes from the argument, a file, or standard input", async () => {
  await using it = await serve();
  await withFiles({ "a.json": '\ufeff{"from": "file"}\n' }, async (directory) => {
    assert.equal((await it.run(["enqueue", "noop", `@${join(directory, "a.json")}`])).code, 0);
  });
  await it.run(["enqueue", "noop", "-"], { input: '{"from": "stdin"}' });
  await cli(["enqueue", "noop", "--url", it.server.url, "--", "-5"]);
  const payloads = it.server.store.jobs().map(({ payload }) => payload);
  assert.deepEqual(payloads, [{ from: "file" }, { from: "stdin" }, -5]);
});

test("a wrong command line ends with 2, and nothing is sent", async () => {
  const refused: [string[], RegExp][] = [
    [["enqueue"], /^error: enqueue needs NAME\n/],
    [["enqueue", ""], /^error: enqueue needs NAME\n/],
    [["enqueue", "noop", '{"a":', "1}"], /takes NAME \[JSON\]; quote a text that has spaces\n/],
    [
      ["enqueue", "noop", "{a: 1}"],
      /payload:1:2\n.*\n1 \| \{a: 1\}\n {2}\| {2}\^ a key needs double/,
    ],
    [["enqueue", "noop", "[1,]"], /payload:1:4\n[^]* \^ is there a comma too many\?\n/],
    [["enqueue", "noop", "hello"], /\^{5} a text needs double quotes\n/],
    [
      ["enqueue", "noop", "@none.json"],
      /^error: Cannot read payload 'none\.json': no such file\n$/,
    ],
    [["enqueue", "noop", "-"], /^error: Cannot read payload from standard input here\n/],
    [["enqueue", "noop", "--priority", "1.5"], /--priority must be a whole number of at least 0/],
    [["enqueue", "noop", "--qeue", "x"], /Unknown option --qeue; did you mean `--queue`\?/],
    [["start", "x", "[9007199254740993]"], /input:1:2\n[^]*\^{16} write it as text\n/],
    [["publish"], /^error: publish needs NAME\n/],
    [["get", "order-7"], /^error: 'order-7' is the id of neither a job .* nor a run \(wfrun_…\)\n/],
    [["wait"], /^error: wait needs ID\n/],
    [["wait", `job_${ID}`, "--timeout", "soon"], /--timeout must be a duration/],
    [["cancel", `wfrun_${ID}`], /servers do not cancel workflow runs\n/],
    [["timeline", `job_${ID}`], /^error: timeline takes the id of a workflow run\n/],
    [["stats", "now"], /^error: stats takes no argument\n/],
    [["call"], /^error: call needs METHOD\n/],
  ];
  for (const [args, reason] of refused) {
    const { code, out, err } = await cli([...args.slice(0, 1), "--url", NOWHERE, ...args.slice(1)]);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, reason);
  }
  const nowhere = await cli(["stats"]);
  assert.deepEqual([nowhere.code, nowhere.out], [2, ""]);
  assert.match(nowhere.err, /^error: No server: set --url or DISPATCH_URL\n/);
  assert.equal((await cli(["stats", "--url", "nope"])).code, 2);
});

test("no answer and no permission end with 3, a refusal with 1", async () => {
  await using it = await serve();
  assert.equal((await cli(["stats", "--url", NOWHERE])).code, 3);
  assert.equal((await cli(["stats", "--url", it.server.url, "--token", "wrong"])).code, 3);
  const refused = await it.run(["start", "no-such-workflow"]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /no workflow registered for "no-such-workflow"\nthe server has batch-/);
  await using silent = await createScriptedServer(async (peer) => {
    await peer.next();
  });
  const late = await runnerCli(["enqueue", "noop", "--timeout", "20s", "--url", silent.url]);
  assert.equal(late.code, 3);
  assert.match(late.err, /The server may have done it: look before you try again\.\n$/);
});

test("the environment names the server and the token; the token is masked", async () => {
  await using it = await serve();
  const env = { DISPATCH_URL: it.server.url, DISPATCH_TOKEN: "demo-token" };
  const { code, out } = await cli(["enqueue", "noop", '"demo-token"', "--wait"], { env });
  assert.equal(code, 0);
  assert.match(out, /^payload +\*\*\*$/m);
});

test("an interruption ends with 130, and says how to go on waiting", async () => {
  await using it = await serve();
  const { job_id } = await it.client.enqueue("noop", {}, { queue: "unread" });
  const stop = new AbortController();
  const waiting = it.run(["wait", job_id], { signal: stop.signal });
  await it.client.stats();
  stop.abort(new InterruptedError("SIGINT"));
  const { code, err } = await waiting;
  assert.equal(code, 130);
  assert.match(err, /Interrupted by SIGINT\n$/);
});

test("JSON is read like JSON.parse does, and each mistake has a place", () => {
  const texts = ["{}", " [ ] ", '{"a":[1,-0.5e3,true,null,"\\u00e9\\n"]}', '""', "0", "[[[]]]"];
  for (const text of texts) assert.equal(findJsonFault(text), undefined, text);
  const wrong = [
    "",
    " ",
    "{",
    "[1",
    "[1 2]",
    '{"a"}',
    '{"a":}',
    "01",
    "1.",
    "+1",
    "nul",
    "'a'",
    '"\n"',
    '"\\x"',
    "[,]",
    "{,}",
    "1 2",
    '{"a":1,}',
    "]",
    '{"a" 1}',
    "NaN",
    "[}",
    "{]",
    "tru e",
    "\u00a01",
  ];
  for (const text of wrong) {
    assert.throws(() => JSON.parse(text), SyntaxError);
    const fault = findJsonFault(text);
    assert.ok(fault && fault.start <= text.length && fault.end > fault.start, text);
  }
  assert.equal(findJsonFault("[".repeat(101))!.message, "it is nested too deep");
});

test("results can be read by jq, and a reader that leaves is no error", async () => {
  await using it = await serve();
  const env = { DISPATCH_URL: it.server.url, DISPATCH_TOKEN: "demo-token" };
  const pipe = async (line: string) => {
    const child = new RunnerProcess([], env, [
      "sh",
      "-c",
      line.replaceAll("dispatch", runtimeCommand()),
    ]);
    return { code: await child.exit(), output: child.output };
  };
  if (spawnSync("jq", ["--version"]).status === 0) {
    const read = await pipe(
      `dispatch enqueue noop '{"a": 2}' --wait --json | jq -c '[.state, .payload.a]'`,
    );
    assert.deepEqual(read, { code: 0, output: '["completed",2]\n' });
    const written = await pipe(
      `echo '{"mail": {"n": 3}}' | jq .mail | dispatch enqueue noop - --wait --json`,
    );
    assert.deepEqual([written.code, JSON.parse(written.output).payload], [0, { n: 3 }]);
  }
  const closed = await pipe(
    "set -e; dispatch stats --json | true; dispatch stats >/dev/full || echo code $?",
  );
  assert.match(closed.output, /cannot write to standard output: no space left.*\ncode 3\n$/);
});
