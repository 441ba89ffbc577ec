import assert from "node:assert/strict";
import { test } from "node:test";
import { Dispatch, DispatchError, type DispatchEvent, type Gap } from "../../mod.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { Recorder } from "../helpers/recorder.ts";
import { methodsOf, serve } from "../helpers/scripts.ts";
import { connected } from "../helpers/server.ts";

type Item = DispatchEvent | Gap;

/** The ids of the jobs in the events of one type. */
function jobsOf(items: Item[], type: string): string[] {
  return items.flatMap((item) =>
    item.type !== "gap" && item.type === type && "job_id" in item.data ? [item.data.job_id] : []
  );
}

test("subscribe sends its request at once, before the requests of later calls", async () => {
  await using server = await createScriptedServer(serve);
  await using client = await Dispatch.connect({ url: server.url, token: "t" });
  const before = client.enqueue("noop");
  await using jobs = client.subscribe("jobs");
  const after = client.publishEvent("paid");
  await using workflows = client.subscribe("workflows");
  await within(Promise.all([before, jobs, after, workflows]), "the answers");
  assert.deepEqual(
    methodsOf(server.peers[0]),
    ["auth", "job.enqueue", "subscribe", "workflow.event", "subscribe"],
  );
});

test("receives every event of jobs enqueued right after subscribing", async () => {
  await using it = await connected();
  const subscription = await it.client.subscribe("jobs");
  const seen = new Recorder<Item>(subscription);
  const jobs = await it.client.enqueueMany("noop", new Array(100).fill(null));
  const ids = jobs.map(({ job_id }) => job_id);
  await eventually(() => seen.items.length >= 300);
  for (const type of ["job.enqueued", "job.started", "job.completed"]) {
    assert.deepEqual(jobsOf(seen.items, type).toSorted(), ids.toSorted(), type);
  }
  assert.equal(seen.items.length, 300);
});

test("receives every event of jobs that another client enqueues right after subscribing", async () => {
  await using it = await connected();
  const other = await it.connect();
  const seen = new Recorder<Item>(await it.client.subscribe("jobs"));
  const jobs = await other.enqueueMany("noop", new Array(60).fill(null), { window: 1_000 });
  await eventually(() => jobsOf(seen.items, "job.completed").length === jobs.length);
  assert.deepEqual(
    jobsOf(seen.items, "job.enqueued").toSorted(),
    jobs.map(({ job_id }) => job_id).toSorted(),
  );
});

test("receives all 6,000 events of 2,000 jobs enqueued on the same connection, each once", async () => {
  await using it = await connected();
  const seen = new Recorder<Item>(await it.client.subscribe("jobs"));
  const jobs = await it.client.enqueueMany("noop", new Array(2_000).fill({ some: "payload" }));
  await eventually(() => seen.items.length >= 6_000, 30_000);
  const ids = jobs.map(({ job_id }) => job_id).toSorted();
  for (const type of ["job.enqueued", "job.started", "job.completed"]) {
    assert.deepEqual(jobsOf(seen.items, type).toSorted(), ids, type);
  }
  assert.equal(seen.items.length, 6_000);
});

test("loses no event of 2,000 concurrent enqueues to the server's small buffer", async () => {
  await using it = await connected();
  const seen = new Recorder<Item>(await it.client.subscribe("jobs"));
  await Promise.all(Array.from({ length: 2_000 }, () => it.client.enqueue("noop")));
  await eventually(() => seen.items.length >= 6_000, 30_000);
  assert.equal(seen.items.length, 6_000);
});

test("for await reads a subscription that was not awaited", async () => {
  await using it = await connected();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of it.client.subscribe("jobs")) {
      seen.push(event.type);
      if (event.type === "job.completed") break;
    }
  })();
  // The server serves requests in order, so it subscribes before this.
  await it.client.enqueue("noop");
  await within(reading, "the loop");
  assert.deepEqual(seen, ["job.enqueued", "job.started", "job.completed"]);
});

/** The number of channels with a subscriber on the server. */
async function topics(client: Dispatch): Promise<number> {
  return (await client.stats()).broker.topic_count;
}

