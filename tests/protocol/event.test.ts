import { deepEqual, equal } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { channelsOf, type DispatchEvent, EVENT_TYPES, toEvent } from "../../protocol/mod.ts";

const JOB = { job_id: "job_1", job_name: "noop", queue: "default" };

test("toEvent returns an event unchanged, with unknown fields", () => {
  const event = {
    type: "job.retrying",
    ts: "2026-11-24T08:03:20.937Z",
    topic: "job:job_1",
    data: { ...JOB, attempt: 1, next_run_at: "2026-11-24T08:03:21Z", sequence: 9 },
    node: "a",
  };
  deepEqual(toEvent(structuredClone(event)), event);
});

test("toEvent accepts an unknown type", () => {
  const event = toEvent({ type: "job.paused", ts: "", topic: "job:job_1", data: JOB });
  equal(event?.type as string, "job.paused");
  deepEqual(channelsOf(event!).sort(), ["firehose", "job:job_1", "jobs", "queue:default"]);
});

test("toEvent adds an empty time and topic if they are missing", () => {
  const event = toEvent({ type: "cron.fired", ts: 5, data: { entry_name: "n", job_id: "j" } });
  equal(event?.ts, "");
  equal(event?.topic, "");
});

test("returns undefined for data that is not an event", () => {
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

test("the type of an event determines the type of its data", () => {
  const event: DispatchEvent = toEvent({
    type: "workflow.step_failed",
    ts: "",
    topic: "workflow:r",
    data: { run_id: "r", name: "w", step_name: "b", error: "exploded" },
  })!;
  let text = "";
  switch (event.type) {
    case "workflow.step_failed":
      text = `${event.data.step_name}: ${event.data.error}`;
      break;
    case "job.enqueued":
      text = event.data.job_name;
  }
  equal(text, "b: exploded");
});

test("EVENT_TYPES lists the types that docs/protocol.md documents", async () => {
  const page = await readFile(new URL("../../docs/protocol.md", import.meta.url), "utf8");
  const [, table] = page.split(/^\| type +\| besides the common fields +\|$/m);
  const rows = table!.slice(0, table!.indexOf("\n\n"));
  const documented = rows.match(/[a-z]+\.[a-z_]+/g)!;
  deepEqual(documented.sort(), [...EVENT_TYPES].sort());
});
