// How links are opened: addresses, tokens, formats and limits of time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connector } from "../../client/connection/connector.ts";
import { Deadlines } from "../../client/connection/deadlines.ts";
import type { LinkOwner } from "../../client/connection/link_options.ts";
import { AuthError, ConnectionError, type DispatchOptions, TimeoutError } from "../../mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { StubSocket } from "./_stub_socket.ts";

const OWNER: LinkOwner = { onAnomaly: () => {}, onLost: () => {} };

/** A connector whose sockets are stubs. */
function fixture(options: Partial<DispatchOptions> = {}) {
  const sockets: StubSocket[] = [];
  const urls: string[] = [];
  const fallbacks: Error[] = [];
  const clock = new FakeClock();
  const onClose = new Set<(error: Error) => void>();
  const abort = new AbortController();
  const deadlines = new Deadlines(clock);
  const host = {
    clock,
    deadlines,
    onClose,
    deadline: (timeout?: number) => clock.monotonic() + timeout!,
    onFormatFallback: (cause: Error) => void fallbacks.push(cause),
  };
  const connector = new Connector(host, {
    url: "ws://server.test/dwp",
    token: "t",
    webSocket: (url) => {
      urls.push(url);
      sockets.push(new StubSocket());
      return sockets.at(-1)!.asWebSocket;
    },
    ...options,
  });
  const open = (pings = false) => {
    const promise = connector.open(OWNER, pings, abort.signal);
    promise.catch(() => {});
    return promise;
  };
  /** Waits until the client has asked for its nth socket. */
  const socket = async (number: number) => {
    await eventually(() => sockets.length >= number);
    return sockets[number - 1]!;
  };
  return { sockets, urls, fallbacks, clock, deadlines, onClose, abort, open, socket };
}

/** A token function with a list of tokens, and how often it was called. */
function tokens(...list: string[]) {
  const seen = { calls: 0, token: () => Promise.resolve(list[seen.calls++] ?? "none left") };
  return seen;
}

const tokenOf = (socket: StubSocket) => (socket.frames[0]!.data as { token: string }).token;
const failure = (promise: Promise<unknown>) =>
  within(promise.then(() => undefined, (error) => error), "the rejection");

for (
  const [url, expected] of [
    ["http://server.test/dwp", "ws://server.test/dwp"],
    ["https://server.test/dwp", "wss://server.test/dwp"],
    ["ws://server.test:81/dwp?key=k#part", "ws://server.test:81/dwp?key=k"],
    ["wss://me:secret@server.test/http", "wss://me:secret@server.test/http"],
  ] as const
) {
  test(`opens '${expected}' for '${url}'`, async () => {
    const it = fixture({ url });
    const opening = it.open();
    (await it.socket(1)).accept("s1");
    assert.equal((await within(opening, "opening")).sessionId, "s1");
    assert.deepEqual(it.urls, [expected]);
    assert.deepEqual(it.sockets[0]!.frames[0]!.data, { token: "t" });
    assert.equal(it.clock.pending, 0);
    assert.equal(it.onClose.size, 0);
  });
}

test("later links reuse the token that the function has returned", async () => {
  const it = fixture({ token: tokens("first", "second").token });
  for (const number of [1, 2]) {
    const opening = it.open();
    const socket = await it.socket(number);
    socket.accept();
    await within(opening, "opening");
    assert.equal(tokenOf(socket), "first");
  }
});

test("asks once for a new token when one is refused that was accepted before", async () => {
  const source = tokens("old", "new", "newer");
  const it = fixture({ token: source.token });
  const first = it.open();
  (await it.socket(1)).accept();
  await within(first, "opening");
  const second = it.open();
  const refused = await it.socket(2);
  refused.onopen!();
  refused.refuse(401, "expired");
  const renewed = await it.socket(3);
  renewed.accept("s3");
  assert.equal((await within(second, "opening again")).sessionId, "s3");
  assert.deepEqual(it.sockets.map(tokenOf), ["old", "old", "new"]);
  assert.equal(source.calls, 2);
});

