import assert from "node:assert/strict";
import { test } from "node:test";
import { createDevServer, createVirtualClock, type DevServer } from "../../dev/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { within } from "../helpers/eventually.ts";
import { rawRequest, statusOf, UPGRADE } from "./_raw_request.ts";
import { Wire } from "./wire.ts";

const STATS = JSON.stringify({ id: "1", method: "stats", token: "demo-token" });

/** Sends each kind of request with these headers; returns the statuses. */
async function statuses(
  { port }: DevServer,
  { host = `127.0.0.1:${port}`, origin, site }: { host?: string; origin?: string; site?: string },
): Promise<number[]> {
  const headers = `Host: ${host}\r\n${origin === undefined ? "" : `Origin: ${origin}\r\n`}${
    site === undefined ? "" : `Sec-Fetch-Site: ${site}\r\n`
  }`;
  const requests = [
    `GET /dwp HTTP/1.1\r\n${headers}${UPGRADE}\r\n`,
    // Without a content type, a browser sends it without asking the server first.
    `POST /dwp/rpc HTTP/1.1\r\n${headers}Content-Length: ${STATS.length}\r\n\r\n${STATS}`,
    `GET /dwp/sse?token=demo-token&channel=jobs HTTP/1.1\r\n${headers}\r\n`,
    `GET /dwp/faults HTTP/1.1\r\n${headers}Authorization: demo-token\r\n\r\n`,
  ];
  const found: number[] = [];
  for (const text of requests) {
    found.push(statusOf(await within(rawRequest(port, text), "the response")));
  }
  return found;
}

const ACCEPTED = [101, 200, 200, 200];
const REFUSED = [403, 403, 403, 403];

test("accepts requests without an origin, and from pages on this machine", async () => {
  await using server = await createDevServer();
  assert.deepEqual(await statuses(server, {}), ACCEPTED);
  for (
    const origin of [
      "http://localhost:5173",
      "https://localhost",
      "http://app.localhost:3000",
      "http://127.0.0.1:3000",
      "http://127.1.2.3",
      "http://[::1]:3000",
      `http://127.0.0.1:${server.port}`,
    ]
  ) {
    assert.deepEqual(await statuses(server, { origin }), ACCEPTED, origin);
  }
});

test("pages of other sites are refused", async () => {
  await using server = await createDevServer();
  for (
    const origin of [
      "https://evil.example",
      "http://localhost.evil.example",
      "http://evil.example:5173",
      "http://127.0.0.1.evil.example",
      "http://192.168.1.5",
      "null",
      "file://",
      "chrome-extension://abcdefgh",
      "https://localhost@evil.example",
      "no origin",
    ]
  ) {
    assert.deepEqual(await statuses(server, { origin }), REFUSED, origin);
  }
});

test("requests of other sites without an origin, such as those for images, are refused", async () => {
  await using server = await createDevServer();
  assert.deepEqual(await statuses(server, { site: "cross-site" }), REFUSED);
  for (const site of ["same-origin", "same-site", "none"]) {
    assert.deepEqual(await statuses(server, { site }), ACCEPTED, site);
  }
  // An allowed origin outweighs the header `Sec-Fetch-Site`.
  const origin = "http://localhost:5173";
  assert.deepEqual(await statuses(server, { site: "cross-site", origin }), ACCEPTED);
});

test("names of other sites that resolve to this machine are refused as the host", async () => {
  await using server = await createDevServer();
  const { port } = server;
  for (const host of ["evil.example", `evil.example:${port}`, "localhost.evil.example", "_x"]) {
    assert.deepEqual(await statuses(server, { host }), REFUSED, host);
    // Page and request have the same site, so the origin alone shows nothing wrong.
    assert.deepEqual(await statuses(server, { host, origin: `http://${host}` }), REFUSED, host);
  }
  for (
    const host of [
      "localhost",
      `LOCALHOST:${port}`,
      "localhost.",
      "app.localhost:1",
      "127.0.0.1",
      "192.168.1.5:80",
      "[::1]:8787",
    ]
  ) {
    assert.deepEqual(await statuses(server, { host }), ACCEPTED, host);
  }
});

test("a page may connect to the address that it came from, on any port", async () => {
  await using server = await createDevServer();
  const host = `192.168.1.5:${server.port}`;
  assert.deepEqual(await statuses(server, { host, origin: "http://192.168.1.5:3000" }), ACCEPTED);
  assert.deepEqual(await statuses(server, { host, origin: "http://192.168.1.6:3000" }), REFUSED);
});

