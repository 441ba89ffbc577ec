import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDevServer,
  createVirtualClock,
  defineJob,
  defineWorkflow,
  type DevServer,
  type Fault,
  parseFault,
} from "../../dev/mod.ts";
import { Wire } from "./wire.ts";

const clock = createVirtualClock({ autoSkip: false });

function serve(...faults: Fault[]): Promise<DevServer> {
  return createDevServer({ clock, faults, jobs: [defineJob("noop", () => {})] });
}

/** The ids of the answers to stats requests, in the order they came, up to a ping's. */
async function answers(wire: Wire, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await wire.take(() => true)).correl_id!);
  return ids;
}

function ask(wire: Wire, ...ids: string[]): void {
  for (const id of ids) wire.text(JSON.stringify({ id, type: "request", method: "stats" }));
}

async function isCut(wire: Wire): Promise<void> {
  const code = await wire.closed;
  assert.ok(code === 1006 || code === 0, `closed with ${code}`);
}

test("drop: the answer never arrives, the request was served", async () => {
  await using server = await serve({
    when: { direction: "out", method: "job.enqueue" },
    do: "drop",
  });
  await using wire = await Wire.connect(server.url);
  wire.send("job.enqueue", { name: "noop", payload: {} });
  await wire.call("stats");
  assert.equal(server.store.jobs().length, 1);
  assert.equal(wire.frames.length, 0);
});

test("drop: the request never arrives", async () => {
  await using server = await serve({ when: { method: "job.enqueue" }, do: "drop", times: 1 });
  await using wire = await Wire.connect(server.url);
  wire.send("job.enqueue", { name: "noop", payload: {} });
  await wire.call("job.enqueue", { name: "noop", payload: {} });
  assert.equal(server.store.jobs().length, 1);
});

test("delay: the frame and those behind it wait", async () => {
  await using server = await serve({
    when: { direction: "out", method: "stats", nth: 2 },
    do: "delay",
    ms: 500,
  });
  await using wire = await Wire.connect(server.url);
  ask(wire, "a", "b", "c");
  assert.deepEqual(await answers(wire, 1), ["a"]);
  await clock.advance(499);
  assert.equal(wire.frames.length, 0);
  await clock.advance(1);
  assert.deepEqual(await answers(wire, 2), ["b", "c"]);
});

test("duplicate and reorder", async () => {
  await using server = await serve(
    { when: { direction: "out", method: "stats", nth: 1 }, do: "duplicate" },
    { when: { direction: "out", method: "stats", nth: 1 }, do: "reorder" },
  );
  await using wire = await Wire.connect(server.url);
  ask(wire, "a", "b", "c");
  // The second fault counts what the first has left: "b" is the first answer it sees.
  assert.deepEqual(await answers(wire, 4), ["a", "a", "c", "b"]);
});

test("malformed: half a frame arrives", async () => {
  await using server = await serve({ when: { type: "ping", direction: "in" }, do: "malformed" });
  await using wire = await Wire.connect(server.url);
  const answer = await wire.reply('{"id":"p","type":"ping"}');
  assert.equal(answer.error!.message, "invalid frame: unexpected end of JSON input");
});

test("cut: after so many frames the connection is gone", async () => {
  await using server = await serve({ when: { after: 4 }, do: "cut", times: 1 });
  const wire = await Wire.connect(server.url);
  await wire.call("stats");
  wire.send("stats");
  await isCut(wire);
  await using again = await Wire.connect(server.url);
  for (let i = 0; i < 5; i++) await again.call("stats");
});

test("half-open: nothing arrives, and nobody is told", async () => {
  await using server = await serve();
  await using wire = await Wire.connect(server.url);
  await server.faults.inject({ do: "half-open" });
  wire.send("job.enqueue", { name: "noop", payload: {} });
  await using other = await Wire.connect(server.url);
  await other.call("stats");
  assert.equal(wire.frames.length, 0);
  assert.equal(wire.socket.readyState, WebSocket.OPEN);
  assert.equal(server.store.jobs().length, 0);
});

test("refuse: the second connection is refused, the third is not", async () => {
  await using server = await serve({ when: { connection: 2 }, do: "refuse" });
  await using _first = await Wire.connect(server.url);
  await assert.rejects(Wire.open(server.url), /cannot connect/);
  await using _third = await Wire.connect(server.url);
});

test("expire-token: the connection is cut and its token refused, others' is not", async () => {
  await using server = await serve();
  const wire = await Wire.connect(server.url);
  await using other = await Wire.connect(server.url, "other");
  await server.faults.inject({ when: { token: "demo-token" }, do: "expire-token" });
  await isCut(wire);
  const again = await Wire.open(server.url);
  await assert.rejects(again.call("auth", { token: "demo-token" }), { code: 401 });
  await other.call("stats");
});

