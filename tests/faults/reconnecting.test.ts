import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConnectionError,
  Dispatch,
  type DispatchEvent,
  type DispatchOptions,
  type Gap,
  TimeoutError,
} from "../../mod.ts";
import {
  createFaultProxy,
  createScriptedServer,
  type Frame,
  type ScriptedPeer,
} from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { asked, scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { jobRecord, methodsOf, requestsOf, serve, STATS } from "../helpers/scripts.ts";

/** Connects a client to a scripted server, with a proxy between them. */
async function setUp(
  options: Partial<DispatchOptions> = {},
  script: (peer: ScriptedPeer) => Promise<void> = serve,
) {
  const server = await createScriptedServer(script);
  const proxy = await createFaultProxy({ target: server.url });
  const clock = new FakeClock();
  const client = new Dispatch({
    url: proxy.url,
    token: "t",
    clock,
    random: () => 0.5,
    ...options,
  });
  const status = new Recorder(client.status());
  await within(client.connect(), "connecting");
  return {
    server,
    proxy,
    clock,
    client,
    status,
    /** Waits until the next attempt is scheduled, and moves the clock to it. */
    async attempt(number: number): Promise<void> {
      await eventually(() => status.of("reconnecting").length === number);
      clock.advance(status.of("reconnecting")[number - 1]!.delay);
    },
    async [Symbol.asyncDispose]() {
      const closing = client.close();
      clock.advance(1_000);
      await within(closing, "closing");
      await proxy.close();
      await server.close();
    },
  };
}

test("retries with full jitter until the server is back", async () => {
  await using it = await setUp();
  await it.proxy.refuse();
  it.proxy.cut();
  for (let attempt = 1; attempt <= 5; attempt++) await it.attempt(attempt);
  await eventually(() => it.status.of("reconnecting").length === 6);
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt, delay }) => [attempt, delay]), [
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [4, 4_000],
    [5, 8_000],
    [6, 16_000],
  ]);
  await it.proxy.forward();
  it.clock.advance(15_999);
  await breathe(20);
  assert.equal(it.status.of("connected").length, 1);
  it.clock.advance(1);
  await eventually(() => it.status.of("connected").length === 2);
  assert.equal(it.status.of("connected")[1]!.attempt, 6);
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
  assert.equal(it.proxy.connections.length, 1);
});

test("counts attempts from 1 again after a connection has held for 5 seconds", async () => {
  await using it = await setUp({ backoff: { base: 100, cap: 1_000 } });
  for (let round = 0; round < 3; round++) {
    it.clock.advance(5_000);
    it.proxy.cut();
    await it.attempt(round + 1);
    await eventually(() => it.status.of("connected").length === round + 2);
  }
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt, delay }) => [attempt, delay]), [
    [1, 50],
    [1, 50],
    [1, 50],
  ]);
});

for (const method of ["auth", "subscribe", "stats"]) {
  test(`gives up on a server that answers '${method}' and then closes`, async () => {
    const answers: Record<string, unknown> = {
      auth: { session_id: "s", format: "json" },
      subscribe: { channel: "jobs", status: "subscribed" },
      stats: STATS,
    };
    const script = (peer: ScriptedPeer) =>
      serve(peer, (request) => {
        const answer = answers[request.method ?? ""];
        if (answer) peer.answer(request, answer);
        if (peer.index > 0 && request.method === method) peer.close();
        return answer !== undefined;
      });
    await using it = await scripted(script, {
      server: { manual: true },
      maxRetries: 4,
      backoff: { base: 100, cap: 1_000 },
    });
    // Without a subscription nothing is sent after `auth`.
    const jobs = method === "auth" ? undefined : await it.client.subscribe("jobs");
    const events = jobs && new Recorder(jobs);
    it.proxy.cut();
    for (let attempt = 1; attempt <= 4; attempt++) {
      await it.attempt(attempt);
      if (method !== "stats") continue;
      await eventually(() => it.status.of("connected").length === attempt + 1);
      it.clock.advance(4_999);
      await within(it.client.stats(), "a call");
    }
    await eventually(() => it.status.of("failed").length === 1);
    assert.deepEqual(it.status.of("reconnecting").map(({ attempt, delay }) => [attempt, delay]), [
      [1, 50],
      [2, 100],
      [3, 200],
      [4, 400],
    ]);
    assert.equal((it.status.of("failed")[0]!.cause as ConnectionError).code, "gave_up");
    if (!events) return;
    await within(events.over, "the subscription");
    assert.equal((events.error as ConnectionError).code, "gave_up");
  });
}