test("`allowOrigins` lets in the pages and the hosts that it names", async () => {
  await using server = await createDevServer({
    allowOrigins: [
      "https://app.example",
      "http://dispatch:8787/",
      "chrome-extension://abc",
      "null",
    ],
  });
  for (
    const origin of [
      "https://app.example",
      "https://APP.example:443",
      "http://dispatch:8787",
      "chrome-extension://abc",
      "null",
    ]
  ) {
    assert.deepEqual(await statuses(server, { origin }), ACCEPTED, origin);
  }
  for (const origin of ["http://app.example", "https://app.example:444", "https://a.app.example"]) {
    assert.deepEqual(await statuses(server, { origin }), REFUSED, origin);
  }
  assert.deepEqual(await statuses(server, { host: "dispatch:8787" }), ACCEPTED);
  assert.deepEqual(await statuses(server, { host: "other:8787" }), REFUSED);
});

test('`allowOrigins: ["*"]` lets in every page and host', async () => {
  await using server = await createDevServer({ allowOrigins: ["*"] });
  const evil = { host: "evil.example", origin: "https://evil.example" };
  assert.deepEqual(await statuses(server, evil), ACCEPTED);
});

test("the name that the server listens on is accepted as the host", async () => {
  await using server = await createDevServer({ hostname: "localhost" });
  const response = await fetch(server.url.replace("ws:", "http:"));
  assert.equal(response.status, 400);
  assert.match(await response.text(), /handshake error/);
});

test("with `origin-check`, only pages of the server's own host and port are accepted", async () => {
  await using server = await createDevServer({
    quirks: { "origin-check": true },
    allowOrigins: ["https://app.example"],
  });
  for (const origin of [`http://127.0.0.1:${server.port}`, "https://app.example"]) {
    assert.deepEqual(await statuses(server, { origin }), ACCEPTED, origin);
  }
  for (const origin of ["http://localhost:3000", "http://127.0.0.1:3000"]) {
    assert.deepEqual(await statuses(server, { origin }), REFUSED, origin);
  }
});

test("says once which origin was refused, and how to allow it", async () => {
  const log: string[] = [];
  await using server = await createDevServer({ log: (line) => log.push(line) });
  for (let i = 0; i < 3; i++) await statuses(server, { origin: "https://app.example" });
  await statuses(server, { host: "dispatch:8787" });
  assert.deepEqual(log, [
    "refused a request of a page from 'https://app.example'; " +
    "to allow it: --allow-origin https://app.example",
    "refused a request to the host 'dispatch:8787'; " +
    "to allow it: --allow-origin http://dispatch:8787",
  ]);
  for (let i = 0; i < 30; i++) await statuses(server, { origin: `https://${i}.example` });
  assert.equal(log.length, 20);
});

test("a refused origin cannot write to the terminal", async () => {
  const log: string[] = [];
  await using server = await createDevServer({ log: (line) => log.push(line) });
  await statuses(server, { origin: `https://\u009b31m\u202e${"x".repeat(500)}` });
  assert.equal(log.length, 1);
  assert.match(log[0]!, /^[\x20-\x7e]{200,600}$/);
});

test("a connection that sends no token is closed after 10 seconds", async () => {
  const clock = new FakeClock();
  await using server = await createDevServer({ clock });
  const silent = await Wire.open(server.url);
  await using authenticated = await Wire.connect(server.url);
  clock.advance(9_999);
  await authenticated.call("stats");
  assert.equal(silent.socket.readyState, WebSocket.OPEN);
  clock.advance(1);
  const { error } = await silent.take(({ type }) => type === "error");
  assert.deepEqual([error?.code, error?.message], [400, "no auth frame within 10 seconds"]);
  await within(silent.closed, "the connection");
  clock.advance(60_000);
  await authenticated.call("stats");
});

test("closes a connection without a token on a virtual clock and in memory, too", async () => {
  const clock = createVirtualClock();
  await using server = await createDevServer({ clock });
  const silent = await Wire.open(server.url);
  const inMemory = server.webSocket();
  const closed = new Promise((resolve) => inMemory.onclose = resolve);
  await new Promise((resolve) => inMemory.onopen = resolve);
  await clock.advance("10s");
  await within(silent.closed, "the connection");
  await within(closed, "the connection in memory");
});
