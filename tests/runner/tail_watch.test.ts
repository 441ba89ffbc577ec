import assert from "node:assert/strict";
import { test } from "node:test";
import { createFaultProxy } from "../../testing/mod.ts";
import { runRows } from "../../runner/cli/calls/entity_rows.ts";
import { LivePicture } from "../../runner/cli/calls/live_picture.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { systemClock } from "../../runtime/clock.ts";
import { eventually } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { connected } from "../helpers/server.ts";
import { Screen } from "../report/_screen.ts";
import { type CliOptions, type CliResult, runnerCli } from "./_cli.ts";
import { RunnerProcess, runtimeCommand } from "./_process.ts";

const NOWHERE = "ws://127.0.0.1:1/dwp";

async function serve() {
  const it = await connected();
  const { url } = it.server;
  const to = (url: string) => ["--url", url, "--token", "demo-token"];
  return {
    ...it,
    run: (args: readonly string[], options: CliOptions = {}, at = url) =>
      runnerCli([...args, ...to(at)], { clock: systemClock, ...options }),
    /** Resolves when somebody is subscribed. */
    subscribed: () => eventually(async () => (await it.client.stats()).broker.topic_count > 0),
    [Symbol.asyncDispose]: () => it[Symbol.asyncDispose](),
  };
}

test("tail prints events in lines, or as JSON, and ends after --count", async () => {
  await using it = await serve();
  const text = it.run(["tail", "--count", "3"]);
  await it.subscribed();
  const job = await it.client.enqueue("noop", {});
  const { code, out, err } = await text;
  assert.deepEqual([code, err], [0, ""]);
  const [first, ...rest] = out.trimEnd().split("\n");
  assert.match(first!, new RegExp(`^\\d{4}-.*\\.\\d{3}Z  job\\.enqueued  noop  ${job.job_id}$`));
  assert.equal(rest.length, 2);
  const where = 'event.type == "job.completed" && event.data.job_name == "noop"';
  const json = it.run(["tail", "jobs", "--json", "--where", where, "--count", "1"]);
  await it.subscribed();
  const other = await it.client.enqueue("noop", {});
  const event = JSON.parse((await json).out);
  assert.deepEqual([event.type, event.data.job_id], ["job.completed", other.job_id]);
});

test("tail ends when its time is over: with 1 if there were fewer events than --count", async () => {
  await using it = await serve();
  // Most events have no such field, and then do not meet the condition.
  const where = ["--where", "event.data.attempt > 5"];
  const args = ["tail", "--timeout", "5s"];
  const few = it.run([...args, ...where, "--count", "1"], { clock: new FakeClock() });
  await it.subscribed();
  await it.client.enqueue("noop", {});
  const { code, out } = await few;
  assert.deepEqual([code, out], [1, ""]);
  assert.equal((await it.run(args, { clock: new FakeClock() })).code, 0);
});

test("tail goes on after a lost connection, and shows the gap", async () => {
  await using it = await serve();
  await using proxy = await createFaultProxy({ target: it.server.url });
  const clock = new FakeClock();
  const enqueue = () => void it.client.enqueue("noop", {}, { queue: "unread" });
  const running = it.run(["tail", "jobs", "--json", "--count", "2"], {
    clock,
    onOut: (text) => {
      if (!text.includes("gap")) proxy.cut();
    },
    onErr: (text) => {
      if (text.startsWith("Connected again")) setTimeout(enqueue, 20);
    },
  }, proxy.url);
  await it.subscribed();
  enqueue();
  const { code, out, err } = await running;
  assert.equal(code, 0);
  const types = out.trim().split("\n").map((line) => JSON.parse(line)).map(({ type, reason }) =>
    reason ?? type
  );
  assert.deepEqual(types, ["job.enqueued", "reconnect", "job.enqueued"]);
  assert.match(err, /^The connection was lost: .*\nConnected again\n/);
});

test("tail ends when nobody reads it any more, and with 130 when it is interrupted", async () => {
  await using it = await serve();
  const env = { DISPATCH_URL: it.server.url, DISPATCH_TOKEN: "demo-token" };
  const line = `${runtimeCommand()} tail --json | head -1; echo done`;
  const child = new RunnerProcess([], env, ["sh", "-c", line]);
  await it.subscribed();
  let isOver = false;
  const exit = child.exit().finally(() => isOver = true);
  // The runner sees that its reader has gone when it writes.
  while (!isOver) {
    await it.client.enqueue("noop", {});
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(await exit, 0);
  assert.match(child.output, /^\{"type":"job\.enqueued",.*\}\ndone\n$/);
  const stop = new AbortController();
  const tailing = it.run(["tail"], { signal: stop.signal });
  await it.subscribed();
  stop.abort(new InterruptedError("SIGINT"));
  assert.deepEqual((await tailing).code, 130);
});

test("a wrong channel, condition or id ends with 2, and nothing is sent", async () => {
  const refused: [string[], RegExp][] = [
    [["tail", "jbos"], /^error: 'jbos' is not a channel; did you mean `jobs`\?\n/],
    [["tail", "--where", 'event.tpye == "x"'], /--where:1:7\n[^]*\^{4} did you mean `type`\?\n/],
    [["tail", "--where", "event.type = 1"], /--where:1:12\n[^]*\^ use `==` to compare\n/],
    [["tail", "--where", "evnt.ts == 1"], /unknown name `evnt`\n/],
    [["tail", "--where", "event.type"], /`--where` must be true or false, not text\n/],
    [["tail", "--where", " "], /there is no expression in `--where`\n/],
    [["tail", "--count", "0"], /--count must be a whole number of at least 1/],
    [["watch", "x"], /'x' is the id of neither/],
    [["watch"], /watch needs ID\n/],
  ];
  for (const [args, reason] of refused) {
    const { code, out, err } = await runnerCli([...args, "--url", NOWHERE]);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, reason);
  }
});

