import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConnectionError,
  Dispatch,
  DispatchError,
  type DispatchEvent,
  type Gap,
  type Job,
  JobFailedError,
  type JobRecord,
  type Run,
  type RunEvent,
  RunFailedError,
  type Stats,
  type TimelineEntry,
  TimeoutError,
  type WorkflowRun,
} from "../../mod.ts";
import { hasCode } from "../helpers/has_code.ts";
import { within } from "../helpers/eventually.ts";
import { connected } from "../helpers/server.ts";

/** Compiles only if the value has exactly the given type. */
function exactly<Expected>(): <Actual>(
  value: Actual,
  ...same: [Actual] extends [Expected] ? [Expected] extends [Actual] ? [] : [never] : [never]
) => void {
  return () => {};
}

test("connect resolves with the session's id, every time with the same", async () => {
  await using it = await connected();
  const id = await it.client.connect();
  exactly<string>()(id);
  assert.match(id, /^ws_\d+$/);
  assert.equal(await it.client.connect(), id);
  const other = await it.connect();
  assert.notEqual(await other.connect(), id);
});

test("the first call connects the client", async () => {
  await using it = await connected();
  await using client = new Dispatch({ url: it.server.url, token: "demo-token" });
  assert.equal(typeof (await client.stats()).broker.topic_count, "number");
});

test("close can be called twice, and every later call rejects", async () => {
  await using it = await connected();
  await Promise.all([it.client.close(), it.client.close()]);
  await it.client.close();
  const closed = (what: string) => (error: unknown): boolean => {
    assert(error instanceof ConnectionError, String(error));
    assert.equal(error.code, "closed");
    assert.equal(error.delivery, "not-sent");
    assert.equal(error.message, `Cannot ${what}: the client is closed`);
    return true;
  };
  await assert.rejects(it.client.connect(), closed("connect"));
  await assert.rejects(it.client.stats(), closed("get stats"));
  await assert.rejects(it.client.enqueue("noop"), closed("enqueue 'noop'"));
  await assert.rejects(it.client.startWorkflow("sleeper"), closed("start workflow 'sleeper'"));
  await assert.rejects(Promise.resolve(it.client.subscribe("jobs")), closed("subscribe to 'jobs'"));
  await assert.rejects(
    async () => {
      for await (const _ of it.client.subscribe("jobs"));
    },
    closed("subscribe to 'jobs'"),
  );
});

test("enqueue returns a handle whose wait resolves with the record", async () => {
  await using it = await connected();
  const job = await it.client.enqueue("send-email", { to: "a@b.c", subject: "Hi" }, {
    queue: "email",
    priority: 7,
  });
  exactly<Job>()(job);
  assert.match(job.job_id, /^job_[0-9a-z]{26}$/);
  assert.equal(job.queue, "email");
  assert.equal(job.state, "pending");
  const record = await within(job.wait(), "the job");
  exactly<JobRecord>()(record);
  assert.equal(record.id, job.job_id);
  assert.equal(record.state, "completed");
  assert.equal(record.priority, 7);
  assert.equal(record.queue, "email");
  assert.deepEqual(record.payload, { to: "a@b.c", subject: "Hi" });
  assert.equal(job.state, "completed");
  // The record is known, so waiting again needs no server.
  await it.client.close();
  assert.equal((await job.wait()).id, job.job_id);
});

test("a job without options goes to the queue `default` with the payload null", async () => {
  await using it = await connected();
  const job = await it.client.enqueue("noop");
  assert.equal(job.queue, "default");
  assert.equal((await within(job.wait(), "the job")).payload, null);
});

test("reads a job's events from first to last, even after it has ended", async () => {
  await using it = await connected();
  const job = await it.client.enqueue("noop", {});
  const first = await within(Array.fromAsync(job.events()), "the events");
  const types = ["job.enqueued", "job.started", "job.completed"];
  assert.deepEqual(first.map(({ type }) => type), types);
  assert(first.every((event) => event.type !== "gap" && event.data.job_id === job.job_id));
  const again = await within(Array.fromAsync(it.client.job(job.job_id).events()), "again");
  assert.deepEqual(again.map(({ type }) => type), types);
});

test("wait rejects with the record of a failed job", async () => {
  await using it = await connected();
  const job = await it.client.enqueue("always-fails", {});
  await assert.rejects(within(job.wait(), "the job", 30_000), (error) => {
    assert(error instanceof JobFailedError, String(error));
    assert.equal(error.code, "job_failed");
    assert.equal(error.message, `Job 'always-fails' (${job.job_id}) failed: boom`);
    assert.equal(error.job.retry_count, 4);
    return true;
  });
  const late = await within(Array.fromAsync(it.client.job(job.job_id).events()), "the events");
  const types = ["job.enqueued", "gap", "job.started", "job.failed", "job.dlq"];
  assert.deepEqual(late.map(({ type }) => type), types);
  const [, gap] = late;
  assert(gap?.type === "gap");
  assert.equal(gap.reason, "unseen");
});

