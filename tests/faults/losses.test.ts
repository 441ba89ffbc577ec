// Events that a server dropped: where a subscription gets a gap, and where it must not.
import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { createStore } from "../../dev/mod.ts";
import { Dispatch, type DispatchEvent, type Gap } from "../../mod.ts";
import { createScriptedServer, type ScriptedPeer } from "../../testing/mod.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { scripted } from "../helpers/peers.ts";
import { Recorder } from "../helpers/recorder.ts";
import { methodsOf, serve } from "../helpers/scripts.ts";
import { connected, startServer } from "../helpers/server.ts";

/** The id of a job or run that is created so many milliseconds from now. */
function idIn(prefix: string, ms: number): string {
  let digits = "";
  for (let rest = Date.now() + ms; digits.length < 10; rest = Math.floor(rest / 32)) {
    digits = "0123456789abcdefghjkmnpqrstvwxyz"[rest % 32] + digits;
  }
  return `${prefix}_${digits}${"0".repeat(16)}`;
}

/** Publishes an event of a job or run, an hour from now. */
function publish(peer: ScriptedPeer, type: string, id: string): void {
  const isJob = id.startsWith("job_");
  const topic = `${isJob ? "job" : "workflow"}:${id}`;
  const ts = new Date(Date.now() + 3_600_000).toISOString();
  const data = isJob
    ? { job_id: id, job_name: "noop", queue: "mail" }
    : { run_id: id, name: "noop" };
  peer.send({ id: "e", type: "event", channel: topic, ts, data: { type, ts, topic, data } });
}

const typesOf = (items: (DispatchEvent | Gap)[]) => items.map(({ type }) => type);

for (
  const [channel, prefix, type] of [
    ["jobs", "job", "job.completed"],
    ["firehose", "job", "job.completed"],
    ["queue:mail", "job", "job.completed"],
    ["workflows", "wfrun", "workflow.completed"],
    ["firehose", "wfrun", "workflow.completed"],
  ] as const
) {
  test(`a subscription to ${channel} gets a gap before a ${type} without a start`, async () => {
    await using it = await scripted();
    const subscription = await it.client.subscribe(channel);
    const seen = new Recorder(subscription);
    const [peer] = it.server.peers;
    publish(peer!, type, idIn(prefix, -1));
    const young = idIn(prefix, 60_000);
    publish(peer!, type, young);
    await eventually(() => seen.items.length === 3);
    assert.deepEqual(typesOf(seen.items), [type, "gap", type]);
    const [gap] = seen.of("gap");
    assert.equal(gap!.reason, "lost");
    assert(Math.abs(Date.parse(gap!.since) - Date.now() - 60_000) < 10_000);
    assert.equal(Date.parse(gap!.until), Date.parse((seen.items[2] as DispatchEvent).ts));
    await eventually(() => it.status.of("gap").length > 0);
    assert.deepEqual(it.status.of("gap"), [gap]);
  });
}

for (const before of ["workflows", "jobs, and was unsubscribed"]) {
  test(`after a subscription to ${before}, one to a running job reports no lost start`, async () => {
    const id = idIn("job", 60_000);
    await using it = await scripted((peer) =>
      serve(peer, (request) => {
        if ((request.data as { channel?: string })?.channel !== `job:${id}`) return false;
        // The job was enqueued and started before this answer.
        const ts = new Date(Date.now() + 70_000).toISOString();
        peer.send({ id: "a", type: "response", correl_id: request.id, ts, data: {} });
        return true;
      })
    );
    if (before === "workflows") await it.client.subscribe("workflows");
    else await (await it.client.subscribe("jobs")).unsubscribe();
    const seen = new Recorder(await it.client.subscribe(`job:${id}`));
    publish(it.server.peers[0]!, "job.completed", id);
    await eventually(() => seen.items.length > 0);
    assert.deepEqual(typesOf(seen.items), ["job.completed"]);
  });
}

test("reports no lost start for a job that started before the reconnect", async () => {
  await using it = await scripted((peer) =>
    serve(peer, (request) => {
      // On the second connection an event comes before the answer.
      if (peer.index === 1 && request.method === "subscribe") {
        publish(peer, "job.completed", ids[0]!);
      }
    })
  );
  const ids = [idIn("job", 60_000), idIn("job", 120_000)];
  const seen = new Recorder(await it.client.subscribe("jobs"));
  it.proxy.cut();
  await it.reconnected();
  publish(it.server.peers[1]!, "job.completed", ids[1]!);
  await eventually(() => seen.items.length === 4);
  assert.deepEqual(typesOf(seen.items), ["gap", "job.completed", "gap", "job.completed"]);
  assert.deepEqual(seen.of("gap").map(({ reason }) => reason), ["reconnect", "lost"]);
});

