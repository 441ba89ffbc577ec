// The session: one control link, and what becomes of calls and channels when it is lost.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Receiver, Request } from "../../client/connection/transport.ts";
import { Session } from "../../client/session.ts";
import { AuthError, type ConnectionError, type DispatchOptions, TimeoutError } from "../../mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { Recorder } from "../helpers/recorder.ts";
import { StubSocket } from "./_stub_socket.ts";

const READ: Request = { what: "get stats", method: "stats", retry: "unknown" };
const WRITE: Request = { what: "cancel job 'j'", method: "job.cancel", retry: "not-sent" };
const ENQUEUE: Request = { what: "enqueue 'noop'", method: "job.enqueue", retry: "not-sent" };

/** A session whose server is the test. */
function fixture(options: Partial<DispatchOptions> = {}) {
  const sockets: StubSocket[] = [];
  const clock = new FakeClock();
  const session = new Session({
    url: "ws://server.test/dwp",
    token: "t",
    clock,
    random: () => 0.5,
    pingInterval: 0,
    webSocket: () => {
      sockets.push(new StubSocket());
      return sockets.at(-1)!.asWebSocket;
    },
    ...options,
  });
  const status = new Recorder(session.status.read());
  let attempts = 0;
  const it = {
    sockets,
    clock,
    session,
    status,
    types: () => status.items.map(({ type }) => type),
    /** Waits until the session has asked for its nth socket. */
    async socket(number: number): Promise<StubSocket> {
      await eventually(() => sockets.length >= number);
      return sockets[number - 1]!;
    },
    /** Makes a call, whose rejection the test looks at later. */
    call(request: Request): Promise<unknown> {
      const call = session.request(request);
      call.catch(() => {});
      return call;
    },
    async connect(): Promise<StubSocket> {
      const number = sockets.length + 1;
      const connecting = session.connect();
      const socket = await it.socket(number);
      socket.accept(`s${sockets.length}`);
      await within(connecting, "connecting");
      return socket;
    },
    /** Loses the connection. */
    async lose(socket: StubSocket, reason = "cut"): Promise<void> {
      const before = status.of("disconnected").length;
      socket.lose(reason);
      await eventually(() => status.of("disconnected").length > before);
    },
    /** Lets the time until the next attempt pass, and returns its socket. */
    async attempt(): Promise<StubSocket> {
      await eventually(() => status.of("reconnecting").length > attempts);
      const number = sockets.length + 1;
      clock.advance(status.of("reconnecting")[attempts++]!.delay);
      return await it.socket(number);
    },
    /** Reconnects at once. */
    async reconnect(): Promise<StubSocket> {
      const before = status.of("connected").length;
      const socket = await it.attempt();
      socket.accept(`s${sockets.length}`);
      await eventually(() => status.of("connected").length > before);
      return socket;
    },
    async [Symbol.asyncDispose]() {
      const closing = session.close();
      clock.advance(1_000);
      await within(closing, "closing");
    },
  };
  return it;
}

/** What a channel has delivered. */
function receiver() {
  const seen: unknown[] = [];
  const it: Receiver = {
    onEvent: ({ type }) => void seen.push(type),
    onGap: ({ reason, since, until }) => void seen.push({ reason, since, until }),
    onEnd: (error, keep) => void seen.push({ end: error, keep }),
  };
  return { ...it, seen };
}

/** Subscribes to a channel over a connected session. */
async function subscribe(it: ReturnType<typeof fixture>, socket: StubSocket, channel: string) {
  const listener = receiver();
  const { ready } = it.session.attach(channel, listener);
  socket.answer({ channel });
  await within(ready, "subscribing");
  return listener;
}

const event = (type: string) => ({
  id: "e",
  type: "event",
  data: { type, ts: "", topic: "job:1", data: { job_id: "1", queue: "default" } },
});

const failure = (promise: Promise<unknown>) =>
  within(promise.then(() => undefined, (error) => error), "the rejection");