test("events contain each attempt of a job that is followed from the start", async () => {
  await using it = await connected();
  // Occupy the eight workers, so that the first attempt waits for the listener.
  await it.client.enqueueMany("sleep", new Array(8).fill({ ms: 100 }));
  const job = await it.client.enqueue("flaky", { key: "once" });
  const events = await within(Array.fromAsync(job.events()), "the events");
  assert.deepEqual(events.map(({ type }) => type), [
    "job.enqueued",
    "job.started",
    "job.retrying",
    "job.started",
    "job.retrying",
    "job.started",
    "job.completed",
  ]);
});

test("wait rejects with TimeoutError when its timeout has passed", async () => {
  await using it = await connected();
  const job = await it.client.enqueue("nobody-knows-me", {});
  await assert.rejects(within(job.wait({ timeout: 30 }), "the job"), (error) => {
    assert(error instanceof TimeoutError);
    assert.match(
      error.message,
      /^Cannot wait for job 'job_\w+': no end \(it is \w+\) within 30 ms$/,
    );
    return true;
  });
});

test("getJob decodes the record, and rejects with the id in the message", async () => {
  await using it = await connected();
  const { job_id } = await it.client.enqueue("noop", [1, { a: "ü" }]);
  const job = await it.client.getJob(job_id);
  exactly<JobRecord>()(job);
  assert.deepEqual(job.payload, [1, { a: "ü" }]);
  assert.equal(job.name, "noop");
  assert.equal(job.timeout, 300_000_000_000);
  const unknown = job_id.slice(0, -4) + "0000";
  await assert.rejects(
    it.client.getJob(unknown),
    hasCode(404, new RegExp(`^Cannot get job '${unknown}': the server answered 404 job not found`)),
  );
  await assert.rejects(
    it.client.getJob("no-id"),
    hasCode(400, /^Cannot get job 'no-id': the server answered 400 invalid job ID/),
  );
});

test("cancelJob ends a job that is waiting", async () => {
  await using it = await connected();
  // Occupy the eight workers, so that the ninth job waits.
  await it.client.enqueueMany("sleep", new Array(8).fill({ ms: 60_000 }));
  const job = await it.client.enqueue("noop");
  const waiting = job.wait();
  waiting.catch(() => {});
  const nothing = await it.client.cancelJob(job.job_id);
  exactly<void>()(nothing);
  assert.equal(nothing, undefined);
  await assert.rejects(within(waiting, "the job"), (error) => {
    assert(error instanceof JobFailedError);
    assert.equal(error.code, "job_cancelled");
    return true;
  });
  await assert.rejects(it.client.cancelJob("no-id"), hasCode(400, /^Cannot cancel job 'no-id': /));
});

test("startWorkflow resolves while the run is running", async () => {
  await using it = await connected();
  const run = await within(it.client.startWorkflow("order-payment", { order_id: "1" }), "start");
  exactly<Run>()(run);
  assert.match(run.run_id, /^wfrun_[0-9a-z]{26}$/);
  assert.equal(run.name, "order-payment");
  assert.equal(run.state, "running");
  assert.equal((await run.get()).state, "running");
  await it.client.publishEvent("payment-received", { order_id: "1" });
  const record = await within(run.wait(), "the run");
  exactly<WorkflowRun>()(record);
  assert.equal(record.state, "completed");
  assert.equal(record.id, run.run_id);
  assert.deepEqual(record.input, { order_id: "1" });
  assert.equal(run.state, "completed");
  const timeline = await run.timeline();
  exactly<TimelineEntry[]>()(timeline);
  assert.deepEqual(timeline.map(({ step_name }) => step_name), [
    "reserve",
    "wait:payment-received",
    "ship",
  ]);
});

test("startWorkflow finds a run that ends at once", async () => {
  await using it = await connected();
  for (let i = 0; i < 20; i++) {
    const run = await within(
      it.client.startWorkflow("order-pipeline", { order_id: `${i}`, items: ["a"] }),
      "start",
    );
    assert.equal((await within(run.wait(), "the run")).state, "completed");
    const events = await within(Array.fromAsync(run.events()), "the events");
    assert.deepEqual(events.map(nameOf), [
      "workflow.started",
      "workflow.step_completed validate",
      "workflow.step_completed calculate-total",
      "workflow.step_completed send-confirmation",
      "workflow.completed",
    ]);
  }
});

