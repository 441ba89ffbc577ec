// How alerts are posted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AlertMessage, deliver } from "../../runner/schedule/deliver.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const MESSAGE: AlertMessage = {
  version: 1,
  type: "raised",
  text: "ALERT Smoke has failed",
  recipe: "Smoke",
  file: "smoke.yaml",
  server: "embedded",
  at: "2026-01-01T00:00:00Z",
  failing_since: "2026-01-01T00:00:00Z",
  failures: 1,
};

/** Delivers to an address that answers with these, one after the other, and then not at all. */
async function deliverTo(answers: (number | Error)[], stop = new AbortController()) {
  const clock = new FakeClock();
  const began = clock.now();
  const posts: { at: number; body: unknown }[] = [];
  const warnings: string[] = [];
  const delivery = deliver("https://hooks.example.com/s3cr3t", MESSAGE, {
    clock,
    signal: stop.signal,
    warn: (text) => void warnings.push(text),
    fetch: (_address, init) => {
      posts.push({ at: clock.now() - began, body: JSON.parse(String(init!.body)) });
      const answer = answers.shift();
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer !== undefined) return Promise.resolve(new Response(null, { status: answer }));
      return new Promise((_, reject) =>
        init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason), { once: true })
      );
    },
  });
  // The first attempt is made before the clock moves.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const arrived = await clock.runUntil(delivery, 500);
  return { arrived, posts, warnings };
}

test("a message that arrives is posted once, as JSON", async () => {
  const { arrived, posts, warnings } = await deliverTo([204]);
  assert.equal(arrived, true);
  assert.deepEqual(posts, [{ at: 0, body: MESSAGE }]);
  assert.deepEqual(warnings, []);
});

test("a server in trouble is tried again with longer and longer pauses, and told", async () => {
  const { arrived, posts, warnings } = await deliverTo([503, 429, new Error("no route"), 200]);
  assert.equal(arrived, true);
  assert.deepEqual(posts.map(({ at }) => at), [0, 1000, 3000, 7000]);
  assert.deepEqual(warnings.map((text) => text.replace(/^.*example\.com: /, "")), [
    "it answered 503; it is tried again in 1 s",
    "it answered 429; it is tried again in 2 s",
    "no route; it is tried again in 4 s",
  ]);
});

test("an answer that will not change is final", async () => {
  const { arrived, posts, warnings } = await deliverTo([404]);
  assert.equal(arrived, false);
  assert.equal(posts.length, 1);
  assert.match(warnings[0]!, /it answered 404; it is given up$/);
});

test("silence ends after ten seconds, and all of it after five attempts", async () => {
  const { arrived, posts, warnings } = await deliverTo([]);
  assert.equal(arrived, false);
  assert.equal(posts.length, 5);
  assert.match(warnings[0]!, /it did not answer within 10 s; it is tried again in 1 s$/);
  assert.match(warnings.at(-1)!, /it is given up$/);
});

test("the path of an address, which can be a secret, is not told", async () => {
  const { warnings } = await deliverTo([500, 500, 500, 500, 500]);
  assert.ok(
    warnings.every((text) =>
      text.includes("https://hooks.example.com:") && !text.includes("s3cr3t")
    ),
  );
});

test("what was not delivered when the schedule ends is given up", async () => {
  const stop = new AbortController();
  stop.abort();
  const { arrived, warnings } = await deliverTo([new Error("aborted")], stop);
  assert.equal(arrived, false);
  assert.match(warnings[0]!, /it is given up$/);
});