/** Asserts how a promise rejects. */
async function rejects(promise: Promise<unknown>, expected: Record<string, unknown>) {
  const error = await failure(promise) as Record<string, unknown>;
  const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, error?.[key]]));
  assert.deepEqual(seen, expected);
}

test("calls and connects at the same time share one connection", async () => {
  await using it = fixture();
  const connects = [it.session.connect(), it.session.connect()];
  const calls = [it.call(READ), it.call(WRITE)];
  const socket = await it.socket(1);
  const sessionId = () => {
    const { state } = it.session.status;
    return state.type === "connected" ? state.sessionId : undefined;
  };
  assert.equal(sessionId(), undefined);
  socket.accept("s7");
  assert.deepEqual(await within(Promise.all(connects), "connecting"), ["s7", "s7"]);
  assert.equal(await it.session.connect(), "s7");
  assert.equal(sessionId(), "s7");
  assert.deepEqual(socket.methods, ["auth", "stats", "job.cancel"]);
  socket.answer(1, "1");
  socket.answer(2, "2");
  assert.deepEqual(await within(Promise.all(calls), "the calls"), [1, 2]);
  assert.deepEqual(it.types(), ["idle", "connecting", "connected"]);
  assert.deepEqual(it.status.of("connected"), [
    { type: "connected", sessionId: "s7", format: "json", attempt: 0 },
  ]);
  assert.equal(it.sockets.length, 1);
});

test("a first connection that fails is not retried, and rejects each call with its action", async () => {
  await using it = fixture();
  const connecting = it.session.connect();
  connecting.catch(() => {});
  const call = it.call(WRITE);
  (await it.socket(1)).lose("refused");
  await rejects(connecting, { code: "connect_failed" });
  await rejects(call, { code: "connect_failed", delivery: "not-sent" });
  assert.match(
    (await failure(call) as Error).message,
    /^Cannot cancel job 'j': Cannot connect to /,
  );
  await breathe();
  assert.deepEqual(it.types(), ["idle", "connecting", "idle"]);
  assert.equal(it.clock.pending, 0);
  assert.deepEqual([it.sockets.length, it.session.inFlight], [1, 0]);
  // The next call is the next attempt.
  const later = it.call(READ);
  const socket = await it.socket(2);
  socket.accept();
  await eventually(() => socket.methods.length === 2);
  socket.answer("ok");
  assert.equal(await within(later, "the call"), "ok");
});

test("a failed connection that only a call waits for leaves no unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", listener);
  try {
    await using it = fixture();
    const call = it.call(WRITE);
    (await it.socket(1)).lose("refused");
    await rejects(call, { code: "connect_failed" });
    await breathe();
  } finally {
    process.off("unhandledRejection", listener);
  }
  assert.deepEqual(unhandled, []);
});

test("a connection that is lost as soon as it opens counts as failed", async () => {
  await using it = fixture();
  const connecting = it.session.connect();
  connecting.catch(() => {});
  const socket = await it.socket(1);
  socket.accept();
  socket.lose();
  await rejects(connecting, { code: "connection_lost", message: "the connection is lost" });
  await eventually(() => it.types().at(-1) === "idle");
  assert.notEqual(it.session.status.state.type, "connected");
  // The next call opens another one.
  const later = it.call(READ);
  const next = await it.socket(2);
  next.accept();
  await eventually(() => next.methods.length === 2);
  next.answer("ok");
  assert.equal(await within(later, "the call"), "ok");
});

test("a call whose signal is already aborted opens no connection", async () => {
  await using it = fixture();
  const reason = new Error("no longer needed");
  const call = it.call({ ...READ, signal: AbortSignal.abort(reason) });
  assert.equal(await failure(call), reason);
  await breathe();
  assert.deepEqual([it.sockets.length, it.clock.pending], [0, 0]);
});

