// Credits: how many events a server may still send on a connection.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { CreditWindow } from "../../client/subscribe/credits.ts";
import { within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { openLink, StubSocket } from "./_stub_socket.ts";

/** A link that listens for events, with credits for 4,000 of them beyond the first 1,000. */
async function fixture({ credits = 4_000, reportsGaps = true } = {}) {
  const socket = new StubSocket();
  const clock = new FakeClock(0);
  const events: string[] = [];
  const anomalies: string[] = [];
  const starved: number[][] = [];
  const link = await openLink(socket, clock, ({ message }) => void anomalies.push(message));
  const window = new CreditWindow(link, clock, {
    credits,
    onEvent: ({ type }) => void events.push(type),
    onStarved: reportsGaps
      ? (since: number, until: number) => void starved.push([since, until])
      : undefined,
  });
  link.sink = window;
  const before = socket.sent.length;
  return {
    socket,
    clock,
    link,
    window,
    events,
    anomalies,
    starved,
    /** The server sends a number of events. */
    receive(count: number): void {
      const data = { type: "job.started", ts: "", topic: "job:1", data: { job_id: "1" } };
      for (let i = 0; i < count; i++) socket.receive({ id: "e", type: "event", data });
    },
    /** The server confirms the nth grant. */
    confirm(number: number): void {
      const pings = socket.frames.filter(({ type }) => type === "ping");
      socket.receive({ id: "p", type: "pong", correl_id: pings[number - 1]!.id });
    },
    /** The frames that the window has sent, and the credits in them. */
    sent: () => socket.frames.slice(before).map(({ type, credits }) => credits ?? type),
  };
}

test("delivers events, and reports one without a type", async () => {
  const it = await fixture();
  it.receive(2);
  it.socket.receive({ id: "e", type: "event", data: { data: {} } });
  deepEqual(it.events, ["job.started", "job.started"]);
  equal(it.anomalies.length, 1);
  match(it.anomalies[0]!, /not an event/);
});

test("fills the window up after 50 events, and whenever four in ten credits are used", async () => {
  const it = await fixture();
  it.receive(49);
  deepEqual(it.sent(), []);
  it.receive(1);
  deepEqual(it.sent(), [4_050, "ping"]);
  it.receive(1_999);
  equal(it.sent().length, 2);
  it.receive(1);
  deepEqual(it.sent().slice(2), [2_000, "ping"]);
  it.receive(1_999);
  equal(it.sent().length, 4);
  it.receive(1);
  deepEqual(it.sent().slice(4), [2_000, "ping"]);
});

test("grants no less often while the confirmations are late", async () => {
  const it = await fixture({ credits: 100 });
  it.receive(50);
  deepEqual(it.sent(), [150, "ping"]);
  it.receive(440);
  deepEqual(it.sent().slice(2), [440, "ping"]);
});

test("sends no grant of 0 credits for a full window, because servers take it for a request", async () => {
  const it = await fixture({ credits: 1 });
  it.window.topUp();
  deepEqual(it.sent(), [1, "ping"]);
  it.window.topUp();
  deepEqual(it.sent(), [1, "ping"]);
});

test("grants nothing on a connection that is closed", async () => {
  const it = await fixture();
  await within(it.link.close(new Error("over"), true), "closing");
  it.window.topUp();
  deepEqual(it.sent(), []);
});

test("sends no pings with its grants if nobody asks for gaps", async () => {
  const it = await fixture({ reportsGaps: false });
  it.receive(50);
  deepEqual(it.sent(), [4_050]);
});

test("reports a possible loss when the server has used up all the credits it is sure to have had", async () => {
  const it = await fixture();
  it.clock.advance(10);
  it.receive(50);
  it.clock.advance(90);
  // The server had 1,000 credits when it read the grant; all of them are used.
  it.receive(950);
  deepEqual(it.starved, []);
  it.clock.advance(900);
  it.confirm(1);
  deepEqual(it.starved, [[10, 1_000]]);
  // The same pong again confirms nothing.
  it.confirm(1);
  equal(it.starved.length, 1);
  // Now it has used up the first grant as well, before it has read the second.
  it.receive(4_050);
  it.confirm(2);
  deepEqual(it.starved.slice(1), [[1_000, 1_000]]);
});

test("a server that had one credit left has dropped nothing", async () => {
  const it = await fixture();
  it.receive(999);
  it.confirm(1);
  deepEqual(it.starved, []);
  // The confirmed grant counts for the next one.
  it.receive(1_051);
  equal(it.sent().length, 4);
  it.receive(2_999);
  it.confirm(2);
  deepEqual(it.starved, []);
});

test("grants are confirmed one after the other", async () => {
  const it = await fixture();
  it.receive(50);
  it.clock.advance(5);
  it.receive(2_000);
  equal(it.sent().length, 4);
  // A pong for the second grant before the first confirms nothing, nor does one for no grant.
  it.confirm(2);
  it.socket.receive({ id: "p", type: "pong", correl_id: "no ping" });
  it.socket.receive({ id: "p", type: "pong" });
  deepEqual(it.starved, []);
  it.clock.advance(5);
  it.confirm(1);
  deepEqual(it.starved, [[0, 10]]);
  it.confirm(2);
  equal(it.starved.length, 1);
});
