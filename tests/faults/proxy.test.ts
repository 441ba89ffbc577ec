import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createFaultProxy,
  createScriptedServer,
  type FaultProxyOptions,
  type ScriptedServer,
} from "../../testing/mod.ts";
import { FrameCounter } from "../../testing/_frame_counter.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** Starts a server that echoes the data of every request. */
function echoServer(): Promise<ScriptedServer> {
  return createScriptedServer(async (peer) => {
    for (;;) peer.send(JSON.stringify((await peer.next()).data));
  }, { manual: true });
}

/** A WebSocket that records its messages and its end. */
class Socket {
  readonly socket: WebSocket;
  readonly messages: unknown[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; wasClean: boolean }>;
  isClosed = false;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.onmessage = ({ data }) => this.messages.push(JSON.parse(data as string));
    this.socket.onerror = () => {};
    this.opened = new Promise((resolve) => this.socket.onopen = () => resolve());
    this.closed = new Promise((resolve) => {
      this.socket.onclose = ({ code, wasClean }) => {
        this.isClosed = true;
        resolve({ code, wasClean });
      };
    });
  }

  send(data: unknown): void {
    this.socket.send(JSON.stringify({ id: "1", type: "request", data }));
  }
}

async function connected(options: Partial<FaultProxyOptions> = {}) {
  const server = await echoServer();
  const proxy = await createFaultProxy({ target: server.url, ...options });
  const socket = new Socket(proxy.url);
  await within(socket.opened, "opening");
  return {
    server,
    proxy,
    socket,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await server.close();
    },
  };
}

test("forwards both ways and keeps the target's path", async () => {
  await using it = await connected();
  assert.equal(new URL(it.proxy.url).pathname, "/dwp");
  assert.notEqual(new URL(it.proxy.url).port, new URL(it.server.url).port);
  it.socket.send("hello");
  await eventually(() => it.socket.messages.length === 1);
  assert.deepEqual(it.socket.messages, ["hello"]);
  const [connection] = it.proxy.connections;
  assert.deepEqual(connection!.frames, { toServer: 1, toClient: 1 });
  assert.equal(it.proxy.accepted, 1);
  it.socket.socket.close();
  assert.equal((await within(it.socket.closed, "closing")).code, 1005);
  await eventually(() => it.proxy.connections.length === 0);
});

for (const how of ["fin", "reset"] as const) {
  test(`cuts with ${how}, without a close frame to either side`, async () => {
    await using it = await connected();
    it.proxy.cut(how);
    const { wasClean } = await within(it.socket.closed, "closing");
    assert.equal(wasClean, false);
    await eventually(() => !it.server.peers[0]!.isOpen);
    await eventually(() => it.proxy.connections.length === 0);
  });
}

test("refuses new connections, keeps the open ones, and comes back on the same port", async () => {
  await using it = await connected();
  const { url } = it.proxy;
  await it.proxy.refuse();
  const refused = new Socket(url);
  await within(refused.closed, "the refusal");
  assert.equal(it.proxy.accepted, 1);
  it.socket.send("still here");
  await eventually(() => it.socket.messages.length === 1);
  await it.proxy.forward();
  assert.equal(it.proxy.url, url);
  const again = new Socket(url);
  await within(again.opened, "opening again");
  assert.equal(it.proxy.accepted, 2);
});

test("accepts connections and stays silent", async () => {
  await using it = await connected();
  await it.proxy.silence();
  const ignored = new Socket(it.proxy.url);
  await eventually(() => it.proxy.accepted === 2);
  await breathe(20);
  assert.equal(ignored.socket.readyState, WebSocket.CONNECTING);
  assert.equal(it.server.peers.length, 1);
  it.proxy.connections[1]!.cut();
  await within(ignored.closed, "the cut");
});

test("delivers held messages in order after the release", async () => {
  await using it = await connected();
  const [connection] = it.proxy.connections;
  connection!.hold("toServer");
  it.socket.send(1);
  it.socket.send(2);
  await breathe(20);
  assert.equal(it.server.peers[0]!.received.length, 0);
  connection!.release("toServer");
  await eventually(() => it.socket.messages.length === 2);
  connection!.hold("toClient");
  it.socket.send(3);
  await eventually(() => it.server.peers[0]!.received.length === 3);
  await breathe(20);
  assert.deepEqual(it.socket.messages, [1, 2]);
  connection!.release();
  await eventually(() => it.socket.messages.length === 3);
  assert.deepEqual(it.socket.messages, [1, 2, 3]);
});