test("connect while reconnecting waits for that attempt", async () => {
  await using it = fixture();
  await it.lose(await it.connect());
  const connecting = it.session.connect();
  await breathe();
  assert.equal(it.sockets.length, 1);
  const socket = await it.reconnect();
  assert.equal(await within(connecting, "connecting"), "s2");
  // Waiting for a connection is no request.
  assert.deepEqual(socket.methods, ["auth"]);
  assert.equal(it.sockets.length, 2);
});

test("a connect that is aborted leaves the connection to the others who wait for it", async () => {
  await using it = fixture();
  const stop = new AbortController();
  const reason = new Error("no longer needed");
  const [aborted, other] = [it.session.connect(stop.signal), it.session.connect()];
  stop.abort(reason);
  assert.equal(await failure(aborted), reason);
  (await it.socket(1)).accept("s1");
  assert.equal(await within(other, "connecting"), "s1");
  assert.equal(it.sockets.length, 1);
});

test("connect while reconnecting can be aborted, and ends with the session", async () => {
  await using it = fixture();
  await it.lose(await it.connect());
  const stop = new AbortController();
  const reason = new Error("no longer needed");
  const [aborted, closed] = [it.session.connect(stop.signal), it.session.connect()];
  closed.catch(() => {});
  stop.abort(reason);
  assert.equal(await failure(aborted), reason);
  await within(it.session.close(), "closing");
  await rejects(closed, { code: "closed", message: "Cannot connect: the client is closed" });
});

test("never gives up with `maxRetries: 0`", async () => {
  await using it = fixture({ maxRetries: 0 });
  await it.lose(await it.connect());
  for (let attempt = 1; attempt <= 12; attempt++) (await it.attempt()).lose();
  await it.reconnect();
  assert.equal(it.status.of("connected")[1]!.attempt, 13);
  assert.equal(it.status.of("failed").length, 0);
});

test("gives up after ten failed attempts, with the last one's error as the cause", async () => {
  await using it = fixture();
  await it.lose(await it.connect());
  const call = it.call({ ...WRITE, timeout: 0 });
  for (let attempt = 1; attempt <= 10; attempt++) (await it.attempt()).lose(`reason ${attempt}`);
  await eventually(() => it.status.of("failed").length === 1);
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt, delay }) => [attempt, delay]), [
    ...[1, 2, 3, 4, 5, 6].map((attempt) => [attempt, 500 * 2 ** (attempt - 1)]),
    ...[7, 8, 9, 10].map((attempt) => [attempt, 22_500]),
  ]);
  await rejects(call, {
    code: "gave_up",
    delivery: "not-sent",
    message: "Cannot cancel job 'j': Cannot reconnect: gave up after 10 attempts",
  });
  const gaveUp = it.status.of("failed")[0]!.cause as ConnectionError;
  assert.equal(((gaveUp.cause as Error).cause as Error).message, "reason 10");
  assert.equal(it.session.closedWith, gaveUp);
  await rejects(it.call(READ), { code: "gave_up", cause: gaveUp });
  assert.deepEqual([it.sockets.length, it.clock.pending, it.session.inFlight], [11, 0, 0]);
});

test("each attempt reports why the one before it failed", async () => {
  await using it = fixture({ maxRetries: 3, backoff: { base: 10, cap: 30 } });
  await it.lose(await it.connect(), "first");
  (await it.attempt()).lose("second");
  await eventually(() => it.status.of("reconnecting").length === 2);
  const causes = it.status.of("reconnecting").map(({ cause }) => (cause!.cause as Error).message);
  assert.deepEqual(causes, ["first", "second"]);
  assert.equal((it.status.of("disconnected")[0]!.cause.cause as Error).message, "first");
  (await it.attempt()).lose("third");
  await eventually(() => it.status.of("reconnecting").length === 3);
  assert.deepEqual(it.status.of("reconnecting").map(({ delay }) => delay), [5, 10, 15]);
});

