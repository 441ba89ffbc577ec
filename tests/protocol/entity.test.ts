import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  decodeJob,
  decodeRun,
  decodeStats,
  decodeTimeline,
  encodeBase64,
  EntityError,
  isTerminal,
  JOB_STATES,
  RUN_STATES,
} from "../../protocol/mod.ts";

const time = "2026-11-24T08:03:20.937Z";
const JOB = {
  created_at: time,
  updated_at: time,
  id: "job_1",
  name: "send-email",
  queue: "default",
  payload: encodeBase64('{"to":"ü"}'),
  state: "running",
  priority: 0,
  max_retries: 3,
  retry_count: 0,
  worker_id: "",
  run_at: time,
  timeout: 300_000_000_000,
};
const RUN = {
  created_at: time,
  updated_at: time,
  id: "wfrun_1",
  name: "order",
  state: "completed",
  input: encodeBase64('{"order_id":"1"}'),
  started_at: time,
  version: 1,
};

test("a job's payload is decoded, the rest stays as it came", () => {
  deepEqual(decodeJob(JOB), { ...JOB, payload: { to: "ü" } });
});

test("a job without payload has null; one whose payload is no JSON has its bytes", () => {
  equal(decodeJob({ ...JOB, payload: null }).payload, null);
  equal(decodeJob({ ...JOB, payload: "CwgA+D0K16Nw/TNA" }).payload, "CwgA+D0K16Nw/TNA");
});

test("a run's input and output are decoded", () => {
  const run = decodeRun({ ...RUN, output: encodeBase64("[1,null]") });
  deepEqual(run.input, { order_id: "1" });
  deepEqual(run.output, [1, null]);
});

test("a run without output has none", () => {
  equal("output" in decodeRun(RUN), false);
  equal(decodeRun({ ...RUN, output: null }).output, null);
});

test("unknown fields of entities are kept", () => {
  const extra = { tenant: { deep: [1] }, labels: null };
  deepEqual({ ...decodeJob({ ...JOB, ...extra }), ...{} }.id, "job_1");
  deepEqual((decodeJob({ ...JOB, ...extra }) as unknown as typeof extra).tenant, extra.tenant);
  deepEqual((decodeRun({ ...RUN, ...extra }) as unknown as typeof extra).labels, null);
});

test("what was decoded is left as it was", () => {
  const job = structuredClone(JOB);
  decodeJob(job);
  deepEqual(job, JOB);
  const run = structuredClone(RUN);
  decodeRun(run);
  deepEqual(run, RUN);
  const timeline = [{ step_name: "a", data: "e30=", created_at: time }];
  decodeTimeline(timeline);
  equal(timeline[0]!.data, "e30=");
});

test("a state not known here passes", () => {
  equal(decodeJob({ ...JOB, state: "paused" }).state as string, "paused");
});

for (const [what, decode] of [["job", decodeJob], ["workflow run", decodeRun]] as const) {
  test(`what is no ${what} is an entity error that says why`, () => {
    const id = { id: "1", name: "n", state: "s" };
    for (const value of [null, undefined, 5, "x", [], [id]]) {
      throws(() => decode(value), {
        name: "EntityError",
        code: "bad_entity",
        message: /an object/,
      });
    }
    for (const key of ["id", "name", "state"]) {
      for (const bad of [undefined, null, 5, {}]) {
        throws(() => decode({ ...id, [key]: bad }), (error) => {
          equal(error instanceof EntityError, true);
          equal((error as Error).message, `Cannot decode ${what}: no ${key} in it`);
          return true;
        });
      }
    }
  });
}

test("a timeline's data is decoded where there is some", () => {
  const event = { id: "evt_1", name: "paid" };
  deepEqual(
    decodeTimeline([
      { step_name: "reserve", created_at: time },
      { step_name: "wait:paid", data: encodeBase64(JSON.stringify(event)), created_at: time },
      { step_name: "spawn:x", data: encodeBase64("wfrun_2"), created_at: time },
    ]),
    [
      { step_name: "reserve", created_at: time },
      { step_name: "wait:paid", data: event, created_at: time },
      { step_name: "spawn:x", data: encodeBase64("wfrun_2"), created_at: time },
    ],
  );
});

test("an empty timeline, in all its forms", () => {
  for (const value of [[], null, undefined]) deepEqual(decodeTimeline(value), []);
});

test("what is no timeline is an entity error", () => {
  for (const value of [{}, "x", 5, [null], [5], [{}], [{ step_name: 5 }]]) {
    throws(() => decodeTimeline(value), EntityError);
  }
});

test("statistics", () => {
  const stats = {
    broker: { topic_count: 1, subscriber_count: 2, total_published: 3, total_dropped: 0 },
    connections: 0,
  };
  deepEqual(decodeStats(stats), stats);
  for (const value of [null, {}, [], { broker: 5 }, { broker: null }]) {
    throws(() => decodeStats(value), EntityError);
  }
});

test("the states that are ends", () => {
  deepEqual(JOB_STATES.filter(isTerminal), ["completed", "failed", "cancelled"]);
  deepEqual(RUN_STATES.filter(isTerminal), ["completed", "failed"]);
  equal(isTerminal("paused"), false);
});
