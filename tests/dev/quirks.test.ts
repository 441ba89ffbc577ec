import assert from "node:assert/strict";
import { test } from "node:test";
import { loadMsgpackCodec } from "../../protocol/mod.ts";
import {
  createDevServer,
  createVirtualClock,
  defineCron,
  defineJob,
  defineWorkflow,
  type DevServer,
  type DevServerOptions,
  type QuirkName,
  type QuirkOptions,
  QUIRKS,
} from "../../dev/mod.ts";
import { Wire, type WireFrame } from "./wire.ts";

const WORKLOAD: DevServerOptions = {
  jobs: [
    defineJob("noop", () => {}),
    defineJob("bad", { maxRetries: 0 }, () => {
      throw new Error("no");
    }),
    defineJob("long", (_, { sleep }) => sleep("1h")),
  ],
  workflows: [
    defineWorkflow("sleeper", (wf) => wf.sleep("nap", "1h")),
    defineWorkflow(
      "sum",
      (wf, input: number[]) => wf.step("add", () => ({ sum: input.reduce((a, b) => a + b, 0) })),
    ),
    defineWorkflow("parent", (wf) => wf.runChild("sum", [1, 2])),
    defineWorkflow("many", async (wf) => {
      for (const n of [1, 2, 3]) await wf.spawnChild("sum", [n]);
    }),
    defineWorkflow("waiter", async (wf) => {
      const event = await wf.waitForEvent("paid", "1s");
      await wf.step("got", () => event?.payload);
    }),
  ],
  crons: [defineCron("daily", { schedule: "@daily", job: "noop" })],
};

