import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import type { Gap, RunEvent } from "../../mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { Recorder } from "../helpers/recorder.ts";
import { connected } from "../helpers/server.ts";

function nameOf(event: RunEvent | Gap): string {
  return event.type !== "gap" && "step_name" in event.data
    ? `${event.type} ${event.data.step_name}`
    : event.type;
}

const PAYMENT = [
  "workflow.started",
  "workflow.step_completed reserve",
  "workflow.step_completed ship",
  "workflow.completed",
];

test("starts, watches and publishes on one client", async () => {
  await using it = await connected();
  const { client } = it;
  const run = await within(client.startWorkflow("order-payment", { order_id: "7" }), "the start");
  const seen: string[] = [];
  const flow = async () => {
    for await (const event of client.watch(run.run_id)) {
      seen.push(nameOf(event));
      if (seen.at(-1) === "workflow.step_completed reserve") {
        await client.publishEvent("payment-received", { order_id: "7", amount: 1 });
      }
    }
  };
  await within(flow(), "the flow");
  assert.deepEqual(seen, PAYMENT);
  assert.equal((await within(run.wait(), "the run")).state, "completed");
});

for (const count of [20, 100]) {
  test(`finds the run of each of ${count} starts with the same name and input while the runs wait`, async () => {
    await using it = await connected({}, { quirks: "default" });
    const { client } = it;
    const input = { order_id: "the same" };
    const runs = await within(
      Promise.all(
        Array.from({ length: count }, () => client.startWorkflow("order-payment", input)),
      ),
      "the starts",
    );
    assert.equal(new Set(runs.map(({ run_id }) => run_id)).size, count);
    const records = await Promise.all(runs.map((run) => run.get()));
    assert.deepEqual([...new Set(records.map(({ state }) => state))], ["running"]);
    assert(records.every((record) => record.name === "order-payment"));
    for (let i = 0; i < count; i++) await client.publishEvent("payment-received", { i });
    const ended = await within(Promise.all(runs.map((run) => run.wait())), "the runs", 20_000);
    assert.deepEqual([...new Set(ended.map(({ state }) => state))], ["completed"]);
    for (const run of runs) {
      const events = await within(Array.fromAsync(run.events()), "events");
      assert.deepEqual(events.map(nameOf), PAYMENT);
    }
  });
}

/** Creates sockets that record the input of each `workflow.start`, as its text. */
function recordInputs(inputs: string[]): (url: string) => WebSocket {
  return (url) => {
    const socket = new WebSocket(url);
    const send = socket.send.bind(socket);
    socket.send = (message) => {
      const [, input] = /"workflow\.start".*"input":(.*)\}\}$/s.exec(String(message)) ?? [];
      if (input !== undefined) inputs.push(input);
      send(message);
    };
    return socket;
  };
}

test("clients that start the same workflow at once each get their own runs", async () => {
  await using it = await connected();
  const owners = await Promise.all([1, 2, 3].map(async () => {
    const inputs: string[] = [];
    return { inputs, client: await it.connect({ webSocket: recordInputs(inputs) }) };
  }));
  const starts = owners.flatMap(({ client, inputs }) =>
    Array.from({ length: 10 }, async (_, i) => {
      const run = await client.startWorkflow("sleeper", { ms: 30, i });
      const record = await run.wait();
      assert.equal(record.id, run.run_id);
      assert.deepEqual(record.input, { ms: 30, i });
      const { input } = await client.call("workflow.get", { run_id: run.run_id }) as {
        input: string;
      };
      assert(inputs.includes(atob(input)), "the run was started by another client");
      return run.run_id;
    })
  );
  const ids = await within(Promise.all(starts), "the runs");
  assert.equal(new Set(ids).size, 30);
});

const INPUTS: Record<string, unknown> = {
  "an object": { order_id: "x", items: [{ a: null }] },
  "an empty object": {},
  "an array": [1, "two", { three: 3 }],
  "an empty array": [],
  "a string": "text",
  "an empty string": "",
  "a string that looks like JSON": '{"order_id":"x"}',
  "a number": 42.5,
  "true": true,
  "null": null,
  "nested Unicode": { "ключ": { "值": ["🎉", "\u0000\u2028\ud83d\ude00", 'quote " and \\'] } },
};

for (const [name, input] of Object.entries(INPUTS)) {
  test(`passes ${name} unchanged through jobs, runs and events`, async () => {
    await using it = await connected();
    const { client } = it;
    const job = await client.enqueue("noop", input);
    assert.deepEqual((await within(job.wait(), "the job")).payload, input);
    const run = await within(client.startWorkflow("failing", input), "the start");
    assert.equal((await within(run.wait().catch((error) => error.run), "the run")).id, run.run_id);
    assert.deepEqual((await run.get()).input, input);
    const { event_id } = await client.publishEvent("payment-received", input);
    const payment = await client.startWorkflow("order-payment", { order_id: "1" });
    await within(payment.wait(), "the run");
    const taken = (await payment.timeline())
      .find(({ step_name }) => step_name === "wait:payment-received")?.data as {
        id: string;
        payload: unknown;
      };
    assert.equal(taken.id, event_id);
    assert.deepEqual(taken.payload, input);
  });
}

