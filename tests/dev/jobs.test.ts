import assert from "node:assert/strict";
import { test } from "node:test";
import {
  constantBackoff,
  createDevServer,
  createVirtualClock,
  defineJob,
  type DevServerOptions,
} from "../../dev/mod.ts";
import { Wire } from "./wire.ts";

async function serve(options: DevServerOptions) {
  const server = await createDevServer({
    clock: "virtual",
    backoff: constantBackoff(50),
    ...options,
  });
  const wire = await Wire.connect(server.url);
  await wire.call("subscribe", { channel: "jobs" });
  return {
    server,
    wire,
    enqueue: async (name: string, more: object = {}): Promise<string> =>
      (await wire.call("job.enqueue", { name, payload: {}, ...more })).job_id,
    get: (job_id: string) => wire.call("job.get", { job_id }),
    [Symbol.asyncDispose]: async () => {
      await wire[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

test("a job that always fails is retried three times, then becomes a dead letter", async () => {
  const attempts: number[] = [];
  await using it = await serve({
    jobs: [defineJob("bad", (_payload, { attempt }) => {
      attempts.push(attempt);
      throw new Error(`no ${attempt}`);
    })],
  });
  const id = await it.enqueue("bad");
  const events = await it.wire.eventsTo("job.dlq", ({ type, data }) => [
    type,
    data.attempt,
    data.error,
  ]);
  assert.deepEqual(events, [
    ["job.enqueued", undefined, undefined],
    ["job.started", undefined, undefined],
    ["job.retrying", 1, undefined],
    ["job.started", undefined, undefined],
    ["job.retrying", 2, undefined],
    ["job.started", undefined, undefined],
    ["job.retrying", 3, undefined],
    ["job.started", undefined, undefined],
    ["job.failed", undefined, "no 4"],
    ["job.dlq", undefined, "no 4"],
  ]);
  assert.deepEqual(attempts, [1, 2, 3, 4]);
  const job = await it.get(id);
  assert.deepEqual([job.state, job.retry_count, job.last_error, job.completed_at], [
    "failed",
    4,
    "no 4",
    undefined,
  ]);
  const [letter] = it.server.store.deadLetters();
  assert.deepEqual([letter!.job_id, letter!.error], [id, "no 4"]);
});

test("a retry waits for the backoff, and next_run_at has whole seconds", async () => {
  const clock = createVirtualClock({ start: "2026-05-01T00:00:00.900Z", autoSkip: false });
  await using it = await serve({
    clock,
    backoff: (attempt) => attempt * 1000,
    jobs: [defineJob("once", (_payload, { attempt }) => {
      if (attempt === 1) throw new Error("not yet");
    })],
  });
  const id = await it.enqueue("once");
  assert.equal((await it.wire.event("job.retrying")).data.next_run_at, "2026-05-01T00:00:01Z");
  await clock.advance(999);
  assert.equal((await it.get(id)).state, "retrying");
  await clock.advance(1);
  await it.wire.event("job.completed");
  const job = await it.get(id);
  assert.equal(job.last_error, "not yet", "the last error stays");
  assert.equal(job.run_at, "2026-05-01T00:00:01.900Z");
});

test("the job with the highest priority runs first, then the oldest", async () => {
  const order: unknown[] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => open = resolve);
  await using it = await serve({
    concurrency: 1,
    jobs: [defineJob("gate", () => gate), defineJob("record", (n) => void order.push(n))],
  });
  await it.enqueue("gate");
  await it.wire.event("job.started");
  for (const [payload, priority] of [[0, 0], [1, 5], [2, 0], [3, 10], [4, -3], [5, 5]] as const) {
    await it.enqueue("record", { payload, priority });
  }
  open();
  for (let done = 0; done < 7; done++) await it.wire.event("job.completed");
  assert.deepEqual(order, [3, 1, 5, 0, 2, 4]);
});

test("limits how many jobs run at a time, in total and per queue", async () => {
  const running = { all: 0, slow: 0 };
  const most = { all: 0, slow: 0 };
  const work = (queue: "fast" | "slow") =>
    defineJob(queue, { queue }, async (_payload, { sleep }) => {
      const counted: ("all" | "slow")[] = queue === "slow" ? ["all", "slow"] : ["all"];
      for (const count of counted) most[count] = Math.max(most[count], ++running[count]);
      await sleep(10);
      for (const count of counted) running[count]--;
    });
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({
    clock,
    concurrency: 5,
    queues: { fast: Infinity, slow: 2 },
    jobs: [work("fast"), work("slow")],
  });
  for (let i = 0; i < 6; i++) await it.enqueue("slow");
  for (let i = 0; i < 9; i++) await it.enqueue("fast");
  await clock.advance("1s");
  for (let done = 0; done < 15; done++) await it.wire.event("job.completed");
  assert.deepEqual(most, { all: 5, slow: 2 });
});

test("a job in a queue that no worker reads stays pending and can be cancelled", async () => {
  await using it = await serve({ jobs: [defineJob("noop", () => {})] });
  const id = await it.enqueue("noop", { queue: "nobody" });
  assert.equal((await it.get(id)).state, "pending");
  assert.deepEqual(await it.wire.call("job.cancel", { job_id: id }), { status: "cancelled" });
  assert.equal((await it.get(id)).state, "cancelled");
});

test("cancelling a running job does not stop it, and its completion overwrites the state", async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => open = resolve);
  await using it = await serve({ jobs: [defineJob("gate", () => gate)] });
  const id = await it.enqueue("gate");
  await it.wire.event("job.started");
  await it.wire.call("job.cancel", { job_id: id });
  assert.equal((await it.get(id)).state, "cancelled");
  open();
  await it.wire.event("job.completed");
  assert.equal((await it.get(id)).state, "completed");
  await it.wire.call("job.cancel", { job_id: id });
  const job = await it.get(id);
  assert.deepEqual([job.state, typeof job.completed_at], ["cancelled", "string"]);
});

test("a job cancelled while it waits for a retry does not run again", async () => {
  const clock = createVirtualClock({ autoSkip: false });
  let attempts = 0;
  await using it = await serve({
    clock,
    jobs: [defineJob("bad", () => {
      attempts++;
      throw new Error("no");
    })],
  });
  const id = await it.enqueue("bad");
  await it.wire.event("job.retrying");
  await it.wire.call("job.cancel", { job_id: id });
  await clock.advance("1h");
  assert.equal(attempts, 1);
  assert.equal((await it.get(id)).state, "cancelled");
});

test("a job without a handler stays running, and starts again every 30 to 60 seconds", async () => {
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({ clock });
  const id = await it.enqueue("ghost");
  const first = await it.wire.event("job.started");
  await clock.advance("31s");
  assert.equal((await it.get(id)).state, "running");
  assert.equal(it.wire.frames.filter((frame) => frame.type === "event").length, 1);
  await clock.advance("30s");
  const second = await it.wire.event("job.started");
  assert.equal(first.data.job_id, second.data.job_id);
  const job = await it.get(id);
  assert.deepEqual([job.state, job.retry_count], ["running", 0]);
});

test("a job's timeout aborts its signal, and the attempt fails", async () => {
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({
    clock,
    jobs: [defineJob("long", { timeout: "2s", maxRetries: 0 }, async (_, { sleep }) => {
      await sleep("1h");
    })],
  });
  const id = await it.enqueue("long");
  await it.wire.event("job.started");
  await clock.advance("2s");
  assert.equal((await it.wire.event("job.failed")).data.error, "context deadline exceeded");
  assert.equal((await it.get(id)).timeout, 2_000_000_000);
});

test("a running job has a heartbeat every 10 seconds", async () => {
  const clock = createVirtualClock({ autoSkip: false });
  await using it = await serve({
    clock,
    jobs: [defineJob("long", (_, { sleep }) => sleep("30s"))],
  });
  const id = await it.enqueue("long");
  await it.wire.event("job.started");
  assert.equal((await it.get(id)).heartbeat_at, undefined);
  await clock.advance("25s");
  assert.equal((await it.get(id)).heartbeat_at, "2026-01-01T00:00:20.000Z");
  await clock.advance("5s");
  assert.equal((await it.get(id)).heartbeat_at, undefined);
});

test("an invalid payload fails the attempt with the schema's message", async () => {
  const to = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) =>
        typeof (value as { to?: unknown }).to === "string"
          ? { value: (value as { to: string }).to.toUpperCase() }
          : { issues: [{ message: "expected text", path: ["to"] }] },
    },
  };
  const received: unknown[] = [];
  await using it = await serve({
    jobs: [defineJob("mail", { payload: to, maxRetries: 0 }, (mail) => void received.push(mail))],
  });
  await it.enqueue("mail", { payload: { to: "a" } });
  await it.wire.event("job.completed");
  assert.deepEqual(received, ["A"], "the handler receives the schema's output");
  await it.enqueue("mail", { payload: { to: 5 } });
  const message = 'unmarshal payload for job "mail": to: expected text';
  assert.equal((await it.wire.event("job.failed")).data.error, message);
});

