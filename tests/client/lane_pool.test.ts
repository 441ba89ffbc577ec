import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Lane } from "../../client/start/lane.ts";
import { LanePool } from "../../client/start/lane_pool.ts";
import { AuthError, ConnectionError, DispatchError } from "../../mod.ts";
import { type FakeLink, FakeSession, settle } from "../helpers/fake_session.ts";

const START = { what: "start workflow 'noop'", data: "{}" };
const { signal: NEVER } = new AbortController();

function createPool() {
  const session = new FakeSession();
  const events: string[] = [];
  const pool = new LanePool(session.asSession, ({ type }) => events.push(type));
  return { session, pool, events, ...helpers(session, pool) };
}

function helpers(session: FakeSession, pool: LanePool) {
  const linkOf = (lane: Lane) => lane.link as unknown as FakeLink;
  const isOpen = () => session.links.filter((link) => link.isOpen).length;
  const acquire = () => pool.acquire(START.what, NEVER);
  /** Acquires a number of lanes that listen, and answers their subscriptions. */
  const listening = async (count: number): Promise<Lane[]> => {
    const lanes: Lane[] = [];
    for (let i = 0; i < count; i++) {
      const lane = await acquire();
      await pool.listen(lane);
      linkOf(lane).last("subscribe").answer({});
      lanes.push(lane);
    }
    await settle();
    return lanes;
  };
  /** Starts a run on each lane and answers at once, so that the lane is released. */
  const release = async (...lanes: Lane[]): Promise<void> => {
    for (const lane of lanes) {
      const sending = pool.send(lane, START);
      linkOf(lane).last("workflow.start").answer({});
      await sending;
    }
  };
  return { linkOf, isOpen, acquire, listening, release };
}

/** Counts how many openings are under way; each ends when the test says so. */
function holdOpenings(session: FakeSession): { end(error?: Error): void }[] {
  const openings: { end(error?: Error): void }[] = [];
  session.onOpen = () =>
    new Promise((resolve, reject) =>
      openings.push({ end: (error) => error ? reject(error) : resolve() })
    );
  return openings;
}

const refused = () => new ConnectionError("Cannot connect to 'ws://x'", "connect_failed");

test("opens a lane with the caller's signal, and reports its anomalies", async () => {
  const { session, pool, events } = createPool();
  const { signal } = new AbortController();
  const signals: AbortSignal[] = [];
  session.onOpen = (signal) => Promise.resolve(void signals.push(signal));
  const lane = await pool.acquire("start", signal);
  deepEqual(signals, [signal]);
  const [link] = session.links;
  equal(lane.link as unknown, link);
  const anomaly = new Error("odd");
  link!.owner.onAnomaly(anomaly);
  deepEqual(session.anomalies, [anomaly]);
  link!.publish("workflow.started", {});
  deepEqual(events, ["workflow.started"]);
});

test("opens 64 lanes at a time, and the next ones in the order of their calls", async () => {
  const { session, pool } = createPool();
  const openings = holdOpenings(session);
  const opened: number[] = [];
  const acquiring = Array.from(
    { length: 70 },
    (_, n) => pool.acquire("start", NEVER).then(() => opened.push(n), () => opened.push(n)),
  );
  await settle();
  equal(openings.length, 64);
  openings[0]!.end();
  await settle();
  equal(openings.length, 65);
  // A failure that is not tried again makes room, too.
  openings[1]!.end(new AuthError("Cannot authenticate"));
  await settle();
  equal(openings.length, 66);
  for (let i = 2; i < 70; i++) {
    openings[i]!.end();
    await settle();
  }
  await Promise.all(acquiring);
  deepEqual(opened, acquiring.map((_, n) => n));
  // When all are open, there is room for 64 again.
  for (let i = 0; i < 66; i++) void pool.acquire("start", NEVER);
  await settle();
  equal(openings.length, 70 + 64);
});

test("tries three times to open a lane, with growing pauses, and then rejects with the action in the message", async () => {
  const { session, acquire } = createPool();
  let attempts = 0;
  session.onOpen = () => Promise.reject((attempts++, refused()));
  const acquiring = acquire();
  acquiring.catch(() => {});
  for (const [attempt, pause] of [[1, 500], [2, 1_000]] as const) {
    await settle();
    equal(attempts, attempt);
    deepEqual(session.clock.due, [pause]);
    session.clock.advance(pause);
  }
  await rejects(acquiring, {
    name: "ConnectionError",
    message: "Cannot start workflow 'noop': Cannot connect to 'ws://x'",
  });
  equal(attempts, 3);
  equal(session.clock.pending, 0);
});

