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

test("parseChannel parses the channels without an id", () => {
  for (const kind of ["jobs", "workflows", "firehose"] as const) {
    deepEqual(parseChannel(kind), { kind });
  }
});

test("parseChannel parses channels with an id, which may contain colons and spaces", () => {
  deepEqual(parseChannel("job:job_1"), { kind: "job", id: "job_1" });
  deepEqual(parseChannel("workflow:x:y"), { kind: "workflow", id: "x:y" });
  deepEqual(parseChannel("queue: "), { kind: "queue", id: " " });
});

test("parseChannel returns undefined for names that servers reject", () => {
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
    "jobx",
    "queued",
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

test("an event without a topic belongs to the firehose only", () => {
  deepEqual(channelsOf(cronEvent), ["firehose"]);
});

test("matchesChannel is true only for the channels that an event belongs to", () => {
  equal(matchesChannel("queue:email", jobEvent), true);
  equal(matchesChannel("queue:default", jobEvent), false);
  equal(matchesChannel("job:job_2", jobEvent), false);
  equal(matchesChannel("workflows", jobEvent), false);
  equal(matchesChannel("jobs", runEvent), false);
  equal(matchesChannel("job:wfrun_1", runEvent), false);
  equal(matchesChannel("firehose", cronEvent), true);
  equal(matchesChannel("", cronEvent), false);
});

test("wireChannel subscribes to jobs for the events of a queue", () => {
  equal(wireChannel("queue:email"), "jobs");
  for (const channel of ["jobs", "workflows", "firehose", "job:x", "workflow:x", "bogus"]) {
    equal(wireChannel(channel), channel);
  }
});