test("the message of any thrown value becomes the job's error", async () => {
  const thrown: unknown[] = [new TypeError("bad type"), "text", undefined, new RangeError("")];
  await using it = await serve({
    jobs: [defineJob("throw", { maxRetries: 0 }, (index: number) => {
      throw thrown[index];
    })],
  });
  const errors: string[] = [];
  for (let payload = 0; payload < thrown.length; payload++) {
    await it.enqueue("throw", { payload });
    errors.push((await it.wire.event("job.failed")).data.error);
  }
  assert.deepEqual(errors, ["bad type", "text", "undefined", "RangeError"]);
});

test("the payload is kept byte for byte, and a missing payload stays missing", async () => {
  await using it = await serve({ jobs: [defineJob("noop", () => {})] });
  const storedPayload = async (member: string) => {
    const response = await it.wire.reply(
      `{"id":"x","method":"job.enqueue","data":{"name":"noop"${member}}}`,
    );
    const { payload } = await it.get(response.data.job_id);
    return payload === null ? null : atob(payload);
  };
  assert.equal(await storedPayload(',"payload":{ "a" :\t1.0e1,"a":2}  '), '{ "a" :\t1.0e1,"a":2}');
  assert.equal(await storedPayload(',"payload":null'), "null");
  assert.equal(await storedPayload(""), null);
});
