import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { Dispatch } from "../../mod.ts";
import { SharedClient } from "../../runner/cli/health/shared_client.ts";
import { breathe, eventually } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { startServer } from "../helpers/server.ts";

/** A socket to a server that gives no answer. */
class SilentSocket extends EventTarget {
  readyState = 0;
  close(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
}

/** A server that can refuse connections or leave them open, and the client that checks share. */
async function share() {
  const server = await startServer();
  const clock = new FakeClock();
  const stop = new AbortController();
  const sockets: WebSocket[] = [];
  const state = { is: "here" as "here" | "away" | "silent", attempts: 0 };
  const webSocket = (url: string) => {
    state.attempts++;
    if (state.is === "away") throw new Error(`away at attempt ${state.attempts}`);
    if (state.is === "silent") return new SilentSocket() as unknown as WebSocket;
    const socket = new WebSocket(url);
    sockets.push(socket);
    return socket;
  };
  const shared = new SharedClient({
    ...{ Dispatch, clock, signal: stop.signal },
    server: {
      name: "test",
      url: server.url,
      token: "demo-token",
      webSocket,
      close: async () => {},
    },
  });
  /** Lets sockets work, and moves the clock only while nothing else happens. */
  const settle = async (promise: Promise<unknown>): Promise<number> => {
    const start = clock.now();
    let isOver = false;
    const over = () => void (isOver = true);
    promise.then(over, over);
    for (let i = 0; !isOver; i++) {
      if (i === 1_000) throw new Error("nothing came of it");
      // An answer of the server takes some turns, which a clock that moves on would not leave it.
      const answers = state.is === "here" ? 20 : 5;
      await breathe(answers);
      if (!isOver) clock.advance(100);
    }
    return clock.now() - start;
  };
  return {
    ...{ state, clock },
    /** Cuts the connection while the server is away. */
    async lose() {
      state.is = "away";
      const closed = new Promise((resolve) => sockets.at(-1)!.addEventListener("close", resolve));
      sockets.at(-1)!.close();
      await closed;
      await breathe();
    },
    /** The milliseconds after which a check has the client, or the reason why there is none. */
    async outcome(): Promise<[ms: number, what: string]> {
      const got = shared.get().then(() => "connected", ({ message }: Error) => message);
      return [await settle(got), await got];
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await settle(shared.close());
      await server.close();
    },
  };
}

test("checks wait for a lost connection, but not long, and later ones fail at once", async () => {
  await using it = await share();
  equal((await it.outcome())[1], "connected");
  await it.lose();
  const [waited, why] = await it.outcome();
  match(why, /^Cannot connect to .*: away at attempt/);
  equal(waited, 5_000);
  const [later, reason] = await it.outcome();
  equal(later, 0);
  match(reason, /away at attempt/);
});

test("a server that is back after a long outage is noticed within seconds", async () => {
  await using it = await share();
  await it.outcome();
  await it.lose();
  // So long that pauses which double each time would be minutes, and attempts be given up.
  for (let second = 0; second < 120; second++) {
    it.clock.advance(1_000);
    await breathe(2);
  }
  it.state.is = "here";
  const start = it.clock.now();
  for (let pause = 0; pause < 2_500; pause += 100) {
    it.clock.advance(100);
    await breathe();
  }
  // Sockets may take longer than that; no time passes meanwhile.
  await eventually(async () => (await it.outcome())[1] === "connected");
  const took = it.clock.now() - start;
  ok(took <= 3_000, `${took} ms`);
});

test("checks share the reason that a server does not answer, and it is asked again later", async () => {
  await using it = await share();
  it.state.is = "silent";
  const [first, why] = await it.outcome();
  ok(first >= 10_000, `${first} ms`);
  match(why, /no answer|timed out|within/i);
  for (let check = 0; check < 3; check++) deepEqual(await it.outcome(), [0, why]);
  equal(it.state.attempts, 1);
  it.clock.advance(first);
  ok((await it.outcome())[0] >= 10_000);
  equal(it.state.attempts, 2);
});

test("a server that refuses connections is asked anew by each check", async () => {
  await using it = await share();
  it.state.is = "away";
  for (let attempt = 1; attempt <= 3; attempt++) {
    equal((await it.outcome())[0], 0);
    equal(it.state.attempts, attempt);
  }
  it.state.is = "here";
  equal((await it.outcome())[1], "connected");
});
