// Scenarios that run in a browser and on Deno, Bun and Node, with the same result everywhere. They do
// not assert: they return a JSON value, and use only what browsers have too.
import {
  AuthError,
  ConnectionError,
  Dispatch,
  DispatchError,
  type DispatchOptions,
  JobFailedError,
  RunFailedError,
  type Status,
  TimeoutError,
} from "../../mod.ts";

/** The server, as the page sees it. */
export interface Env {
  url: string;
  /** Drops every connection without a close frame, like a pulled cable. */
  cut(): Promise<void>;
  /** The number of connections to the server. */
  connections(): Promise<number>;
}

/** One scenario and its expected result. */
export interface Scenario {
  run(env: Env): Promise<unknown>;
  expected: unknown;
}

const CLIENT_OPTIONS = { token: "demo-token", backoff: { base: 1, cap: 20 } };

function connect(env: Env, options: Partial<DispatchOptions> = {}): Promise<Dispatch> {
  return Dispatch.connect({ url: env.url, ...CLIENT_OPTIONS, ...options });
}

/** The name and code of the error that a promise rejects with. */
async function failure(promise: PromiseLike<unknown>): Promise<string> {
  const error = await Promise.resolve(promise).then(() => "nothing failed", (error) => error);
  return error instanceof DispatchError ? `${error.name} ${error.code}` : String(error);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Reads to the end and returns the types of all items. */
async function typesOf(events: AsyncIterable<{ type: string }>): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of events) types.push(type);
  return types;
}

const ORDER_EVENTS = [
  "workflow.started",
  "workflow.step_completed",
  "workflow.step_completed",
  "workflow.completed",
];