async function serve(quirks: QuirkOptions) {
  const clock = createVirtualClock({ autoSkip: false });
  const server = await createDevServer({ ...WORKLOAD, clock, quirks });
  const wire = await Wire.connect(server.url);
  return {
    server,
    wire,
    clock,
    [Symbol.asyncDispose]: async () => {
      await wire[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

type Served = Awaited<ReturnType<typeof serve>>;

/** Observes a quirk: the result differs with the quirk on and off. */
type Observe = (it: Served) => Promise<unknown>;

const rpc = async (
  { port }: DevServer,
  body: object,
  headers: Record<string, string> = {},
): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${port}/dwp/rpc`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  await response.body?.cancel();
  return response.status;
};

const adminStatus = async (
  { port }: DevServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${port}/dispatch/v1/${path}`, { headers });
  await response.body?.cancel();
  return response.status;
};

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => 200, ({ code }) => code);

/** How to observe each quirk, and the results with the quirk on and off. */
const OBSERVATIONS: Record<QuirkName, { observe: Observe; on: unknown; off: unknown }> = {
  "blocking-start": {
    observe: async ({ wire, clock }) => {
      await wire.call("subscribe", { channel: "workflows" });
      const id = wire.send("workflow.start", { name: "sleeper" });
      wire.text('{"id":"p","type":"ping"}');
      await wire.event("workflow.started");
      await clock.advance("1h");
      const responses: unknown[] = [];
      for (let i = 0; i < 2; i++) {
        const frame = await wire.take(({ type }) => type !== "event");
        responses.push(frame.correl_id === id ? frame.data.state : frame.type);
      }
      return responses;
    },
    on: ["completed", "pong"],
    off: ["running", "pong"],
  },
  "runs-die-with-request": {
    observe: async ({ server, wire, clock }) => {
      await wire.call("subscribe", { channel: "workflows" });
      const controller = new AbortController();
      const data = { name: "sleeper" };
      const request = fetch(`http://127.0.0.1:${server.port}/dwp/rpc`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ method: "workflow.start", token: "demo-token", data }),
        signal: controller.signal,
      }).then(() => {}, () => {});
      await wire.event("workflow.started");
      await wire.call("stats");
      controller.abort();
      await request;
      // After two more requests the server has noticed that the first one ended.
      for (let i = 0; i < 2; i++) await rpc(server, { method: "stats", token: "demo-token" });
      await clock.advance("1h");
      return (await wire.event()).type;
    },
    on: "workflow.failed",
    off: "workflow.completed",
  },
  "entity-channel": {
    observe: async ({ wire }) => {
      await wire.call("subscribe", { channel: "firehose" });
      await wire.call("subscribe", { channel: "jobs" });
      wire.send("job.enqueue", { name: "noop" });
      const { channel } = await wire.take(({ type }) => type === "event");
      return channel!.replace(/job_\w+/, "<id>");
    },
    on: "job:<id>",
    off: "firehose",
  },
  "silent-queue-channel": {
    observe: async ({ wire }) => {
      await wire.call("subscribe", { channel: "queue:unread" });
      await wire.call("job.enqueue", { name: "noop", queue: "unread" });
      await wire.call("stats");
      return wire.frames.length;
    },
    on: 0,
    off: 1,
  },
  "silent-drops": {
    observe: async ({ wire }) => {
      await wire.call("subscribe", { channel: "jobs" });
      const ids: string[] = [];
      for (let i = 0; i < 1100; i++) ids.push(wire.send("job.enqueue", { name: "x", queue: "no" }));
      for (const id of ids) await wire.responseTo(id);
      await wire.call("stats");
      return wire.frames.filter(({ type }) => type === "event").length;
    },
    on: 1000,
    off: 1100,
  },
  "subscribe-credits-ignored": {
    observe: async ({ wire, server }) => {
      await wire.call("subscribe", { channel: "jobs", credits: 2 });
      for (let i = 0; i < 5; i++) await wire.call("job.enqueue", { name: "x", queue: "no" });
      await wire.call("stats");
      assert.equal(server.store.jobs().length, 5);
      return wire.frames.length;
    },
    on: 5,
    off: 2,
  },
  "zero-stats": {
    observe: async ({ wire }) => (await wire.call("stats")).connections,
    on: 0,
    off: 1,
  },
  "msgpack-unreadable": {
    observe: async ({ server }) => {
      const wire = await Wire.open(server.url);
      wire.send("auth", { token: "demo-token", format: "msgpack" });
      const frame = await wire.take(() => true).catch(() => undefined);
      if (!frame) return "cut";
      const codec = await loadMsgpackCodec();
      const { type, data } = codec.decode(frame.data) as WireFrame;
      wire.socket.send(
        codec.encode({ id: "1", type: "request", method: "workflow.start" }, '{"name": "sum"  }'),
      );
      const answer = codec.decode((await wire.take(() => true)).data) as WireFrame;
      return [type, data.format, answer.correl_id, answer.data.state];
    },
    on: "cut",
    off: ["response", "msgpack", "1", "failed"],
  },
  "unclean-drop": {
    observe: async ({ server }) => {
      const wire = await Wire.open(server.url);
      await wire.call("auth", { token: "bad" }).catch(() => {});
      return await wire.closed === 1008;
    },
    on: false,
    off: true,
  },
  "any-type-is-a-request": {
    observe: async ({ wire }) => {
      wire.text('{"id":"e","type":"event","method":"stats"}');
      wire.text('{"id":"o","type":"pong"}');
      await wire.call("stats");
      return wire.frames.map(({ correl_id, error }) => [correl_id, error?.code]);
    },
    on: [["e", undefined], ["o", 405]],
    off: [],
  },
  "methods-missing": {
    observe: async ({ wire }) => {
      const requests: Record<string, object> = {
        "job.list": {},
        "workflow.cancel": { run_id: "x" },
        "workflow.replay": { run_id: "x" },
        "cron.list": {},
        "dlq.list": {},
        "dlq.replay": { entry_id: "x" },
      };
      const codes: unknown[] = [];
      for (const [method, data] of Object.entries(requests)) {
        codes.push(await codeOf(wire.call(method, data)));
      }
      return codes;
    },
    on: [405, 405, 405, 405, 405, 405],
    off: [200, 400, 400, 200, 200, 400],
  },
  "cancel-overwrites": {
    observe: async ({ wire }) => {
      await wire.call("subscribe", { channel: "jobs" });
      const { job_id } = await wire.call("job.enqueue", { name: "noop" });
      await wire.event("job.completed");
      const code = await codeOf(wire.call("job.cancel", { job_id }));
      return [code, (await wire.call("job.get", { job_id })).state];
    },
    on: [200, "cancelled"],
    off: [409, "completed"],
  },
  "unknown-job-hangs": {
    observe: async ({ wire }) => {
      await wire.call("subscribe", { channel: "jobs" });
      const { job_id } = await wire.call("job.enqueue", { name: "ghost" });
      await wire.event("job.started");
      const { state, last_error } = await wire.call("job.get", { job_id });
      return [state, last_error];
    },
    on: ["running", undefined],
    off: ["failed", 'no handler registered for job "ghost"'],
  },
  "outputs-lost": {
    observe: async ({ wire, server }) => {
      const { run_id } = await wire.call("workflow.start", { name: "sum", input: [1, 2] });
      await wire.call("workflow.start", { name: "parent", input: null });
      const outputs = server.store.runs().map(({ output }) => output);
      return [(await wire.call("workflow.get", { run_id })).output, outputs];
    },
    on: [undefined, [undefined, undefined, undefined]],
    off: [btoa('{"sum":3}'), [{ sum: 3 }, { sum: 3 }, { sum: 3 }]],
  },
  "gob-results": {
    observe: async ({ wire }) => {
      await wire.call("workflow.event", { name: "paid", payload: 19.99 });
      const { run_id } = await wire.call("workflow.start", { name: "waiter" });
      return (await wire.call("workflow.timeline", { run_id }))[1].data;
    },
    on: "CwgA+D0K16Nw/TNA",
    off: btoa("19.99"),
  },
  "children-share-checkpoint": {
    observe: async ({ wire, server }) => {
      const { run_id } = await wire.call("workflow.start", { name: "many" });
      const timeline = await wire.call("workflow.timeline", { run_id });
      const steps = timeline.map((entry: { step_name: string }) => entry.step_name);
      return [server.store.runs().length, steps];
    },
    on: [2, ["spawn:sum"]],
    off: [4, ["spawn:sum", "spawn:sum:1", "spawn:sum:2"]],
  },
  "tenants-open": {
    observe: async ({ wire, server }) => {
      await using other = await Wire.connect(server.url, "other");
      await other.call("subscribe", { channel: "firehose" });
      const { job_id } = await wire.call("job.enqueue", { name: "noop", queue: "no" });
      const code = await codeOf(other.call("job.get", { job_id }));
      const events = other.frames.length;
      await wire.call("workflow.event", { name: "paid", payload: 1 });
      await using watcher = await Wire.connect(server.url, "other");
      await watcher.call("subscribe", { channel: "workflows" });
      const id = other.send("workflow.start", { name: "waiter" });
      await watcher.event("workflow.started");
      await server.advance("1s");
      const { run_id } = (await other.responseTo(id)).data;
      const [wait] = await other.call("workflow.timeline", { run_id });
      return [code, events, wait.data !== undefined];
    },
    on: [200, 1, true],
    off: [404, 0, false],
  },
  "bare-authorization": {
    observe: ({ server }) =>
      rpc(server, { method: "stats" }, { Authorization: "Bearer demo-token" }),
    on: 401,
    off: 200,
  },
  "strict-content-type": {
    observe: ({ server }) =>
      rpc(server, { method: "stats", token: "demo-token" }, {
        "Content-Type": "application/json; charset=utf-8",
      }),
    on: 400,
    off: 200,
  },
  "sse-always-200": {
    observe: async ({ server }) => {
      const codes: number[] = [];
      for (
        const query of ["token=bad&channel=jobs", "token=demo-token", "token=demo-token&channel=x"]
      ) {
        const response = await fetch(`http://127.0.0.1:${server.port}/dwp/sse?${query}`);
        await response.body?.cancel();
        codes.push(response.status);
      }
      return codes;
    },
    on: [200, 200, 200],
    off: [401, 400, 400],
  },
  "admin-lists-missing": {
    observe: ({ server }) => adminStatus(server, "crons?limit=50&offset=0"),
    on: 404,
    off: 200,
  },
  "admin-twice": {
    observe: async ({ server }) => {
      const { id } = server.store.crons()[0]!;
      const response = await fetch(`http://127.0.0.1:${server.port}/dispatch/v1/crons/${id}`);
      return (await response.text()).split("\n").length;
    },
    on: 3,
    off: 2,
  },
  "admin-open": {
    observe: async ({ server }) => [
      await adminStatus(server, "stats"),
      await adminStatus(server, "stats", { Authorization: "readonly" }),
      await adminStatus(server, "stats", { Authorization: "Bearer demo-token" }),
    ],
    on: [200, 200, 200],
    off: [401, 403, 200],
  },
  "slow-polling": {
    observe: async ({ clock }) => {
      const times: number[] = [];
      await using server = await createDevServer({
        clock,
        quirks: slow,
        backoff: () => 50,
        jobs: [defineJob("bad", () => {
          times.push(clock.now());
          throw new Error("no");
        })],
      });
      await using wire = await Wire.connect(server.url);
      await wire.call("job.enqueue", { name: "bad" });
      await clock.advance("1m");
      return times.map((time) => time - times[0]!);
    },
    on: [0, 2000, 4000, 6000],
    off: [0, 50, 100, 150],
  },
  "random-event-order": {
    observe: async ({ wire }) => {
      const taken: unknown[] = [];
      for (let payload = 0; payload < 12; payload++) {
        await wire.call("workflow.event", { name: "paid", payload });
      }
      for (let run = 0; run < 12; run++) {
        const { run_id } = await wire.call("workflow.start", { name: "waiter" });
        const [{ data }] = await wire.call("workflow.timeline", { run_id });
        taken.push(JSON.parse(atob(JSON.parse(atob(data)).payload)));
      }
      const sorted = taken.toSorted((a, b) => Number(a) - Number(b));
      assert.deepEqual(sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      return taken.join() === sorted.join();
    },
    on: false,
    off: true,
  },
  "definition-options-ignored": {
    observe: async ({ wire }) => {
      const { job_id } = await wire.call("job.enqueue", { name: "bad", queue: "no" });
      return (await wire.call("job.get", { job_id })).max_retries;
    },
    on: 3,
    off: 0,
  },
  "inbound-limit": {
    observe: async ({ wire }) => {
      wire.text(JSON.stringify({ id: "big", method: "stats", data: "x".repeat(1 << 20) }));
      return await Promise.race([wire.responseTo("big").then(() => "answered"), wire.closed])
        .catch(() => "cut") === "answered";
    },
    on: false,
    off: true,
  },
  "origin-check": {
    observe: async ({ server }) => {
      const { connect } = await import("node:net");
      const socket = connect(server.port, "127.0.0.1");
      const status = new Promise<string>((resolve) =>
        socket.once("data", (data) => resolve(String(data)))
      );
      socket.write(
        `GET /dwp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\n` +
          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
          "Sec-WebSocket-Version: 13\r\nOrigin: http://localhost:3000\r\n\r\n",
      );
      const line = (await status).split("\r\n")[0];
      socket.destroy();
      return line!.split(" ")[1];
    },
    on: "403",
    off: "101",
  },
  "uuid-sessions": {
    observe: async ({ server }) => {
      const wire = await Wire.open(server.url);
      const { session_id } = await wire.call("auth", { token: "demo-token" });
      wire.socket.close();
      await wire.closed;
      return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(
        session_id,
      );
    },
    on: true,
    off: false,
  },
};