function nameOf(event: RunEvent | Gap): string {
  return event.type !== "gap" && "step_name" in event.data
    ? `${event.type} ${event.data.step_name}`
    : event.type;
}

test("wait rejects with the record of a failed run, and events contain the failed step", async () => {
  await using it = await connected();
  for (let i = 0; i < 20; i++) {
    const run = await within(it.client.startWorkflow("failing", {}), "start");
    await assert.rejects(within(run.wait(), "the run"), (error) => {
      assert(error instanceof RunFailedError, String(error));
      assert.equal(error.code, "run_failed");
      const why = `workflow failing step "b": step b exploded`;
      assert.equal(error.message, `Run of 'failing' (${run.run_id}) failed: ${why}`);
      assert.equal(error.run.error, why);
      return true;
    });
    const events = await within(Array.fromAsync(run.events()), "the events");
    assert.deepEqual(events.map(nameOf), [
      "workflow.started",
      "workflow.step_completed a",
      "workflow.step_failed b",
      "workflow.step_completed compensate:a",
      "workflow.failed",
    ]);
  }
});

test("startWorkflow rejects with 500 for an unknown workflow", async () => {
  await using it = await connected();
  await assert.rejects(
    within(it.client.startWorkflow("ghost", {}), "start"),
    hasCode(
      500,
      /^Cannot start workflow 'ghost': the server answered 500 workflow start failed: no workflow registered for "ghost"$/,
    ),
  );
});

test("getWorkflow and workflowTimeline decode, and reject with the id in the message", async () => {
  await using it = await connected();
  const { run_id, wait } = await it.client.startWorkflow("sleeper", { ms: 1 })
    .then((run) => ({ run_id: run.run_id, wait: () => run.wait() }));
  await within(wait(), "the run");
  const run = await it.client.getWorkflow(run_id);
  exactly<WorkflowRun>()(run);
  assert.deepEqual([run.name, run.state, run.input], ["sleeper", "completed", { ms: 1 }]);
  assert.equal(run.version, 1);
  const timeline = await it.client.workflowTimeline(run_id);
  assert.deepEqual(timeline.map(({ step_name }) => step_name), ["before", "sleep:nap", "after"]);
  const unknown = run_id.slice(0, -4) + "0000";
  await assert.rejects(
    it.client.getWorkflow(unknown),
    hasCode(404, /^Cannot get workflow run 'wfrun_\w+': the server answered 404 run not found/),
  );
  assert.deepEqual(await it.client.workflowTimeline(unknown), []);
  await assert.rejects(
    it.client.workflowTimeline("no-id"),
    hasCode(400, /^Cannot get the timeline of workflow run 'no-id': /),
  );
});

test("the timeline contains the event that a run took", async () => {
  await using it = await connected();
  const published = await it.client.publishEvent("payment-received", { order_id: "7" });
  exactly<{ event_id: string; name: string }>()(published);
  assert.equal(published.name, "payment-received");
  assert.match(published.event_id, /^evt_[0-9a-z]{26}$/);
  const run = await it.client.startWorkflow("order-payment", { order_id: "7" });
  await within(run.wait(), "the run");
  const taken = (await run.timeline()).find(({ step_name }) =>
    step_name === "wait:payment-received"
  );
  assert.equal((taken?.data as { id: string }).id, published.event_id);
});

test("stats resolves with decoded statistics", async () => {
  await using it = await connected();
  const before = await it.client.stats();
  exactly<Stats>()(before);
  await it.client.subscribe("jobs");
  assert.equal((await it.client.stats()).broker.topic_count, before.broker.topic_count + 1);
});

test("call resolves with the undecoded answer of any method", async () => {
  await using it = await connected();
  const answer = await it.client.call("job.enqueue", { name: "noop", payload: 1 }) as {
    job_id: string;
  };
  assert.deepEqual(Object.keys(answer), ["job_id", "queue", "state"]);
  const raw = await it.client.call("job.get", { job_id: answer.job_id }) as { payload: string };
  assert.equal(raw.payload, "MQ==");
  await assert.rejects(
    it.client.call("dlq.list", {}),
    hasCode(405, /^Cannot call 'dlq.list': the server answered 405 /),
  );
  await assert.rejects(it.client.call("job.get"), hasCode(400, /unexpected end of JSON input/));
});

