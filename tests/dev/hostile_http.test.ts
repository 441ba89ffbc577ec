import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { listenHttp } from "../../dev/listen/_node_http.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { openRaw, rawRequest, statusOf, UPGRADE } from "./_raw_request.ts";
import { Wire } from "./wire.ts";

/** Whether the server still serves. */
async function assertAlive(url: string): Promise<void> {
  await using wire = await Wire.connect(url);
  assert.ok(await wire.call("stats"));
}

const HOST = "Host: 127.0.0.1\r\n";
const HOSTILE: Record<string, string> = {
  "the target //": `GET // HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
  "the target ///": `GET /// HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
  "the target http://[": `GET http://[ HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
  "the target *": `OPTIONS * HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
  "the target //, without an upgrade": `GET // HTTP/1.1\r\n${HOST}\r\n`,
  "the target http://[, without an upgrade": `GET http://[ HTTP/1.1\r\n${HOST}\r\n`,
  "an escape that is not UTF-8": `GET /%E0%A4%A HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
  "HTTP/1.0 without Host": `GET /dwp HTTP/1.0\r\n${UPGRADE}\r\n`,
  "HTTP/1.0 without Host or an upgrade": "GET /dwp HTTP/1.0\r\n\r\n",
  "RPC over HTTP/1.0 without Host": "POST /dwp/rpc HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
  "HTTP/1.1 without Host": `GET /dwp HTTP/1.1\r\n${UPGRADE}\r\n`,
  "an empty Host": `GET /dwp HTTP/1.1\r\nHost: \r\n${UPGRADE}\r\n`,
  "the Host [": `GET /dwp HTTP/1.1\r\nHost: [\r\n${UPGRADE}\r\n`,
  "the Host [, without an upgrade": "GET /dwp HTTP/1.1\r\nHost: [\r\n\r\n",
  "a Host with a path": `GET /dwp HTTP/1.1\r\nHost: 127.0.0.1/x\r\n${UPGRADE}\r\n`,
  "a Host with a user": `GET /dwp HTTP/1.1\r\nHost: a@127.0.0.1\r\n${UPGRADE}\r\n`,
  "an upgrade without Connection": `GET /dwp HTTP/1.1\r\n${HOST}${
    UPGRADE.replace("Connection: Upgrade\r\n", "")
  }\r\n`,
  "an upgrade without a key": `GET /dwp HTTP/1.1\r\n${HOST}${
    UPGRADE.replace(/Sec-WebSocket-Key.*\r\n/, "")
  }\r\n`,
  "an upgrade with POST": `POST /dwp HTTP/1.1\r\n${HOST}${UPGRADE}Content-Length: 0\r\n\r\n`,
  "an upgrade to another protocol": `GET /dwp HTTP/1.1\r\n${HOST}${
    UPGRADE.replace("websocket", "h2c")
  }\r\n`,
  "no HTTP": "\x00\x01\x02\r\n\r\n",
  "a chunk without a length":
    `POST /dwp/rpc HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
};

for (const [name, text] of Object.entries(HOSTILE)) {
  test(`answers ${name} with an error, shows no source, and goes on`, async () => {
    const log: string[] = [];
    await using server = await createDevServer({ log: (line) => log.push(line) });
    const response = await within(rawRequest(server.port, text), "the response");
    const status = statusOf(response);
    assert.ok(status === 0 || (status >= 400 && status < 500), response);
    assert.doesNotMatch(response, /\.ts\b|node_modules|stack/);
    await assertAlive(server.url);
    assert.deepEqual(log, []);
  });
}

test("closes a connection that sends no request for 10 seconds", {
  skip: "Bun" in globalThis ? "Bun.serve closes them by itself" : false,
}, async () => {
  const clock = new FakeClock();
  const accepted: Socket[] = [];
  const listener = await listenHttp({
    ...{ hostname: "127.0.0.1", port: 0, path: "/dwp", clock },
    open: () => assert.fail("no upgrade was sent"),
    fetch: () => new Response("here"),
    refuses: () => undefined,
    refusesUpgrade: () => undefined,
  }, ({ socket }) => {
    accepted.push(socket);
    socket.write("upgraded");
  });
  try {
    const closed: string[] = [];
    const open = async (name: string, text: string) => {
      const socket = await openRaw(listener.port, text);
      let received = "";
      socket.on("data", (chunk: Uint8Array) => void (received += new TextDecoder().decode(chunk)));
      socket.on("close", () => closed.push(name));
      socket.on("end", () => socket.destroy());
      return { socket, received: () => received };
    };
    const silent = await open("silent", "");
    await open("half", `GET /dwp HTTP/1.1\r\n${HOST}`);
    const kept = await open("kept", `GET / HTTP/1.1\r\n${HOST}\r\n`);
    await eventually(() => kept.received().includes("here"));
    const upgraded = await open("upgraded", `GET /dwp HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`);
    await eventually(() => upgraded.received() === "upgraded");
    await eventually(() => clock.pending === 3);
    clock.advance(9_999);
    assert.deepEqual(closed, []);
    silent.socket.write("G");
    clock.advance(1);
    await eventually(() => closed.length === 3);
    assert.deepEqual(closed.toSorted(), ["half", "kept", "silent"]);
    upgraded.socket.destroy();
  } finally {
    for (const socket of accepted) socket.destroy();
    // On Deno the promise does not resolve after an upgrade.
    void listener.close();
  }
});

/** Opens connections that send a text and are then reset after `ms`. */
async function resetMany(port: number, text: string, ms: number): Promise<void> {
  for (let batch = 0; batch < 4; batch++) {
    await Promise.all(Array.from({ length: 50 }, async () => {
      const socket = await openRaw(port, text);
      await new Promise((resolve) => setTimeout(resolve, ms));
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.resetAndDestroy();
      await closed;
    }));
  }
}

const RESETS: Record<string, string> = {
  "an upgrade": `GET /dwp HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
  "a refused upgrade":
    `GET /dwp HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
  "an upgrade of another path": `GET /other HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
  "half a request": `POST /dwp/rpc HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\n{`,
};

for (const [name, text] of Object.entries(RESETS)) {
  test(`survives resets after ${name}, and keeps no descriptor`, async () => {
    const server = await createDevServer();
    await assertAlive(server.url);
    // Only Linux shows a process its descriptors like this.
    const descriptors = () => readdir("/proc/self/fd").then((all) => all.length, () => 0);
    const before = await descriptors();
    for (const ms of [0, 2, 20]) await resetMany(server.port, text, ms);
    await eventually(async () => await descriptors() <= before + 5);
    await assertAlive(server.url);
    await within(server.close(), "the close");
  });
}

const UNFINISHED: Record<string, string> = {
  "a connection that has sent nothing": "",
  "half a request line": "GET /dw",
  "half a body": `POST /dwp/rpc HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\n{`,
  "a stream of events": `GET /dwp/sse?token=demo-token&channel=jobs HTTP/1.1\r\n${HOST}\r\n`,
  "a refused upgrade that the client does not close":
    `GET /dwp HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
  "an upgrade without a token": `GET /dwp HTTP/1.1\r\n${HOST}${UPGRADE}\r\n`,
};

for (const [name, text] of Object.entries(UNFINISHED)) {
  test(`closes at once despite ${name}`, async () => {
    const server = await createDevServer();
    const { port } = server;
    const socket = await openRaw(port, text);
    await assertAlive(server.url);
    await within(server.close(), "the close", 1_000);
    socket.destroy();
    await using _again = await createDevServer({ port });
  });
}

test("a request body that is too long is refused without being read", async () => {
  await using server = await createDevServer();
  const response = await within(
    rawRequest(
      server.port,
      `POST /dwp/rpc HTTP/1.1\r\n${HOST}Content-Length: ${2 ** 28 + 1}\r\n\r\n{`,
    ),
    "the response",
  );
  assert.equal(statusOf(response), 413);
});

test("a connection is dropped when more than 16 MiB wait behind a run that it started", async () => {
  const log: string[] = [];
  await using server = await createDevServer({
    ...referenceWorkload(),
    log: (line) => log.push(line),
  });
  await using other = await Wire.connect(server.url);
  const wire = await Wire.connect(server.url);
  wire.send("workflow.start", { name: "order-payment", input: { order_id: "1" } });
  const filler = "x".repeat(2 ** 20);
  for (let i = 0; i < 17; i++) wire.send("job.enqueue", { name: "noop", payload: filler });
  const refusal = await wire.take(({ type }) => type === "error");
  const message = "more than 16 MiB of frames wait behind a request";
  assert.deepEqual([refusal.error?.code, refusal.error?.message], [413, message]);
  await within(wire.closed, "the connection");
  assert.deepEqual(log, [`dropped a connection: ${message}`]);
  // The run goes on, as after any lost connection.
  await other.call("workflow.event", { name: "payment-received" });
  await eventually(() => server.store.runs()[0]?.state === "completed");
  assert.equal(server.store.jobs().length, 0);
});

test("as many frames as fit wait behind a run, and are handled when it has ended", async () => {
  await using server = await createDevServer(referenceWorkload());
  await using other = await Wire.connect(server.url);
  await using wire = await Wire.connect(server.url);
  const start = wire.send("workflow.start", { name: "order-payment", input: { order_id: "1" } });
  for (let i = 0; i < 2000; i++) wire.send("job.enqueue", { name: "noop" });
  const last = wire.send("stats");
  await other.call("workflow.event", { name: "payment-received" });
  assert.equal((await wire.responseTo(start)).data.state, "completed");
  await wire.responseTo(last);
  assert.equal(server.store.jobs().length, 2000);
});

test("a path with a broken escape sequence is refused before it is routed, as by Go", async () => {
  await using server = await createDevServer(referenceWorkload());
  const first = async (method: string, path: string) => {
    const url = `http://127.0.0.1:${server.port}${path}`;
    const response = await fetch(url, { method, redirect: "manual" });
    return [response.status, response.headers.get("Content-Type"), await response.text()];
  };
  const refused = [400, "text/plain; charset=utf-8", "400 Bad Request"];
  assert.deepEqual(await first("GET", "/dispatch/v1/jobs/%zz"), refused);
  assert.deepEqual(await first("POST", "/dispatch/v1/jobs/a%4/retry"), refused);
  assert.deepEqual(await first("GET", "/nowhere%"), refused);
  assert.equal((await first("GET", "/dispatch/v1/stats?x=%zz"))[0], 200);
  assert.equal((await first("GET", "/dispatch/v1/jobs/%20"))[1], "application/json");
});