for (const how of ["fin", "reset"] as const) {
  test(`reconnects once after a connection was cut by ${how}`, async () => {
    await using it = await setUp({ pingInterval: 0 });
    it.proxy.cut(how);
    await it.attempt(1);
    await eventually(() => it.status.of("connected").length === 2);
    it.clock.advance(3_600_000);
    await breathe(20);
    assert.equal(it.server.peers.filter(({ isOpen }) => isOpen).length, 1);
    assert.deepEqual(it.status.items.map(({ type }) => type), [
      "idle",
      "connecting",
      "connected",
      "disconnected",
      "reconnecting",
      "connected",
    ]);
  });
}

test("reconnects after the server closed the connection", async () => {
  await using it = await setUp();
  it.server.peers[0]!.close(1001, "going away");
  await it.attempt(1);
  await eventually(() => it.status.of("connected").length === 2);
  const { cause } = it.status.of("disconnected")[0]!;
  assert(cause instanceof ConnectionError);
  assert.equal((cause.cause as Error).message, "going away");
});

test("ends up with one session if the new connection is lost before it is ready", async () => {
  let losing = true;
  await using it = await setUp({ pingInterval: 0 }, async (peer) => {
    if (peer.index === 0 || !losing) return await serve(peer);
    losing = peer.index < 3;
    await peer.next();
    peer.drop();
  });
  await within(it.client.subscribe("jobs"), "the subscription");
  it.proxy.cut();
  for (let attempt = 1; attempt <= 4; attempt++) await it.attempt(attempt);
  await eventually(() => it.status.of("connected").length === 2);
  it.clock.advance(3_600_000);
  await breathe(50);
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt }) => attempt), [1, 2, 3, 4]);
  assert.equal(it.status.of("connected").length, 2);
  assert.equal(it.server.peers.filter(({ isOpen }) => isOpen).length, 1);
});

test("an attempt at a silent peer takes `connectTimeout`", async () => {
  await using it = await setUp({ connectTimeout: 2_000 });
  const known = [...it.proxy.connections];
  await it.proxy.silence();
  it.proxy.cut();
  for (let attempt = 1; attempt <= 3; attempt++) {
    await it.attempt(attempt);
    known.push(await asked(it.proxy, known));
    it.clock.advance(1_999);
    await breathe(5);
    assert.equal(it.status.of("reconnecting").length, attempt);
    it.clock.advance(1);
    await eventually(() => it.status.of("reconnecting").length === attempt + 1);
    assert(it.status.of("reconnecting")[attempt]!.cause instanceof TimeoutError);
  }
});

/** Starts everything that can wait for a connection. */
function beginAll(client: Dispatch) {
  return {
    stats: client.stats({ timeout: 0 }),
    enqueue: client.enqueue("noop", null, { timeout: 0 }),
    publish: client.publishEvent("e", null, { timeout: 0 }),
    start: client.startWorkflow("noop", {}, { timeout: 0 }),
    subscribe: client.subscribe("firehose").then((sub) => sub),
    wait: client.job("job_00000000000000000000000001").wait(),
    connect: client.connect(),
  };
}

test("ends every call, loop and status reader when it gives up", async () => {
  await using it = await setUp({ maxRetries: 3 });
  const subscription = new Recorder(it.client.subscribe("jobs"));
  const awaited = await it.client.subscribe("workflows");
  const late = awaited[Symbol.asyncIterator]();
  const job = it.client.job("job_00000000000000000000000000");
  const jobEvents = new Recorder(job.events());
  const waiting = job.wait();
  waiting.catch(() => {});
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const begun = beginAll(it.client);
  for (const each of Object.values(begun)) each.catch(() => {});
  for (let attempt = 1; attempt <= 3; attempt++) await it.attempt(attempt);
  await eventually(() => it.status.of("failed").length === 1);
  const gaveUp = (error: unknown): boolean => {
    assert(error instanceof ConnectionError, String(error));
    assert.equal(error.code, "gave_up");
    assert.match(error.message, /Cannot reconnect: gave up after 3 attempts$/);
    return true;
  };
  for (const [name, promise] of Object.entries(begun)) {
    await assert.rejects(within<unknown>(promise, name), gaveUp);
  }
  await assert.rejects(within(waiting, "waiting for a job"), gaveUp);
  await within(subscription.over, "the subscription");
  gaveUp(subscription.error);
  await within(jobEvents.over, "the job's events");
  gaveUp(jobEvents.error);
  await assert.rejects(within(late.next(), "reading"), gaveUp);
  await assert.rejects(within(it.client.stats(), "a later call"), gaveUp);
  assert.equal(it.status.isOver, false);
  it.clock.advance(3_600_000);
  await breathe(20);
  assert.equal(it.proxy.accepted, 1);
  assert.equal(it.clock.pending, 0);
});