test("a held connection hides that one side has closed", async () => {
  await using it = await connected();
  const [connection] = it.proxy.connections;
  connection!.hold();
  it.server.peers[0]!.drop();
  await eventually(() => !it.server.peers[0]!.isOpen);
  await breathe(20);
  assert.equal(it.socket.isClosed, false);
  assert.equal(connection!.isOpen, true);
  connection!.cut();
  await within(it.socket.closed, "the cut");
});

test("delays every message by the same time, in order", async () => {
  const clock = new FakeClock();
  await using it = await connected({ clock });
  const [connection] = it.proxy.connections;
  connection!.delay(100, "toServer");
  it.socket.send(1);
  await eventually(() => clock.pending === 1);
  clock.advance(60);
  const { toServer } = connection!.received;
  it.socket.send(2);
  // The delay begins when the message has reached the proxy.
  await eventually(() => connection!.received.toServer > toServer);
  clock.advance(39);
  await breathe(20);
  assert.equal(it.server.peers[0]!.received.length, 0);
  clock.advance(1);
  await eventually(() => it.socket.messages.length === 1);
  clock.advance(60);
  await eventually(() => it.socket.messages.length === 2);
  assert.deepEqual(it.socket.messages, [1, 2]);
});

test("cuts after a number of frames", async () => {
  await using it = await connected();
  it.proxy.connections[0]!.cutAfter({ frames: 3 });
  for (let i = 1; i <= 5; i++) it.socket.send(i);
  await within(it.socket.closed, "the cut");
  assert.deepEqual(it.socket.messages, [1, 2, 3]);
});

test("cuts inside a frame", async () => {
  let connection;
  await using it = await connected({ onConnection: (it) => connection = it });
  it.proxy.connections[0]!.cutAfter({ bytes: 10, direction: "toServer" });
  const before = it.proxy.connections[0]!.bytes.toServer;
  it.socket.send("a text of more than ten bytes");
  await within(it.socket.closed, "the cut");
  assert.equal(connection!.bytes.toServer, before + 10);
  assert.equal(it.server.peers[0]!.received.length, 0);
});

test("can cut a connection before it forwards anything", async () => {
  const server = await echoServer();
  await using proxy = await createFaultProxy({
    target: server.url,
    onConnection: (connection) => {
      if (connection.index === 1) connection.cut("reset");
    },
  });
  const first = new Socket(proxy.url);
  await within(first.opened, "opening");
  const second = new Socket(proxy.url);
  await within(second.closed, "the cut");
  assert.equal(server.peers.length, 1);
  await proxy.close();
  await server.close();
});

test("forwards new connections to another server after retargeting", async () => {
  await using it = await connected();
  const other = await echoServer();
  it.proxy.retarget(other.url);
  const socket = new Socket(it.proxy.url);
  await within(socket.opened, "opening");
  assert.equal(other.peers.length, 1);
  assert.equal(it.server.peers.length, 1);
  await it.proxy.close();
  await other.close();
});

test("rejects a target that it cannot reach without TLS", async () => {
  await assert.rejects(createFaultProxy({ target: "wss://localhost/dwp" }), {
    code: "bad_options",
    message: "Cannot create fault proxy: option 'target' must be a ws: or http: address, " +
      "not 'wss://localhost/dwp'",
  });
});

test("close rejects with the error of a failed script", async () => {
  const server = await createScriptedServer(() => {
    throw new Error("the script is wrong");
  });
  const socket = new Socket(server.url);
  await within(socket.opened, "opening");
  await eventually(() => server.peers.length === 1);
  await assert.rejects(server.close(), /the script is wrong/);
});

test("counts frames in chunks of any size", () => {
  const head = new TextEncoder().encode("HTTP/1.1 101 \r\nA: b\r\n\r\n");
  const frames = [
    [0x81, 2, 1, 2],
    [0x81, 0x82, 9, 9, 9, 9, 1, 2],
    [0x81, 126, 0, 200, ...new Array(200).fill(7)],
    [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0, ...new Array(65536).fill(7)],
    [0x89, 0],
  ];
  const all = new Uint8Array([...head, ...frames.flat()]);
  for (const size of [1, 3, 1000, all.length]) {
    const counter = new FrameCounter();
    for (let at = 0; at < all.length; at += size) counter.count(all.subarray(at, at + size));
    assert.equal(counter.frames, frames.length, `in chunks of ${size}`);
  }
  const counter = new FrameCounter();
  assert.equal(counter.count(all, 2), head.length + 4 + 8);
  assert.equal(counter.frames, 2);
});