test("rejects when the new token is refused as well", async () => {
  const source = tokens("old", "new", "newer");
  const it = fixture({ token: source.token });
  const first = it.open();
  (await it.socket(1)).accept();
  await within(first, "opening");
  const second = it.open();
  for (const number of [2, 3]) {
    const socket = await it.socket(number);
    socket.onopen!();
    socket.refuse(401, "no");
  }
  assert((await failure(second)) instanceof AuthError);
  assert.equal(source.calls, 2);
});

test("does not ask for another token when a new one is refused", async () => {
  const source = tokens("bad", "good");
  const it = fixture({ token: source.token });
  const opening = it.open();
  const socket = await it.socket(1);
  socket.onopen!();
  socket.refuse(401, "no");
  assert((await failure(opening)) instanceof AuthError);
  assert.deepEqual([source.calls, it.sockets.length], [1, 1]);
});

test("does not try again with a fixed token, or after a failure of another kind", async () => {
  const fixed = fixture();
  const first = fixed.open();
  (await fixed.socket(1)).accept();
  await within(first, "opening");
  const second = fixed.open();
  const refusing = await fixed.socket(2);
  refusing.onopen!();
  refusing.refuse(401, "expired");
  assert((await failure(second)) instanceof AuthError);
  assert.equal(fixed.sockets.length, 2);

  const source = tokens("old", "new");
  const lost = fixture({ token: source.token });
  const before = lost.open();
  (await lost.socket(1)).accept();
  await within(before, "opening");
  const after = lost.open();
  (await lost.socket(2)).lose();
  assert.equal(((await failure(after)) as ConnectionError).code, "connect_failed");
  assert.deepEqual([lost.sockets.length, source.calls], [2, 1]);
});

test("falls back to JSON once, and tells the host why", async () => {
  const it = fixture({ format: "msgpack" });
  const opening = it.open();
  const first = await it.socket(1);
  first.onopen!();
  assert.deepEqual(first.frames[0]!.data, { token: "t", format: "msgpack" });
  first.lose("what is this");
  (await it.socket(2)).accept("s2");
  assert.equal((await within(opening, "opening")).sessionId, "s2");
  const later = it.open();
  (await it.socket(3)).accept();
  await within(later, "opening again");
  for (const socket of it.sockets.slice(1)) {
    assert.deepEqual(socket.frames[0]!.data, { token: "t" });
  }
  assert.equal(it.fallbacks.length, 1);
  assert.match(it.fallbacks[0]!.message, /^Cannot use MessagePack/);
});

test("does not fall back to JSON when the server cannot be reached", async () => {
  const it = fixture({ format: "msgpack" });
  const opening = it.open();
  (await it.socket(1)).lose();
  const error = await failure(opening);
  assert(error instanceof ConnectionError);
  assert.deepEqual([it.sockets.length, it.fallbacks.length], [1, 0]);
});

test("pings only on links that ask for it, by default after 15 and 10 seconds", async () => {
  for (
    const [options, silence] of [
      [{}, [15_000, 10_000]],
      [{ pingInterval: 2_000, pingTimeout: 300 }, [2_000, 300]],
    ] as const
  ) {
    const it = fixture(options);
    const quiet = it.open(false);
    (await it.socket(1)).accept();
    await within(quiet, "opening");
    assert.equal(it.clock.pending, 0);
    const pinging = it.open(true);
    const socket = await it.socket(2);
    socket.accept();
    const link = await within(pinging, "opening");
    it.clock.advance(silence[0] - 1);
    assert.equal(socket.sent.length, 1);
    it.clock.advance(1);
    assert.equal(socket.last.type, "ping");
    it.clock.advance(silence[1] - 1);
    assert.equal(link.isOpen, true);
    it.clock.advance(1);
    assert.deepEqual([link.isOpen, socket.isDropped], [false, true]);
  }
});