test("finds the run of each start even if the input cannot be marked", async () => {
  await using it = await connected();
  const runs = await within(
    Promise.all(Array.from({ length: 10 }, () => it.client.startWorkflow("failing", "same"))),
    "the starts",
  );
  assert.equal(new Set(runs.map(({ run_id }) => run_id)).size, 10);
});

test("watch reads the past of a run that another client started", async () => {
  await using it = await connected();
  const run = await it.client.startWorkflow("order-pipeline", { order_id: "1", items: ["a"] });
  await run.wait();
  const other = await it.connect();
  const events = await within(Array.fromAsync(other.watch(run.run_id)), "watching");
  assert.deepEqual(events.map(nameOf), [
    "workflow.started",
    "workflow.step_completed validate",
    "workflow.step_completed calculate-total",
    "workflow.step_completed send-confirmation",
    "workflow.completed",
  ]);
});

test("watch puts a gap where a failed run's failed step is unknown", async () => {
  await using it = await connected();
  const run = await it.client.startWorkflow("failing", {});
  await assert.rejects(within(run.wait(), "the run"));
  const other = await it.connect();
  const events = await within(Array.fromAsync(other.watch(run.run_id)), "watching");
  assert.deepEqual(events.map(nameOf).filter((name) => name !== "gap"), [
    "workflow.started",
    "workflow.step_completed a",
    "workflow.step_completed compensate:a",
    "workflow.failed",
  ]);
  assert.equal(events.filter(({ type }) => type === "gap").length, 1);
  const [last] = events.slice(-1);
  assert(last?.type === "workflow.failed");
  assert.equal(last.data.error, `workflow failing step "b": step b exploded`);
});

test("watch joins a running run without missing or repeating an event", async () => {
  await using it = await connected();
  const other = await it.connect();
  for (let round = 0; round < 10; round++) {
    const run = await it.client.startWorkflow("order-payment", { order_id: `${round}` });
    const seen = new Recorder(other.watch(run.run_id));
    if (round % 2 === 0) await eventually(() => seen.items.length >= 2);
    await it.client.publishEvent("payment-received", {});
    await within(seen.over, "watching");
    assert.deepEqual(seen.items.map(nameOf), PAYMENT);
    await run.wait();
  }
});

test("all readers and waiters of a run get everything", async () => {
  await using it = await connected();
  const run = await it.client.startWorkflow("order-payment", { order_id: "1" });
  const readers = [run.events(), run.events(), it.client.watch(run.run_id)]
    .map((events) => new Recorder(events));
  const [left] = [run.events()];
  await left!.next();
  await left!.return!();
  const waits = [run.wait(), run.wait(), it.client.run(run.run_id).wait()];
  await it.client.publishEvent("payment-received");
  for (const reader of readers) {
    await within(reader.over, "a reader");
    assert.deepEqual(reader.items.map(nameOf), PAYMENT);
  }
  for (const wait of waits) assert.equal((await within(wait, "a wait")).id, run.run_id);
});

test("watch rejects with 400 for a malformed id", async () => {
  await using it = await connected();
  const watch = new Recorder(it.client.watch("no-id"));
  await within(watch.over, "watching");
  assert.equal((watch.error as { code?: unknown }).code, 400);
});

test("enqueueMany returns the jobs in the order of the payloads", async () => {
  await using it = await connected();
  const payloads = Array.from({ length: 300 }, (_, i) => ({ number: i }));
  function* lazily() {
    yield* payloads;
  }
  const jobs = await within(it.client.enqueueMany("noop", lazily()), "enqueueing");
  const records = await Promise.all(jobs.map((job) => job.get()));
  assert.deepEqual(records.map(({ payload }) => payload), payloads);
  assert.deepEqual(await it.client.enqueueMany("noop", []), []);
});

test("shows what a handle knows in `JSON.stringify`, a spread and the console", async () => {
  await using it = await connected();
  const job = await it.client.enqueue("noop", {});
  const { job_id } = job;
  const ended = { job_id, queue: "default", state: "completed" };
  assert.deepEqual({ ...job }, { ...ended, state: "pending" });
  await within(job.wait(), "the job");
  assert.deepEqual({ ...job }, ended);
  assert.deepEqual(JSON.parse(JSON.stringify(job)), ended);
  assert.match(inspect(job), /state: ['"]completed['"]/);

  const run = await it.client.startWorkflow("failing", {});
  await assert.rejects(within(run.wait(), "the run"));
  const { run_id } = run;
  assert.deepEqual({ ...run }, { run_id, name: "failing", state: "failed" });
  assert.equal(JSON.parse(JSON.stringify(run)).state, "failed");
  assert.match(inspect(run), /state: ['"]failed['"]/);
});
