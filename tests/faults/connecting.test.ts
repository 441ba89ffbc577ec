import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthError,
  ConnectionError,
  Dispatch,
  DispatchError,
  type DispatchOptions,
  TimeoutError,
} from "../../mod.ts";
import { createFaultProxy, createScriptedServer, type ScriptedPeer } from "../../testing/mod.ts";
import { terminate } from "../../runtime/terminate.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { asked } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";

/** An address without a server. */
async function deadAddress(): Promise<string> {
  const server = await createScriptedServer(() => {});
  await server.close();
  return server.url;
}

function isTimeout(message: string): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof TimeoutError, String(error));
    assert.equal(error.message, message);
    assert.equal(error.code, "timeout");
    assert.equal(error.delivery, "not-sent");
    return true;
  };
}

test("rejects with TimeoutError if the peer does not answer the WebSocket request", async () => {
  const clock = new FakeClock();
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const client = new Dispatch({ url: proxy.url, token: "t", clock });
  const connecting = client.connect();
  connecting.catch(() => {});
  const connection = await asked(proxy);
  clock.advance(9_999);
  await breathe();
  assert.equal(proxy.connections.length, 1);
  clock.advance(1);
  await assert.rejects(
    within(connecting, "connecting"),
    isTimeout(`Cannot connect to '${proxy.url}': no answer within 10000 ms`),
  );
  await eventually(() => !connection.isOpen);
  await client.close();
  assert.equal(clock.pending, 0);
});

test("rejects with TimeoutError if the peer does not answer auth", async () => {
  const clock = new FakeClock();
  await using server = await createScriptedServer(() => {}, { manual: true });
  const client = new Dispatch({ url: server.url, token: "t", clock, connectTimeout: 3_000 });
  const connecting = client.connect();
  connecting.catch(() => {});
  await eventually(() => server.peers[0]?.received.length === 1);
  clock.advance(3_000);
  await assert.rejects(
    within(connecting, "connecting"),
    isTimeout(`Cannot connect to '${server.url}': no answer within 3000 ms`),
  );
  await eventually(() => !server.peers[0]!.isOpen);
  await client.close();
  assert.equal(clock.pending, 0);
});

test("rejects with TimeoutError if the token function does not resolve", async () => {
  const clock = new FakeClock();
  await using server = await createScriptedServer(() => {});
  const client = new Dispatch({ url: server.url, token: () => new Promise(() => {}), clock });
  const connecting = client.connect();
  connecting.catch(() => {});
  await breathe();
  clock.advance(10_000);
  await assert.rejects(within(connecting, "connecting"), TimeoutError);
  await client.close();
  assert.equal(clock.pending, 0);
});

test("a call rejects at its own deadline while the client is still connecting", async () => {
  const clock = new FakeClock();
  await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
  await proxy.silence();
  const client = new Dispatch({ url: proxy.url, token: "t", clock });
  const call = client.stats({ timeout: 4_000 });
  call.catch(() => {});
  await asked(proxy);
  clock.advance(4_000);
  await assert.rejects(
    within(call, "the call"),
    isTimeout("Cannot get stats: no connection within 4000 ms"),
  );
  await client.close();
});

test("rejects with ConnectionError if there is no server, and can connect later", async () => {
  await using server = await createScriptedServer(async (peer) => {
    for (;;) peer.answer(await peer.next(), { broker: {} });
  });
  await using proxy = await createFaultProxy({ target: server.url });
  await proxy.refuse();
  await using client = new Dispatch({ url: proxy.url, token: "t" });
  await assert.rejects(within(client.connect(), "connecting"), (error) => {
    assert(error instanceof ConnectionError);
    assert.equal(error.code, "connect_failed");
    assert(error.message.startsWith(`Cannot connect to '${proxy.url}': connection refused; `));
    assert(error.cause instanceof Error && error.message.endsWith(error.cause.message));
    return true;
  });
  await assert.rejects(within(client.stats(), "the call"), (error) => {
    assert(error instanceof ConnectionError);
    assert.equal(error.delivery, "not-sent");
    assert.match(error.message, /^Cannot get stats: Cannot connect to /);
    return true;
  });
  await proxy.forward();
  assert.equal(await within(client.connect(), "connecting"), "scripted_0");
  assert.deepEqual(await within(client.stats(), "the call"), { broker: {} });
});

