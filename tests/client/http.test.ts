import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthError,
  ConnectionError,
  DispatchError,
  type DispatchEvent,
  DispatchRpc,
  DispatchSse,
  type Gap,
  type Job,
  JobFailedError,
  OverflowError,
  TimeoutError,
} from "../../mod.ts";
import { createFaultProxy } from "../../testing/mod.ts";
import { hasCode } from "../helpers/has_code.ts";
import { CountingSignal } from "../helpers/counting_signal.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { Recorder } from "../helpers/recorder.ts";
import { JOB_ID, jobRecord } from "../helpers/scripts.ts";
import { connected } from "../helpers/server.ts";

type Item = DispatchEvent | Gap;

test("DispatchRpc enqueues, reads, waits, publishes and cancels", async () => {
  await using it = await connected();
  using rpc = new DispatchRpc({ url: it.server.url, token: "demo-token" });
  const job = await within(
    rpc.enqueue("send-email", { to: "a", subject: "ü" }, { priority: 3 }),
    "",
  );
  assert.match(job.job_id, /^job_/);
  const record = await within(job.wait(), "the job");
  assert.deepEqual([record.state, record.priority], ["completed", 3]);
  assert.deepEqual((await rpc.getJob(job.job_id)).payload, { to: "a", subject: "ü" });
  assert.equal((await rpc.job(job.job_id).get()).id, job.job_id);
  const run = await it.client.startWorkflow("order-payment", { order_id: "1" });
  assert.equal((await rpc.getWorkflow(run.run_id)).state, "running");
  const { event_id } = await rpc.publishEvent("payment-received", { a: 1 });
  assert.match(event_id, /^evt_/);
  assert.equal((await within(rpc.run(run.run_id).wait(), "the run")).state, "completed");
  assert.equal((await rpc.workflowTimeline(run.run_id)).length, 3);
  assert.equal(typeof (await rpc.stats()).broker.topic_count, "number");
  const raw = await rpc.call("job.get", { job_id: job.job_id }) as { id: string };
  assert.equal(raw.id, job.job_id);
  const sleeping = await rpc.enqueue("nobody-knows-me");
  assert.equal(await rpc.cancelJob(sleeping.job_id), undefined);
  await assert.rejects(within(sleeping.wait(), "the job"), JobFailedError);
});

test("connect creates a client of its class", async () => {
  await using it = await connected();
  const options = { url: it.server.url, token: "demo-token" };
  using rpc = await DispatchRpc.connect(options);
  assert(rpc instanceof DispatchRpc && !(rpc instanceof DispatchSse));
  using sse = await DispatchSse.connect(options);
  assert(sse instanceof DispatchSse && sse instanceof DispatchRpc);
  for (const client of [rpc, sse]) assert.equal((await client.enqueue("noop")).queue, "default");
});

test("startWorkflow does not compile over HTTP, and rejects with `not_possible`", async () => {
  await using it = await connected();
  using rpc = new DispatchRpc({ url: it.server.url, token: "demo-token" });
  await assert.rejects(
    // @ts-expect-error There is no valid name.
    rpc.startWorkflow("order-payment", { order_id: "1" }),
    hasCode("not_possible", /^Cannot start workflow 'order-payment' over HTTP: .*WebSocket$/),
  );
  await assert.rejects(
    rpc.call("workflow.start", { name: "order-payment" }),
    hasCode("not_possible", /WebSocket$/),
  );
  // @ts-expect-error There are no subscriptions over RPC.
  assert.equal(rpc.subscribe, undefined);
});

test("rejects with the same errors as over a WebSocket", async () => {
  await using it = await connected();
  using rpc = new DispatchRpc({ url: it.server.url, token: "demo-token" });
  await assert.rejects(rpc.getJob("no-id"), hasCode(400, /^Cannot get job 'no-id': the server/));
  await assert.rejects(rpc.call("dlq.list", {}), hasCode(405, /^Cannot call 'dlq.list': /));
  using reader = new DispatchRpc({ url: it.server.url, token: "readonly" });
  await assert.rejects(
    reader.enqueue("noop"),
    hasCode(403, /^Cannot enqueue 'noop': .* forbidden$/),
  );
  using elsewhere = new DispatchRpc({ url: `${it.server.url}/elsewhere`, token: "demo-token" });
  await assert.rejects(
    elsewhere.stats(),
    hasCode(404, /answered 404, not a frame: there is nothing/),
  );
});