test("can connect again after it gave up", async () => {
  await using it = await setUp({ maxRetries: 1 }, (peer) =>
    serve(peer, (request) => {
      if (peer.index === 0 || request.method !== "job.get") return false;
      peer.answer(request, jobRecord("completed"));
      return true;
    }));
  const job = it.client.job("job_00000000000000000000000000");
  const waiting = job.wait();
  waiting.catch(() => {});
  await eventually(() => requestsOf(it.server.peers[0]!, "job.get").length > 0);
  await it.proxy.refuse();
  it.proxy.cut();
  await it.attempt(1);
  await eventually(() => it.status.of("failed").length === 1);
  await it.proxy.forward();
  await within(it.client.connect(), "connecting");
  assert.deepEqual(await within(it.client.stats(), "a call"), STATS);
  await assert.rejects(within(waiting, "the wait that was given up"), { code: "gave_up" });
  assert.equal((await it.clock.runUntil(job.wait(), 10)).state, "completed");
  const events = await it.clock.runUntil(Array.fromAsync(job.events()), 10);
  assert.equal(events.at(-1)?.type, "job.completed");
  await within(it.client.subscribe("jobs"), "subscribing");
});

test("retries without limit with maxRetries 0", async () => {
  await using it = await setUp({ maxRetries: 0, backoff: { base: 10, cap: 100 } });
  await it.proxy.refuse();
  it.proxy.cut();
  for (let attempt = 1; attempt <= 40; attempt++) await it.attempt(attempt);
  await it.proxy.forward();
  await it.attempt(41);
  await eventually(() => it.status.of("connected").length === 2);
});

test("fails at once without `reconnect`", async () => {
  await using it = await setUp({ reconnect: false });
  const subscription = new Recorder(it.client.subscribe("jobs"));
  await within(it.client.stats(), "a call");
  it.proxy.cut();
  await within(subscription.over, "the subscription");
  assert(subscription.error instanceof ConnectionError);
  assert.equal(subscription.error.code, "connection_lost");
  await assert.rejects(within(it.client.enqueue("noop"), "a call"), (error) => {
    assert(error instanceof ConnectionError);
    assert.equal(error.delivery, "not-sent");
    assert.match(error.message, /^Cannot enqueue 'noop': /);
    return true;
  });
  assert.equal(it.status.of("failed").length, 1);
  assert.equal(it.status.of("reconnecting").length, 0);
});

test("resumes subscriptions, with a gap for the time in between", async () => {
  await using it = await setUp();
  const jobs = new Recorder<DispatchEvent | Gap>(await it.client.subscribe("jobs"));
  const all = new Recorder<DispatchEvent | Gap>(await it.client.subscribe("firehose"));
  const enqueued = { job_id: "job_1", job_name: "noop", queue: "default" };
  it.server.peers[0]!.publish("job.enqueued", "job:job_1", enqueued);
  await eventually(() => jobs.items.length === 1 && all.items.length === 1);
  const lastHeard = new Date(it.clock.now()).toISOString();
  it.clock.advance(2_000);
  await it.proxy.refuse();
  it.proxy.cut();
  await it.attempt(1);
  await it.proxy.forward();
  await it.attempt(2);
  await eventually(() => it.status.of("connected").length === 2);
  const back = new Date(it.clock.now()).toISOString();
  const [, peer] = it.server.peers;
  const channels = requestsOf(peer!, "subscribe").map(({ data }) => data);
  assert.deepEqual(channels, [{ channel: "jobs" }, { channel: "firehose" }]);
  peer!.publish("job.started", "job:job_1", enqueued);
  await eventually(() => jobs.items.length === 3);
  const gap: Gap = { type: "gap", reason: "reconnect", since: lastHeard, until: back };
  for (const { items } of [jobs, all]) {
    assert.deepEqual(items.map(({ type }) => type), ["job.enqueued", "gap", "job.started"]);
    assert.deepEqual(items[1], gap);
  }
});

