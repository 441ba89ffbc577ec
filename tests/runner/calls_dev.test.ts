import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const DEV = pathToFileURL(join(process.cwd(), "dev/mod.ts")).href;

const FILE = `import { defineJob, defineWorkflow } from ${JSON.stringify(DEV)};
const text = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => typeof value === "string" ? { value } : { issues: [{ message: "no text" }] },
  },
};
export const mail = defineJob("mail", { payload: text, queue: "mails" }, (to, { log }) => {
  log("to " + to);
  if (to === "bad") throw new Error("no such address");
});
export const order = defineWorkflow("order", async (wf) => {
  const paid = await wf.waitForEvent("paid", "5m");
  await wf.sleep("night", "24h");
  await wf.step("ship", () => {});
  if (!paid) throw new Error("payment timed out");
  return paid.payload;
});
export const stuck = defineWorkflow("stuck", async (wf) => { await wf.sleep("long", "1h"); });
`;

/** Runs a call with `--dev`. */
async function call(...words: string[]): ReturnType<typeof runnerCli> {
  return await withFiles({ "jobs.ts": FILE }, async (directory) => {
    return await runnerCli([...words, "--dev", join(directory, "jobs.ts")]);
  });
}

test("enqueue --dev runs a job of the file, and prints its record when it has ended", async () => {
  const done = await call("enqueue", "mail", '"me"', "--priority", "3", "--json");
  const { name, state, payload, queue, priority } = JSON.parse(done.out);
  assert.deepEqual([name, state, payload, queue, priority], [
    "mail",
    "completed",
    "me",
    "mails",
    3,
  ]);
  assert.equal(done.code, 0);
  assert.match(done.err, /^mail job_\w+: to me\n$/);
  const failed = await call("enqueue", "mail", '"bad"', "--clock", "virtual", "--json");
  assert.equal(failed.code, 1);
  const { state: end, retry_count } = JSON.parse(failed.out);
  assert.deepEqual([end, retry_count], ["failed", 4]);
  assert.match(failed.err, /\nerror: Job 'mail' \(job_\w+\) failed: no such address\n$/);
});

test("start --dev publishes events to the run, and takes no time in virtual time", async () => {
  const paid = ["--publish", 'paid={"by":"card"}'];
  const done = await call("start", "order", "{}", ...paid, "--clock", "virtual", "--json");
  assert.deepEqual([done.code, JSON.parse(done.out).state], [0, "completed"], done.err);
  const unpaid = await call("start", "order", "{}", "--clock", "virtual", "--json");
  assert.deepEqual([unpaid.code, JSON.parse(unpaid.out).error], [1, "payment timed out"]);
  const late = await call("start", "stuck", "--timeout", "20m", "--clock", "virtual");
  assert.equal(late.code, 1);
  assert.match(late.err, /no end \(it is running\) within 1200000 ms\n$/);
});

test("names, queues and payloads that the file does not know end with 2, and nothing runs", async () => {
  const wrong: [string[], RegExp][] = [
    [["enqueue", "mial"], /jobs\.ts` has no job `mial`; did you mean `mail`\?\n/],
    [["enqueue", "mail", "7"], /^error: `mail` refuses this payload: no text\n/],
    [["enqueue", "mail", '"a"', "--queue", "x"], /no worker reads queue `x`; the workers of/],
    [["start", "mail"], /has no workflow `mail`; it is a job: use `enqueue`\n/],
    [["start", "order", "--publish", "piad={}"], /waits for event `piad`; did you mean `paid`\?\n/],
    [["record", "order", "--publish", "piad"], /waits for event `piad`; did you mean `paid`\?\n/],
    [["start", "order", "--publish", "=1"], /^error: --publish takes NAME or NAME=JSON\n/],
    [["enqueue", "mail", "--from", "a.csv"], /^error: --from needs a server that goes on: /],
  ];
  for (const [words, problem] of wrong) {
    const { code, out, err } = await call(...words);
    assert.deepEqual([code, out], [2, ""], err);
    assert.match(err, problem);
    assert.doesNotMatch(err, /: to /);
  }
});

test("what needs --dev says so", async () => {
  const url = ["--url", "ws://127.0.0.1:1/dwp"];
  for (
    const [words, problem] of [
      [["start", "order", "--publish", "paid", ...url], /^error: --publish goes with --dev; /],
      [["enqueue", "mail", "--clock", "virtual"], /^error: --clock virtual goes with --dev\n/],
      [["start", "order"], /^error: No server: set --url or DISPATCH_URL, or use --dev FILE\n/],
      [["get", "job_1"], /^error: No server: set --url or DISPATCH_URL\n/],
    ] as const
  ) {
    const { code, err } = await runnerCli([...words]);
    assert.equal(code, 2);
    assert.match(err, problem);
  }
});
