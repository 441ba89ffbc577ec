import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { channelsOf, type DispatchEvent, EVENT_TYPES, toEvent } from "../../protocol/mod.ts";

const JOB = { job_id: "job_1", job_name: "noop", queue: "default" };

test("an event comes out as it is, unknown fields too", () => {
  const event = {
    type: "job.retrying",
    ts: "2026-11-24T08:03:20.937Z",
    topic: "job:job_1",
    data: { ...JOB, attempt: 1, next_run_at: "2026-11-24T08:03:21Z", sequence: 9 },
    node: "a",
  };
  deepEqual(toEvent(structuredClone(event)), event);
});

test("an event of a type not known here passes", () => {
  const event = toEvent({ type: "job.paused", ts: "", topic: "job:job_1", data: JOB });
  equal(event?.type as string, "job.paused");
  deepEqual(channelsOf(event!).sort(), ["firehose", "job:job_1", "jobs", "queue:default"]);
});

test("an event without time or topic has empty ones", () => {
  const event = toEvent({ type: "cron.fired", ts: 5, data: { entry_name: "n", job_id: "j" } });
  equal(event?.ts, "");
  equal(event?.topic, "");
});

test("what is no event is undefined", () => {
  for (
    const value of [
      undefined,
      null,
      5,
      "job.enqueued",
      [],
      {},
      { type: 5, data: {} },
      { type: "job.enqueued" },
      { type: "job.enqueued", data: null },
      { type: "job.enqueued", data: "x" },
      { data: {} },
    ]
  ) equal(toEvent(value), undefined, JSON.stringify(value));
});

test("the type tells events apart", () => {
  const event: DispatchEvent = toEvent({
    type: "workflow.step_failed",
    ts: "",
    topic: "workflow:r",
    data: { run_id: "r", name: "w", step_name: "b", error: "exploded" },
  })!;
  let said = "";
  switch (event.type) {
    case "workflow.step_failed":
      said = `${event.data.step_name}: ${event.data.error}`;
      break;
    case "job.enqueued":
      said = event.data.job_name;
  }
  equal(said, "b: exploded");
});

test("the twelve types of the protocol are known, each once", () => {
  equal(EVENT_TYPES.length, 12);
  equal(new Set(EVENT_TYPES).size, 12);
});
