// Following a job or run over a transport without events. The test answers each request.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  DispatchError,
  JobFailedError,
  RunFailedError,
  TimeoutError,
} from "../../client/errors.ts";
import { pollJob, pollRun } from "../../client/follow/poller.ts";
import { breathe } from "../helpers/eventually.ts";
import { FakeTransport } from "../helpers/fake_transport.ts";
import { Outcome } from "../helpers/followed.ts";
import { hasCode } from "../helpers/has_code.ts";
import { JOB_ID, jobRecord, RUN_ID, runRecord } from "../helpers/records.ts";

const { signal } = new AbortController();

test("a poller reads at growing intervals until the job has ended, and keeps its record", async () => {
  const transport = new FakeTransport();
  const poller = pollJob(transport, JOB_ID);
  const states: string[] = [];
  poller.onState.add((state) => states.push(state));
  equal(poller.state, undefined);
  const wait = new Outcome(poller.wait(signal));
  deepEqual(transport.asked, [`job.get {"job_id":"${JOB_ID}"}`]);
  const pauses = [250, 375, 562.5];
  for (const [i, state] of ["pending", "running", "retrying"].entries()) {
    await transport.answer("job.get", jobRecord(state));
    deepEqual([poller.state, transport.asked, transport.clock.due], [state, [], [pauses[i]]]);
    await transport.advance(pauses[i]!);
  }
  await transport.answer("job.get", jobRecord("completed"));
  deepEqual(wait.value, { ...jobRecord("completed"), payload: null });
  deepEqual(states, ["pending", "running", "retrying", "completed"]);
  transport.assertIdle();
  equal(await poller.wait(signal), wait.value);
  deepEqual(transport.asked, []);
});

test("a poller rejects with the record of a job or run that did not complete", async () => {
  for (const state of ["failed", "cancelled"]) {
    const transport = new FakeTransport();
    const wait = new Outcome(pollJob(transport, JOB_ID).wait(signal));
    await transport.answer("job.get", jobRecord(state));
    ok(wait.error instanceof JobFailedError);
    equal(wait.error.job.state, state);
  }
  const transport = new FakeTransport();
  const wait = new Outcome(pollRun(transport, RUN_ID).wait(signal));
  deepEqual(transport.asked, [`workflow.get {"run_id":"${RUN_ID}"}`]);
  await transport.answer("workflow.get", runRecord("failed"));
  ok(wait.error instanceof RunFailedError);
  equal(wait.error.run.id, RUN_ID);
});

test("a poller repeats a read that timed out; any other failure ends the wait", async () => {
  const transport = new FakeTransport();
  const wait = new Outcome(pollRun(transport, RUN_ID).wait(signal));
  await transport.refuse("workflow.get", new TimeoutError("too slow"));
  deepEqual(transport.clock.due, [250]);
  await transport.advance(250);
  const missing = new DispatchError("no such run", 404);
  await transport.refuse("workflow.get", missing);
  equal(wait.error, missing);
  transport.assertIdle();
});

test("a poller whose wait is aborted leaves nothing behind, and can wait again", async () => {
  for (const isPausing of [true, false]) {
    const transport = new FakeTransport();
    const controller = new AbortController();
    const poller = pollRun(transport, RUN_ID);
    let requests = 0;
    const request = transport.request.bind(transport);
    transport.request = (one) => (requests++, request(one));
    const wait = new Outcome(poller.wait(controller.signal));
    if (isPausing) await transport.answer("workflow.get", runRecord("running"));
    controller.abort("enough");
    await breathe(1);
    equal(wait.error, "enough");
    equal(requests, 1);
    transport.assertIdle();
    const again = new Outcome(poller.wait(signal));
    await transport.answer("workflow.get", runRecord("completed"));
    equal((again.value as { state: string }).state, "completed");
  }
});

test("a poller reads again as soon as its job was cancelled, and not for another job", async () => {
  const transport = new FakeTransport();
  const wait = new Outcome(pollJob(transport, JOB_ID).wait(signal));
  await transport.answer("job.get", jobRecord("running"));
  for (let i = 0; i < 2; i++) {
    for (const listener of transport.onCancel) listener("job_other");
    // Not a part of an id, either.
    for (const listener of transport.onCancel) listener(JOB_ID.slice(0, -1));
    await breathe(1);
    deepEqual([transport.asked, transport.clock.due.length], [[], 1]);
    for (const listener of transport.onCancel) listener(JOB_ID);
    await transport.answer("job.get", jobRecord(i ? "cancelled" : "running"));
  }
  ok(wait.error instanceof JobFailedError);
  transport.assertIdle();
});

test("a poller has no events", () => {
  const transport = new FakeTransport();
  const text = (what: string) =>
    new RegExp(`^Cannot follow ${what}: this transport has no events$`);
  throws(
    () => pollJob(transport, JOB_ID).events(),
    hasCode("not_possible", text(`job '${JOB_ID}'`)),
  );
  throws(
    () => pollRun(transport, RUN_ID).events(),
    hasCode("not_possible", text(`workflow run '${RUN_ID}'`)),
  );
});
