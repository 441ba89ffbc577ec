import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../../dev/engine/memory_store.ts";
import { Node } from "../../dev/_server_life.ts";
import { Session } from "../../dev/wire/session.ts";
import { DEFAULT_TOKENS } from "../../dev/mod.ts";
import { resolveQuirks } from "../../dev/quirks.ts";
import { systemClock } from "../../runtime/mod.ts";

/** A socket that writes nothing while it is stuck, as one whose client does not read. */
class Stuck {
  readonly sent: string[] = [];
  isStuck = false;
  #wake = () => {};

  send(message: string | Uint8Array): void {
    this.sent.push(message as string);
    this.#wake();
  }

  buffered(): number {
    return this.isStuck ? 2 ** 21 : 0;
  }

  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  get events(): string[] {
    return this.sent.filter((text) => text.includes('"type":"event"'));
  }

  close(): void {}
  drop(): void {}
  terminate(): void {}
}

test("a client that does not read keeps 256 events and loses the rest, its answers come", async () => {
  const node = new Node({
    options: {},
    store: new MemoryStore(),
    clock: systemClock,
    random: Math.random,
    quirks: resolveQuirks(),
    observers: new Set(),
  });
  const authenticate = (token: string) => DEFAULT_TOKENS[token];
  const [slow, quick] = [new Stuck(), new Stuck()];
  const [slowly, quickly] = [slow, quick].map((socket) => new Session(node, socket, authenticate));
  for (const session of [slowly!, quickly!]) {
    session.message('{"id":"1","method":"auth","token":"demo-token"}');
    session.message('{"id":"2","method":"subscribe","data":{"channel":"jobs"}}');
  }
  slow.isStuck = true;
  for (let i = 0; i < 600; i++) {
    quickly!.message('{"id":"e","method":"job.enqueue","data":{"name":"x","queue":"unread"}}');
  }
  await quick.until(() => quick.events.length === 600);
  assert.equal(slow.events.length, 0);
  slowly!.message('{"id":"3","method":"stats"}');
  const stats = JSON.parse(slow.sent.at(-1)!);
  assert.deepEqual([stats.correl_id, stats.data.broker.total_dropped], ["3", 0]);
  assert.equal(stats.data.broker.total_published, 600 + 256);

  slow.isStuck = false;
  await slow.until(() => slow.events.length === 256);
  // A full buffer gives the credit back: 744 of 1,000 are left.
  for (let i = 0; i < 400; i++) {
    quickly!.message('{"id":"e","method":"job.enqueue","data":{"name":"x","queue":"unread"}}');
  }
  await slow.until(() => slow.events.length === 256 + 400);
  node.close();
});
