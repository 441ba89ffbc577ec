import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Poll } from "../../runner/steps/_poll.ts";
import type { StepContext } from "../../runner/steps/context.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** A poll on a clock that stands still, and how many events arrive when. */
function startPoll({ past = 0 } = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  let arrived = Promise.withResolvers<void>();
  async function* open(): AsyncGenerator<string> {
    for (let i = 0; i < past; i++) yield "past";
    for (;;) {
      await arrived.promise;
      arrived = Promise.withResolvers();
      yield "live";
    }
  }
  const context = { signal: stop.signal, pauses: clock } as unknown as StepContext;
  const poll = new Poll(context, open);
  return { clock, poll, arrive: () => arrived.resolve(), stop };
}

/** Lets everything happen that waits for no timer. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

/** Returns whether a promise resolves without any time passing. */
async function resolvesNow(promise: Promise<void>): Promise<boolean> {
  let resolved = false;
  promise.then(() => resolved = true, () => {});
  await settle();
  return resolved;
}

test("reads once for all events of the past, then waits for further ones", async () => {
  const { clock, poll, arrive } = startPoll({ past: 3 });
  const first = poll.next();
  await settle();
  clock.advance(0);
  equal(await resolvesNow(first), true);
  const second = poll.next();
  equal(await resolvesNow(second), false);
  deepEqual(clock.due, [100]);
  arrive();
  equal(await resolvesNow(second), true);
  // The state can lag behind the event.
  poll.next();
  deepEqual(clock.due, [5]);
});

test("an event that arrives during a read is followed by another read", async () => {
  const { clock, poll, arrive } = startPoll({ past: 1 });
  const first = poll.next();
  await settle();
  clock.advance(0);
  await first;
  arrive();
  await settle();
  equal(await resolvesNow(poll.next()), true);
});

test("reads in growing intervals while no events arrive", async () => {
  const { clock, poll } = startPoll();
  for (const pause of [20, 40, 80, 160, 320, 640, 1000, 1000]) {
    const next = poll.next();
    await settle();
    deepEqual(clock.due, [pause]);
    clock.advance(pause);
    await settle();
    if (pause === 20) clock.advance(0);
    equal(await resolvesNow(next), true);
  }
});

test("stops at once when the step's signal aborts", async () => {
  const { clock, poll, stop } = startPoll();
  const next = poll.next();
  await settle();
  stop.abort(new Error("over"));
  await next.then(() => Promise.reject(new Error("goes on")), ({ message }) => {
    equal(message, "over");
  });
  deepEqual(clock.due, []);
});