test("watch prints a line for each event, from the first one on", async () => {
  await using it = await serve();
  const run = await it.client.startWorkflow("order-pipeline", { order_id: "A", items: [] });
  await run.wait();
  const { code, out } = await it.run(["watch", run.run_id]);
  assert.equal(code, 0);
  const types = out.trimEnd().split("\n").map((line) => line.split("  ")[1]);
  assert.deepEqual(types, [
    "workflow.started",
    ...Array(3).fill("workflow.step_completed"),
    "workflow.completed",
  ]);
  const failing = await it.client.startWorkflow("failing", {});
  const watched = await it.run(["watch", failing.run_id, "--json"]);
  assert.equal(watched.code, 1);
  const events = watched.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([events[0].type, events.at(-1).type], ["workflow.started", "workflow.failed"]);
  assert.match(watched.err, /^error: Run of 'failing' \(wfrun_\w+\) failed: .*step b exploded\n$/);
  const never = await it.client.enqueue("noop", {}, { queue: "unread" });
  const late = await it.run(["watch", never.job_id, "--timeout", "5s"], { clock: new FakeClock() });
  assert.deepEqual([late.code, late.err], [1, `error: ${never.job_id} has not ended in time\n`]);
  assert.equal((await it.run(["watch", "wfrun_01h455vb4pex5vsknk084sn02q"])).code, 1);
});

test("watch draws the steps and their times on a terminal, and leaves the last picture", async () => {
  await using it = await serve();
  const screen = new Screen();
  const drawn = async (id: string): Promise<CliResult> => {
    return await it.run(["watch", id], {
      terminal: true,
      onOut: (text) => screen.write(text),
    });
  };
  const run = await it.client.startWorkflow("order-payment", { order_id: "A" });
  const watching = drawn(run.run_id);
  await eventually(async () => (await screen.all()).some((line) => /✓ reserve/.test(line)));
  await it.client.publishEvent("payment-received", {});
  const { code, err } = await watching;
  assert.deepEqual([code, err], [0, ""]);
  const lines = (await screen.all()).filter((line) => line !== "");
  assert.equal(lines[0], `order-payment  ${run.run_id}`);
  assert.deepEqual(lines.slice(1).map((line) => line.trim().split(/\s+/).slice(0, 2).join(" ")), [
    "✓ reserve",
    "✓ wait:payment-received",
    "✓ ship",
    "✓ completed",
  ]);
  assert.ok(screen.cursor && screen.wraps);
  const failing = await it.client.enqueue("always-fails", {});
  assert.equal((await drawn(failing.job_id)).code, 1);
  assert.match((await screen.all()).join("\n"), /^ {2}✗ dlq +.* boom$[^]*^ {2}✗ failed /m);
});

test("the picture keeps the newest rows where there is no room, and its texts are harmless", () => {
  const screen = new Screen({ columns: 40, rows: 6 });
  const rows = Array.from(
    { length: 9 },
    (_, i) => ({ label: `step ${i}\u001b[31m`, ms: i, ok: true }),
  );
  using picture = new LivePicture(screen, new FakeClock(), "a title");
  picture.show({ title: "a title", rows, state: "running", ok: undefined });
  picture[Symbol.dispose]();
  // deno-lint-ignore no-control-regex -- The test is about control characters.
  assert.doesNotMatch(screen.writes.join(""), /\u001b\[31m/);
  assert.equal(screen.cursor, true);
});

test("a run's rows are its checkpoints and failed steps, in order, each with its time", () => {
  const at = (ms: number) => new Date(ms).toISOString();
  const data = { run_id: "wfrun_1", name: "w" };
  const event = (type: string, ms: number, more: object) => ({
    type,
    ts: at(ms),
    topic: "",
    data: { ...data, ...more },
  });
  const rows = runRows(
    [
      event("workflow.started", 1000, {}),
      event("workflow.step_completed", 1030, { step_name: "a", elapsed_ms: 20 }),
      event("workflow.step_failed", 3000, { step_name: "b", error: "broke" }),
    ] as Parameters<typeof runRows>[0],
    [
      { step_name: "a", created_at: at(1030) },
      { step_name: "sleep:nap", created_at: at(2530) },
    ],
  );
  assert.deepEqual(rows.map(({ label, ms, ok }) => [label, ms, ok]), [
    ["a", 20, true],
    ["sleep:nap", 1500, true],
    ["b", 470, false],
  ]);
});
