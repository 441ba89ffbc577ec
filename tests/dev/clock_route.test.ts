import assert from "node:assert/strict";
import { test } from "node:test";
import { createDevServer, defineWorkflow, serve } from "../../dev/mod.ts";
import { Wire } from "./wire.ts";

/** Sends a request about the clock of a server; returns the status and the answer. */
async function control(url: string, body?: unknown, token = "demo-token") {
  const response = await fetch(`${url.replace(/^ws/, "http")}/clock`, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

function timeIn(text: string): number {
  return Date.parse(JSON.parse(text).now);
}

test("POST /dwp/clock advances a virtual clock, so that a wait for an event runs out", async () => {
  await using server = await createDevServer({
    clock: "virtual",
    workflows: [defineWorkflow("order", async (wf) => {
      if (!await wf.waitForEvent("paid", "5m")) throw new Error("not paid");
    })],
  });
  await using wire = await Wire.connect(server.url);
  const start = timeIn((await control(server.url)).text);
  const answer = wire.call("workflow.start", { name: "order" });
  while (server.store.runs().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const { status, text } = await control(server.url, { advance: "5m" });
  assert.equal(status, 200);
  assert.equal(timeIn(text) - start, 300_000);
  assert.equal((await answer).state, "failed");
});

test("/dwp/clock refuses what is not a duration, and tokens without the scope admin", async () => {
  await using server = await createDevServer({ clock: "virtual" });
  for (const body of [{ advance: "soon" }, {}, null, { advance: -1 }]) {
    const { status, text } = await control(server.url, body);
    assert.equal(status, 400);
    assert.match(JSON.parse(text).error, /^Cannot parse duration: /);
  }
  assert.equal((await control(server.url, { advance: 1 }, "readonly")).status, 403);
  assert.equal((await control(server.url, undefined, "nobody")).status, 401);
});

test("a server with real time has no /dwp/clock", async () => {
  await using server = await createDevServer();
  assert.equal((await control(server.url)).status, 404);
});

test("serve with a virtual clock starts at the real time, skips sleeps, and says how to advance", async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const ready = Promise.withResolvers<void>();
  const done = serve({
    port: 0,
    clock: "virtual",
    signal: stop.signal,
    print: (line) => {
      lines.push(line);
      if (line.startsWith("For production")) ready.resolve();
    },
  });
  await ready.promise;
  const url = lines.find((line) => line.startsWith("ws:"))!;
  const endpoint = `${url.replace(/^ws/, "http")}/clock`;
  assert.ok(lines.includes(`  clock      virtual; POST {"advance": "5m"} to ${endpoint}`));
  const before = timeIn((await control(url)).text);
  assert.ok(Math.abs(before - Date.now()) < 60_000);
  await using wire = await Wire.connect(url);
  const run = await wire.call("workflow.start", { name: "sleeper", input: { ms: 86_400_000 } });
  assert.equal(run.state, "completed");
  assert.equal(Math.round((timeIn((await control(url)).text) - before) / 86_400_000), 1);
  stop.abort();
  await done;
});