test("reports no loss for a job that was enqueued on another node of the cluster", async () => {
  const store = createStore();
  await using a = await startServer({ store, queues: { unread: 1 } });
  await using b = await startServer({ store });
  await using here = await Dispatch.connect({ url: a.url, token: "demo-token" });
  await using there = await Dispatch.connect({ url: b.url, token: "demo-token" });
  const seen = new Recorder(await there.subscribe("firehose"));
  const clock = Date.now();
  await eventually(() => Date.now() > clock + 20);
  const jobs = await here.enqueueMany("noop", new Array(20).fill(null));
  for (const job of jobs) await within(job.wait(), "the job");
  assert.deepEqual(seen.of("gap"), []);
});

test("there is no gap if the server drops nothing, whatever its jobs and runs do", async () => {
  await using it = await connected();
  const old = [
    await it.client.enqueue("sleep", { ms: 30 }),
    await it.client.enqueue("flaky", { key: "o" }),
  ];
  // On a busy machine the job may have ended before it is seen to run.
  await eventually(async () => (await old[0]!.get()).state !== "pending");
  const reader = await it.connect();
  const seen = new Recorder(await reader.subscribe("firehose", { buffer: 100_000 }));
  const { client } = it;
  const jobs = [
    ...await client.enqueueMany("noop", new Array(280).fill(null), { window: 280 }),
    ...await client.enqueueMany("flaky", Array.from({ length: 20 }, (_, i) => ({ key: `${i}` }))),
  ];
  const failing = await client.enqueueMany("always-fails", new Array(5).fill(null));
  const cancelled = await client.enqueue("sleep", { ms: 10 });
  await cancelled.cancel();
  const runs = await Promise.all(
    ["parallel", "failing", "order-pipeline", "batch-process"].map((name) =>
      client.startWorkflow(name, { order_id: "1", items: [], item_ids: ["1"] })
    ),
  );
  await within(Promise.all(jobs.map((job) => job.wait())), "the jobs", 20_000);
  await within(
    Promise.allSettled([...failing, ...runs, ...old].map((it) => it.wait())),
    "the others",
    20_000,
  );
  await eventually(() => seen.of("job.dlq").length === 5);
  assert.deepEqual(seen.of("gap"), []);
  assert.equal(seen.of("job.completed").length >= 302, true);
});

/** A TCP proxy that can stop reading what the server sends, so that the server cannot write. */
async function pausable(target: string) {
  const pairs: { client: Socket; server: Socket }[] = [];
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(target).port), "127.0.0.1");
    pairs.push({ client, server });
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.pipe(to).on("error", () => from.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    url: target.replace(/:\d+/, `:${port}`),
    pause: () => pairs.forEach(({ client, server }) => server.unpipe(client).pause()),
    resume: () => pairs.forEach(({ client, server }) => server.pipe(client)),
    async [Symbol.asyncDispose]() {
      for (const { client, server } of pairs) [client, server].forEach((it) => it.destroy());
      await new Promise<void>((resolve) => proxy.close(() => resolve()));
    },
  };
}

test("a connection that stalls while many events are published gets a gap afterwards", async () => {
  await using it = await connected();
  await using proxy = await pausable(it.server.url);
  await using reader = await Dispatch.connect({ url: proxy.url, token: "demo-token" });
  const seen = new Recorder(await reader.subscribe("jobs"));
  proxy.pause();
  // Nobody reads this queue. Its name fills the buffers of the operating system.
  const queue = "x".repeat(50_000);
  await it.client.enqueueMany("noop", new Array(600).fill(null), { queue });
  proxy.resume();
  await eventually(() => seen.of("gap").length > 0);
  assert.deepEqual(seen.of("gap").map(({ reason }) => reason), ["lost"]);
  assert(seen.of("job.enqueued").length < 600);
  await it.client.enqueue("noop");
  await eventually(() => seen.of("job.completed").length === 1);
  assert.equal(seen.of("gap").length, 1);
});

test("close unsubscribes from each channel before it closes the connection", async () => {
  const methods: string[] = [];
  await using server = await createScriptedServer((peer) =>
    serve(peer, ({ method, data }) => {
      methods.push(`${method} ${(data as { channel: string }).channel}`);
    })
  );
  const client = await Dispatch.connect({ url: server.url, token: "t" });
  await Promise.all([client.subscribe("jobs"), client.subscribe("queue:mail")]);
  await client.subscribe("workflows");
  await (await client.subscribe("firehose")).unsubscribe();
  methods.length = 0;
  await within(client.close(), "closing");
  await eventually(() => !server.peers[0]!.isOpen);
  assert.deepEqual(methods, ["unsubscribe jobs", "unsubscribe workflows"]);
  assert.equal(methodsOf(server.peers[0]).at(-1), "unsubscribe");
  await breathe(5);
});
