/**
 * The speed of the client, compared with a minimal client on the same server:
 * `deno run -A bench/client.ts [--url ws://… --token …]`. A ratio of 1 means the same speed.
 *
 * The server runs in its own process, so that its work is not measured.
 *
 * @module
 */
import { Dispatch } from "../mod.ts";
import { Bare } from "./_bare.ts";
import { alternate, heapUsed, inFlight, option, row, runtime } from "./_measure.ts";
import { startServer } from "./_server.ts";

const ROUNDS = 25;

await using server = await startServer();
const url = option("url") ?? server.url;
const token = option("token") ?? "demo-token";
const bare = await Bare.connect(url, token);
const client = await Dispatch.connect({ url, token });
const runs = runtime();

row("runtime", "what", "ours", "bare", "ratio");
row("---", "---", "---", "---", "---");

for (const window of [64, 1]) {
  const total = window === 1 ? 1_500 : 6_000;
  const { ours, bare: least, ratio } = await alternate(
    ROUNDS,
    () => inFlight(total, window, () => client.stats()),
    () => inFlight(total, window, () => bare.call("stats")),
  );
  const rate = (ms: number) => `${Math.round(total / ms * 1_000)}/s`;
  row(runs, `stats, ${window} in flight`, rate(ours), rate(least), ratio.toFixed(3));
}

{
  const total = 2_000;
  const payloads = Array.from({ length: total }, (_, i) => ({ i }));
  const { ours, bare: least, ratio } = await alternate(
    ROUNDS,
    () => client.enqueueMany("parked", payloads, { queue: "nobody-reads-this" }),
    () =>
      inFlight(total, 64, (i) =>
        bare.call("job.enqueue", {
          name: "parked",
          payload: payloads[i],
          queue: "nobody-reads-this",
        })),
  );
  const rate = (ms: number) => `${Math.round(total / ms * 1_000)}/s`;
  row(runs, "enqueueMany, 64 in flight", rate(ours), rate(least), ratio.toFixed(3));
}

{
  // Both receive the same events: each enqueue on a third connection makes one.
  const total = 2_000;
  const source = await Bare.connect(url, token);
  const burst = () =>
    inFlight(
      total,
      64,
      () => source.call("job.enqueue", { name: "parked", payload: {}, queue: "nobody-reads-this" }),
    );
  const { ours, bare: least, ratio } = await alternate(
    9,
    async () => {
      const subscription = await client.subscribe("jobs");
      const received = (async () => {
        let count = 0;
        for await (const event of subscription) {
          if (event.type === "job.enqueued" && ++count === total) break;
        }
      })();
      await burst();
      await received;
    },
    async () => {
      let count = 0;
      const received = new Promise<void>((resolve) => {
        bare.onEvent = () => {
          if (++count % 400 === 0) bare.grant(400);
          if (count === total) resolve();
        };
      });
      await bare.call("subscribe", { channel: "jobs" });
      await burst();
      await received;
      await bare.call("unsubscribe", { channel: "jobs" });
    },
  );
  const rate = (ms: number) => `${Math.round(total / ms * 1_000)}/s`;
  row(runs, "events to one subscriber", rate(ours), rate(least), ratio.toFixed(3));
  source.close();
}

{
  const count = 10_000;
  const before = heapUsed();
  const held = await Promise.all(
    Array.from({ length: count }, (_, i) => client.subscribe(`job:idle-${i}`)),
  );
  row(
    runs,
    "memory of an idle subscription",
    `${Math.round((heapUsed() - before) / count)} B`,
    "",
    "",
  );

  const dispatch = async (subscriptions: number) => {
    const jobs = await client.subscribe("jobs");
    const total = 2_000;
    const begun = performance.now();
    const source = await Bare.connect(url, token);
    const sent = inFlight(
      total,
      64,
      () => source.call("job.enqueue", { name: "parked", payload: {}, queue: "nobody-reads-this" }),
    );
    let received = 0;
    for await (const event of jobs) {
      if (event.type === "job.enqueued" && ++received === total) break;
    }
    await sent;
    source.close();
    row(
      runs,
      `an event beside ${subscriptions} subscriptions`,
      `${((performance.now() - begun) / total * 1_000).toFixed(1)} µs`,
      "",
      "",
    );
  };
  await dispatch(count);
  await Promise.all(held.map((subscription) => subscription.unsubscribe()));
  await dispatch(0);
}

{
  const count = 10_000;
  const silent = new Dispatch({ url, token, maxQueue: Infinity });
  await silent.connect();
  const before = heapUsed();
  const calls = Array.from({ length: count }, () => silent.stats());
  row(runs, "memory of a pending call", `${Math.round((heapUsed() - before) / count)} B`, "", "");
  await Promise.all(calls);
  await silent.close();
}

bare.close();
await client.close();