/** The scenarios, by their titles. */
export const SCENARIOS: Record<string, Scenario> = {
  "connect resolves with the session's id": {
    async run(env) {
      await using client = new Dispatch({ url: env.url, ...CLIENT_OPTIONS });
      const session = await client.connect();
      const again = await client.connect();
      const { value } = await client.status().next();
      return [session.length > 0, session === again, (value as Status).type];
    },
    expected: [true, true, "connected"],
  },

  "enqueues a job and waits for it": {
    async run(env) {
      await using client = await connect(env);
      const job = await client.enqueue("send-email", { to: "ü@example.com", subject: "🎉" }, {
        queue: "email",
        priority: 5,
      });
      const before = [job.queue, job.state];
      const { id, state, payload, priority } = await job.wait();
      return [...before, id === job.job_id, state, payload, priority];
    },
    expected: [
      "email",
      "pending",
      true,
      "completed",
      { to: "ü@example.com", subject: "🎉" },
      5,
    ],
  },

  "enqueueMany keeps the order of the payloads": {
    async run(env) {
      await using client = await connect(env);
      const jobs = await client.enqueueMany("noop", Array.from({ length: 200 }, (_, n) => ({ n })));
      const [first, last] = [await jobs[0]!.get(), await jobs[199]!.get()];
      return [new Set(jobs.map((job) => job.job_id)).size, first.payload, last.payload];
    },
    expected: [200, { n: 0 }, { n: 199 }],
  },

  "starts a run, publishes its event and waits for its end": {
    async run(env) {
      await using client = await connect(env);
      const run = await client.startWorkflow("order-payment", { order_id: "ORD-1" });
      const before = [run.name, run.state];
      const watched = typesOf(client.watch(run.run_id));
      await client.publishEvent("payment-received", { order_id: "ORD-1" });
      const { state, input } = await run.wait();
      const steps = (await run.timeline()).map(({ step_name }) => step_name);
      return { before, state, input, watched: await watched, steps };
    },
    expected: {
      before: ["order-payment", "running"],
      state: "completed",
      input: { order_id: "ORD-1" },
      watched: ORDER_EVENTS,
      steps: ["reserve", "wait:payment-received", "ship"],
    },
  },

  "watches a run that has ended": {
    async run(env) {
      await using client = await connect(env);
      const { run_id } = await client.startWorkflow("order-payment", { order_id: "ORD-2" });
      await client.publishEvent("payment-received", { order_id: "ORD-2" });
      await client.run(run_id).wait();
      return await typesOf(client.watch(run_id));
    },
    expected: ORDER_EVENTS,
  },

  "starts twenty runs concurrently": {
    async run(env) {
      await using client = await connect(env);
      const ids = Array.from({ length: 20 }, (_, n) => `ORD-${n}`);
      const runs = await Promise.all(
        ids.map((order_id) => client.startWorkflow("order-pipeline", { order_id, items: ["a"] })),
      );
      const ended = await Promise.all(runs.map((run) => run.wait()));
      return [
        new Set(runs.map((run) => run.run_id)).size,
        ended.every(({ state }) => state === "completed"),
        ended.map(({ input }) => (input as { order_id: string }).order_id).join() === ids.join(),
      ];
    },
    expected: [20, true, true],
  },

  "ends subscriptions by break, unsubscribe and close": {
    async run(env) {
      await using client = await connect(env);
      const subscription = await client.subscribe("jobs");
      const job = await client.enqueue("noop", {});
      const seen: string[] = [];
      for await (const event of subscription) {
        seen.push(event.type);
        if (event.type === "job.completed") break;
      }
      const reading = typesOf(client.subscribe(`job:${job.job_id}`));
      const other = client.subscribe("workflows");
      const rest = typesOf(other);
      await other.unsubscribe();
      await client.close();
      return { seen, rest: await rest, reading: await reading };
    },
    expected: { seen: ["job.enqueued", "job.started", "job.completed"], rest: [], reading: [] },
  },

  "rejects with the server's code": {
    async run(env) {
      await using client = await connect(env);
      await using reader = await connect(env, { token: "readonly" });
      return {
        noId: await failure(client.getJob("nonsense")),
        noJob: await failure(client.getJob("job_01aaaaaaaaaaaaaaaaaaaaaaaa")),
        noWorkflow: await failure(client.startWorkflow("nobody-knows", {})),
        noRight: await failure(reader.enqueue("noop", {})),
        noMethod: await failure(client.call("nobody.knows")),
      };
    },
    expected: {
      noId: "DispatchError 400",
      noJob: "DispatchError 404",
      noWorkflow: "DispatchError 500",
      noRight: "DispatchError 403",
      noMethod: "DispatchError 405",
    },
  },

  "does not retry with a refused token": {
    async run(env) {
      const error = await connect(env, { token: "wrong" }).catch((error) => error);
      await until(async () => await env.connections() === 0);
      return [error instanceof AuthError, error.code];
    },
    expected: [true, 401],
  },

  "wait rejects for a failed job and a failed run": {
    async run(env) {
      await using client = await connect(env);
      const job = await client.enqueue("always-fails", {});
      const run = await client.startWorkflow("failing", {});
      // Retries take time, so cancel the job instead.
      await job.cancel();
      const jobError = await job.wait().catch((error) => error);
      const runError = await run.wait().catch((error) => error);
      return [
        jobError instanceof JobFailedError,
        runError instanceof RunFailedError,
        runError.run.error.includes("step b exploded"),
      ];
    },
    expected: [true, true, true],
  },

  "wait rejects when its signal aborts or its timeout passes": {
    async run(env) {
      await using client = await connect(env);
      const job = await client.enqueue("nobody-runs-this", {});
      const abort = new AbortController();
      const waiting = failure(job.wait({ signal: abort.signal }));
      abort.abort("changed my mind");
      const late = await job.wait({ timeout: 20 }).catch((error) => error);
      return [await waiting, late instanceof TimeoutError];
    },
    expected: ["changed my mind", true],
  },

  "reconnects after its sockets were cut, and reports the gap": {
    async run(env) {
      await using client = await connect(env);
      const statuses: string[] = [];
      const feed = (async () => {
        for await (const { type } of client.status()) statuses.push(type);
      })();
      const run = await client.startWorkflow("order-payment", { order_id: "ORD-3" });
      const subscription = await client.subscribe("jobs");
      const items: string[] = [];
      const reading = (async () => {
        for await (const { type } of subscription) items.push(type);
      })();
      await env.cut();
      await until(() => items.includes("gap"));
      const job = await client.enqueue("noop", {});
      await job.wait();
      await until(() => items.includes("job.completed"));
      await client.publishEvent("payment-received", { order_id: "ORD-3" });
      const { state } = await run.wait();
      await client.close();
      await Promise.all([reading, feed]);
      return { items, state, statuses: statuses.filter((type) => type !== "lane_lost") };
    },
    expected: {
      items: ["gap", "job.enqueued", "job.started", "job.completed"],
      state: "completed",
      statuses: ["connected", "disconnected", "reconnecting", "connected", "closed"],
    },
  },

  "rejects with `delivery` when it does not reconnect": {
    async run(env) {
      await using client = await connect(env, { reconnect: false });
      await env.cut();
      await until(async () => (await client.status().next()).value?.type === "failed");
      const error = await client.enqueue("noop", {}).catch((error) => error);
      return [error instanceof ConnectionError, error.delivery];
    },
    expected: [true, "not-sent"],
  },

  "close ends loops, rejects calls and leaves no connection": {
    async run(env) {
      const client = await connect(env);
      const subscription = await client.subscribe("firehose");
      const run = await client.startWorkflow("sleeper", { ms: 50 });
      const reading = typesOf(subscription);
      const waiting = failure(run.wait());
      await Promise.all([client.close(), client.close()]);
      await reading;
      const result = {
        waiting: await waiting,
        call: await failure(client.stats()),
        connect: await failure(client.connect()),
        start: await failure(client.startWorkflow("sleeper", { ms: 1 })),
      };
      // A lane is released when its run has ended.
      await until(async () => await env.connections() === 0);
      return result;
    },
    expected: {
      waiting: "ConnectionError closed",
      call: "ConnectionError closed",
      connect: "ConnectionError closed",
      start: "ConnectionError closed",
    },
  },

  "exchanges MessagePack frames": {
    async run(env) {
      await using client = await connect(env, { format: "msgpack" });
      const { value } = await client.status().next();
      const job = await client.enqueue("noop", { list: [1, 2.5, null, "ü"] });
      const { payload } = await job.wait();
      return [(value as Extract<Status, { type: "connected" }>).format, payload];
    },
    expected: ["msgpack", { list: [1, 2.5, null, "ü"] }],
  },
};
