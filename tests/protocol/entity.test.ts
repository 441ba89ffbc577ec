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

test("decodeJob decodes the payload and keeps the other fields", () => {
  deepEqual(decodeJob(JOB), { ...JOB, payload: { to: "ü" } });
});

test("decodeJob keeps null, and bytes that are not JSON, as the payload", () => {
  equal(decodeJob({ ...JOB, payload: null }).payload, null);
  equal(decodeJob({ ...JOB, payload: "CwgA+D0K16Nw/TNA" }).payload, "CwgA+D0K16Nw/TNA");
});

test("decodeRun decodes input and output", () => {
  const run = decodeRun({ ...RUN, output: encodeBase64("[1,null]") });
  deepEqual(run.input, { order_id: "1" });
  deepEqual(run.output, [1, null]);
});

test("decodeRun adds no output to a run without one", () => {
  equal("output" in decodeRun(RUN), false);
  equal(decodeRun({ ...RUN, output: null }).output, null);
});

test("the decoders keep unknown fields", () => {
  const extra = { tenant: { deep: [1] }, labels: null };
  deepEqual((decodeJob({ ...JOB, ...extra }) as unknown as typeof extra).tenant, extra.tenant);
  deepEqual((decodeRun({ ...RUN, ...extra }) as unknown as typeof extra).labels, null);
});

test("the decoders do not change their input", () => {
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

test("decodeJob accepts an unknown state", () => {
  equal(decodeJob({ ...JOB, state: "paused" }).state as string, "paused");
});

for (const [kind, decode] of [["job", decodeJob], ["workflow run", decodeRun]] as const) {
  test(`throws an EntityError that says why a value is not a ${kind}`, () => {
    const id = { id: "1", name: "n", state: "s" };
    for (const value of [null, undefined, 5, "x", [], [id]]) {
      throws(() => decode(value), {
        name: "EntityError",
        code: "bad_entity",
        message: /an object/,
      });
    }
    for (const key of ["id", "name", "state"]) {
      for (const invalid of [undefined, null, 5, {}]) {
        throws(() => decode({ ...id, [key]: invalid }), (error) => {
          equal(error instanceof EntityError, true);
          equal((error as Error).message, `Cannot decode ${kind}: ${key} is missing`);
          return true;
        });
      }
    }
  });
}

test("decodeTimeline decodes the data of entries that have some", () => {
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

test("decodeTimeline decodes the payload of each event that a run waited for", () => {
  const base64 = (value: unknown) => encodeBase64(JSON.stringify(value));
  const entry = (step_name: string, data: unknown) => ({ step_name, data, created_at: time });
  const encoded = (payload: unknown) => ({ id: "evt_1", name: "paid", payload: base64(payload) });
  const decoded = (payload: unknown) => ({ id: "evt_1", name: "paid", payload });
  const payloads = [{ amount: 1 }, [1], "text", 0, null, false];
  for (const payload of payloads) {
    for (const step of ["wait:paid", "waitall:paid", "waitany:paid,late", "waitmatch:paid"]) {
      deepEqual(decodeTimeline([entry(step, base64(encoded(payload)))]), [
        entry(step, decoded(payload)),
      ]);
    }
  }
  deepEqual(
    decodeTimeline([
      entry("waitall:paid,late", base64(payloads.map(encoded))),
      entry("wait:no-json", base64({ payload: "?" })),
      entry("wait:timed-out", ""),
      entry("waiter", base64({ payload: base64(1) })),
      entry("parallel:wait:paid", base64({ payload: base64(1) })),
      entry("wait:null", base64(null)),
      { step_name: "wait:nothing", created_at: time },
    ]),
    [
      entry("waitall:paid,late", payloads.map(decoded)),
      entry("wait:no-json", { payload: "?" }),
      entry("wait:timed-out", ""),
      entry("waiter", { payload: base64(1) }),
      entry("parallel:wait:paid", { payload: base64(1) }),
      entry("wait:null", null),
      { step_name: "wait:nothing", created_at: time },
    ],
  );
});

test("decodeTimeline accepts a missing list as an empty one", () => {
  for (const value of [[], null, undefined]) deepEqual(decodeTimeline(value), []);
});

test("decodeTimeline throws an EntityError if a value is not a timeline", () => {
  for (const value of [{}, "x", 5]) {
    throws(() => decodeTimeline(value), /^EntityError: Cannot decode timeline: not a list$/);
  }
  for (const value of [[null], [5], [{}], [{ step_name: 5 }]]) {
    throws(() => decodeTimeline(value), /^EntityError: .*: step_name is missing$/);
  }
});

test("decodeStats returns statistics, and throws an EntityError if broker is missing", () => {
  const stats = {
    broker: { topic_count: 1, subscriber_count: 2, total_published: 3, total_dropped: 0 },
    connections: 0,
  };
  deepEqual(decodeStats(stats), stats);
  for (const value of [null, {}, [], { broker: 5 }, { broker: null }]) {
    throws(() => decodeStats(value), /^EntityError: .*: broker is missing$/);
  }
});

test("isTerminal is true for the states that end a job or run", () => {
  deepEqual(JOB_STATES.filter(isTerminal), ["completed", "failed", "cancelled"]);
  deepEqual(RUN_STATES.filter(isTerminal), ["completed", "failed"]);
  equal(isTerminal("paused"), false);
});