test("connect starts over after the session gave up, and counts attempts from 1 again", async () => {
  await using it = fixture({ maxRetries: 2 });
  await it.lose(await it.connect());
  for (let attempt = 1; attempt <= 2; attempt++) (await it.attempt()).lose();
  await eventually(() => it.status.of("failed").length === 1);
  const socket = await it.connect();
  assert.equal(it.session.closedWith, undefined);
  const call = it.call(READ);
  socket.answer("ok");
  assert.equal(await within(call, "the call"), "ok");
  // This connection lasted less than five seconds, but earlier attempts no longer count.
  await it.lose(socket);
  for (let attempt = 1; attempt <= 2; attempt++) (await it.attempt()).lose();
  await eventually(() => it.status.of("failed").length === 2);
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt }) => attempt), [1, 2, 1, 2]);
});

test("only a connection that lasts five seconds makes attempts count from 1 again", async () => {
  await using it = fixture({ maxRetries: 3 });
  let socket = await it.connect();
  for (const ms of [0, 4_999, 5_000, 1]) {
    it.clock.advance(ms);
    await it.lose(socket);
    socket = await it.reconnect();
  }
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt }) => attempt), [1, 2, 1, 2]);
  assert.deepEqual(it.status.of("connected").map(({ attempt }) => attempt), [0, 1, 2, 1, 2]);
  // One more attempt is left, although each of them has connected.
  await it.lose(socket);
  await it.lose(await it.reconnect());
  await eventually(() => it.status.of("failed").length === 1);
});

test("setting the machine's clock does not change how long a connection has lasted", async () => {
  await using it = fixture();
  await it.lose(await it.connect());
  const socket = await it.reconnect();
  it.clock.setWall(3_600_000);
  await it.lose(socket);
  await it.reconnect();
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt }) => attempt), [1, 2]);
});

test("without `reconnect` a lost connection ends the session with its error", async () => {
  await using it = fixture({ reconnect: false });
  const socket = await it.connect();
  const jobs = await subscribe(it, socket, "jobs");
  await it.lose(socket);
  const cause = it.session.closedWith!;
  assert.equal((cause as ConnectionError).code, "connection_lost");
  assert.deepEqual(jobs.seen, [{ end: cause, keep: false }]);
  await rejects(it.call(READ), { code: "connection_lost", delivery: "not-sent" });
  assert.deepEqual(it.types().slice(-2), ["disconnected", "failed"]);
  assert.equal(it.clock.pending, 0);
  assert.equal(it.sockets.length, 1);
});

test("a token that is refused while reconnecting ends the session at once", async () => {
  await using it = fixture();
  await it.lose(await it.connect());
  const call = it.call(READ);
  const socket = await it.attempt();
  socket.onopen!();
  socket.refuse(401, "revoked");
  await eventually(() => it.status.of("failed").length === 1);
  assert(it.status.of("failed")[0]!.cause instanceof AuthError);
  await rejects(call, { code: 401, name: "AuthError" });
  assert.deepEqual([it.sockets.length, it.clock.pending], [2, 0]);
});

test("a token function that fails while reconnecting is called again at the next attempt", async () => {
  let calls = 0;
  await using it = fixture({
    maxRetries: 5,
    token: () => ++calls === 2 ? Promise.reject(new Error("no network")) : Promise.resolve("t"),
  });
  await it.lose(await it.connect());
  const refusing = await it.attempt();
  refusing.onopen!();
  refusing.refuse(401, "expired");
  await eventually(() => it.status.of("reconnecting").length === 2);
  assert(it.status.of("reconnecting")[1]!.cause instanceof AuthError);
  (await it.attempt()).accept();
  await eventually(() => it.status.of("connected").length === 2);
  assert.equal(calls, 3);
});