test("call resolves for `workflow.start` when the run has ended, and blocks no other call", async () => {
  await using it = await connected();
  const started = it.client.call("workflow.start", {
    name: "order-payment",
    input: { order_id: "1" },
  });
  await within(it.client.publishEvent("payment-received", null), "publishing");
  const answer = await within(started, "the start") as Record<string, string>;
  assert.equal(answer.state, "completed");
  assert.deepEqual(Object.keys(answer), ["run_id", "name", "state"]);
});

test("rejects with 403 if the token lacks the permission", async () => {
  await using it = await connected({ token: "readonly" });
  const { client } = it;
  const writes: [string, () => PromiseLike<unknown>][] = [
    ["enqueue 'noop'", () => client.enqueue("noop")],
    ["cancel job 'x'", () => client.cancelJob("x")],
    ["start workflow 'sleeper'", () => client.startWorkflow("sleeper", { ms: 1 })],
    ["publish event 'e'", () => client.publishEvent("e")],
  ];
  for (const [what, write] of writes) {
    await assert.rejects(
      within(write(), what),
      hasCode(
        403,
        new RegExp(`^Cannot ${what}: the server answered 403 insufficient permissions$`),
      ),
    );
  }
  await client.stats();
  await client.subscribe("jobs");
});

test("job and run create a handle from an id", async () => {
  await using it = await connected();
  const { job_id } = await it.client.enqueue("noop");
  const job = it.client.job(job_id);
  assert.equal(job.job_id, job_id);
  assert.equal((await within(job.wait(), "the job")).state, "completed");
  const { run_id } = await it.client.startWorkflow("order-pipeline", { order_id: "1", items: [] });
  const other = await it.connect();
  const run = other.run(run_id);
  assert.equal(run.run_id, run_id);
  assert.equal((await within(run.wait(), "the run")).name, "order-pipeline");
  await assert.rejects(within(other.run("no-id").wait(), "waiting"), hasCode(400, /no-id/));
});

test("rejects a payload that is not JSON-serializable, and says where, before it sends anything", async () => {
  await using client = new Dispatch({ url: "ws://127.0.0.1:1/dwp", token: "demo-token" });
  const circle: Record<string, unknown> = { list: [1] };
  circle.self = circle;
  let deep: unknown = 1n;
  for (let depth = 0; depth < 60; depth++) deep = [deep];
  const payloads: [unknown, RegExp][] = [
    [10n, /^a BigInt$/],
    [{ items: [{ id: 1 }, { id: 2n }] }, /^a BigInt at `items\[1\]\.id`$/],
    [[[0, 1n]], /^a BigInt at `\[0\]\[1\]`$/],
    [circle, /^a circular reference at `self`$/],
    [[circle], /^a circular reference at `\[0\]\.self`$/],
    [() => {}, /^a function$/],
    [Symbol("s"), /^a symbol$/],
    [{ toJSON: () => assert.fail("broken") }, /^broken$/],
    [deep, /BigInt/],
  ];
  for (const [payload, why] of payloads) {
    const refused = (what: string) => (error: unknown) => {
      assert(error instanceof DispatchError && error.code === "bad_payload", String(error));
      const start = `Cannot ${what}: the payload is not JSON-serializable: `;
      assert(error.message.startsWith(start), error.message);
      assert.match(error.message.slice(start.length), why);
      return true;
    };
    await assert.rejects(client.enqueue("noop", payload), refused("enqueue 'noop'"));
    await assert.rejects(client.startWorkflow("w", payload), refused("start workflow 'w'"));
    await assert.rejects(client.publishEvent("e", payload), refused("publish event 'e'"));
    await assert.rejects(client.call("m", payload), refused("call 'm'"));
  }
});

test("calls the hook for each request, and its result when the request ends", async () => {
  const seen: unknown[] = [];
  await using it = await connected({
    hooks: {
      request: (info) => {
        seen.push(info);
        return (error) => seen.push(error instanceof DispatchError ? error.code : "ok");
      },
    },
  });
  await it.client.stats();
  await assert.rejects(it.client.getJob("no-id"));
  assert.deepEqual(seen, [
    { method: "stats", subject: undefined },
    "ok",
    { method: "job.get", subject: "no-id" },
    400,
  ]);
});

test("the type of an event narrows its data", async () => {
  await using it = await connected();
  const sub = await it.client.subscribe("firehose");
  await it.client.enqueue("noop");
  for await (const event of sub) {
    exactly<DispatchEvent | Gap>()(event);
    if (event.type !== "job.completed") continue;
    exactly<number | undefined>()(event.data.elapsed_ms);
    assert.equal(event.data.job_name, "noop");
    break;
  }
});
