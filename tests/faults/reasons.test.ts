import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionError, Dispatch, DispatchError, DispatchRpc, DispatchSse } from "../../mod.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { tcpServer, tlsServer } from "../helpers/tcp_server.ts";

/** What the three clients say about an address that they cannot use. */
async function errorsOf(url: string): Promise<Record<"ws" | "rpc" | "sse", DispatchError>> {
  const options = { token: "my-secret-token", maxRetries: 0 };
  const httpUrl = url.replace(/^ws/, "http");
  using rpc = new DispatchRpc({ url: httpUrl, ...options });
  using sse = new DispatchSse({ url: httpUrl, ...options });
  const caught = (promise: PromiseLike<unknown>): Promise<DispatchError> =>
    within(promise, "the call").then(
      () => assert.fail(`connected to ${url}`),
      (error) => error,
    );
  const errors = {
    ws: await caught(Dispatch.connect({ url, ...options })),
    rpc: await caught(rpc.stats()),
    sse: await caught(sse.subscribe("jobs")),
  };
  for (const error of Object.values(errors)) {
    assert(error instanceof DispatchError, String(error));
    assert(!error.message.includes("secret"), error.message);
    if (!(error instanceof ConnectionError)) continue;
    assert.equal(error.code, "connect_failed");
    const { message } = error.cause as Error;
    assert(error.message.endsWith(`: ${message}`), "the reason stands in the cause too");
  }
  assert(errors.ws instanceof ConnectionError);
  assert(errors.ws.message.startsWith(`Cannot connect to '${url}': `), errors.ws.message);
  return errors;
}

/** Checks that each client gives this reason. */
async function explains(url: string, reason: RegExp): Promise<void> {
  for (const { message } of Object.values(await errorsOf(url))) assert.match(message, reason);
}

/** Answers each request with a status. */
function httpServer(status: string, body = "<html>") {
  return tcpServer((socket) =>
    socket.once("data", () => {
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    })
  );
}

test("says that a connection was refused, and asks for the port", async () => {
  const server = await tcpServer(() => {});
  await server[Symbol.asyncDispose]();
  await explains(
    `ws://127.0.0.1:${server.port}/dwp`,
    new RegExp(`: connection refused; is the server running, and is ${server.port} its port\\?$`),
  );
});

test("says which runtime blocks a port, and treats it like any other port elsewhere", async () => {
  const refused = /: connection refused; /;
  const blockedBy = (runtime: string) =>
    new RegExp(`: ${runtime} does not connect to port 1, .*; let the server use another port$`);
  const [socket, http] = "Deno" in globalThis
    ? [refused, blockedBy("Deno")]
    : "Bun" in globalThis
    ? [refused, refused]
    : [blockedBy("Node"), blockedBy("Node")];
  const { ws, rpc, sse } = await errorsOf("ws://127.0.0.1:1/dwp");
  assert.match(ws.message, socket);
  assert.match(rpc.message, http);
  assert.match(sse.message, http);
});

test("calls only a status of 300 to 399 a redirect", async () => {
  for (const [status, isRedirect] of [["201 Created", false], ["308 Moved", true]] as const) {
    await using server = await httpServer(`${status}\r\nLocation: http://127.0.0.1:9/other`);
    const { rpc, sse } = await errorsOf(`ws://127.0.0.1:${server.port}/dwp`);
    for (const { message } of [rpc, sse]) {
      assert.match(message, new RegExp(`answered ${status.slice(0, 3)}`));
      assert.equal(/a redirect to/.test(message), isRedirect, message);
    }
  }
});

test("says that a host was not found", async () => {
  await explains(
    "ws://no-such-host.invalid/dwp",
    /: the host 'no-such-host.invalid' was not found; check its name and the network$/,
  );
});

test("names the path that a server does not have, and the usual one", async () => {
  await using server = await httpServer("404 Not Found");
  await explains(
    `ws://127.0.0.1:${server.port}/api`,
    /answered 404.*: there is nothing at '\/api(\/rpc)?'; .* mount DWP at '\/dwp' by default$/,
  );
  await explains(
    `ws://127.0.0.1:${server.port}/dwp`,
    /answered 404.*: there is nothing at '\/dwp(\/rpc)?'; is it a Dispatch server/,
  );
});

for (const status of ["200 OK", "426 Upgrade Required"]) {
  test(`names the status of another HTTP server: ${status}`, async () => {
    await using server = await httpServer(status);
    await explains(
      `ws://127.0.0.1:${server.port}/x`,
      new RegExp(`answered ${status.slice(0, 3)}.*; is '/x' the path of DWP, by default '/dwp'`),
    );
  });
}

test("says that a proxy refuses, redirects, or cannot reach the server", async () => {
  for (
    const [status, reason] of [
      ["403 Forbidden", /answered 403.*: it, or a proxy before it, does not let you in/],
      ["302 Found", /answered 302.*: a redirect, which the client does not follow/],
      ["502 Bad Gateway", /answered 502.*: a proxy cannot reach the Dispatch server behind it/],
    ] as const
  ) {
    await using server = await httpServer(status);
    await explains(`ws://127.0.0.1:${server.port}/dwp`, reason);
  }
});