test("subscribes to each channel again before it sends anything else or is connected", async () => {
  await using it = fixture();
  const first = await it.connect();
  const jobs = await subscribe(it, first, "jobs");
  const workflows = await subscribe(it, first, "workflows");
  it.clock.advance(100);
  first.receive(event("job.started"));
  const since = new Date(it.clock.now()).toISOString();
  it.clock.advance(300);
  await it.lose(first);
  const calls = [it.call(WRITE), it.call(READ)];
  const second = await it.attempt();
  second.accept();
  await eventually(() => second.methods.length === 3);
  const subscribed = second.frames.slice(1).map(({ method, data }) => [method, data]);
  assert.deepEqual(subscribed, [
    ["subscribe", { channel: "jobs" }],
    ["subscribe", { channel: "workflows" }],
  ]);
  second.answer({}, "1");
  second.receive(event("job.completed"));
  await breathe();
  assert.deepEqual([second.methods.length, it.status.of("connected").length], [3, 1]);
  second.answer({}, "2");
  await eventually(() => it.status.of("connected").length === 2);
  assert.deepEqual(second.methods.slice(3), ["job.cancel", "stats"]);
  const gap = { reason: "reconnect", since, until: new Date(it.clock.now()).toISOString() };
  assert.deepEqual(jobs.seen, ["job.started", gap, "job.completed"]);
  assert.deepEqual(workflows.seen, [gap]);
  second.answer("a", "3");
  second.answer("b", "4");
  assert.deepEqual(await within(Promise.all(calls), "the calls"), ["a", "b"]);
});

test("counts the events that arrive while it resubscribes towards the credits", async () => {
  await using it = fixture({ credits: 4_000 });
  const first = await it.connect();
  await subscribe(it, first, "jobs");
  await subscribe(it, first, "workflows");
  await it.lose(first);
  const second = await it.attempt();
  second.accept();
  await eventually(() => second.methods.length === 3);
  second.answer({}, "1");
  for (let i = 0; i < 30; i++) second.receive(event("job.started"));
  second.answer({}, "2");
  await eventually(() => it.status.of("connected").length === 2);
  for (let i = 0; i < 19; i++) second.receive(event("job.started"));
  assert.equal(second.sent.length, 3);
  // The first grant fills the window up after 50 events.
  second.receive(event("job.started"));
  assert.deepEqual(second.frames.slice(3).map(({ type, credits }) => [type, credits]), [
    ["request", 4_050],
    ["ping", undefined],
  ]);
});

test("grants 100,000 credits by default", async () => {
  await using it = fixture();
  const socket = await it.connect();
  await subscribe(it, socket, "jobs");
  for (let i = 0; i < 50; i++) socket.receive(event("job.started"));
  assert.equal(socket.frames.find(({ credits }) => credits)?.credits, 100_050);
});

test("an attempt fails if its channels are not confirmed within `connectTimeout`", async () => {
  for (const [connectTimeout, ms] of [[undefined, 10_000], [300, 300]] as const) {
    await using it = fixture({ connectTimeout });
    const first = await it.connect();
    const jobs = await subscribe(it, first, "jobs");
    await it.lose(first);
    const second = await it.attempt();
    // Opening the connection has a `connectTimeout` of its own.
    it.clock.advance(ms - 1);
    second.accept();
    await eventually(() => second.methods.length === 2);
    it.clock.advance(ms - 1);
    await breathe();
    assert.equal(second.isDropped, false);
    it.clock.advance(1);
    await eventually(() => it.status.of("reconnecting").length === 2);
    assert.equal(second.isDropped, true);
    assert(it.status.of("reconnecting")[1]!.cause instanceof TimeoutError);
    assert.equal(it.status.of("connected").length, 1);
    const third = await it.attempt();
    third.accept();
    await eventually(() => third.methods.length === 2);
    third.answer({});
    await eventually(() => it.status.of("connected").length === 2);
    assert.equal(jobs.seen.length, 1, "one gap for both attempts");
  }
});

