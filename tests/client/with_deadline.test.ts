// What ends a piece of work, a pause or a call early.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Call, type CallOwner } from "../../client/connection/call.ts";
import { Deadlines } from "../../client/connection/deadlines.ts";
import { pause, withDeadline } from "../../client/connection/with_deadline.ts";
import { ConnectionError, TimeoutError } from "../../mod.ts";
import { CountingSignal } from "../helpers/counting_signal.ts";
import { breathe, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const REASON = new Error("no longer needed");

function fixture() {
  const clock = new FakeClock(0);
  const onClose = new Set<(error: Error) => void>();
  const deadline = (timeout?: number) => clock.monotonic() + timeout!;
  return { clock, deadlines: new Deadlines(clock), onClose, deadline };
}

/** Runs work that a test settles by hand, with a deadline at 100 ms. */
function working(signal?: AbortSignal) {
  const host = fixture();
  const work = Promise.withResolvers<string>();
  let given: AbortSignal | undefined;
  const limits = { what: "work", timeout: 100, awaited: "result", signal };
  const promise = withDeadline(host, limits, (signal) => {
    given = signal;
    return work.promise;
  });
  promise.catch(() => {});
  return { ...host, work, promise, given: given! };
}

const failure = (promise: Promise<unknown>) =>
  within(promise.then(() => undefined, (error) => error), "the rejection");

test("work resolves with its result and leaves nothing behind", async () => {
  const it = working();
  it.clock.advance(99);
  assert.deepEqual([it.clock.pending, it.onClose.size], [1, 1]);
  it.work.resolve("done");
  assert.equal(await within(it.promise, "the work"), "done");
  assert.deepEqual([it.clock.pending, it.onClose.size, it.given.aborted], [0, 0, false]);
});

test("work that fails rejects with its error and leaves nothing behind", async () => {
  const it = working();
  const problem = new Error("no");
  it.work.reject(problem);
  assert.equal(await failure(it.promise), problem);
  assert.deepEqual([it.clock.pending, it.onClose.size], [0, 0]);
});

test("at the deadline work rejects at once with the milliseconds it had, and its signal aborts", async () => {
  const it = working();
  it.clock.advance(99);
  assert.equal(it.given.aborted, false);
  it.clock.advance(1);
  const error = await failure(it.promise) as TimeoutError;
  assert.equal(it.given.reason, error);
  assert(error instanceof TimeoutError);
  assert.equal(error.message, "Cannot work: no result within 100 ms");
  assert.equal(error.delivery, "not-sent");
  assert.equal(it.onClose.size, 0);
});

test("work rejects with the reason of the caller's signal, whether or not there is a deadline", async () => {
  const controller = new AbortController();
  const it = working(controller.signal);
  controller.abort(REASON);
  assert.equal(it.given.reason, REASON);
  assert.equal(await failure(it.promise), REASON);
  assert.deepEqual([it.clock.pending, it.onClose.size], [0, 0]);
  const late = working(new AbortController().signal);
  late.clock.advance(100);
  assert(await failure(late.promise) instanceof TimeoutError);
});

test("work of a client that is closed rejects with the action in the message", async () => {
  const it = working();
  const closed = new ConnectionError("the client is closed", "closed");
  for (const listener of [...it.onClose]) listener(closed);
  const error = await failure(it.promise) as ConnectionError;
  assert.equal(error.message, "Cannot work: the client is closed");
  assert.deepEqual([error.code, error.cause], ["closed", closed]);
  assert.equal(it.given.reason, error);
  assert.deepEqual([it.clock.pending, it.onClose.size], [0, 0]);
});

test("a pause resolves when its time is over", async () => {
  const it = fixture();
  let isOver = false;
  it.clock.advance(7);
  const pausing = pause(it, 50, new AbortController().signal).then(() => isOver = true);
  it.clock.advance(49);
  await breathe();
  assert.equal(isOver, false);
  it.clock.advance(1);
  await within(pausing, "the pause");
});

test("an aborted pause rejects with the reason, and leaves no timer", async () => {
  const it = fixture();
  const counting = new CountingSignal();
  const pausing = pause(it, 50, counting.signal);
  assert.equal(it.clock.pending, 1);
  counting.abort(REASON);
  assert.equal(await failure(pausing), REASON);
  assert.equal(await failure(pause(it, 50, AbortSignal.abort(REASON))), REASON);
  assert.deepEqual([it.clock.pending, counting.listeners], [0, 0]);
});

/** A call with a deadline at 100 ms, and what has become of it. */
function calling(hasOwner = true) {
  const { clock, deadlines } = fixture();
  const counting = new CountingSignal();
  const outcomes: unknown[] = [];
  const deleted: Call[] = [];
  const owner: CallOwner = {
    delete: (call) => void deleted.push(call),
    awaited: "answer",
  };
  const request = { what: "call", method: "m", timeout: 100, signal: counting.signal };
  const settle = (outcome: unknown) => void outcomes.push(outcome);
  const call = new Call(deadlines, request, 100, settle, settle);
  if (hasOwner) call.owner = owner;
  return { clock, counting, outcomes, deleted, call };
}

for (const how of ["resolve", "reject"] as const) {
  test(`${how} settles a call, and removes it from its owner, its deadline and its signal`, () => {
    for (const hasOwner of [true, false]) {
      const it = calling(hasOwner);
      assert.deepEqual([it.clock.pending, it.counting.listeners], [1, 1]);
      it.call[how]("the outcome");
      assert.deepEqual(it.outcomes, ["the outcome"]);
      assert.deepEqual(it.deleted, hasOwner ? [it.call] : []);
      assert.deepEqual([it.clock.pending, it.counting.listeners], [0, 0]);
    }
  });
}

test("a call rejects at its deadline and says what it was waiting for", () => {
  const it = calling();
  it.clock.advance(99);
  assert.deepEqual(it.outcomes, []);
  it.clock.advance(1);
  assert.equal(
    (it.outcomes[0] as unknown as Error).message,
    "Cannot call: no answer within 100 ms",
  );
  assert.deepEqual(it.deleted, [it.call]);
  assert.equal(it.counting.listeners, 0);
});

test("a call rejects with the reason of its signal, without a timer left", () => {
  const it = calling();
  it.counting.abort(REASON);
  assert.deepEqual(it.outcomes, [REASON]);
  assert.deepEqual(it.deleted, [it.call]);
  assert.equal(it.clock.pending, 0);
});
