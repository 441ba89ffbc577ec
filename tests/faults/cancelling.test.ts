import assert from "node:assert/strict";
import { test } from "node:test";
import { DispatchRpc } from "../../mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { scripted } from "../helpers/peers.ts";
import { JOB_ID, jobRecord, requestsOf, serve } from "../helpers/scripts.ts";

const CANCELLED = { name: "JobFailedError", code: "job_cancelled" };

/** A server with a job that runs until it is cancelled, about which it sends no event. */
function cancellable() {
  let state = "running";
  return scripted((peer) =>
    serve(peer, (request) => {
      if (request.method === "job.cancel") state = "cancelled";
      if (request.method !== "job.get") return false;
      const { job_id } = request.data as { job_id: string };
      peer.answer(request, jobRecord(job_id === JOB_ID ? state : "running", { id: job_id }));
      return true;
    })
  );
}

for (const how of ["its handle", "another handle", "cancelJob"] as const) {
  test(`cancelling a job by ${how} wakes those who wait for it, without any time passing`, async () => {
    await using it = await cancellable();
    const { client } = it;
    const [job, other] = [client.job(JOB_ID), client.job("job_other")];
    const waiting = job.wait();
    let otherIsOver = false;
    const otherWaiting = other.wait().catch(() => {}).finally(() => otherIsOver = true);
    waiting.catch(() => {});
    const reads = () => requestsOf(it.server.peers[0]!, "job.get");
    // Both wait for the clock to move.
    await eventually(() =>
      reads().length === 2 && it.clock.due.filter((ms) => ms === 250).length === 2
    );
    if (how === "its handle") await job.cancel();
    else if (how === "another handle") await client.job(JOB_ID).cancel();
    else await client.cancelJob(JOB_ID);
    await assert.rejects(within(waiting, "the wait"), CANCELLED);
    assert.equal(reads().length, 3, "only the cancelled job was read again");
    assert.equal(otherIsOver, false);
    await it.clock.runUntil(client.close(), 200);
    await otherWaiting;
  });
}

test("cancelling a job over HTTP wakes those who wait for it, without any time passing", async () => {
  const clock = new FakeClock();
  let state = "running";
  let reads = 0;
  const fetch: typeof globalThis.fetch = (_url, init) => {
    const { id, method } = JSON.parse(String(init!.body));
    if (method === "job.get") reads++;
    if (method === "job.cancel") state = "cancelled";
    const data = jobRecord(state);
    const frame = { id: "1", type: "response", correl_id: id, data };
    return Promise.resolve(new Response(JSON.stringify(frame)));
  };
  using client = new DispatchRpc({
    url: "http://localhost/dwp",
    token: "t",
    clock,
    fetch,
    timeout: 0,
  });
  const waiting = client.job(JOB_ID).wait();
  waiting.catch(() => {});
  await eventually(() => reads === 1 && clock.due.includes(250));
  await client.cancelJob("job_other");
  assert.equal(reads, 1);
  await client.cancelJob(JOB_ID);
  await assert.rejects(within(waiting, "the wait"), CANCELLED);
  assert.equal(clock.pending, 0);
});