test("a connection that is lost while it subscribes again is a failed attempt", async () => {
  await using it = fixture();
  const first = await it.connect();
  await subscribe(it, first, "jobs");
  await it.lose(first);
  const second = await it.attempt();
  second.accept();
  await eventually(() => second.methods.length === 2);
  second.lose("cut again");
  await eventually(() => it.status.of("reconnecting").length === 2);
  assert.deepEqual(it.status.of("reconnecting").map(({ attempt }) => attempt), [1, 2]);
  assert.equal(it.status.of("disconnected").length, 1);
  assert.notEqual(it.session.status.state.type, "connected");
});

test("a connection that is lost as soon as its channels are confirmed adds no gap of its own", async () => {
  await using it = fixture();
  const first = await it.connect();
  const jobs = await subscribe(it, first, "jobs");
  await it.lose(first);
  const second = await it.attempt();
  second.accept();
  await eventually(() => second.methods.length === 2);
  second.answer({});
  second.lose("cut again");
  await eventually(() => it.status.of("reconnecting").length === 2);
  const third = await it.attempt();
  third.accept();
  await eventually(() => third.methods.length === 2);
  assert.deepEqual(jobs.seen, []);
  third.answer({});
  await eventually(() => it.status.of("connected").length === 2);
  assert.equal(jobs.seen.length, 1);
});

test("reads in flight are sent again on the new connection, writes reject as `unknown`", async () => {
  await using it = fixture();
  const first = await it.connect();
  const [read, write] = [it.call(READ), it.call(WRITE)];
  assert.equal(it.session.inFlight, 2);
  await it.lose(first);
  await rejects(write, { code: "connection_lost", delivery: "unknown" });
  assert.equal(it.session.inFlight, 1);
  const second = await it.reconnect();
  assert.deepEqual(second.methods, ["auth", "stats"]);
  second.answer("ok");
  assert.equal(await within(read, "the read"), "ok");
  assert.equal(it.session.inFlight, 0);
});

test("a call that times out while disconnected has the last failure as its cause", async () => {
  await using it = fixture();
  await it.lose(await it.connect(), "first");
  const causeOf = async (call: Promise<unknown>) =>
    ((await failure(call) as Error).cause as Error).cause as Error;
  const early = it.call({ ...READ, timeout: 400 });
  it.clock.advance(400);
  assert.equal((await causeOf(early)).message, "first");
  it.clock.advance(100);
  (await it.socket(2)).lose("second");
  await eventually(() => it.status.of("reconnecting").length === 2);
  const late = it.call({ ...READ, timeout: 400 });
  it.clock.advance(400);
  await rejects(late, { code: "timeout", delivery: "not-sent" });
  assert.equal((await causeOf(late)).message, "second");
});

test("lets `maxQueue` calls wait, 1,000 by default", async () => {
  for (const [maxQueue, limit] of [[undefined, 1_000], [2, 2]] as const) {
    await using it = fixture({ maxQueue });
    await it.lose(await it.connect());
    for (let i = 0; i < limit; i++) it.call(READ);
    assert.equal(it.session.inFlight, limit);
    await rejects(it.call(READ), { code: "queue_full", delivery: "not-sent" });
    assert.equal(it.session.inFlight, limit);
  }
});

test("the deadline of a call is that of the client: 30 seconds by default, or none", () => {
  for (const [timeout, ms] of [[undefined, 30_000], [50, 50], [0, Infinity]] as const) {
    const { clock, session } = fixture({ timeout });
    assert.equal(session.deadline(), clock.monotonic() + ms);
    assert.equal(session.deadline(7), clock.monotonic() + 7);
    assert.equal(session.deadline(0), Infinity);
  }
});

test("draining may last until the latest deadline, which need not be that of the last call", async () => {
  await using it = fixture();
  const deadlines = [1_000, 60_000, 30_000, 0, 1_000].map((timeout) => {
    it.call({ ...READ, timeout });
    return it.session.lastDeadline! - it.clock.monotonic();
  });
  assert.deepEqual(deadlines, [1_000, 60_000, 60_000, Infinity, Infinity]);
});