test("uses a lane that opens at the second attempt", async () => {
  const { session, acquire } = createPool();
  let attempts = 0;
  session.onOpen = () => ++attempts === 1 ? Promise.reject(refused()) : Promise.resolve();
  const acquiring = acquire();
  await settle();
  session.clock.advance(500);
  await acquiring;
  equal(session.links.length, 1);
});

test("does not try again when the server refuses the token", async () => {
  const { session, acquire } = createPool();
  session.onOpen = () => Promise.reject(new AuthError("Cannot authenticate"));
  await rejects(acquire(), {
    name: "AuthError",
    message: "Cannot start workflow 'noop': Cannot authenticate",
  });
});

test("an aborted caller ends its pause and leaves no timer", async () => {
  const { session, pool } = createPool();
  session.onOpen = () => Promise.reject(refused());
  const controller = new AbortController();
  const acquiring = pool.acquire("start", controller.signal);
  acquiring.catch(() => {});
  await settle();
  const reason = new Error("enough");
  controller.abort(reason);
  await rejects(acquiring, (error) => error === reason);
  equal(session.clock.pending, 0);
});

test("a caller that was aborted while it waited takes neither a connection nor an idle lane", async () => {
  const { session, pool, acquire, release } = createPool();
  await release(await acquire());
  const reason = new Error("enough");
  await rejects(pool.acquire("start", AbortSignal.abort(reason)), (error) => error === reason);
  equal(session.links.length, 1);
  const lane = await acquire();
  equal(session.links.length, 1);
  equal(lane.link as unknown, session.links[0]);
});

test("keeps an idle lane for five seconds, for the next start", async () => {
  const { session, acquire, release, linkOf } = createPool();
  const lane = await acquire();
  await release(lane);
  session.clock.advance(4_999);
  equal(await acquire(), lane);
  // The idle time does not run while the lane is busy.
  session.clock.advance(10_000);
  equal(linkOf(lane).isOpen, true);
  const other = await acquire();
  equal(other === lane, false);
  await release(lane);
  session.clock.advance(4_999);
  await settle();
  equal(linkOf(lane).isOpen, true);
  session.clock.advance(1);
  await settle();
  equal(linkOf(lane).isOpen, false);
  // The lane cannot be acquired any more.
  equal((await acquire()) === lane, false);
  equal(session.links.length, 3);
});

test("keeps four idle lanes", async () => {
  const { session, acquire, release, isOpen } = createPool();
  const lanes = [];
  for (let i = 0; i < 6; i++) lanes.push(await acquire());
  for (const [i, lane] of lanes.entries()) {
    await release(lane);
    await settle();
    equal(isOpen(), i < 4 ? 6 : 9 - i);
  }
  deepEqual(session.links.map(({ isOpen }) => isOpen), [true, true, true, true, false, false]);
  session.clock.advance(5_000);
  await settle();
  equal(isOpen(), 0);
});

test("forgets an idle lane that was lost, and takes another one", async () => {
  const { session, acquire, release, linkOf } = createPool();
  const [first, second] = [await acquire(), await acquire()];
  await release(first, second);
  linkOf(first).lose();
  equal(await acquire(), second);
  equal(session.clock.pending, 0);
  equal((await acquire()) === first, false);
});

test("a lane is busy until its start is answered, and idle also after a refusal", async () => {
  const { pool, acquire, linkOf } = createPool();
  const lane = await acquire();
  const sending = pool.send(lane, START);
  sending.catch(() => {});
  const other = await acquire();
  equal(other === lane, false);
  linkOf(lane).last("workflow.start").reject(new DispatchError("unknown workflow", 500));
  await rejects(sending, { code: 500 });
  equal(await acquire(), lane);
});

test("a lane that is lost during its run is not used again", async () => {
  const { session, pool, acquire, linkOf } = createPool();
  const lane = await acquire();
  const sending = pool.send(lane, START);
  sending.catch(() => {});
  linkOf(lane).lose();
  await rejects(sending, { code: "connection_lost" });
  equal((await acquire()) === lane, false);
  equal(session.clock.pending, 0);
});