test("Dispatch.connect closes a client that cannot connect", async () => {
  const clock = new FakeClock();
  await assert.rejects(
    within(Dispatch.connect({ url: await deadAddress(), token: "t", clock }), "connecting"),
    ConnectionError,
  );
  assert.equal(clock.pending, 0);
});

test("error messages do not contain secrets in the address", async () => {
  const url = new URL(await deadAddress());
  url.username = "me";
  url.password = "secret";
  url.search = "?key=secret";
  await assert.rejects(Dispatch.connect({ url, token: "t" }), (error) => {
    assert(error instanceof DispatchError);
    assert(!error.message.includes("secret"), error.message);
    return true;
  });
});

/** Refuses every token but one, like a server. */
async function guard(peer: ScriptedPeer, isGood: (token: string) => boolean): Promise<void> {
  const auth = await peer.next();
  const { token } = auth.data as { token: string };
  if (!isGood(token)) {
    peer.refuse(auth, 401, "authentication failed");
    return peer.drop();
  }
  peer.answer(auth, { format: "json", session_id: `session of ${token}` });
  for (;;) {
    const request = await peer.next();
    if (request.method) peer.answer(request, { broker: {} });
  }
}

test("does not retry with a refused token", async () => {
  const clock = new FakeClock();
  await using server = await createScriptedServer((peer) => guard(peer, () => false), {
    manual: true,
  });
  const client = new Dispatch({ url: server.url, token: "bad", clock });
  const status = new Recorder(client.status());
  await assert.rejects(within(client.connect(), "connecting"), (error) => {
    assert(error instanceof AuthError);
    assert.equal(error.code, 401);
    assert.equal(
      error.message,
      `Cannot authenticate at '${server.url}': the server answered 401 authentication failed`,
    );
    return true;
  });
  clock.advance(3_600_000);
  await breathe(20);
  assert.equal(server.peers.length, 1);
  assert.deepEqual(status.items.map(({ type }) => type), ["idle", "connecting", "idle"]);
  await client.close();
  assert.equal(clock.pending, 0);
});

test("a call names its action if the token is refused", async () => {
  await using server = await createScriptedServer((peer) => guard(peer, () => false), {
    manual: true,
  });
  await using client = new Dispatch({ url: server.url, token: "bad" });
  await assert.rejects(within(client.enqueue("noop"), "the call"), (error) => {
    assert(error instanceof DispatchError);
    assert.equal(error.code, 401);
    assert.match(error.message, /^Cannot enqueue 'noop': /);
    return true;
  });
});

function tokens(...list: string[]): { token: () => Promise<string>; askedFor: () => number } {
  let count = 0;
  return {
    token: () => Promise.resolve(list[Math.min(count++, list.length - 1)]!),
    askedFor: () => count,
  };
}

test("calls the token function once for many connections", async () => {
  await using server = await createScriptedServer((peer) => guard(peer, () => true), {
    manual: true,
  });
  const { token, askedFor } = tokens("good");
  await using client = new Dispatch({ url: server.url, token });
  await within(Promise.all([client.connect(), client.connect(), client.stats()]), "connecting");
  assert.equal(server.peers.length, 1);
  assert.equal(askedFor(), 1);
});

test("does not call the token function again if a new token is refused", async () => {
  await using server = await createScriptedServer((peer) => guard(peer, () => false), {
    manual: true,
  });
  const { token, askedFor } = tokens("bad");
  await using client = new Dispatch({ url: server.url, token });
  await assert.rejects(within(client.connect(), "connecting"), AuthError);
  assert.equal(askedFor(), 1);
  assert.equal(server.peers.length, 1);
});

