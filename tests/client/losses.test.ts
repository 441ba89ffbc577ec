// What a client infers about events that the server dropped, from those that arrived.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { CreditWindow } from "../../client/subscribe/credits.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { openLink, StubSocket } from "./_stub_socket.ts";

/** When the server was started. */
const START = Date.parse("2026-01-01T00:00:00Z");

/** A time of the server, in microseconds since it was started, with as few digits as Go writes. */
function at(micros: number): string {
  const whole = new Date(START + Math.floor(micros / 1_000)).toISOString().slice(0, -1);
  const digits = whole + String(micros % 1_000).padStart(3, "0");
  return digits.replace(/\.?0+$/, "") + "Z";
}

/** The topic of a job or run that was created at this time, in milliseconds since the start. */
function topicOf(kind: "job" | "workflow", ms: number): string {
  let digits = "";
  for (let rest = START + ms; digits.length < 10; rest = Math.floor(rest / 32)) {
    digits = "0123456789abcdefghjkmnpqrstvwxyz"[rest % 32] + digits;
  }
  return `${kind}:${kind === "job" ? "job" : "wfrun"}_${digits}${"0".repeat(16)}`;
}

/** A connection that records which losses are inferred. */
async function fixture({ isCovered = (_createdAt: number): boolean => true } = {}) {
  const socket = new StubSocket();
  const clock = new FakeClock(0);
  const losses: unknown[][] = [];
  const link = await openLink(socket, clock);
  link.sink = new CreditWindow(link, clock, {
    credits: 100_000,
    onEvent: () => {},
    onStarved: () => {},
    onLost: (since, until) => void losses.push([since, until]),
    isCovered: (_event, createdAt) => isCovered(createdAt),
  });
  let confirmed = 0;
  const pings = () => socket.frames.filter(({ type }) => type === "ping");
  return {
    losses,
    /** The server published an event at one time, and took it out of its buffer at another. */
    receive(published: number | undefined, taken: number | undefined): void {
      socket.receive({
        id: "e",
        type: "event",
        ts: taken === undefined ? undefined : at(taken),
        data: {
          type: "cron.fired",
          ts: published === undefined ? "" : at(published),
          topic: "",
          data: {},
        },
      });
    },
    /** Publishes an event into an empty buffer. */
    publish(type: string, topic: string, ms = 10_000): void {
      const ts = at(ms * 1_000);
      socket.receive({ id: "e", type: "event", ts, data: { type, ts, topic, data: {} } });
    },
    /** The server answers the pings that it was sent; returns how many. */
    answerPings(): number {
      const unanswered = pings().slice(confirmed);
      confirmed += unanswered.length;
      for (const { id } of unanswered) {
        socket.receive({ id: "p", type: "pong", correl_id: id });
      }
      return unanswered.length;
    },
  };
}

type Fixture = Awaited<ReturnType<typeof fixture>>;

/**
 * A burst: the server publishes an event each microsecond, and begins to send them only after the
 * last.
 */
function burst(it: Fixture, count: number, from = 0): void {
  for (let i = 0; i < count; i++) it.receive(from + i, from + 10_000 + i);
}

test("infers a loss if the buffer was full, and none if it had room for one more event", async () => {
  for (const [count, losses] of [[255, []], [256, [[at(255), at(10_255)]]]] as const) {
    const it = await fixture();
    burst(it, count);
    it.answerPings();
    it.answerPings();
    deepEqual(it.losses, losses);
  }
});

test("infers no loss from a full buffer once it has held more than 264 events", async () => {
  for (const [count, losses] of [[264, 1], [265, 0], [2_000, 0]] as const) {
    const it = await fixture();
    burst(it, count);
    for (let i = 0; i < 5; i++) it.answerPings();
    equal(it.losses.length, losses);
    if (losses > 0) continue;
    burst(it, 256, 100_000);
    for (let i = 0; i < 5; i++) it.answerPings();
    deepEqual(it.losses, []);
  }
});

test("events that enter and leave the buffer at the same time do not fill it", async () => {
  const it = await fixture();
  for (let i = 0; i < 256; i++) it.receive(1_000, 1_000);
  it.answerPings();
  deepEqual(it.losses, []);
});

test("reports one loss as long as the buffer keeps filling up", async () => {
  const it = await fixture();
  burst(it, 256);
  // Each event is published as soon as one was taken out.
  for (let i = 0; i < 10; i++) it.receive(10_000 + i, 10_256 + i);
  equal(it.answerPings() > 0, true);
  it.receive(10_010, 10_266);
  for (let i = 0; i < 5; i++) it.answerPings();
  deepEqual(it.losses, [[at(255), at(10_266)]]);
  burst(it, 256, 1_000_000);
  for (let i = 0; i < 5; i++) it.answerPings();
  deepEqual(it.losses.slice(1), [[at(1_000_255), at(1_010_255)]]);
});