test("suggests ws:// for a port that does not use TLS", async () => {
  await using server = await httpServer("400 Bad Request");
  await explains(
    `wss://127.0.0.1:${server.port}/dwp`,
    /does not use TLS on this port[,;] use (ws|http):\/\/ instead of (ws|http)s:\/\/$/,
  );
});

test("suggests wss:// for a port that drops requests without TLS", async () => {
  await using server = await tlsServer((socket) => socket.end());
  await explains(
    `ws://127.0.0.1:${server.port}/dwp`,
    /: the server uses TLS on this port; use (ws|http)s:\/\/ instead of (ws|http):\/\/$/,
  );
});

test("says that a certificate is not trusted, and how to trust it", async () => {
  await using server = await tlsServer((socket) => socket.end());
  const variable = "Deno" in globalThis ? "DENO_CERT" : "NODE_EXTRA_CA_CERTS";
  const advice = `name the file of its authority in ${variable}$`;
  await explains(
    `wss://127.0.0.1:${server.port}/dwp`,
    new RegExp(`certificate is (self-signed|of an unknown authority); ${advice}`),
  );
});

test("says that a server drops connections, or does not speak HTTP", async () => {
  await using dropping = await tcpServer((socket) => socket.destroy());
  await explains(
    `ws://127.0.0.1:${dropping.port}/dwp`,
    /: the server closed the connection without an answer; is this the port of a Dispatch server\?$/,
  );
  await using ssh = await tcpServer((socket) =>
    socket.once("data", () => socket.end("SSH-2.0-OpenSSH_9.6\r\n"))
  );
  await explains(
    `ws://127.0.0.1:${ssh.port}/dwp`,
    /: what listens on this port does not speak HTTP; is this the port of a Dispatch server\?$/,
  );
});

test("says that the server closed the WebSocket before it answered", async () => {
  await using server = await createScriptedServer((peer) => peer.drop(), { manual: true });
  await assert.rejects(within(Dispatch.connect({ url: server.url, token: "t" }), "connecting"), {
    code: "connect_failed",
    message:
      /: the server closed the connection before it answered \(.+\); is it a Dispatch server\?$/,
  });
});

test("no request for the reason contains the token or the query", async () => {
  await using server = await tcpServer((socket) => socket.once("data", () => socket.destroy()));
  await errorsOf(`ws://127.0.0.1:${server.port}/dwp`);
  const connecting = Dispatch.connect({
    url: `ws://127.0.0.1:${server.port}/dwp?key=once`,
    token: "my-secret-token",
  });
  await assert.rejects(within(connecting, "connecting"), ConnectionError);
  const sent = server.received();
  // The calls over HTTP send the token, each once; the WebSocket has not got so far.
  assert.equal(sent.split("my-secret-token").length - 1, 2);
  assert.equal(sent.split("key=once").length - 1, 1);
  assert(sent.includes("\x16\x03"), "the server was asked whether it speaks TLS");
});

/** A server that drops the first connection and is silent on the others. */
function silentAfterwards() {
  return tcpServer((socket, index) => {
    if (index === 0) socket.once("data", () => socket.destroy());
  });
}

test("the request for the reason takes at most 2 seconds", async () => {
  await using server = await silentAfterwards();
  const clock = new FakeClock();
  const client = new Dispatch({ url: `ws://127.0.0.1:${server.port}/dwp`, token: "t", clock });
  const connecting = client.connect();
  connecting.catch(() => {});
  await eventually(() => server.accepted() > 1 && clock.due.includes(2_000));
  clock.advance(1_999);
  await breathe();
  assert.equal(clock.due[0], 1);
  clock.advance(1);
  await assert.rejects(within(connecting, "connecting"), {
    code: "connect_failed",
    message: /closed the connection without an answer/,
  });
  await client.close();
  assert.equal(clock.pending, 0);
});

test("the request for the reason ends with the signal, and when the client is closed", async () => {
  for (const end of ["abort", "close"] as const) {
    await using server = await silentAfterwards();
    const clock = new FakeClock();
    const abort = new AbortController();
    const client = new Dispatch({ url: `ws://127.0.0.1:${server.port}/dwp`, token: "t", clock });
    const connecting = client.connect({ signal: abort.signal });
    connecting.catch(() => {});
    await eventually(() => clock.due.includes(2_000));
    if (end === "abort") abort.abort(new Error("enough"));
    else await client.close();
    await assert.rejects(within(connecting, "connecting"), {
      message: end === "abort" ? "enough" : /the client is closed$/,
    });
    await client.close();
    await eventually(() => clock.pending === 0);
  }
});

test("sends no request of its own with an injected socket or `fetch`", async () => {
  await using server = await tcpServer((socket) => socket.once("data", () => socket.destroy()));
  const url = `127.0.0.1:${server.port}/dwp`;
  const webSocket = (url: string) => new WebSocket(url);
  const connecting = Dispatch.connect({ url: `ws://${url}`, token: "t", webSocket });
  await assert.rejects(within(connecting, "connecting"), /without an answer/);
  using rpc = new DispatchRpc({
    url: `http://${url}`,
    token: "t",
    maxRetries: 0,
    fetch: (...args) => fetch(...args),
  });
  await assert.rejects(within(rpc.stats(), "the call"), /without an answer/);
  assert(!server.received().includes("\x16\x03"), "the server was asked whether it speaks TLS");
});