test("leaving the loop unsubscribes", async () => {
  await using it = await connected();
  const other = await it.connect();
  const before = await topics(other);
  const subscription = await it.client.subscribe("jobs");
  assert.equal(await topics(other), before + 1);
  await it.client.enqueue("noop");
  for await (const _ of subscription) break;
  await eventually(async () => await topics(other) === before);
});

test("unsubscribe ends the loop and resolves when the server has unsubscribed", async () => {
  await using it = await connected();
  const other = await it.connect();
  const before = await topics(other);
  const subscription = await it.client.subscribe("jobs");
  const loop = new Recorder(subscription);
  await within(subscription.unsubscribe(), "unsubscribing");
  assert.equal(await topics(other), before);
  await within(loop.over, "the loop");
  assert.equal(loop.error, undefined);
  await subscription.unsubscribe();
  assert.deepEqual(await Array.fromAsync(subscription), []);
});

test("await using unsubscribes", async () => {
  await using it = await connected();
  const other = await it.connect();
  const before = await topics(other);
  {
    await using subscription = await it.client.subscribe("jobs");
    assert.equal(subscription.channel, "jobs");
    assert.equal(await topics(other), before + 1);
  }
  assert.equal(await topics(other), before);
});

test("one of two subscribers of a channel can leave without the other", async () => {
  await using it = await connected();
  const [first, second] = await Promise.all([
    it.client.subscribe("jobs"),
    it.client.subscribe("jobs"),
  ]);
  const [stopping, staying] = [new Recorder<Item>(first), new Recorder<Item>(second)];
  const one = await it.client.enqueue("noop");
  await eventually(() => jobsOf(staying.items, "job.completed").length === 1);
  assert.deepEqual(stopping.items, staying.items);
  await first.unsubscribe();
  await within(stopping.over, "the first loop");
  const two = await it.client.enqueue("noop");
  await eventually(() => jobsOf(staying.items, "job.completed").length === 2);
  assert.deepEqual(jobsOf(staying.items, "job.enqueued"), [one.job_id, two.job_id]);
  assert.deepEqual(jobsOf(stopping.items, "job.enqueued"), [one.job_id]);
});

test("receives events after subscribing again", async () => {
  await using it = await connected();
  for (let round = 0; round < 5; round++) {
    const leaving = await it.client.subscribe("jobs");
    // Not awaited, so that the next subscription overlaps with leaving.
    const left = leaving.unsubscribe();
    const seen = new Recorder<Item>(await it.client.subscribe("jobs"));
    const { job_id } = await it.client.enqueue("noop");
    await eventually(() => jobsOf(seen.items, "job.completed").includes(job_id));
    await left;
  }
});

test("each channel receives only its own events", async () => {
  await using it = await connected();
  const { client } = it;
  const channels = ["jobs", "workflows", "firehose", "queue:email", "queue:default"] as const;
  const seen = Object.fromEntries(
    await Promise.all(
      channels.map(async (name) => [name, new Recorder<Item>(await client.subscribe(name))]),
    ),
  ) as Record<typeof channels[number], Recorder<Item>>;
  const email = await client.enqueue("noop", null, { queue: "email" });
  const plain = await client.enqueue("noop");
  const own = new Recorder<Item>(await client.subscribe(`job:${plain.job_id}`));
  await Promise.all([email.wait(), plain.wait()]);
  const run = await client.startWorkflow("order-pipeline", { order_id: "1", items: [] });
  await run.wait();
  await eventually(() => seen.firehose.items.length === 11);
  assert.equal(seen.jobs.items.length, 6);
  assert.equal(seen.workflows.items.length, 5);
  assert.deepEqual([...new Set(jobsOf(seen["queue:email"].items, "job.completed"))], [
    email.job_id,
  ]);
  assert.equal(seen["queue:email"].items.length, 3);
  assert.equal(seen["queue:default"].items.length, 3);
  const others = own.items.filter((item) =>
    item.type !== "gap" && !item.topic.endsWith(plain.job_id)
  );
  assert.deepEqual(others, []);
});