test("events that are taken out as they are published do not fill the buffer", async () => {
  const it = await fixture();
  for (let i = 0; i < 10_000; i++) it.receive(i * 7, i * 7 + 900);
  it.answerPings();
  deepEqual(it.losses, []);
});

test("an event with a much earlier time than those before it does not fill the buffer", async () => {
  const it = await fixture();
  for (let i = 0; i < 1_000; i++) it.receive(i === 500 ? 0 : i * 1_000, i * 1_000 + 1);
  it.answerPings();
  deepEqual(it.losses, []);
});

test("infers no loss if the server leaves out times", async () => {
  for (const [published, taken] of [[undefined, 1], [1, undefined], [undefined, undefined]]) {
    const it = await fixture();
    for (let i = 0; i < 1_000; i++) it.receive(published, taken);
    it.answerPings();
    deepEqual(it.losses, []);
  }
});

const JOB = topicOf("job", 5_000);
const RUN = topicOf("workflow", 5_000);

for (
  const [topic, ends] of [
    [JOB, ["job.completed", "job.retrying", "job.failed"]],
    [RUN, ["workflow.completed", "workflow.failed", "workflow.step_completed"]],
    [RUN, ["workflow.step_failed"]],
  ] as const
) {
  for (const type of ends) {
    test(`${type} without a start shows that the start was lost, and when`, async () => {
      const it = await fixture();
      it.publish(type, topic);
      deepEqual(it.losses, [[START + 5_000, at(10_000_000)]]);
    });

    test(`${type} after a start shows no loss`, async () => {
      const it = await fixture();
      it.publish(type.replace(/\..*/, ".started"), topic);
      it.publish(type, topic);
      deepEqual(it.losses, []);
    });
  }
}

test("each attempt of a job has its own start", async () => {
  const it = await fixture();
  it.publish("job.started", JOB);
  it.publish("job.retrying", JOB);
  it.publish("job.started", JOB);
  it.publish("job.retrying", JOB);
  deepEqual(it.losses, []);
  it.publish("job.failed", JOB);
  equal(it.losses.length, 1);
});

test("`job.retrying` can come after the next attempt has started or ended", async () => {
  for (
    const types of [
      ["started", "started", "retrying", "completed"],
      ["started", "started", "completed", "retrying"],
      ["started", "started", "retrying", "started", "retrying", "failed"],
    ]
  ) {
    const it = await fixture();
    for (const type of types) it.publish(`job.${type}`, JOB);
    deepEqual(it.losses, []);
    it.publish("job.completed", JOB);
    equal(it.losses.length, 1);
  }
});

test("`job.dlq` belongs to the failure before it", async () => {
  const it = await fixture();
  it.publish("job.started", JOB);
  it.publish("job.failed", JOB);
  it.publish("job.dlq", JOB);
  deepEqual(it.losses, []);
});

test("the lost start of a run is reported once, however many steps follow", async () => {
  const it = await fixture();
  for (let i = 0; i < 3; i++) it.publish("workflow.step_completed", RUN);
  it.publish("workflow.completed", RUN);
  equal(it.losses.length, 1);
});

test("the start of one job says nothing about another", async () => {
  const it = await fixture();
  it.publish("job.started", topicOf("job", 4_999));
  it.publish("job.completed", JOB);
  equal(it.losses.length, 1);
});

test("a job that may have started before the subscription shows no loss", async () => {
  const asked: number[] = [];
  const it = await fixture({ isCovered: (createdAt) => asked.push(createdAt) < 0 });
  it.publish("job.completed", JOB);
  deepEqual(asked, [START + 5_000]);
  deepEqual(it.losses, []);
});

test("an id without a time, or with one after the event, shows no loss", async () => {
  const it = await fixture({ isCovered: (createdAt) => createdAt > START });
  for (const topic of ["job:1", "job:", "", "job:JOB_ÄÖÜ", `job:job_${"0".repeat(26)}`]) {
    it.publish("job.completed", topic);
  }
  it.publish("job.completed", `job:job_7${"z".repeat(25)}`);
  it.publish("job.completed", topicOf("job", 10_001));
  deepEqual(it.losses, []);
  it.publish("job.completed", topicOf("job", 10_000));
  equal(it.losses.length, 1);
});

test("a missing `job.enqueued` and events of unknown types show no loss", async () => {
  const it = await fixture();
  it.publish("job.started", JOB);
  it.publish("job.completed", JOB);
  for (const type of ["job.cancelled", "workflow.paused", "job", "started", "cron.fired"]) {
    it.publish(type, topicOf("job", 6_000));
  }
  deepEqual(it.losses, []);
});

test("does not look for missing starts with more than 100,000 running jobs", async () => {
  for (const [count, losses] of [[100_000, 1], [100_001, 0]] as const) {
    const it = await fixture();
    for (let i = 0; i < count; i++) it.publish("job.started", `job:${i}`);
    it.publish("job.completed", JOB);
    equal(it.losses.length, losses);
  }
});