test("a lane closes once the server has unsubscribed it, and is not used meanwhile", async () => {
  const { session, acquire, listening, release, linkOf } = createPool();
  const lanes = await listening(5);
  await release(...lanes);
  await settle();
  const link = linkOf(lanes[4]!);
  deepEqual(link.log, ["subscribe", "grant 100", "workflow.start", "unsubscribe"]);
  linkOf(lanes[0]!).last("unsubscribe").answer({});
  link.last("unsubscribe").answer({});
  await settle();
  equal(link.log.at(-1), "close");
  equal(link.closedWith!.now, true);
  // The others are idle: they unsubscribe, too, and stay open.
  for (const lane of lanes.slice(0, 4)) {
    equal(linkOf(lane).log.at(-1), "unsubscribe");
    equal(await acquire(), lane);
  }
  equal(session.links.length, 5);
});

test("closes a retired lane after a second if the server does not unsubscribe it", async () => {
  const { session, listening, release, linkOf } = createPool();
  const lanes = await listening(5);
  await release(...lanes);
  const link = linkOf(lanes[4]!);
  session.clock.advance(999);
  await settle();
  equal(link.isOpen, true);
  session.clock.advance(1);
  await settle();
  equal(link.isOpen, false);
});

test("a dropped lane unsubscribes, then closes at once with its cause", async () => {
  const { session, pool, listening, linkOf } = createPool();
  const [lane] = await listening(1);
  const link = linkOf(lane!);
  const sending = pool.send(lane!, START);
  sending.catch(() => {});
  pool.drop(lane!);
  deepEqual(link.log.slice(-2), ["unsubscribe", "close"]);
  equal(link.closedWith!.now, true);
  await rejects(sending, { code: "closed" });
  equal(session.clock.pending, 0);
});

test("a dropped lane does not count as one of the four idle ones", async () => {
  const { pool, acquire, release, linkOf } = createPool();
  const lanes = [];
  for (let i = 0; i < 5; i++) lanes.push(await acquire());
  await release(...lanes.slice(1));
  pool.drop(lanes[1]!);
  await release(lanes[0]!);
  await settle();
  equal(linkOf(lanes[0]!).isOpen, true);
});

test("closing drops every lane, idle or busy, and leaves no timer", async () => {
  const { session, pool, acquire, release, isOpen, linkOf } = createPool();
  const [idle, busy] = [await acquire(), await acquire()];
  await release(idle);
  const sending = pool.send(busy, START);
  sending.catch(() => {});
  const cause = new ConnectionError("The client was closed", "closed");
  pool.close(cause);
  equal(isOpen(), 0);
  deepEqual(session.links.map(({ closedWith }) => closedWith!.cause), [cause, cause]);
  await rejects(sending, { code: "closed" });
  equal(session.clock.pending, 0);
  // A closed lane is no longer in the pool.
  linkOf(busy).isOpen = true;
  pool.close(new Error("again"));
  equal(linkOf(busy).closedWith!.cause, cause);
});

test("lets eight lanes listen; the next start waits until all of them are subscribed", async () => {
  const { pool, acquire, linkOf } = createPool();
  const lanes = [];
  for (let i = 0; i < 8; i++) {
    const lane = await acquire();
    await pool.listen(lane);
    deepEqual(linkOf(lane).log, ["subscribe"]);
    equal(lane.isListening, true);
    lanes.push(lane);
  }
  const ninth = await acquire();
  let isSafe = false;
  const listening = pool.listen(ninth).then(() => isSafe = true);
  for (const lane of lanes) {
    await settle();
    equal(isSafe, false);
    linkOf(lane).last("subscribe").answer({});
  }
  await listening;
  deepEqual(linkOf(ninth).log, []);
  equal(ninth.isListening, false);
});

test("a lane listens itself if one of the lanes it relied on was not subscribed", async () => {
  const { pool, acquire, linkOf } = createPool();
  const lanes = [];
  for (let i = 0; i < 8; i++) {
    lanes.push(await acquire());
    await pool.listen(lanes[i]!);
  }
  const ninth = await acquire();
  const listening = pool.listen(ninth);
  for (const lane of lanes.slice(1)) linkOf(lane).last("subscribe").answer({});
  linkOf(lanes[0]!).last("subscribe").reject(new DispatchError("insufficient permissions", 403));
  await listening;
  deepEqual(linkOf(ninth).log, ["subscribe"]);
});

test("a lane takes the place of a listening one that was lost", async () => {
  const { pool, listening, acquire, linkOf } = createPool();
  const lanes = await listening(8);
  linkOf(lanes[3]!).lose();
  const ninth = await acquire();
  await pool.listen(ninth);
  deepEqual(linkOf(ninth).log, ["subscribe"]);
  const tenth = await acquire();
  linkOf(ninth).last("subscribe").answer({});
  await pool.listen(tenth);
  deepEqual(linkOf(tenth).log, []);
});