test("connection attempts and throttled enqueues count as in flight", async () => {
  await using it = fixture();
  const connecting = it.session.connect();
  assert.equal(it.session.inFlight, 1);
  const call = it.call(READ);
  assert.equal(it.session.inFlight, 2);
  const socket = await it.socket(1);
  socket.accept();
  await within(connecting, "connecting");
  assert.equal(it.session.inFlight, 1);
  socket.answer("ok");
  await within(call, "the call");
  assert.equal(it.session.inFlight, 0);
  await subscribe(it, socket, "jobs");
  // At most 24 are sent ahead of their events.
  const enqueues = Array.from({ length: 26 }, () => it.call({ ...ENQUEUE, timeout: 1_000 }));
  assert.equal(it.session.inFlight, 26);
  const sent = () => socket.frames.filter(({ method }) => method === "job.enqueue");
  await eventually(() => sent().length === 24);
  assert.equal(it.session.inFlight, 26);
  for (const { id } of sent()) socket.answer({}, id);
  await within(Promise.all(enqueues.slice(0, 24)), "those that were sent");
  assert.equal(it.session.inFlight, 2);
  socket.receive(event("job.enqueued"));
  await eventually(() => sent().length === 25);
  assert.equal(it.session.inFlight, 2);
  socket.answer({});
  await within(enqueues[24]!, "the next");
  assert.equal(it.session.inFlight, 1);
});

test("a throttled enqueue that is given up no longer counts as in flight", async () => {
  await using it = fixture();
  const socket = await it.connect();
  await subscribe(it, socket, "jobs");
  for (let i = 0; i < 24; i++) it.call({ ...ENQUEUE, timeout: 0 });
  const stop = new AbortController();
  const reason = new Error("no longer needed");
  const call = it.call({ ...ENQUEUE, timeout: 0, signal: stop.signal });
  assert.equal(it.session.inFlight, 25);
  assert.equal(it.clock.pending, 1);
  stop.abort(reason);
  assert.equal(await failure(call), reason);
  assert.equal(it.session.inFlight, 24);
  assert.equal(it.clock.pending, 0);
});

test("close ends calls, channels, listeners and the status, and nothing follows", async () => {
  await using it = fixture();
  const socket = await it.connect();
  const jobs = await subscribe(it, socket, "jobs");
  const heard: Error[] = [];
  it.session.onClose.add((error) => void heard.push(error));
  const [read, write] = [it.call(READ), it.call(WRITE)];
  const closing = it.session.close();
  assert.equal(it.session.close(), closing);
  assert.notEqual(it.session.status.state.type, "connected");
  for (const call of [read, write]) await rejects(call, { code: "closed", delivery: "unknown" });
  assert.deepEqual(jobs.seen, [{ end: undefined, keep: false }]);
  assert.equal(socket.last.method, "unsubscribe");
  assert.equal(heard.length, 1);
  assert.equal(heard[0], it.session.closedWith);
  assert.equal(heard[0]!.message, "the client is closed");
  assert.equal(socket.isClosing, true);
  let isClosed = false;
  closing.then(() => isClosed = true);
  await breathe();
  assert.equal(isClosed, false, "the server has not answered the closing handshake");
  socket.lose("", 1000);
  await within(closing, "closing");
  await within(it.status.over, "the status");
  assert.deepEqual(it.types(), ["idle", "connecting", "connected", "closed"]);
  await rejects(it.session.connect(), {
    code: "closed",
    message: "Cannot connect: the client is closed",
  });
  await rejects(it.call(READ), { code: "closed", delivery: "not-sent" });
  const reason = new Error("no longer needed");
  assert.equal(await failure(it.call({ ...READ, signal: AbortSignal.abort(reason) })), reason);
  assert.deepEqual([it.clock.pending, it.sockets.length, it.session.inFlight], [0, 1, 0]);
});

