// One connection, over a socket whose other end is the test.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call } from "../../client/connection/call.ts";
import { Deadlines } from "../../client/connection/deadlines.ts";
import { FormatError, Link } from "../../client/connection/link.ts";
import type { LinkOptions } from "../../client/connection/link_options.ts";
import { AuthError, ConnectionError, DispatchError, TimeoutError } from "../../mod.ts";
import { type Frame, loadMsgpackCodec } from "../../protocol/mod.ts";
import { CountingSignal } from "../helpers/counting_signal.ts";
import { breathe, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { StubSocket } from "./_stub_socket.ts";

const URL = "ws://server.test/dwp";
const NOW = "2026-01-01T00:00:00.000Z";
const ENQUEUE = { what: "enqueue 'noop'", method: "job.enqueue", data: '{"name": "noop"}' };
const READ = { what: "get stats", method: "stats", retry: "unknown" } as const;

/** A link that is being opened. */
function opening(options: Partial<LinkOptions> = {}) {
  const socket = new StubSocket();
  const clock = new FakeClock();
  const anomalies: string[] = [];
  const losses: ConnectionError[] = [];
  const abort = new CountingSignal();
  const promise = Link.open({
    displayUrl: URL,
    token: "t",
    binary: undefined,
    pingInterval: 0,
    pingTimeout: 10_000,
    clock,
    deadlines: new Deadlines(clock),
    socket: socket.asWebSocket,
    owner: {
      onAnomaly: ({ message }) => void anomalies.push(message),
      onLost: (cause) => void losses.push(cause),
    },
    ...options,
  }, abort.signal);
  promise.catch(() => {});
  return { socket, clock, anomalies, losses, abort, promise };
}

/** A link whose token the server has accepted. */
async function opened(options: Partial<LinkOptions> = {}) {
  const it = opening(options);
  it.socket.accept();
  return { ...it, link: await within(it.promise, "opening") };
}

/** Asserts how a promise rejects, and returns the error. */
async function rejection(promise: Promise<unknown>, expected: Record<string, unknown>) {
  const error = await within(promise.then(() => undefined, (error) => error), "the rejection");
  assert(error instanceof Error, "it did not reject");
  const seen = error as unknown as Record<string, unknown>;
  assert.deepEqual(
    Object.fromEntries(Object.keys(expected).map((key) => [key, seen[key]])),
    expected,
  );
  return error;
}

test("sends the token once the socket is open, and opens with the server's answer", async () => {
  const { socket, promise } = opening();
  assert.equal(socket.sent.length, 0);
  socket.onopen!();
  assert.deepEqual(socket.frames, [
    { id: "auth", type: "request", method: "auth", ts: NOW, data: { token: "t" } },
  ]);
  socket.answer({ session_id: "s7", format: "json" });
  const link = await within(promise, "opening");
  assert.deepEqual([link.sessionId, link.isOpen, link.format], ["s7", true, "json"]);
  assert.equal(socket.binaryType, "arraybuffer");
  assert.equal(socket.isDropped, false);
});

for (
  const [name, answer] of [
    ["a session id that is a number", { type: "response", data: { session_id: 5 } }],
    ["no data", { type: "response" }],
    ["the type `pong`", { type: "pong", data: { session_id: "s" } }],
  ] as const
) {
  test(`reports an answer to auth with ${name}, and waits for a usable one`, async () => {
    const { socket, promise, anomalies } = opening();
    socket.onopen!();
    socket.receive({ id: "1", correl_id: "auth", ...answer });
    assert.equal(anomalies.length, 1);
    assert.match(anomalies[0]!, /^Cannot decode frame: not an answer to auth: \{"id":"1"/);
    socket.answer({ session_id: "s", format: "json" }, "auth");
    assert.equal((await within(promise, "opening")).sessionId, "s");
  });
}

test("an event before the answer to auth does not count as the answer", async () => {
  const { socket, promise, anomalies } = opening();
  socket.onopen!();
  socket.receive({ id: "1", type: "event", data: { session_id: "wrong" } });
  socket.answer({ session_id: "right" }, "auth");
  assert.equal((await within(promise, "opening")).sessionId, "right");
  assert.deepEqual(anomalies, []);
});

for (
  const [code, type] of [[401, AuthError], [403, AuthError], [400, DispatchError]] as const
) {
  test(`rejects with ${type.name} and drops the socket if auth is refused with ${code}`, async () => {
    const { socket, promise, abort, losses } = opening();
    socket.onopen!();
    socket.refuse(code, "no");
    const error = await rejection(promise, {
      message: `Cannot authenticate at '${URL}': the server answered ${code} no`,
      code: type === AuthError ? 401 : code,
      name: type.name,
    });
    assert(error instanceof type);
    assert.equal(socket.isDropped, true);
    assert.equal(abort.listeners, 0);
    socket.lose();
    assert.deepEqual(losses, []);
  });
}

for (
  const [name, end, why] of [
    [
      "the socket's error",
      (it: StubSocket) => {
        it.onerror!({ message: "refused" });
        // Node fires a second event, without a message.
        it.onerror!({});
        it.lose("a reason");
      },
      "refused",
    ],
    ["the server's reason", (it: StubSocket) => it.lose("going away", 1001), "going away"],
    ["the code", (it: StubSocket) => it.lose(), "closed with code 1006"],
  ] as const
) {
  test(`a socket that does not open rejects with ${name}`, async () => {
    const { socket, promise, abort } = opening();
    end(socket);
    // The connector explains it.
    const error = await rejection(promise, { message: why });
    assert(!(error instanceof DispatchError));
    assert.equal(socket.isDropped, true);
    assert.equal(abort.listeners, 0);
  });
}

test("an abort while opening rejects with the reason and drops the socket", async () => {
  const { socket, promise, abort, clock, losses } = opening({ pingInterval: 1_000 });
  socket.onopen!();
  const reason = new Error("no longer needed");
  abort.abort(reason);
  assert.equal(await promise.catch((error) => error), reason);
  assert.deepEqual([socket.isDropped, abort.listeners], [true, 0]);
  // An answer that was under way does not open it.
  socket.answer({ session_id: "s" }, "auth");
  assert.equal(clock.pending, 0);
  socket.lose();
  assert.deepEqual(losses, []);
});

test("an open link ignores the signal", async () => {
  const { socket, link, abort } = await opened();
  assert.equal(abort.listeners, 0);
  abort.abort(new Error("too late"));
  assert.equal(link.isOpen, true);
  assert.equal(socket.isDropped, false);
});

test("asks for MessagePack, and uses it once the server has agreed", async () => {
  const codec = await loadMsgpackCodec();
  const { socket, promise } = opening({ binary: codec });
  socket.onopen!();
  assert.deepEqual(socket.frames[0]!.data, { token: "t", format: "msgpack" });
  socket.answer({ session_id: "s", format: "msgpack" });
  const link = await within(promise, "opening");
  assert.equal(link.format, "msgpack");
  const call = link.request(ENQUEUE);
  const sent = codec.decode(socket.sent[1] as Uint8Array);
  assert.deepEqual([sent.method, sent.data], ["job.enqueue", { name: "noop" }]);
  const answer = codec.encode({ id: "x", type: "response", correl_id: sent.id }, '{"a":1}');
  socket.receive((answer as Uint8Array<ArrayBuffer>).slice().buffer);
  assert.deepEqual(await within(call, "the call"), { a: 1 });
});

for (const [asked, answered] of [["json", "msgpack"], ["msgpack", "json"]] as const) {
  test(`a server that is asked for ${asked} and answers ${answered} gets JSON`, async () => {
    const binary = asked === "json" ? undefined : await loadMsgpackCodec();
    const { socket, promise } = opening({ binary });
    socket.onopen!();
    socket.answer({ session_id: "s", format: answered });
    const link = await within(promise, "opening");
    assert.equal(link.format, "json");
    link.request(ENQUEUE).catch(() => {});
    assert.equal(socket.last.method, "job.enqueue");
  });
}

for (
  const [name, end, cause] of [
    ["closes the connection", (it: StubSocket) => it.lose("what is this"), /^what is this$/],
    ["sends what cannot be decoded", (it: StubSocket) => it.receive("\x81\x01"), /not JSON/],
  ] as const
) {
  test(`a server that ${name} when asked for MessagePack rejects with FormatError`, async () => {
    const { socket, promise, anomalies } = opening({ binary: await loadMsgpackCodec() });
    socket.onopen!();
    end(socket);
    const error = await rejection(promise, {
      code: "connect_failed",
      message: "Cannot use MessagePack: the connection is lost",
    });
    assert(error instanceof FormatError);
    assert.match((error.cause as Error).message, cause);
    assert.equal(socket.isDropped, true);
    assert.deepEqual(anomalies, []);
  });
}

test("a message that is not JSON does not end the authentication", async () => {
  const { socket, promise, anomalies } = opening();
  socket.onopen!();
  socket.receive("what?");
  socket.receive(new Uint8Array([0x80]).buffer);
  assert.match(anomalies[0]!, /^Cannot decode frame: not JSON: what\?$/);
  assert.match(anomalies[1]!, /^Cannot decode frame: an unexpected binary message: $/);
  socket.answer({ session_id: "s" }, "auth");
  await within(promise, "opening");
});

test("a request has an id of its own, its data as it was written, and the time", async () => {
  const { socket, clock, link } = await opened();
  link.request(ENQUEUE).catch(() => {});
  link.request({ what: "get stats", method: "stats" }).catch(() => {});
  clock.advance(1_500);
  link.request(READ).catch(() => {});
  assert.equal(
    socket.sent[1],
    `{"id":"1","type":"request","method":"job.enqueue","ts":"${NOW}","data":{"name": "noop"}}`,
  );
  assert.equal(socket.sent[2], `{"id":"2","type":"request","method":"stats","ts":"${NOW}"}`);
  assert.deepEqual([socket.last.id, socket.last.ts], ["3", "2026-01-01T00:00:01.500Z"]);
  assert.equal(link.inFlight, 3);
});

test("an answer resolves its call with the data, a refusal rejects it with the code", async () => {
  const { socket, link } = await opened();
  const [first, second] = [link.request(ENQUEUE), link.request(READ)];
  second.catch(() => {});
  socket.answer({ job_id: "j" }, "1");
  assert.deepEqual(await within(first, "the call"), { job_id: "j" });
  assert.equal(link.inFlight, 1);
  socket.refuse(403, "insufficient permissions");
  await rejection(second, {
    code: 403,
    message: "Cannot get stats: the server answered 403 insufficient permissions",
  });
  assert.equal(link.inFlight, 0);
});

test("a call whose signal is already aborted rejects with the reason and is not sent", async () => {
  const { socket, link } = await opened();
  const reason = new Error("no longer needed");
  const call = link.request({ ...ENQUEUE, signal: AbortSignal.abort(reason) });
  assert.equal(await call.catch((error) => error), reason);
  assert.equal(socket.sent.length, 1);
  assert.equal(link.inFlight, 0);
});

test("a call without an answer times out as `unknown`, and leaves no timer", async () => {
  const { clock, link } = await opened();
  const call = link.request({ ...ENQUEUE, timeout: 100 }, clock.monotonic() + 100);
  call.catch(() => {});
  clock.advance(99);
  assert.equal(link.inFlight, 1);
  clock.advance(1);
  const error = await rejection(call, {
    message: "Cannot enqueue 'noop': no answer within 100 ms",
    delivery: "unknown",
  });
  assert(error instanceof TimeoutError);
  assert.deepEqual([link.inFlight, clock.pending], [0, 0]);
});

test("counts the answers to given-up calls: one more is an anomaly", async () => {
  const { socket, clock, link, anomalies } = await opened();
  const calls = [1, 2].map(() => link.request(ENQUEUE, clock.monotonic() + 100));
  for (const call of calls) call.catch(() => {});
  clock.advance(100);
  socket.answer({}, "1");
  socket.refuse(500, "too late", "2");
  assert.deepEqual(anomalies, []);
  socket.answer({}, "3");
  socket.refuse(500, "odd", "4");
  assert.equal(anomalies.length, 2);
  assert.match(anomalies[0]!, /: an answer to no request: /);
  assert.match(anomalies[1]!, /: the server answered 500 odd to no request: /);
});

test("an answer to no request is an anomaly while every request still waits for its own", async () => {
  const { socket, link, anomalies } = await opened();
  const call = link.request(ENQUEUE);
  socket.answer({}, "99");
  socket.receive({ id: "x", type: "response", data: {} });
  socket.refuse(400, "odd", "99");
  assert.equal(anomalies.length, 3);
  socket.answer("mine", "1");
  assert.equal(await within(call, "the call"), "mine");
});

test("an error that names no request rejects the only one, and is an anomaly if there are two", async () => {
  const { socket, link, anomalies } = await opened();
  const calls = [link.request(ENQUEUE), link.request(READ)];
  for (const call of calls) call.catch(() => {});
  const error = { id: "x", type: "error", error: { code: 400, message: "invalid frame" } };
  socket.receive(error);
  assert.equal(anomalies.length, 1);
  assert.equal(link.inFlight, 2);
  socket.answer("ok", "1");
  socket.receive(error);
  assert.equal(await within(calls[0]!, "the call"), "ok");
  await rejection(calls[1]!, {
    code: 400,
    message: "Cannot get stats: the server answered 400 invalid frame",
  });
  assert.deepEqual([anomalies.length, link.inFlight], [1, 0]);
});

test("an error that names no request is an anomaly while a ping or a grant may be to blame", async () => {
  const { socket, link, anomalies } = await opened();
  const error = { id: "x", type: "error", error: { code: 400, message: "invalid frame" } } as const;
  const ping = link.sendControl("ping");
  const first = link.request(ENQUEUE);
  socket.receive(error);
  assert.deepEqual([anomalies.length, link.inFlight], [1, 1]);
  socket.answer("ok", "2");
  assert.equal(await within(first, "the first"), "ok");
  const second = link.request(ENQUEUE);
  link.sendControl("request", { credits: 1 });
  socket.receive(error);
  assert.deepEqual([anomalies.length, link.inFlight], [2, 1]);
  socket.answer("ok", "3");
  assert.equal(await within(second, "the second"), "ok");
  assert.equal(ping, "1");
});

test("an error that names no request is for the only one after a ping was answered", async () => {
  const { socket, link, anomalies } = await opened();
  const correl_id = link.sendControl("ping");
  socket.receive({ id: "p", type: "pong", correl_id });
  const call = link.request(ENQUEUE);
  socket.receive({ id: "x", type: "error", error: { code: 400, message: "invalid frame" } });
  await rejection(call, { code: 400 });
  assert.deepEqual([anomalies.length, link.inFlight], [0, 0]);
});

test("an error that names no request is an anomaly if the only one was given up", async () => {
  const { socket, clock, link, anomalies } = await opened();
  link.request(ENQUEUE, clock.monotonic() + 100).catch(() => {});
  clock.advance(100);
  socket.receive({ id: "x", type: "error", error: { code: 400, message: "odd" } });
  assert.equal(anomalies.length, 1);
});

test("an error that names no request is an anomaly if it may belong to a request that was given up", async () => {
  const { socket, clock, link, anomalies } = await opened();
  link.request(READ, clock.monotonic() + 100).catch(() => {});
  clock.advance(100);
  const call = link.request(ENQUEUE);
  socket.receive({ id: "x", type: "error", error: { code: 400, message: "odd" } });
  assert.deepEqual([anomalies.length, link.inFlight], [1, 1]);
  socket.answer("ok", "2");
  assert.equal(await within(call, "the call"), "ok");
});

test("events and pongs go to the sink, and are ignored without one", async () => {
  const { socket, link, anomalies } = await opened();
  const event = { id: "1", type: "event", data: { type: "job.started" } };
  socket.receive(event);
  socket.receive({ id: "2", type: "pong", correl_id: "p0" });
  const seen: unknown[] = [];
  link.sink = {
    onEvent: (frame: Frame) => void seen.push(frame),
    onPong: (id) => void seen.push(id),
  };
  socket.receive(event);
  socket.receive({ id: "4", type: "pong", correl_id: "p1" });
  assert.deepEqual(seen, [event, "p1"]);
  assert.deepEqual(anomalies, []);
});

test("answers a ping with its id and time", async () => {
  const { socket } = await opened();
  socket.receive({ id: "p", type: "ping", ts: "2026-02-03T00:00:00Z" });
  assert.deepEqual(socket.last, {
    id: "1",
    type: "pong",
    ts: "2026-02-03T00:00:00Z",
    correl_id: "p",
  });
});

test("a control frame gets the next id, which is returned, and does not count as a call", async () => {
  const { socket, link } = await opened();
  link.request(READ).catch(() => {});
  assert.equal(link.sendControl("request", { credits: 9 }), "2");
  assert.deepEqual(socket.last, { id: "2", type: "request", ts: NOW, credits: 9 });
  assert.equal(link.inFlight, 1);
  assert.equal(link.sendControl("ping"), "3");
});

test("reports a frame of the wrong type with the message", async () => {
  const { socket, anomalies } = await opened();
  socket.receive({ id: "1", type: "request", method: "stats" });
  assert.deepEqual(anomalies, [
    'Cannot decode frame: unexpected request: {"id":"1","type":"request","method":"stats"}',
  ]);
});

test("knows when the last message arrived", async () => {
  const { socket, clock, link } = await opened();
  const before = clock.now();
  assert.equal(link.lastMessageAt, before);
  clock.advance(700);
  socket.receive({ id: "1", type: "pong" });
  clock.advance(100);
  assert.equal(link.lastMessageAt, before + 700);
});

test("a lost connection rejects its calls as `unknown` and tells the owner", async () => {
  const { socket, link, losses, clock } = await opened();
  const call = link.request(ENQUEUE, clock.monotonic() + 1_000);
  call.catch(() => {});
  socket.lose("going away", 1001);
  assert.equal(link.isOpen, false);
  const [loss] = losses;
  assert.equal(loss!.code, "connection_lost");
  assert.equal(loss!.message, `The connection to '${URL}' was lost`);
  assert.equal((loss!.cause as Error).message, "going away");
  await rejection(call, {
    code: "connection_lost",
    delivery: "unknown",
    message: `Cannot enqueue 'noop': The connection to '${URL}' was lost`,
    cause: loss,
  });
  socket.lose();
  assert.equal(losses.length, 1);
  assert.equal(clock.pending, 0);
});

test("a call on a link that is lost rejects as `not-sent`", async () => {
  const { socket, link } = await opened();
  socket.lose();
  await rejection(link.request(ENQUEUE), {
    name: "ConnectionError",
    code: "connection_lost",
    delivery: "not-sent",
    message: "Cannot enqueue 'noop': the connection is lost",
  });
  assert.equal(socket.sent.length, 1);
  assert.equal(link.inFlight, 0);
});

test("offers the owner only the calls that may be sent again", async () => {
  const offered: string[] = [];
  const kept: Call[] = [];
  let takes = true;
  const owner: LinkOptions["owner"] = {
    onAnomaly: () => {},
    onLost: () => {},
    requeue: (call) => {
      offered.push(call.request.what);
      if (takes) kept.push(call);
      return takes;
    },
  };
  const first = await opened({ owner });
  const write = first.link.request({ ...ENQUEUE, retry: "not-sent" });
  const read = first.link.request(READ);
  write.catch(() => {});
  first.socket.lose();
  assert.deepEqual(offered, ["get stats"]);
  await rejection(write, { code: "connection_lost", delivery: "unknown" });
  assert.equal(first.link.inFlight, 0);
  // A kept call settles with the answer on the next link.
  const second = await opened({ owner });
  second.link.send(kept[0]!);
  second.socket.answer("later");
  assert.equal(await within(read, "the read"), "later");
  takes = false;
  const refused = second.link.request(READ);
  refused.catch(() => {});
  second.socket.lose();
  await rejection(refused, { code: "connection_lost", delivery: "unknown" });
});

test("rejects reads too if the owner does not take them back", async () => {
  const { socket, link } = await opened();
  const read = link.request(READ);
  read.catch(() => {});
  socket.lose();
  await rejection(read, { code: "connection_lost", delivery: "unknown" });
});

test("close rejects the calls at once and resolves with the peer's answer", async () => {
  const { socket, clock, link, losses } = await opened();
  const call = link.request(ENQUEUE);
  call.catch(() => {});
  let isClosed = false;
  const closing = link.close(new ConnectionError("the client is closed", "closed"), false)
    .then(() => isClosed = true);
  await rejection(call, {
    code: "closed",
    delivery: "unknown",
    message: "Cannot enqueue 'noop': the client is closed",
  });
  assert.deepEqual([socket.isClosing, socket.isDropped, link.isOpen], [true, false, false]);
  assert.deepEqual(clock.due, [1_000]);
  await breathe();
  assert.equal(isClosed, false);
  socket.lose("", 1000);
  await within(closing, "closing");
  assert.deepEqual([clock.pending, losses.length, socket.isDropped], [0, 0, false]);
  await within(link.close(new Error("again"), false), "closing again");
  assert.equal(clock.pending, 0);
});

test("close drops a peer that does not answer within a second", async () => {
  const { socket, clock, link } = await opened();
  const closing = link.close(new Error("over"), false);
  clock.advance(999);
  assert.equal(socket.isDropped, false);
  clock.advance(1);
  assert.equal(socket.isDropped, true);
  await within(closing, "closing");
});

test("close at once drops the socket without the closing handshake", async () => {
  const { socket, clock, link } = await opened();
  await within(link.close(new Error("over"), true), "closing");
  assert.deepEqual([socket.isDropped, socket.isClosing, clock.pending], [true, false, 0]);
});

test("messages after the end are ignored", async () => {
  const { socket, link, anomalies } = await opened();
  let events = 0;
  link.sink = { onEvent: () => events++, onPong: () => events++ };
  const closing = link.close(new Error("over"), false);
  const before = socket.sent.length;
  socket.receive({ id: "1", type: "event", data: {} });
  socket.receive({ id: "2", type: "ping" });
  socket.receive("not a frame");
  socket.lose();
  await within(closing, "closing");
  assert.deepEqual([events, anomalies.length, socket.sent.length], [0, 0, before]);
});

test("a silent peer gets a ping, then its connection is lost and dropped", async () => {
  const { socket, clock, link, losses } = await opened({ pingInterval: 4_000 });
  clock.advance(4_000);
  assert.equal(socket.last.type, "ping");
  socket.receive({ id: "1", type: "pong", correl_id: socket.last.id });
  clock.advance(10_000);
  assert.equal(link.isOpen, true);
  clock.advance(4_000 + 10_000);
  assert.equal(link.isOpen, false);
  assert.equal((losses[0]!.cause as Error).message, "no message for 14000 ms");
  assert.equal(socket.isDropped, true);
  assert.equal(clock.pending, 0);
});

test("a closed link sends no pings, and one that is being opened neither", async () => {
  const one = opening({ pingInterval: 4_000 });
  one.socket.onopen!();
  one.clock.advance(60_000);
  assert.deepEqual(one.socket.methods, ["auth"]);
  assert.equal(one.socket.sent.length, 1);
  one.socket.answer({ session_id: "s" });
  const link = await within(one.promise, "opening");
  await within(link.close(new Error("over"), true), "closing");
  assert.equal(one.clock.pending, 0);
});

test("a link can be lost although its owner does not ask for that", async () => {
  const it = opening({ owner: { onAnomaly: () => {} } });
  it.socket.accept();
  const link = await within(it.promise, "opening");
  it.socket.lose();
  assert.equal(link.isOpen, false);
});
