// What the handles on jobs and runs have in common: options, deadlines and the state.
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { test } from "node:test";
import { TimeoutError } from "../../client/errors.ts";
import type { Follower } from "../../client/follow/entity_handle.ts";
import { trackRun } from "../../client/follow/trackers.ts";
import { Job } from "../../client/job.ts";
import { Run } from "../../client/run.ts";
import type { JobRecord } from "../../protocol/entity.ts";
import type { JobEvent } from "../../protocol/event.ts";
import { breathe } from "../helpers/eventually.ts";
import { FakeTransport } from "../helpers/fake_transport.ts";
import { at, names, Outcome } from "../helpers/followed.ts";
import { hasCode } from "../helpers/has_code.ts";
import { jobRecord, RUN_ID, runRecord } from "../helpers/records.ts";
import { Recorder } from "../helpers/recorder.ts";

/** A handle on a job, and the follower that it uses. */
class Fixture {
  readonly transport: FakeTransport = new FakeTransport();
  /** The ids of the followers that the handle has created. */
  readonly followers: string[] = [];
  readonly ended: PromiseWithResolvers<JobRecord> = Promise.withResolvers();
  /** The options of each reader. */
  readonly readers: unknown[] = [];
  signal: AbortSignal | undefined;
  state: string | undefined;
  readonly onState: Set<(state: string) => void> = new Set();
  readonly job: Job = new Job(this.transport, (id) => this.#follow(id), "j", "default", "pending");

  /** Tells the handle of a state. */
  show(state: string): void {
    this.state = state;
    for (const listener of this.onState) listener(state);
  }

  #follow(id: string): Follower<JobRecord, JobEvent> {
    this.followers.push(id);
    const wait = (signal: AbortSignal) => {
      this.signal = signal;
      return this.ended.promise;
    };
    const events = (options?: { signal?: AbortSignal }) => {
      this.readers.push(options);
      return (async function* () {})() as AsyncIterableIterator<never, undefined>;
    };
    // deno-lint-ignore no-this-alias
    const fixture = this;
    return {
      get state() {
        return fixture.state;
      },
      onState: this.onState,
      wait,
      events,
    };
  }
}

test("a handle begins to follow its job at the first `wait()` or `events()`, and only once", async () => {
  const it = new Fixture();
  deepEqual(it.followers, []);
  const waits = [new Outcome(it.job.wait()), new Outcome(it.job.wait({}))];
  const { signal } = new AbortController();
  deepEqual(await Array.fromAsync(it.job.events({ signal })), []);
  it.job.events();
  deepEqual([it.followers, it.readers], [["j"], [{ signal }, undefined]]);
  const record = jobRecord("completed") as unknown as JobRecord;
  it.ended.resolve(record);
  await breathe(1);
  deepEqual(waits.map(({ value }) => value), [record, record]);
  it.transport.assertIdle();
});

test("a handle shows the last state that its follower saw", () => {
  const it = new Fixture();
  equal(it.job.state, "pending");
  it.job.events();
  equal(it.job.state, "pending");
  it.show("running");
  equal(it.job.state, "running");
  const late = new Fixture();
  late.state = "retrying";
  late.job.events();
  equal(late.job.state, "retrying");
});

test("a wait rejects after its timeout, and its message has the last state if there is one", async () => {
  for (const state of ["running", undefined]) {
    const it = new Fixture();
    const wait = new Outcome(it.job.wait({ timeout: 1_000 }));
    if (state) it.show(state);
    await it.transport.advance(999);
    equal(wait.isSettled, false);
    await it.transport.advance(1);
    ok(wait.error instanceof TimeoutError);
    const why = `no end${state ? " (it is running)" : ""} within 1000 ms`;
    equal(wait.error.message, `Cannot wait for job 'j': ${why}`);
    equal(it.signal!.reason, wait.error);
    it.transport.assertIdle();
  }
});

test("a wait without a timeout, or with the timeout 0, has no deadline", async () => {
  for (const options of [undefined, {}, { timeout: undefined }, { timeout: 0 }]) {
    const it = new Fixture();
    const wait = new Outcome(it.job.wait(options));
    await it.transport.advance(86_400_000);
    equal(wait.isSettled, false);
    deepEqual(it.transport.clock.due, []);
  }
});

test("a wait rejects with the signal's reason or with `closed`, and aborts its follower", async () => {
  const it = new Fixture();
  const controller = new AbortController();
  const aborted = new Outcome(it.job.wait({ signal: controller.signal, timeout: 1_000 }));
  controller.abort("enough");
  await breathe(1);
  deepEqual([aborted.error, it.signal!.reason], ["enough", "enough"]);
  const closed = new Outcome(it.job.wait());
  await it.transport.close();
  ok(hasCode("closed", /^Cannot wait for job 'j': the client is closed$/)(closed.error));
  it.transport.assertIdle();
});

test("wait and events refuse wrong options before they send anything", async () => {
  const it = new Fixture();
  const wrong = { timout: 1 } as object;
  await rejects(
    it.job.wait(wrong),
    hasCode("bad_options", /^Cannot wait for job 'j': there is no option 'timout'/),
  );
  throws(
    () => it.job.events({ timeout: 1 } as object),
    hasCode("bad_options", /^Cannot follow job 'j': there is no option 'timeout'/),
  );
  const run = new Run(it.transport, () => trackRun(it.transport, RUN_ID), RUN_ID, "w", "running");
  await rejects(
    run.wait({ timeout: -1 }),
    hasCode("bad_options", /^Cannot wait for workflow run 'wfrun_0+': 'timeout' must be/),
  );
  deepEqual(it.followers, []);
  it.transport.assertIdle();
});

test("a handle on a run waits for it, reads its events and shows its state", async () => {
  const transport = new FakeTransport();
  const run = new Run(transport, (id) => trackRun(transport, id), RUN_ID, "w", "running");
  const wait = new Outcome(run.wait({ timeout: 60_000 }));
  const seen = new Recorder(run.events());
  await transport.attachments[0]!.confirm();
  await transport.answer("workflow.get", runRecord("completed", { started_at: at(0) }));
  equal(run.state, "completed");
  await transport.answer("workflow.timeline", null);
  equal((wait.value as { id: string }).id, RUN_ID);
  deepEqual([names(seen.items), seen.isOver], [["started", "completed"], true]);
  transport.assertIdle();
});