test("restart: everybody is cut, the port is the same, runs go on", async () => {
  const done: string[] = [];
  await using server = await createDevServer({
    clock,
    workflows: [defineWorkflow("w", async (wf) => {
      await wf.step("once", () => done.push("once"));
      await wf.sleep("nap", "1h");
      await wf.step("after", () => done.push("after"));
    })],
  });
  const { url } = server;
  const wire = await Wire.connect(url);
  await wire.call("subscribe", { channel: "workflows" });
  wire.send("workflow.start", { name: "w" });
  await wire.event("workflow.step_completed");
  const restarted = server.restart("5s");
  await isCut(wire);
  await assert.rejects(Wire.open(url), "nobody listens");
  await clock.advance("5s");
  await restarted;
  assert.equal(server.url, url);
  await using again = await Wire.connect(url);
  await again.call("subscribe", { channel: "workflows" });
  await clock.advance("1h");
  await again.event("workflow.completed");
  assert.deepEqual(done, ["once", "after"]);
});

test("with one seed the same goes wrong, with another something else", async () => {
  const lost = async (seed: number): Promise<string> => {
    const fault: Fault = { when: { direction: "in", method: "stats", chance: 0.5 }, do: "drop" };
    await using server = await createDevServer({ seed, faults: [fault] });
    assert.equal(server.faults.seed, seed);
    await using wire = await Wire.connect(server.url);
    for (let i = 0; i < 40; i++) ask(wire, String(i));
    await wire.reply('{"id":"p","type":"ping"}').then((frame) => wire.frames.unshift(frame));
    await wire.take((frame) => frame.type === "pong");
    return wire.frames.map((frame) => frame.correl_id).join();
  };
  const first = await lost(7);
  assert.equal(await lost(7), first);
  assert.notEqual(await lost(8), first);
});

test("the control endpoint changes faults at run time, one connection's too", async () => {
  await using server = await serve();
  await using first = await Wire.connect(server.url);
  const second = await Wire.connect(server.url);
  const endpoint = `http://127.0.0.1:${server.port}/dwp/faults`;
  const control = async (method: string, query = "", body?: unknown, token = "demo-token") => {
    const response = await fetch(endpoint + query, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, ...await response.json() };
  };
  const { seed, faults, connections } = await control("GET");
  assert.equal(typeof seed, "number");
  assert.deepEqual(faults, []);
  assert.deepEqual(connections.map(({ connection }: { connection: number }) => connection), [1, 2]);
  const { session_id } = connections[1];
  await control("POST", "?now", { do: "cut", when: { connection: session_id } });
  await isCut(second);
  await first.call("stats");

  const added = await control("POST", "", { do: "drop", when: { method: "job.enqueue" } });
  assert.equal(added.faults.length, 1);
  first.send("job.enqueue", { name: "noop", payload: {} });
  await first.call("stats");
  assert.equal(server.store.jobs().length, 0);
  assert.deepEqual((await control("DELETE")).faults, []);
  await first.call("job.enqueue", { name: "noop", payload: {} });

  const bad = await control("POST", "", { do: "explode" });
  assert.equal(bad.status, 400);
  assert.match(bad.error, /'explode' is nothing that can go wrong/);
  assert.equal((await control("GET", "", undefined, "readonly")).status, 403);
  assert.equal((await control("GET", "", undefined, "nobody")).status, 401);
});

test("reads faults as the command line writes them", () => {
  assert.deepEqual(parseFault("cut:after=10"), { do: "cut", when: { after: 10 } });
  assert.deepEqual(parseFault("delay:event=job.completed,ms=500,times=2"), {
    do: "delay",
    ms: 500,
    times: 2,
    when: { event: "job.completed" },
  });
  assert.deepEqual(parseFault("half-open:connection=2"), {
    do: "half-open",
    when: { connection: 2 },
  });
  assert.deepEqual(parseFault("restart"), { do: "restart" });
  for (
    const [text, said] of [
      ["explode", /'explode' is nothing that can go wrong, drop, delay, /],
      ["cut:after", /'after' in 'cut:after' is no 'name=value'/],
      ["cut:after=x", /'when.after' is not known or not of its type/],
      ["cut:when=1", /'when.when' is not known/],
      ["delay:ms=-1", /'ms' is no number from 0 on/],
      ["drop:direction=up", /neither 'in' nor 'out'/],
    ] as const
  ) {
    assert.throws(() => parseFault(text), { code: "bad_fault", message: said });
  }
});
