import assert from "node:assert/strict";
import { test } from "node:test";
import { DispatchSse } from "../../mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** Answers requests over HTTP; `stream` makes the body of a stream of events. */
function answering(stream: () => BodyInit): typeof fetch {
  return (_url, init) => {
    if (init?.method !== "POST") return Promise.resolve(new Response(stream()));
    const { id } = JSON.parse(String(init.body));
    const answer = {
      id: "1",
      type: "response",
      correl_id: id,
      data: {},
      ts: "2026-01-01T00:00:00Z",
    };
    return Promise.resolve(new Response(JSON.stringify(answer)));
  };
}

test("waits longer and longer for a server that ends each stream at once", async () => {
  const clock = new FakeClock();
  const options = { url: "http://localhost/dwp", token: "t", clock, random: () => 0.5, timeout: 0 };
  using client = new DispatchSse({ ...options, fetch: answering(() => "") });
  await within(client.subscribe("jobs"), "subscribing");
  const delays: number[] = [];
  for (let i = 0; i < 5; i++) {
    await eventually(() => clock.pending === 1);
    delays.push(clock.due[0]!);
    clock.advance(clock.due[0]!);
  }
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000]);
});

test("waits a short time again after a stream has lasted 5 seconds", async () => {
  const clock = new FakeClock();
  const options = { url: "http://localhost/dwp", token: "t", clock, random: () => 0.5, timeout: 0 };
  let end = () => {};
  const stream = () => new ReadableStream({ start: (body) => end = () => body.close() });
  using client = new DispatchSse({ ...options, fetch: answering(stream) });
  await within(client.subscribe("jobs"), "subscribing");
  for (let i = 0; i < 3; i++) {
    clock.advance(5_000);
    end();
    await eventually(() => clock.pending === 1);
    assert.deepEqual(clock.due, [500]);
    clock.advance(500);
    await eventually(() => clock.pending === 0);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
});