test("sends a wrong token once, and calls the function again after a token has expired", async () => {
  await using it = await connected();
  let requests = 0;
  const counted: typeof fetch = (...args) => {
    requests++;
    return fetch(...args);
  };
  using bad = new DispatchRpc({ url: it.server.url, token: "bad", fetch: counted });
  await assert.rejects(within(bad.stats(), "the call"), AuthError);
  assert.equal(requests, 1);
  let asked = 0;
  const token = () => ["demo-token", "bad", "demo-token"][asked++]!;
  using fresh = new DispatchRpc({ url: it.server.url, token, fetch: counted });
  await fresh.stats();
  await fresh.stats();
  assert.equal(asked, 1);
  requests = 0;
  using alwaysBad = new DispatchRpc({
    url: it.server.url,
    token: () => {
      asked++;
      return "bad";
    },
    fetch: counted,
  });
  asked = 0;
  await assert.rejects(within(alwaysBad.stats(), "the call"), AuthError);
  assert.equal(asked, 1, "a new token that is refused is wrong, not expired");
  assert.equal(requests, 1);
});

test("repeats reads that got no answer, but not writes", async () => {
  await using it = await connected();
  await using proxy = await createFaultProxy({ target: it.server.url });
  await proxy.refuse();
  let requests = 0;
  const counted: typeof fetch = (...args) => {
    requests++;
    return fetch(...args);
  };
  const clock = new FakeClock();
  using rpc = new DispatchRpc({
    url: proxy.url,
    token: "demo-token",
    fetch: counted,
    clock,
    random: () => 0.5,
  });
  await assert.rejects(within(rpc.enqueue("noop"), "the write"), (error) => {
    assert(error instanceof ConnectionError, String(error));
    assert.equal(error.delivery, "unknown");
    return true;
  });
  assert.equal(requests, 1);
  const failing = rpc.stats();
  await assert.rejects(clock.runUntil(failing, 100), ConnectionError);
  assert.equal(requests, 5, "one attempt and three repetitions");
  const read = rpc.stats();
  read.catch(() => {});
  await eventually(() => requests === 6);
  await proxy.forward();
  assert.equal(typeof (await clock.runUntil(read, 10)).broker.topic_count, "number");
  assert.equal(clock.pending, 0);
});

const HANGING: Record<string, { token?: () => Promise<string>; fetch?: typeof fetch }> = {
  "a server that does not answer": {
    fetch: (_url, init) =>
      new Promise((_, reject) => {
        init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason), { once: true });
      }),
  },
  "a token that does not come": { token: () => new Promise(() => {}) },
};

for (const [what, options] of Object.entries(HANGING)) {
  test(`the deadline, the signal and close end a call with ${what}`, async () => {
    const clock = new FakeClock();
    const rpc = new DispatchRpc({ url: "ws://127.0.0.1:9/dwp", token: "t", clock, ...options });
    const late = rpc.stats({ timeout: 1_000 });
    late.catch(() => {});
    await breathe(2);
    clock.advance(1_000);
    await assert.rejects(within(late, "the late call"), TimeoutError);
    const counting = new CountingSignal();
    const aborted = rpc.stats({ signal: counting.signal });
    aborted.catch(() => {});
    await breathe(2);
    const reason = new Error("enough");
    counting.abort(reason);
    await assert.rejects(within(aborted, "the aborted call"), (error) => error === reason);
    const waiting = rpc.job("job_1").wait();
    const open = rpc.stats();
    for (const each of [waiting, open]) each.catch(() => {});
    await breathe(2);
    rpc.close();
    for (const each of [waiting, open]) {
      await assert.rejects(within<unknown>(each, "what was open"), hasCode("closed", /closed$/));
    }
    await assert.rejects(
      rpc.stats(),
      hasCode("closed", /^Cannot get stats: the client is closed$/),
    );
    await breathe(2);
    assert.equal(clock.pending, 0);
  });
}