test("a lane that listens already does not subscribe again", async () => {
  const { pool, listening, linkOf } = createPool();
  const [lane] = await listening(1);
  await pool.listen(lane!);
  deepEqual(linkOf(lane!).log, ["subscribe"]);
});

test("gives the server one second to confirm a subscription", async () => {
  const { session, pool, acquire, linkOf } = createPool();
  session.clock.advance(70);
  const lane = await acquire();
  await pool.listen(lane);
  equal(linkOf(lane).last("subscribe").deadline, session.clock.monotonic() + 1_000);
});

test("idle lanes go on listening while a start is pending, and at most four stay after it", async () => {
  const { pool, listening, release, linkOf, isOpen } = createPool();
  const lanes = await listening(7);
  pool.keepListening(true);
  await release(...lanes);
  await settle();
  deepEqual(lanes.map(({ isListening }) => isListening), lanes.map(() => true));
  pool.keepListening(true);
  equal(lanes.every(({ isListening }) => isListening), true);
  pool.keepListening(false);
  for (const lane of lanes) {
    equal(linkOf(lane).log.at(-1), "unsubscribe");
    linkOf(lane).last("unsubscribe").answer({});
  }
  await settle();
  equal(isOpen(), 4);
});

test("keeps at most four idle lanes that do not listen, even while a start is pending", async () => {
  const { pool, listening, acquire, release, linkOf, isOpen } = createPool();
  const lanes = await listening(4);
  const silent = await acquire();
  pool.keepListening(true);
  await release(...lanes, silent);
  await settle();
  equal(linkOf(silent).isOpen, false);
  equal(isOpen(), 4);
});

test("a lane stops listening when it becomes idle and no start is pending any more", async () => {
  const { pool, listening, release, linkOf } = createPool();
  const [lane] = await listening(1);
  pool.keepListening(true);
  pool.keepListening(false);
  equal(linkOf(lane!).log.at(-1), "subscribe");
  await release(lane!);
  equal(linkOf(lane!).log.at(-1), "unsubscribe");
});

test("an idle lane that goes on listening leaves after five seconds, and is not used meanwhile", async () => {
  const { session, pool, listening, acquire, release, linkOf } = createPool();
  const [lane] = await listening(1);
  pool.keepListening(true);
  await release(lane!);
  session.clock.advance(5_000);
  equal(linkOf(lane!).log.at(-1), "unsubscribe");
  equal((await acquire()) === lane, false);
  linkOf(lane!).last("unsubscribe").answer({});
  await settle();
  equal(linkOf(lane!).isOpen, false);
});

test("drops a lane that does not answer within five seconds after its run has ended", async () => {
  const { session, pool, acquire, linkOf } = createPool();
  const lane = await acquire();
  const sending = pool.send(lane, START);
  sending.catch(() => {});
  pool.expectAnswer(lane);
  session.clock.advance(4_999);
  equal(linkOf(lane).isOpen, true);
  session.clock.advance(1);
  equal(linkOf(lane).isOpen, false);
  await rejects(sending, (error) => {
    equal((error as ConnectionError).code, "connection_lost");
    match((error as Error).message, /: no answer within 5000 ms after its run$/);
    return true;
  });
});

test("an answer in time keeps the lane for five more seconds", async () => {
  const { session, pool, acquire, linkOf } = createPool();
  const lane = await acquire();
  const sending = pool.send(lane, START);
  pool.expectAnswer(lane);
  session.clock.advance(4_000);
  linkOf(lane).last("workflow.start").answer({});
  await sending;
  session.clock.advance(4_000);
  await settle();
  equal(linkOf(lane).isOpen, true);
  deepEqual(session.clock.due, [1_000]);
});

test("a lane that is lost while its answer is due leaves no timer", async () => {
  const { session, pool, acquire, linkOf } = createPool();
  const lane = await acquire();
  const sending = pool.send(lane, START);
  sending.catch(() => {});
  pool.expectAnswer(lane);
  linkOf(lane).lose();
  await rejects(sending);
  equal(session.clock.pending, 0);
});

test("closing lets an idle listener be unsubscribed before it drops", async () => {
  const { session, pool, listening, release, linkOf } = createPool();
  const [lane] = await listening(1);
  pool.keepListening(true);
  await release(lane!);
  const link = linkOf(lane!);
  pool.close(new ConnectionError("The client was closed", "closed"));
  equal(link.isOpen, true);
  link.last("unsubscribe").answer({});
  await settle();
  equal(link.isOpen, false);
  equal(session.clock.pending, 0);
});