test("gives the server `connectTimeout` to answer, 10 seconds by default", async () => {
  for (const [connectTimeout, ms] of [[undefined, 10_000], [700, 700]] as const) {
    const it = fixture({ connectTimeout });
    const opening = it.open();
    const socket = await it.socket(1);
    socket.onopen!();
    it.clock.advance(ms - 1);
    await breathe();
    assert.equal(socket.isDropped, false);
    it.clock.advance(1);
    const error = await failure(opening);
    assert(error instanceof TimeoutError);
    assert.equal(error.delivery, "not-sent");
    assert.match(error.message, new RegExp(`'ws://server.test/dwp'.* answer within ${ms} ms$`));
    assert.equal(socket.isDropped, true);
    assert.deepEqual([it.clock.pending, it.onClose.size], [0, 0]);
  }
});

test("gives a token function its own `connectTimeout`, and opens no socket meanwhile", async () => {
  const token = Promise.withResolvers<string>();
  const it = fixture({ token: () => token.promise, connectTimeout: 500 });
  const late = it.open();
  it.clock.advance(500);
  assert.match(((await failure(late)) as Error).message, / token within 500 ms$/);
  assert.equal(it.sockets.length, 0);
  const inTime = it.open();
  it.clock.advance(499);
  token.resolve("t");
  const socket = await it.socket(1);
  it.clock.advance(499);
  socket.accept("s1");
  assert.equal((await within(inTime, "opening")).sessionId, "s1");
});

test("rejects with the signal's reason, and opens no socket once it has aborted", async () => {
  const reason = new Error("no longer needed");
  for (
    const options of [{}, { token: () => Promise.resolve("t") }, { format: "msgpack" }] as const
  ) {
    const it = fixture(options);
    const opening = it.open();
    it.abort.abort(reason);
    assert.equal(await failure(opening), reason);
    await breathe();
    for (const socket of it.sockets) assert.equal(socket.isDropped, true);
    assert.equal(await failure(it.open()), reason);
    const before = it.sockets.length;
    await breathe();
    assert.equal(it.sockets.length, before);
    assert.equal(it.clock.pending, 0);
  }
});

test("opens no socket for a signal that has aborted, although the token is known", async () => {
  const it = fixture();
  const opening = it.open();
  (await it.socket(1)).accept();
  await within(opening, "opening");
  const reason = new Error("no longer needed");
  it.abort.abort(reason);
  assert.equal(await failure(it.open()), reason);
  assert.equal(it.sockets.length, 1);
});

test("gives the MessagePack codec `connectTimeout` to load", async () => {
  const it = fixture({ format: "msgpack" });
  const add = it.deadlines.add.bind(it.deadlines);
  let steps = 0;
  // The first step of connecting gets the token, the second loads the codec.
  it.deadlines.add = (deadline, expire) => {
    const cancel = add(deadline, expire);
    if (++steps === 2) it.clock.advance(10_000);
    return cancel;
  };
  const error = await failure(it.open());
  assert(error instanceof TimeoutError);
  assert.match(error.message, /no MessagePack codec within 10000 ms$/);
  assert.equal(it.sockets.length, 0);
});

test("rejects when the client is closed, and drops the socket", async () => {
  const it = fixture();
  const opening = it.open();
  const socket = await it.socket(1);
  const closed = new ConnectionError("the client is closed", "closed");
  for (const listener of [...it.onClose]) listener(closed);
  const error = await failure(opening);
  assert.equal((error as ConnectionError).code, "closed");
  assert.equal(
    (error as Error).message,
    "Cannot connect to 'ws://server.test/dwp': the client is closed",
  );
  assert.equal(socket.isDropped, true);
  assert.deepEqual([it.clock.pending, it.onClose.size], [0, 0]);
});
