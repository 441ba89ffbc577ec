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
import { DispatchRpc } from "../../mod.ts";
import { Wire } from "./wire.ts";

const clock = createVirtualClock({ autoSkip: false });

function serve(...faults: Fault[]): Promise<DevServer> {
  return createDevServer({ clock, faults, jobs: [defineJob("noop", () => {})] });
}

/** Takes the next responses; returns the ids of their requests. */
async function responses(wire: Wire, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await wire.take(() => true)).correl_id!);
  return ids;
}

function sendStats(wire: Wire, ...ids: string[]): void {
  for (const id of ids) wire.text(JSON.stringify({ id, type: "request", method: "stats" }));
}

async function assertCut(wire: Wire): Promise<void> {
  const code = await wire.closed;
  assert.ok(code === 1006 || code === 0, `closed with ${code}`);
}

test("drop: a dropped response never arrives, but the request was handled", async () => {
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

test("drop: a dropped request is not handled", async () => {
  await using server = await serve({ when: { method: "job.enqueue" }, do: "drop", times: 1 });
  await using wire = await Wire.connect(server.url);
  wire.send("job.enqueue", { name: "noop", payload: {} });
  await wire.call("job.enqueue", { name: "noop", payload: {} });
  assert.equal(server.store.jobs().length, 1);
});

test("delay: the frame and those behind it arrive later", async () => {
  await using server = await serve({
    when: { direction: "out", method: "stats", nth: 2 },
    do: "delay",
    ms: 500,
  });
  await using wire = await Wire.connect(server.url);
  sendStats(wire, "a", "b", "c");
  assert.deepEqual(await responses(wire, 1), ["a"]);
  await clock.advance(499);
  assert.equal(wire.frames.length, 0);
  await clock.advance(1);
  assert.deepEqual(await responses(wire, 2), ["b", "c"]);
});

test("duplicate sends a frame twice, reorder sends it after the next one", async () => {
  await using server = await serve(
    { when: { direction: "out", method: "stats", nth: 1 }, do: "duplicate" },
    { when: { direction: "out", method: "stats", nth: 1 }, do: "reorder" },
  );
  await using wire = await Wire.connect(server.url);
  sendStats(wire, "a", "b", "c");
  // Only one fault happens to a frame, so "b" is the first frame that the second fault matches.
  assert.deepEqual(await responses(wire, 4), ["a", "a", "c", "b"]);
});

test("malformed: the frame arrives without its second half", async () => {
  await using server = await serve({ when: { type: "ping", direction: "in" }, do: "malformed" });
  await using wire = await Wire.connect(server.url);
  const response = await wire.reply('{"id":"p","type":"ping"}');
  assert.equal(response.error!.message, "invalid frame: unexpected end of JSON input");
});

test("cut: with `after: 4` the fifth frame drops the connection", async () => {
  await using server = await serve({ when: { after: 4 }, do: "cut", times: 1 });
  const wire = await Wire.connect(server.url);
  await wire.call("stats");
  wire.send("stats");
  await assertCut(wire);
  await using again = await Wire.connect(server.url);
  for (let i = 0; i < 5; i++) await again.call("stats");
});

test("half-open: no frame arrives, and the connection stays open", async () => {
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

test("refuse: with `connection: 2` only the second connection is refused", async () => {
  await using server = await serve({ when: { connection: 2 }, do: "refuse" });
  await using _first = await Wire.connect(server.url);
  await assert.rejects(Wire.open(server.url), /cannot connect/);
  await using _third = await Wire.connect(server.url);
});

test("expire-token: the connection drops and its token is rejected, other tokens still work", async () => {
  await using server = await serve();
  const wire = await Wire.connect(server.url);
  await using other = await Wire.connect(server.url, "other");
  await server.faults.inject({ when: { token: "demo-token" }, do: "expire-token" });
  await assertCut(wire);
  const again = await Wire.open(server.url);
  await assert.rejects(again.call("auth", { token: "demo-token" }), { code: 401 });
  await other.call("stats");
});

test("expire-token: a token that is named is rejected over HTTP, too, without a connection", async () => {
  await using server = await serve();
  await using client = new DispatchRpc({ url: server.url, token: "demo-token" });
  await client.stats();
  await server.faults.inject({ when: { token: "demo-token" }, do: "expire-token" });
  await assert.rejects(client.stats(), { name: "AuthError", code: 401 });
});

test("restart: connections drop, the port stays the same, and runs resume", async () => {
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
  await assertCut(wire);
  await assert.rejects(Wire.open(url), "the server is down");
  await clock.advance("5s");
  await restarted;
  assert.equal(server.url, url);
  await using again = await Wire.connect(url);
  await again.call("subscribe", { channel: "workflows" });
  await clock.advance("1h");
  await again.event("workflow.completed");
  assert.deepEqual(done, ["once", "after"]);
});

test("the same seed repeats the faults, another seed does not", async () => {
  const survivors = async (seed: number): Promise<string> => {
    const fault: Fault = { when: { direction: "in", method: "stats", chance: 0.5 }, do: "drop" };
    await using server = await createDevServer({ seed, faults: [fault] });
    assert.equal(server.faults.seed, seed);
    await using wire = await Wire.connect(server.url);
    for (let i = 0; i < 40; i++) sendStats(wire, String(i));
    await wire.reply('{"id":"p","type":"ping"}').then((frame) => wire.frames.unshift(frame));
    await wire.take((frame) => frame.type === "pong");
    return wire.frames.map((frame) => frame.correl_id).join();
  };
  const first = await survivors(7);
  assert.equal(await survivors(7), first);
  assert.notEqual(await survivors(8), first);
});

test("the control endpoint changes faults at run time, also for a single connection", async () => {
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
  await assertCut(second);
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
  assert.match(bad.error, /'do' is 'explode', but must be one of drop, delay/);
  assert.equal((await control("GET", "", undefined, "readonly")).status, 403);
  assert.equal((await control("GET", "", undefined, "nobody")).status, 401);
});

test("parseFault parses the notation of the command line", () => {
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
    const [text, message] of [
      ["explode", /'do' is 'explode', but must be one of drop, delay, /],
      ["cut:after", /expected 'name=value' in 'cut:after', found 'after'/],
      ["cut:after=x", /'when.after' must be a number, at least 0, not NaN/],
      ["cut:affter=1", /there is no 'when.affter'; did you mean 'after'\?/],
      ["cutt", /'do' is 'cutt'; did you mean 'cut'\?/],
      ["cut:when=1", /there is no 'when.when'/],
      ["delay:ms=-1", /'ms' must be a number, at least 0/],
      ["drop:direction=up", /'when.direction' must be 'in' or 'out'/],
    ] as const
  ) {
    assert.throws(() => parseFault(text), { code: "bad_fault", message });
  }
});
