import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Call } from "../../client/connection/call.ts";
import { Deadlines } from "../../client/connection/deadlines.ts";
import { OfflineQueue } from "../../client/connection/offline_queue.ts";
import type { ConnectionError } from "../../mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function createQueue(limit: number) {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const queue = new OfflineQueue(limit);
  /** How each call ended. */
  const outcomes = new Map<string, unknown>();
  const createCall = (what: string, options: { timeout?: number; signal?: AbortSignal } = {}) => {
    const { timeout = Infinity, signal } = options;
    const settle = (outcome: unknown) => outcomes.set(what, outcome);
    const request = { what, method: "stats", signal, timeout };
    return new Call(deadlines, request, clock.monotonic() + timeout, settle, settle);
  };
  return { clock, queue, outcomes, createCall };
}

/** What a call was rejected with. */
function errorOf(outcome: unknown): Pick<ConnectionError, "code" | "message" | "delivery"> {
  const { code, message, delivery } = outcome as ConnectionError;
  return { code, message, delivery };
}

test("drains its calls in the order in which they came", () => {
  const { queue, createCall, outcomes } = createQueue(3);
  for (const what of ["a", "b", "c"]) queue.add(createCall(what));
  equal(queue.size, 3);
  const taken: string[] = [];
  queue.drain((call) => {
    taken.push(call.request.what);
    equal(queue.size, 3 - taken.length);
  });
  deepEqual(taken, ["a", "b", "c"]);
  equal(outcomes.size, 0);
  queue.drain(() => taken.push("again"));
  equal(taken.length, 3);
});

test("rejects calls while the queue is full", () => {
  const { queue, createCall, outcomes } = createQueue(2);
  const first = createCall("a");
  queue.add(first);
  queue.add(createCall("b"));
  queue.add(createCall("get stats"));
  deepEqual(errorOf(outcomes.get("get stats")), {
    code: "queue_full",
    message: "Cannot get stats: 2 requests wait for a connection",
    delivery: "not-sent",
  });
  equal(queue.size, 2);
  first.resolve("done");
  equal(queue.size, 1);
  queue.add(createCall("d"));
  equal(queue.size, 2);
  equal(outcomes.has("d"), false);
});

test("a call that is aborted leaves the queue", () => {
  const { queue, createCall, outcomes } = createQueue(1);
  const controller = new AbortController();
  queue.add(createCall("a", { signal: controller.signal }));
  controller.abort("enough");
  equal(outcomes.get("a"), "enough");
  equal(queue.size, 0);
});

test("does not pass on a call that settled while an earlier one was taken", () => {
  const { queue, createCall } = createQueue(2);
  const second = createCall("b");
  queue.add(createCall("a"));
  queue.add(second);
  const taken: string[] = [];
  queue.drain((call) => {
    taken.push(call.request.what);
    second.reject(new Error("given up"));
  });
  deepEqual(taken, ["a"]);
});

test("does not pass on a call that is added while calls are taken", () => {
  const { queue, createCall } = createQueue(2);
  queue.add(createCall("a"));
  let taken = 0;
  queue.drain(() => {
    taken++;
    queue.add(createCall("again"));
  });
  deepEqual([taken, queue.size], [1, 1]);
});

test("a call that times out names the reason why there is no connection", () => {
  const { clock, queue, createCall, outcomes } = createQueue(2);
  queue.add(createCall("get stats", { timeout: 100 }));
  queue.disconnectCause = new Error("connection refused");
  clock.advance(99);
  equal(outcomes.size, 0);
  clock.advance(1);
  deepEqual(errorOf(outcomes.get("get stats")), {
    code: "timeout",
    message: "Cannot get stats: no connection within 100 ms",
    delivery: "not-sent",
  });
  equal((outcomes.get("get stats") as Error).cause, queue.disconnectCause);
  equal(queue.size, 0);
});

test("a call that times out after it was sent may have arrived", () => {
  const { clock, queue, createCall, outcomes } = createQueue(1);
  const call = createCall("get stats", { timeout: 100 });
  call.id = "1";
  queue.add(call);
  clock.advance(100);
  equal(errorOf(outcomes.get("get stats")).delivery, "unknown");
});
