import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerLife } from "../../dev/_server_life.ts";
import { MemoryStore } from "../../dev/engine/memory_store.ts";
import { DEFAULT_TOKENS } from "../../dev/mod.ts";
import { resolveQuirks } from "../../dev/quirks.ts";
import { Session } from "../../dev/wire/session.ts";
import { systemClock } from "../../runtime/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** A socket that is full while its client does not read. */
class SlowSocket {
  readonly sent: string[] = [];
  isFull = false;

  send(message: string | Uint8Array): void {
    this.sent.push(message as string);
  }

  buffered(): number {
    return this.isFull ? 2 ** 21 : 0;
  }

  get events(): number {
    return this.sent.filter((text) => text.includes('"type":"event"')).length;
  }

  close(): void {}
  drop(): void {}
  terminate(): void {}
}

test("a client that does not read gets responses, 256 buffered events, and loses the others", async () => {
  const socketClock = new FakeClock();
  const server = new ServerLife({
    options: {},
    store: new MemoryStore(),
    clock: systemClock,
    socketClock,
    random: Math.random,
    quirks: resolveQuirks(),
    observers: new Set(),
  });
  const connect = (socket: SlowSocket): Session => {
    const session = new Session(server, socket, (token) => DEFAULT_TOKENS[token]);
    session.message('{"id":"1","method":"auth","token":"demo-token"}');
    session.message('{"id":"2","method":"subscribe","data":{"channel":"jobs"}}');
    return session;
  };
  const slowSocket = new SlowSocket();
  const fastSocket = new SlowSocket();
  const slow = connect(slowSocket);
  const fast = connect(fastSocket);
  const enqueue = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      fast.message('{"id":"e","method":"job.enqueue","data":{"name":"x","queue":"unread"}}');
    }
    // Events are written in a microtask.
    await Promise.resolve();
  };

  slowSocket.isFull = true;
  await enqueue(600);
  assert.equal(fastSocket.events, 600);
  assert.equal(slowSocket.events, 0);
  slow.message('{"id":"3","method":"stats"}');
  const stats = JSON.parse(slowSocket.sent.at(-1)!);
  assert.deepEqual([stats.correl_id, stats.data.broker.total_dropped], ["3", 0]);
  assert.equal(stats.data.broker.total_published, 600 + 256);

  socketClock.advance(5);
  assert.equal(slowSocket.events, 0, "the socket is still full");
  slowSocket.isFull = false;
  socketClock.advance(5);
  assert.equal(slowSocket.events, 256);
  // An event that the full buffer drops costs no credit, so 744 of the 1,000 are left.
  await enqueue(400);
  assert.equal(slowSocket.events, 256 + 400);
  server.close();
});