test("close with drain leaves received events readable", async () => {
  await using it = fixture();
  const socket = await it.connect();
  const jobs = await subscribe(it, socket, "jobs");
  const closing = it.session.close(true);
  socket.lose("", 1000);
  await within(closing, "closing");
  assert.deepEqual(jobs.seen, [{ end: undefined, keep: true }]);
});

test("close stops connecting, reconnecting and resubscribing, and sets the status to closed", async () => {
  const connecting = fixture();
  const promise = connecting.session.connect();
  promise.catch(() => {});
  const opening = await connecting.socket(1);
  await within(connecting.session.close(), "closing");
  await rejects(promise, { code: "closed" });
  assert.equal(opening.isDropped, true);
  await within(connecting.status.over, "the status");
  assert.deepEqual(connecting.types(), ["idle", "connecting", "closed"]);
  await breathe();
  assert.equal(connecting.session.status.state.type, "closed");

  for (const stage of ["delay", "opening", "resubscribing"] as const) {
    const it = fixture();
    const first = await it.connect();
    await subscribe(it, first, "jobs");
    await it.lose(first);
    const call = it.call(READ);
    const second = stage === "delay" ? undefined : await it.attempt();
    if (stage === "resubscribing") {
      second!.accept();
      await eventually(() => second!.methods.length === 2);
    }
    await within(it.session.close(), "closing");
    await rejects(call, { code: "closed", delivery: "not-sent" });
    await breathe();
    if (second) assert.equal(second.isDropped, true, stage);
    assert.deepEqual(it.types().slice(-2), ["reconnecting", "closed"]);
    assert.equal(it.clock.pending, 0, stage);
    it.clock.advance(3_600_000);
    await breathe();
    assert.equal(it.sockets.length, stage === "delay" ? 1 : 2);
    assert.equal(it.clock.pending, 0, stage);
    await rejects(it.call(READ), { code: "closed" });
    assert.equal(it.session.status.state.type, "closed");
  }
});

test("reports anomalies with their number, a fallback to JSON and gaps in the status", async () => {
  await using it = fixture();
  const cause = new Error("odd");
  it.session.reportAnomaly(cause);
  it.session.reportAnomaly(cause);
  it.session.onFormatFallback(cause);
  it.session.status.emit({ type: "gap", reason: "credits", since: "a", until: "b" });
  await eventually(() => it.status.items.length === 5);
  assert.deepEqual(it.status.items.slice(1), [
    { type: "anomaly", count: 1, cause },
    { type: "anomaly", count: 2, cause },
    { type: "format_fallback", format: "json", cause },
    { type: "gap", reason: "credits", since: "a", until: "b" },
  ]);
  const socket = await it.connect();
  socket.receive("what?");
  await eventually(() => it.status.of("anomaly").length === 3);
  assert.equal(it.status.of("anomaly")[2]!.count, 3);
});

test("only the control link sends pings", async () => {
  await using it = fixture({ pingInterval: 1_000 });
  const socket = await it.connect();
  const opening = it.session.openLink({ onAnomaly: () => {}, onLost: () => {} });
  const lane = await it.socket(2);
  lane.accept();
  const link = await within(opening, "the lane");
  it.clock.advance(1_000);
  assert.equal(socket.last.type, "ping");
  assert.equal(lane.sent.length, 1);
  await within(link.close(new Error("over"), true), "closing");
});

test("calls the hook around each request, and around none of its own waits", async () => {
  const seen: unknown[] = [];
  await using it = fixture({
    hooks: {
      request: (info) => {
        seen.push(info);
        return (error) => seen.push(error);
      },
    },
  });
  const socket = await it.connect();
  assert.deepEqual(seen, []);
  const call = it.call({ ...READ, subject: "s" });
  socket.refuse(403, "no");
  await rejects(call, { code: 403 });
  assert.deepEqual(seen, [{ method: "stats", subject: "s" }, await failure(call)]);
});