test("resubscribes before it sends anything else", async () => {
  await using it = await setUp();
  await within(it.client.subscribe("jobs"), "subscribing");
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const enqueued = it.client.enqueue("noop");
  await it.attempt(1);
  await within(enqueued, "the call");
  assert.deepEqual(methodsOf(it.server.peers[1]!), ["auth", "subscribe", "job.enqueue"]);
});

test("a channel that is refused after a reconnect does not end the others", async () => {
  await using it = await setUp({}, (peer) =>
    serve(peer, (request) => {
      const { channel } = (request.data ?? {}) as { channel?: string };
      if (peer.index === 0 || channel !== "jobs") return false;
      peer.refuse(request, 403, "insufficient permissions");
      return true;
    }));
  const jobs = new Recorder(await it.client.subscribe("jobs"));
  const workflows = new Recorder(await it.client.subscribe("workflows"));
  it.proxy.cut();
  await it.attempt(1);
  await eventually(() => it.status.of("connected").length === 2);
  await within(jobs.over, "the refused channel");
  assert.equal((jobs.error as { code?: unknown }).code, 403);
  assert.equal(workflows.isOver, false);
  assert.deepEqual(workflows.of("gap").map(({ reason }) => reason), ["reconnect"]);
});

test("does not resubscribe to a channel that was left while disconnected", async () => {
  await using it = await setUp();
  const [jobs, workflows] = [
    await it.client.subscribe("jobs"),
    await it.client.subscribe("workflows"),
  ];
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  await within(jobs.unsubscribe(), "unsubscribing");
  await it.attempt(1);
  await eventually(() => it.status.of("connected").length === 2);
  await within(it.client.stats(), "a call");
  const channels = requestsOf(it.server.peers[1]!, "subscribe").map(({ data }) => data);
  assert.deepEqual(channels, [{ channel: "workflows" }]);
  await within(workflows.unsubscribe(), "unsubscribing");
});

test("a subscription opened and left while disconnected sends nothing", async () => {
  await using it = await setUp();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  const controller = new AbortController();
  const aborted = it.client.subscribe("jobs", { signal: controller.signal });
  const reason = new Error("no longer needed");
  controller.abort(reason);
  await assert.rejects(
    within(Promise.resolve(aborted), "subscribing"),
    (error) => error === reason,
  );
  const left = it.client.subscribe("workflows");
  await within(left.unsubscribe(), "unsubscribing");
  // Only the next attempt has a timer.
  assert.equal(it.clock.pending, 1);
  await it.attempt(1);
  await eventually(() => it.status.of("connected").length === 2);
  await within(it.client.stats(), "a call");
  assert.deepEqual(methodsOf(it.server.peers[1]!), ["auth", "stats"]);
});

test("wait survives an outage that is longer than a request's deadline", async () => {
  const done = (request: Frame, peer: ScriptedPeer): boolean => {
    if (peer.index === 0 || request.method !== "job.get") return false;
    peer.answer(request, { id: "job_1", name: "noop", state: "completed", payload: "" });
    return true;
  };
  await using it = await setUp({ maxRetries: 0, pingInterval: 0 }, (peer) => serve(peer, done));
  const before = it.client.job("job_1").wait();
  before.catch(() => {});
  await eventually(() => requestsOf(it.server.peers[0]!, "job.get").length > 0);
  await it.proxy.refuse();
  it.proxy.cut();
  await eventually(() => it.status.of("reconnecting").length === 1);
  // Another job, so that it subscribes to a new channel.
  const meanwhile = it.client.job("job_2").wait();
  meanwhile.catch(() => {});
  for (let minute = 0; minute < 5; minute++) {
    it.clock.advance(60_000);
    await breathe(10);
  }
  await it.proxy.forward();
  assert.equal((await it.clock.runUntil(before, 200)).state, "completed");
  assert.equal((await it.clock.runUntil(meanwhile, 200)).state, "completed");
});
