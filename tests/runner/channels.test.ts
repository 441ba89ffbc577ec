// The subscriptions of a case, without a server.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { Channels } from "../../runner/engine/channels.ts";
import type { LoggedEvent } from "../../runner/events/results.ts";
import { loadCel } from "../../runner/expression/cel.ts";
import { EvaluationError, Expression } from "../../runner/expression/expression.ts";
import type { Template } from "../../runner/expression/template.ts";
import type { RunnerClient } from "../../runner/steps/context.ts";
import { breathe, eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** A subscription that delivers what the test says. */
class FakeSubscription {
  readonly channel: string;
  unsubscribed = 0;
  #items: unknown[] = [];
  #error: unknown;
  #wake = () => {};

  constructor(channel: string) {
    this.channel = channel;
  }

  deliver(...items: unknown[]): void {
    this.#items.push(...items);
    this.#wake();
  }

  fail(error: Error): void {
    this.#error = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    for (;;) {
      yield* this.#items.splice(0);
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

/** Channels of a client that records its subscriptions. */
function setUp({ confirm = true, unsubscribe = () => Promise.resolve() } = {}) {
  const subscriptions: FakeSubscription[] = [];
  const refused: (Error | undefined)[] = [];
  const client = {
    subscribe(channel: string) {
      const subscription = new FakeSubscription(channel);
      subscriptions.push(subscription);
      const error = refused.shift();
      const pending = error
        ? Promise.reject(error)
        : confirm
        ? Promise.resolve(subscription)
        : new Promise(() => {});
      return Object.assign(pending, {
        unsubscribe: () => {
          subscription.unsubscribed++;
          return unsubscribe();
        },
      });
    },
  } as unknown as RunnerClient;
  const clock = new FakeClock();
  const warnings: string[] = [];
  const channels = new Channels(client, clock, (text) => warnings.push(text));
  const names = () => subscriptions.map(({ channel }) => channel);
  return { channels, clock, subscriptions, refused, names, warnings };
}

const cel = await loadCel();
const { signal } = new AbortController();

function event(type: string, topic: string, data: unknown = {}): LoggedEvent {
  return { type, ts: "2026-01-01T00:00:00Z", topic, data } as LoggedEvent;
}

function expression(text: string): Expression {
  const parsed = new Expression(text, (start, end) => ({ start, end }));
  parsed.bind(cel.parse(text));
  return parsed;
}

const hole = (text: string): Template => ({ kind: "expression", expression: expression(text) });
const text = (...parts: (string | Expression)[]): Template => ({ kind: "text", parts });

/**
 * Opens the channels that templates name. `values` has their values, by the text of the first
 * expression.
 */
async function began(templates: (string | Template)[], values: Record<string, unknown> = {}) {
  const fixture = setUp();
  const resolved: string[] = [];
  await fixture.channels.begin(templates, (template) => {
    const { text } = template.kind === "expression"
      ? template.expression
      : template.kind === "text"
      ? template.parts.find((part) => typeof part !== "string")!
      : { text: "?" };
    resolved.push(text);
    const value = values[text];
    if (value instanceof Error) throw value;
    return value;
  }, signal);
  return { ...fixture, resolved };
}

test("subscribes at the beginning to channels with a fixed name, each once", async () => {
  const { channels, names } = await began(["jobs", "queue:mail", "workflow:wf_1", "jobs"]);
  deepEqual(names(), ["jobs", "workflow:wf_1"]);
  equal((await channels.open("jobs", signal)).since, undefined);
  equal((await channels.open("queue:mail", signal)).since, undefined);
  deepEqual(names(), ["jobs", "workflow:wf_1"]);
});

test("subscribes at the beginning to channels whose expressions already have values", async () => {
  for (const name of ["vars", "env", "secrets", "inputs", "matrix"]) {
    const { names, resolved } = await began([hole(`${name}.a`)], { [`${name}.a`]: "job:job_1" });
    deepEqual([names(), resolved], [["job:job_1"], [`${name}.a`]]);
  }
  const { names } = await began([text("queue:", expression("vars.q"))], { "vars.q": "queue:mail" });
  deepEqual(names(), ["queue:mail"]);
});

test("subscribes to a wider channel if the name depends on a step", async () => {
  for (
    const [start, channel] of [
      ["job:", "jobs"],
      ["queue:", "jobs"],
      ["workflow:", "workflows"],
      ["job:a:", "jobs"],
      // What follows can be `:` and an id.
      ["job", "jobs"],
    ] as const
  ) {
    const { names, resolved } = await began([text(start, expression("order.job_id"))]);
    deepEqual([names(), resolved], [[channel], []]);
  }
  const mixed = text("job:", expression("vars.a"), expression("order.job_id"));
  deepEqual((await began([mixed])).resolved, []);
  deepEqual((await began([hole("vars.a + order.job_id")])).resolved, []);
  // No wider channel is known for these.
  for (const start of ["x:", "jobs", "workflows", ""]) {
    deepEqual((await began([text(start, expression("order.job_id"))])).names(), []);
  }
  deepEqual((await began([hole("order.channel"), text(expression("order.a"), ":b")])).names(), []);
});

test("does not subscribe at the beginning if an expression has no value, or one that is no channel", async () => {
  const absent = new EvaluationError("absent", { start: 0, end: 1 });
  for (const value of [absent, 5, "nonsense", "job:", undefined]) {
    deepEqual((await began([hole("vars.a")], { "vars.a": value })).names(), []);
    deepEqual((await began([text("job:", expression("vars.a"))], { "vars.a": value })).names(), [
      "jobs",
    ]);
  }
  await rejects(began([hole("vars.a")], { "vars.a": new RangeError("a bug") }), /a bug/);
});

test("the log of a channel that is opened later says when it began", async () => {
  const { channels, clock } = await began(["workflows"]);
  clock.advance(5_000);
  equal((await channels.open("jobs", signal)).since, clock.now());
  equal((await channels.open("workflow:wf_1", signal)).since, undefined);
});

test("takes the events of a narrower channel from a wider one", async () => {
  const { channels, subscriptions, names } = await began(["jobs", "workflows"]);
  const log = await channels.open("job:job_1", signal);
  const queue = await channels.open("queue:mail", signal);
  const run = await channels.open("workflow:wf_1", signal);
  deepEqual(names(), ["jobs", "workflows"]);
  subscriptions[0]!.deliver(
    event("job.enqueued", "job:job_1", { queue: "mail" }),
    event("job.enqueued", "job:job_2", { queue: "mail" }),
    event("job.enqueued", "job:job_1", { queue: "other" }),
  );
  subscriptions[1]!.deliver(event("workflow.started", "workflow:wf_1"));
  await eventually(() => log.events.length === 2 && run.events.length === 1);
  deepEqual(queue.events.map(({ topic }) => topic), ["job:job_1", "job:job_2"]);
  equal(await channels.open("job:job_1", signal), log);
});

test("takes the events of every channel from the firehose", async () => {
  const { channels, subscriptions, names } = await began(["firehose"]);
  const logs = await Promise.all(
    ["job:job_1", "jobs", "workflows", "firehose"].map((name) => channels.open(name, signal)),
  );
  deepEqual(names(), ["firehose"]);
  subscriptions[0]!.deliver(
    event("job.enqueued", "job:job_1"),
    event("workflow.started", "workflow:a"),
  );
  await eventually(() => logs[3]!.events.length === 2);
  deepEqual(logs.map(({ events }) => events.length), [1, 1, 1, 2]);
});

test("keeps the fields of an event that steps see, and reports gaps", async () => {
  const { channels, subscriptions } = await began(["jobs"]);
  const log = await channels.open("jobs", signal);
  subscriptions[0]!.deliver({ ...event("job.enqueued", "job:job_1", { a: 1 }), more: true });
  await eventually(() => log.events.length === 1);
  deepEqual(log.events, [event("job.enqueued", "job:job_1", { a: 1 })]);
  equal(log.missed, undefined);
  subscriptions[0]!.deliver({ type: "gap", reason: "overflow" });
  await eventually(() => log.missed !== undefined);
  equal(log.missed, "a gap in the events (overflow)");
  equal(log.events.length, 1);
});

test("a log fails with its subscription", async () => {
  const { channels, subscriptions } = await began(["jobs"]);
  const log = await channels.open("jobs", signal);
  const changed = log.changed(signal);
  subscriptions[0]!.fail(new Error("lost"));
  await rejects(within(changed, "the log"), /lost/);
  await rejects(log.changed(signal), /lost/);
});

test("tries again after the server refused a subscription", async () => {
  const { channels, refused, names } = setUp();
  refused.push(new Error("refused"));
  await rejects(channels.open("jobs", signal), /refused/);
  ok(await channels.open("jobs", signal));
  deepEqual(names(), ["jobs", "jobs"]);
});

test("opening a channel ends with the signal, and the subscription goes on", async () => {
  const { channels, names } = setUp({ confirm: false });
  const stop = new AbortController();
  const opened = channels.open("jobs", stop.signal);
  stop.abort(new Error("stopped"));
  await rejects(opened, /stopped/);
  await rejects(channels.open("jobs", stop.signal), /stopped/);
  deepEqual(names(), ["jobs"]);
});

test("closing unsubscribes from all channels, also those that are not confirmed", async () => {
  const { channels, subscriptions } = setUp({ confirm: false });
  const stop = new AbortController();
  const opened = ["jobs", "workflows"].map((name) => channels.open(name, stop.signal));
  await within(channels.close(), "the close");
  deepEqual(subscriptions.map(({ unsubscribed }) => unsubscribed), [1, 1]);
  stop.abort(new Error("stopped"));
  for (const one of opened) await rejects(one, /stopped/);
});

test("closing ignores a refusal, and waits a second for the server at most", async () => {
  const refusing = setUp({ unsubscribe: () => Promise.reject(new Error("refused")) });
  await refusing.channels.open("jobs", signal);
  await within(refusing.channels.close(), "the close");
  equal(refusing.clock.pending, 0);

  const silent = setUp({ unsubscribe: () => new Promise(() => {}) });
  await silent.channels.open("jobs", signal);
  let isClosed = false;
  const closed = silent.channels.close().then(() => isClosed = true);
  deepEqual(silent.clock.due, [1_000]);
  silent.clock.advance(999);
  await breathe();
  equal(isClosed, false);
  silent.clock.advance(1);
  await within(closed, "the close");
});