/** A client whose token expires while it is connected. */
async function runsOut(list: string[], options: Partial<DispatchOptions> = {}) {
  let expired = false;
  const server = await createScriptedServer(
    (peer) => guard(peer, (token) => token !== "old" ? token === "new" : !expired),
    { manual: true },
  );
  const { token, askedFor } = tokens(...list);
  const clock = new FakeClock();
  const client = new Dispatch({ url: server.url, token, clock, random: () => 0, ...options });
  const status = new Recorder(client.status());
  await within(client.connect(), "connecting");
  expired = true;
  server.peers[0]!.drop();
  await eventually(() => status.of("reconnecting").length > 0);
  clock.advance(0);
  return { server, client, status, askedFor, clock };
}

test("calls the token function again if a token has expired at a reconnect", async () => {
  const { server, client, status, askedFor } = await runsOut(["old", "new"]);
  await eventually(() => status.of("connected").length === 2);
  assert.equal(status.of("connected")[1]!.sessionId, "session of new");
  assert.equal(askedFor(), 2);
  assert.deepEqual(await within(client.stats(), "the call"), { broker: {} });
  await client.close();
  await server.close();
});

test("gives up if the new token is refused too", async () => {
  const { server, client, status, askedFor, clock } = await runsOut(["old", "bad"]);
  await eventually(() => status.of("failed").length === 1);
  assert(status.of("failed")[0]!.cause instanceof AuthError);
  assert.equal(askedFor(), 2);
  await assert.rejects(within(client.stats(), "the call"), (error) => {
    return error instanceof DispatchError && error.code === 401;
  });
  clock.advance(3_600_000);
  await breathe(20);
  assert.equal(server.peers.length, 3);
  await client.close();
  await server.close();
});

test("rejects with the error of the token function", async () => {
  await using server = await createScriptedServer(() => {});
  const problem = new Error("no token today");
  await using client = new Dispatch({ url: server.url, token: () => Promise.reject(problem) });
  await assert.rejects(within(client.connect(), "connecting"), (error) => {
    return error === problem || (error as Error).cause === problem;
  });
  assert.equal(server.peers.length, 0);
  await using thrower = new Dispatch({
    url: server.url,
    token: () => {
      throw problem;
    },
  });
  await assert.rejects(within(thrower.connect(), "connecting"), (error) => {
    return error === problem || (error as Error).cause === problem;
  });
});

test("rejects with ConnectionError if the server does not speak the protocol", async () => {
  await using server = await createScriptedServer(async (peer) => {
    peer.refuse(await peer.next(), 400, "first frame must be auth");
    peer.drop();
  }, { manual: true });
  await using client = new Dispatch({ url: server.url, token: "t" });
  await assert.rejects(within(client.connect(), "connecting"), (error) => {
    assert(error instanceof DispatchError && !(error instanceof AuthError));
    assert.equal(error.code, 400);
    return true;
  });
});

for (
  const [name, url] of [
    ["text that is not an address", "not a url"],
    ["an address with another protocol", "ftp://127.0.0.1/dwp"],
  ]
) {
  test(`the constructor rejects ${name}`, () => {
    assert.throws(() => new Dispatch({ url: url!, token: "t" }), (error) => {
      assert(error instanceof DispatchError);
      assert.equal(error.code, "bad_options");
      assert.match(error.message, /^Cannot create client: /);
      return true;
    });
  });
}

test("accepts http and https addresses", async () => {
  await using server = await createScriptedServer(() => {});
  const url = server.url.replace("ws:", "http:");
  await using client = await within(Dispatch.connect({ url, token: "t" }), "connecting");
  assert.equal(await client.connect(), "scripted_0");
});

test("a socket of the client can be dropped without the closing handshake", async () => {
  await using server = await createScriptedServer(() => {});
  let socket: WebSocket | undefined;
  await using client = new Dispatch({
    url: server.url,
    token: "t",
    webSocket: (url) => socket = new WebSocket(url),
  });
  await within(client.connect(), "connecting");
  assert.equal(terminate(socket!), true);
  await eventually(() => !server.peers[0]!.isOpen);
});