let slow: QuirkOptions = "default";

for (const [name, { observe, on, off }] of Object.entries(OBSERVATIONS)) {
  for (const isOn of [true, false]) {
    test(`${name}: ${isOn ? QUIRKS[name as QuirkName].on : QUIRKS[name as QuirkName].off}`, async () => {
      slow = { [name]: isOn };
      await using it = await serve({ [name]: isOn });
      assert.deepEqual(await observe(it), isOn ? on : off);
    });
  }
}

test("without quirks, dead letters can be listed and replayed, and runs cancelled and replayed", async () => {
  await using it = await serve("none");
  const { wire } = it;
  await wire.call("subscribe", { channel: "firehose" });
  const { job_id } = await wire.call("job.enqueue", { name: "bad", payload: { a: 1 } });
  await wire.event("job.dlq");
  const [letter] = await wire.call("dlq.list");
  assert.deepEqual([letter.job_id, letter.error, letter.payload], [job_id, "no", btoa('{"a":1}')]);
  const replayed = await wire.call("dlq.replay", { entry_id: letter.id });
  await wire.event("job.dlq");
  assert.deepEqual(
    (await wire.call("job.list", { state: "failed" })).map((job: { id: string }) => job.id),
    [job_id, replayed.job_id],
  );
  assert.ok((await wire.call("dlq.list"))[0].replayed_at);

  const { run_id } = await wire.call("workflow.start", { name: "sleeper" });
  assert.equal((await wire.call("workflow.get", { run_id })).state, "running");
  await wire.call("workflow.cancel", { run_id });
  assert.equal((await wire.event("workflow.failed")).data.error, "context canceled");
  assert.equal(await codeOf(wire.call("workflow.cancel", { run_id })), 409);
  await wire.call("workflow.replay", { run_id });
  await it.clock.advance("1h");
  await wire.event("workflow.completed");

  const [cron] = await wire.call("cron.list");
  assert.deepEqual([cron.name, cron.schedule, cron.job_name, cron.next_run_at], [
    "daily",
    "@daily",
    "noop",
    "2026-01-02T00:00:00.000Z",
  ]);
});

test("without quirks, `job.cancel` stops a running job", async () => {
  await using it = await serve("none");
  await it.wire.call("subscribe", { channel: "jobs" });
  const { job_id } = await it.wire.call("job.enqueue", { name: "long" });
  await it.wire.event("job.started");
  await it.wire.call("job.cancel", { job_id });
  await it.clock.advance("2h");
  assert.equal((await it.wire.call("job.get", { job_id })).state, "cancelled");
});

test("rejects with `unknown_quirk` when there is no such quirk", async () => {
  await assert.rejects(
    createDevServer({ quirks: { "no-such-quirk": true } as QuirkOptions }),
    {
      code: "unknown_quirk",
      message: /^Cannot switch quirk 'no-such-quirk': no such quirk; there are blocking-start/,
    },
  );
});
