import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { addresses, healthchecks, HeartbeatSender } from "../../runner/notify/heartbeat.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const END = { exitCode: 0, duration_ms: 5, log: "" };

/** Lets promises settle. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A sender whose requests are answered by hand. */
function openSender() {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const asked: string[] = [];
  const waiting: { answer(status: number): void; fail(error: Error): void }[] = [];
  const sender = new HeartbeatSender({
    clock,
    signal: new AbortController().signal,
    warn: (text) => void warnings.push(text),
    fetch: ((url: string) => {
      asked.push(new URL(url).pathname);
      return new Promise<Response>((resolve, reject) => {
        waiting.push({
          answer: (status) => resolve(new Response(null, { status })),
          fail: reject,
        });
      });
    }) as typeof fetch,
  });
  /** Answers the oldest request. */
  const answer = async (how: number | Error) => {
    const one = waiting.shift()!;
    if (typeof how === "number") one.answer(how);
    else one.fail(how);
    await settled();
  };
  return { clock, sender, warnings, asked, answer };
}

test("a service hears of the end of a run after its start, however slow the start is", async () => {
  const { sender, asked, answer, clock, warnings } = openSender();
  const heartbeat = healthchecks("https://hc.example.com/uuid");
  sender.send(heartbeat, { kind: "start" }, "Smoke");
  sender.send(heartbeat, { kind: "success", ...END }, "Smoke");
  await settled();
  deepEqual(asked, ["/uuid/start"]);
  await answer(200);
  deepEqual(asked, ["/uuid/start", "/uuid/0"]);
  await answer(503);
  clock.advance(1_000);
  await settled();
  deepEqual(asked.slice(2), ["/uuid/0"]);
  await answer(200);
  await sender.idle();
  deepEqual(warnings, []);
});

test("beats that cannot be told are replaced by the next, so that none pile up", async () => {
  const { sender, asked, answer, warnings, clock } = openSender();
  const heartbeat = healthchecks("https://hc.example.com/uuid");
  for (let exitCode = 0; exitCode < 100; exitCode++) {
    sender.send(heartbeat, { kind: "start" }, "Smoke");
    sender.send(heartbeat, { kind: "fail", ...END, exitCode }, "Smoke");
  }
  // The end of the last run waits; a start does not replace it.
  sender.send(heartbeat, { kind: "start" }, "Smoke");
  await answer(500);
  deepEqual(asked, ["/uuid/start", "/uuid/99"]);
  await answer(200);
  await sender.idle();
  equal(clock.pending, 0);
  equal(warnings.length, 1);
});

test("another heartbeat does not wait for one that hangs", async () => {
  const { sender, asked } = openSender();
  for (const path of ["a", "b"]) {
    const success = `https://hc.example.com/${path}`;
    sender.send(addresses({ success }), { kind: "success", ...END }, "Smoke");
  }
  await settled();
  deepEqual(asked, ["/a", "/b"]);
});

test("a warning names the service, and never the path, which is the secret", async () => {
  const { sender, answer, warnings } = openSender();
  const heartbeat = healthchecks("https://hc.example.com/s3cret");
  sender.send(heartbeat, { kind: "success", ...END }, "Smoke");
  sender.send(heartbeat, { kind: "success", ...END }, "Smoke");
  const url = "https://hc.example.com/s3cret/0";
  await answer(new TypeError(`error sending request for url (${url}): no route to ${url}`));
  await answer(200);
  await sender.idle();
  equal(warnings.length, 1);
  match(warnings[0]!, /^cannot tell the heartbeat of Smoke to https:\/\/hc\.example\.com: error /);
  ok(!warnings[0]!.includes("s3cret"), warnings[0]!);
});
