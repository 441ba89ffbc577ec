import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import {
  channelsOf,
  type DispatchEvent,
  matchesChannel,
  parseChannel,
  wireChannel,
} from "../../protocol/mod.ts";

const ts = "2026-11-24T08:03:20.937Z";
const jobEvent: DispatchEvent = {
  type: "job.completed",
  ts,
  topic: "job:job_1",
  data: { job_id: "job_1", job_name: "noop", queue: "email" },
};
const runEvent: DispatchEvent = {
  type: "workflow.started",
  ts,
  topic: "workflow:wfrun_1",
  data: { run_id: "wfrun_1", name: "order" },
};
const cronEvent: DispatchEvent = {
  type: "cron.fired",
  ts,
  topic: "",
  data: { entry_name: "nightly", job_id: "job_2" },
};

test("a channel without an entity", () => {
  for (const kind of ["jobs", "workflows", "firehose"] as const) {
    deepEqual(parseChannel(kind), { kind });
  }
});

test("a channel of an entity; its id may hold colons and spaces", () => {
  deepEqual(parseChannel("job:job_1"), { kind: "job", id: "job_1" });
  deepEqual(parseChannel("workflow:x:y"), { kind: "workflow", id: "x:y" });
  deepEqual(parseChannel("queue: "), { kind: "queue", id: " " });
});

test("what servers refuse is no channel", () => {
  const names = [
    "",
    "bogus",
    "bogus:1",
    "jobs:",
    "jobs:x",
    "job:",
    "job",
    ":",
    ":x",
    "Jobs",
    "jobs ",
    "cron:x",
    "firehose:1",
    "toString",
  ];
  for (const name of names) equal(parseChannel(name), undefined, name);
});

test("a job's event belongs to jobs, the job, its queue and the firehose", () => {
  deepEqual(channelsOf(jobEvent).sort(), ["firehose", "job:job_1", "jobs", "queue:email"]);
});

test("a run's event belongs to workflows, the run and the firehose", () => {
  deepEqual(channelsOf(runEvent).sort(), ["firehose", "workflow:wfrun_1", "workflows"]);
});

test("an event without an entity belongs to the firehose alone", () => {
  deepEqual(channelsOf(cronEvent), ["firehose"]);
});

test("events match the channels they belong to and no others", () => {
  equal(matchesChannel("queue:email", jobEvent), true);
  equal(matchesChannel("queue:default", jobEvent), false);
  equal(matchesChannel("job:job_2", jobEvent), false);
  equal(matchesChannel("workflows", jobEvent), false);
  equal(matchesChannel("jobs", runEvent), false);
  equal(matchesChannel("job:wfrun_1", runEvent), false);
  equal(matchesChannel("firehose", cronEvent), true);
  equal(matchesChannel("", cronEvent), false);
});

test("a queue's events are asked for among those of jobs", () => {
  equal(wireChannel("queue:email"), "jobs");
  for (const channel of ["jobs", "workflows", "firehose", "job:x", "workflow:x", "bogus"]) {
    equal(wireChannel(channel), channel);
  }
});