for (const channel of ["bogus", "job:", "cron:x", ""]) {
  test(`rejects the channel '${channel}' with 400 when it is awaited and when it is read`, async () => {
    await using it = await connected();
    const refused = (error: unknown): boolean => {
      assert(error instanceof DispatchError, String(error));
      assert.equal(error.code, 400);
      assert(
        error.message.startsWith(`Cannot subscribe to '${channel}': the server answered 400 `),
      );
      return true;
    };
    await assert.rejects(
      within(Promise.resolve(it.client.subscribe(channel)), "subscribing"),
      refused,
    );
    const read = new Recorder(it.client.subscribe(channel));
    await within(read.over, "reading");
    refused(read.error);
    // The refusal does not affect other channels.
    await within(it.client.subscribe("jobs"), "subscribing");
  });
}

test("close ends every loop, and rejects every wait", async () => {
  await using it = await connected();
  const awaited = new Recorder<Item>(await it.client.subscribe("jobs"));
  const pending = new Recorder<Item>(it.client.subscribe("workflows"));
  const run = await it.client.startWorkflow("sleeper", { ms: 60_000 });
  const watch = new Recorder(it.client.watch(run.run_id));
  const job = await it.client.enqueue("sleep", { ms: 60_000 });
  const events = new Recorder(job.events());
  const waiting = Promise.allSettled([run.wait(), job.wait()]);
  await eventually(() => watch.items.length > 0 && events.items.length > 0);
  await within(it.client.close(), "closing");
  for (const [name, loop] of Object.entries({ awaited, pending, watch, events })) {
    await within(loop.over, name);
    assert.equal(loop.error, undefined, name);
  }
  for (const result of await within(waiting, "the waits")) {
    assert.equal(result.status, "rejected");
    assert.equal((result as PromiseRejectedResult).reason.code, "closed");
  }
});

test("close inside a loop ends the loop", async () => {
  await using it = await connected();
  const seen: string[] = [];
  const subscription = await it.client.subscribe("jobs");
  await it.client.enqueueMany("noop", [1, 2, 3]);
  await within(
    (async () => {
      for await (const event of subscription) {
        seen.push(event.type);
        await it.client.close();
      }
    })(),
    "the loop",
  );
  assert.deepEqual(seen, ["job.enqueued"]);
});

test("close with drain keeps received events readable", async () => {
  await using it = await connected();
  const subscription = await it.client.subscribe("jobs");
  const jobs = await it.client.enqueueMany("noop", [1, 2, 3]);
  await eventually(() => subscription.buffered === 9);
  await it.client.close({ drain: true });
  const items = await within(Array.fromAsync(subscription), "reading");
  assert.deepEqual(jobsOf(items, "job.enqueued"), jobs.map(({ job_id }) => job_id));
  assert.equal(items.length, 9);
});

test("an aborted subscription rejects with the reason after its unread events", async () => {
  await using it = await connected();
  const controller = new AbortController();
  const subscription = await it.client.subscribe("jobs", { signal: controller.signal });
  const loop = new Recorder(subscription);
  await it.client.enqueue("noop");
  await eventually(() => loop.items.length === 3);
  const reason = new Error("enough");
  controller.abort(reason);
  await within(loop.over, "the loop");
  assert.equal(loop.error, reason);
  const before = await topics(it.client);
  assert.equal(before, 0);
});

test("enqueues ahead of the workers while subscribed to `jobs`", async () => {
  await using it = await connected();
  const seen = new Recorder<Item>(await it.client.subscribe("jobs"));
  const email = { to: "user@example.com", subject: "Welcome" };
  await within(it.client.enqueueMany("send-email", new Array(2_000).fill(email)), "enqueueing");
  const started = jobsOf(seen.items, "job.started").length;
  assert(started < 1_000, `${started} of 2,000 jobs have started`);
  await eventually(() => jobsOf(seen.items, "job.enqueued").length === 2_000);
});

test("enqueueMany reports its progress, and rejects with what `onProgress` throws", async () => {
  await using it = await connected();
  const counts: number[] = [];
  await it.client.enqueueMany("noop", [1, 2, 3, 4, 5], {
    window: 2,
    onProgress: (enqueued) => void counts.push(enqueued),
  });
  assert.deepEqual(counts, [1, 2, 3, 4, 5]);
  const problem = new Error("no terminal");
  const onProgress = () => {
    throw problem;
  };
  await assert.rejects(
    within(it.client.enqueueMany("noop", [1, 2], { onProgress }), "enqueueing"),
    (error) => error === problem,
  );
});