test("wait over HTTP polls at growing intervals, and keeps the final record", async () => {
  const clock = new FakeClock();
  let requests = 0;
  using rpc = new DispatchRpc({
    url: "http://server.test/dwp",
    token: "t",
    clock,
    fetch: (_url, init) => {
      const { id } = JSON.parse(init!.body as string);
      const data = jobRecord(++requests < 4 ? "running" : "completed");
      return Promise.resolve(
        new Response(JSON.stringify({ id: "1", type: "response", correl_id: id, data })),
      );
    },
  });
  const job = rpc.job(JOB_ID);
  assert.equal(job.state, "pending");
  const waiting = job.wait();
  for (const pause of [250, 375, 562.5]) {
    await eventually(() => clock.due[0] === pause);
    clock.advance(pause);
  }
  assert.equal((await within(waiting, "the job")).state, "completed");
  assert.equal(job.state, "completed");
  assert.equal((await job.wait()).state, "completed");
  assert.equal(requests, 4);
  assert.equal(clock.pending, 0);
  // `events` is not in the handle's type, but plain JavaScript can call it.
  assert.throws(() => (job as Job).events(), hasCode("not_possible", /has no events$/));
});

test("DispatchSse reads channels and runs", async () => {
  await using it = await connected();
  using sse = new DispatchSse({ url: it.server.url, token: "demo-token" });
  const seen = new Recorder<Item>(await within(sse.subscribe("jobs"), "subscribing"));
  await breathe(10);
  const job = await sse.enqueue("noop");
  await eventually(() => seen.items.length === 3);
  assert.deepEqual(seen.items.map(({ type }) => type), [
    "job.enqueued",
    "job.started",
    "job.completed",
  ]);
  assert.equal((await within(job.wait(), "the job")).state, "completed");
  const run = await it.client.startWorkflow("order-payment", { order_id: "1" });
  const watched = new Recorder(sse.watch(run.run_id));
  await eventually(() => watched.items.length >= 2);
  await sse.publishEvent("payment-received");
  await within(watched.over, "watching");
  assert.equal(watched.items.at(-1)?.type, "workflow.completed");
});

test("subscribe rejects a wrong token with 401 and a wrong channel with 400", async () => {
  await using it = await connected();
  using bad = new DispatchSse({ url: it.server.url, token: "bad" });
  await assert.rejects(within(Promise.resolve(bad.subscribe("jobs")), "subscribing"), AuthError);
  using sse = new DispatchSse({ url: it.server.url, token: "demo-token" });
  const read = new Recorder(sse.subscribe("bogus"));
  await within(read.over, "reading");
  hasCode(400, /^Cannot subscribe to 'bogus': /)(read.error);
});

test("loses none of 4,000 events, although each stream stops after 1,000", async () => {
  await using it = await connected();
  using sse = new DispatchSse({ url: it.server.url, token: "demo-token" });
  const seen = new Recorder<Item>(await within(sse.subscribe("jobs"), "subscribing"));
  await breathe(10);
  for (let i = 0; i < 40; i++) {
    await it.client.enqueueMany("noop", new Array(34).fill(null));
    await eventually(() => seen.items.length >= (i + 1) * 102);
  }
  assert.equal(seen.of("gap").length, 0);
  assert.equal(seen.items.length, 4_080);
  const ids = new Set(seen.of("job.completed").map(({ data }) => data.job_id));
  assert.equal(ids.size, 1_360);
});

test("reads a queue's events even if other queues use up the stream", async () => {
  await using it = await connected();
  using sse = new DispatchSse({ url: it.server.url, token: "demo-token" });
  const seen = new Recorder<Item>(await within(sse.subscribe("queue:email"), "subscribing"));
  const all = new Recorder<Item>(await within(sse.subscribe("jobs"), "subscribing"));
  await breathe(10);
  for (let i = 0; i < 16; i++) {
    await it.client.enqueueMany("noop", new Array(34).fill(null));
    await eventually(() => all.items.length >= (i + 1) * 102);
  }
  const job = await it.client.enqueue("noop", null, { queue: "email" });
  await eventually(() => seen.of("job.completed").length === 1);
  assert.equal(seen.of("job.completed")[0]!.data.job_id, job.job_id);
});

