import assert from "node:assert/strict";
import { test } from "node:test";
import { type AlertMessage, postAlert } from "../../runner/schedule/webhook.ts";
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

/** Posts an alert to a server that gives these answers in turn, and then does not answer. */
async function postTo(
  answers: (number | Error)[],
  stop = new AbortController(),
  onWarning = () => {},
) {
  const clock = new FakeClock();
  const began = clock.now();
  const posts: { at: number; body: unknown }[] = [];
  const warnings: string[] = [];
  const delivery = postAlert("https://hooks.example.com/s3cr3t", MESSAGE, {
    clock,
    signal: stop.signal,
    warn: (text) => {
      warnings.push(text);
      queueMicrotask(onWarning);
    },
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
  const delivered = await clock.runUntil(delivery, 500);
  assert.equal(clock.pending, 0);
  return { delivered, posts, warnings };
}

test("posts an alert once, as JSON, when the server accepts it", async () => {
  const { delivered, posts, warnings } = await postTo([204]);
  assert.equal(delivered, true);
  assert.deepEqual(posts, [{ at: 0, body: MESSAGE }]);
  assert.deepEqual(warnings, []);
});

test("retries after 5xx, 429 and network errors, with doubling pauses and a warning each", async () => {
  const { delivered, posts, warnings } = await postTo([503, 429, new Error("no route"), 200]);
  assert.equal(delivered, true);
  assert.deepEqual(posts.map(({ at }) => at), [0, 1000, 3000, 7000]);
  assert.deepEqual(warnings.map((text) => text.replace(/^.*example\.com: /, "")), [
    "the server answered 503; retrying in 1 s",
    "the server answered 429; retrying in 2 s",
    "no route; retrying in 4 s",
  ]);
});

test("does not retry after another status", async () => {
  const { delivered, posts, warnings } = await postTo([404]);
  assert.equal(delivered, false);
  assert.equal(posts.length, 1);
  assert.match(warnings[0]!, /the server answered 404; giving up$/);
});

test("gives up after five attempts that time out after ten seconds", async () => {
  const { delivered, posts, warnings } = await postTo([]);
  assert.equal(delivered, false);
  assert.equal(posts.length, 5);
  assert.match(warnings[0]!, /no answer within 10 s; retrying in 1 s$/);
  assert.match(warnings.at(-1)!, /giving up$/);
});

test("warnings do not contain the path of the address, which can be a secret", async () => {
  const { posts, warnings } = await postTo([500, 500, 500, 500, 500]);
  assert.equal(posts.length, 5);
  assert.ok(
    warnings.every((text) =>
      text.includes("https://hooks.example.com:") && !text.includes("s3cr3t")
    ),
  );
});

test("a warning has the cause of a network error, not the runtime's wrapper", async () => {
  const cause = new Error("connection refused");
  const { warnings } = await postTo([new TypeError("fetch failed", { cause }), 200]);
  assert.match(warnings[0]!, /: connection refused; retrying in 1 s$/);
});

test("gives up when the signal is aborted during a pause", async () => {
  const stop = new AbortController();
  const { delivered, posts, warnings } = await postTo([503], stop, () => stop.abort());
  assert.equal(delivered, false);
  assert.equal(posts.length, 1);
  assert.equal(warnings.length, 1);
});

test("gives up when the signal is aborted", async () => {
  const stop = new AbortController();
  stop.abort();
  const { delivered, warnings } = await postTo([new Error("aborted")], stop);
  assert.equal(delivered, false);
  assert.match(warnings[0]!, /giving up$/);
});