test("reports a gap if the next stream cannot be opened in time", async () => {
  await using it = await connected();
  let streams = 0;
  let allowed = false;
  const refusing: typeof fetch = (url, init) => {
    const isStream = new URL(String(url)).pathname.endsWith("/sse");
    if (isStream && ++streams > 1 && !allowed) return Promise.reject(new TypeError("no network"));
    return fetch(url, init);
  };
  const clock = new FakeClock();
  using sse = new DispatchSse({
    url: it.server.url,
    token: "demo-token",
    fetch: refusing,
    clock,
    random: () => 0.5,
  });
  const seen = new Recorder<Item>(await within(sse.subscribe("jobs"), "subscribing"));
  for (let i = 1; i <= 10; i++) {
    await it.client.enqueueMany("noop", new Array(34).fill(null));
    await eventually(() => seen.items.length >= Math.min(i * 102, 1_000));
  }
  assert.equal(seen.items.length, 1_000);
  assert(streams > 1, "the next stream was not requested");
  allowed = true;
  await clock.runUntil(eventually(() => seen.of("gap").length === 1), 100);
  await it.client.enqueue("noop");
  await eventually(() => seen.items.length === 1_004);
});

test("reopens a broken stream and reports a gap", async () => {
  await using it = await connected();
  await using proxy = await createFaultProxy({ target: it.server.url });
  const clock = new FakeClock();
  using sse = new DispatchSse({ url: proxy.url, token: "demo-token", clock, random: () => 0.5 });
  const seen = new Recorder<Item>(await within(sse.subscribe("jobs"), "subscribing"));
  await it.client.enqueue("noop");
  await eventually(() => seen.items.length === 3);
  proxy.cut();
  await clock.runUntil(eventually(() => seen.of("gap").length === 1), 100);
  assert.equal(seen.of("gap")[0]!.reason, "reconnect");
  await it.client.enqueue("noop");
  await eventually(() => seen.items.length === 7);
});

test("subscribe rejects if there is no server", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.refuse();
  const clock = new FakeClock();
  using sse = new DispatchSse({ url: proxy.url, token: "t", clock, random: () => 0.5 });
  const subscribing = Promise.resolve(sse.subscribe("jobs"));
  await assert.rejects(clock.runUntil(subscribing, 1_000), ConnectionError);
});

test("timeout, unsubscribe, abort and close end a subscription to a silent server", async () => {
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const clock = new FakeClock();
  const sse = new DispatchSse({ url: proxy.url, token: "t", clock, timeout: 2_000 });
  const late = Promise.resolve(sse.subscribe("jobs"));
  await assert.rejects(clock.runUntil(late, 500), DispatchError);
  const left = sse.subscribe("jobs");
  await breathe(5);
  await within(left.unsubscribe(), "unsubscribing");
  const controller = new AbortController();
  const aborted = Promise.resolve(sse.subscribe("jobs", { signal: controller.signal }));
  aborted.catch(() => {});
  await breathe(5);
  controller.abort("enough");
  await assert.rejects(within(aborted, "the aborted"), (error) => error === "enough");
  const open = new Recorder(sse.subscribe("jobs"));
  await breathe(5);
  sse.close();
  await within(open.over, "the open one");
  await breathe(5);
  assert.equal(clock.pending, 0);
});

test("close ends the loop over a subscription", async () => {
  await using it = await connected();
  const sse = new DispatchSse({ url: it.server.url, token: "demo-token" });
  const loop = new Recorder(await within(sse.subscribe("jobs"), "subscribing"));
  sse.close();
  await within(loop.over, "the loop");
  assert.equal(loop.error, undefined);
});

test("fails a slow reader with OverflowError if it asked for that", async () => {
  await using it = await connected();
  using sse = new DispatchSse({ url: it.server.url, token: "demo-token" });
  const subscription = await within(
    sse.subscribe("jobs", { buffer: 3, overflow: "error" }),
    "subscribing",
  );
  const quick = new Recorder<Item>(await within(sse.subscribe("jobs"), "subscribing"));
  await it.client.enqueueMany("noop", [1, 2, 3]);
  await eventually(() => quick.items.length === 9 && subscription.buffered === 3);
  await assert.rejects(within(Array.fromAsync(subscription), "reading"), OverflowError);
});
