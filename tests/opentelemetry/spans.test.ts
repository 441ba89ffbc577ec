import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import * as api from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import {
  AuthError,
  Dispatch,
  type DispatchOptions,
  DispatchRpc,
  openTelemetryHooks,
  type OpenTelemetryOptions,
} from "../../mod.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { REQUEST_CALLS } from "../helpers/calls.ts";
import { serve } from "../helpers/scripts.ts";
import { connected, startServer } from "../helpers/server.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
api.trace.setGlobalTracerProvider(provider);

/** A minimal context manager, which saves a dependency on that of Node's SDK. */
const contexts = new AsyncLocalStorage<api.Context>();
api.context.setGlobalContextManager({
  active: () => contexts.getStore() ?? api.ROOT_CONTEXT,
  with: (context, work, self, ...args) => contexts.run(context, () => work.call(self!, ...args)),
  bind: (_, target) => target,
  enable() {
    return this;
  },
  disable() {
    return this;
  },
});

const hooks = (options?: OpenTelemetryOptions): Partial<DispatchOptions> => ({
  hooks: openTelemetryHooks(api, options),
});

/** Returns the spans that ended since the last call. */
function takeSpans(): ReadableSpan[] {
  const spans = exporter.getFinishedSpans();
  exporter.reset();
  return spans;
}

test("creates a client span with the name of the request", async () => {
  await using fixture = await connected(hooks());
  takeSpans();
  await fixture.client.enqueue("noop", {});
  const [span, ...others] = takeSpans();
  deepEqual(others, []);
  equal(span?.name, "dispatch job.enqueue");
  equal(span.kind, api.SpanKind.CLIENT);
  equal(span.status.code, api.SpanStatusCode.UNSET);
  equal(span.instrumentationScope.name, "@dispatch/sdk");
  deepEqual(span.attributes, {
    "messaging.system": "dispatch",
    "messaging.operation.name": "job.enqueue",
    "messaging.operation.type": "send",
    "dispatch.method": "job.enqueue",
    "dispatch.subject": "noop",
  });
});

test("creates a span for every call", async () => {
  await using server = await createScriptedServer(serve);
  await using client = await Dispatch.connect({ url: server.url, token: "t", ...hooks() });
  takeSpans();
  for (const { send, method, subject, what } of Object.values(REQUEST_CALLS)) {
    await send(client).catch(() => {});
    const [span, ...others] = takeSpans();
    equal(span?.name, `dispatch ${method}`, what);
    equal(span.attributes["dispatch.subject"], subject, what);
    deepEqual(others, []);
  }
  await (await client.subscribe("jobs")).unsubscribe();
  deepEqual(takeSpans().map(({ name }) => name), ["dispatch subscribe"]);
});

test("ends the span of a start while the run is running", async () => {
  await using fixture = await connected(hooks());
  takeSpans();
  const run = await fixture.client.startWorkflow("order-payment", { order_id: "ORD-2" });
  equal(run.state, "running");
  equal(takeSpans().filter(({ name }) => name === "dispatch workflow.start").length, 1);
});

test("records the error of a refused request", async () => {
  await using fixture = await connected(hooks());
  const id = "job_00000000000000000000000000";
  takeSpans();
  const error = await fixture.client.getJob(id).catch((error) => error as Error);
  const [span] = takeSpans();
  equal(span?.status.code, api.SpanStatusCode.ERROR);
  equal(span.status.message, (error as Error).message);
  equal(span.attributes["dispatch.subject"], id);
  equal(span.events[0]?.name, "exception");
  equal(span.events[0].attributes?.["exception.message"], (error as Error).message);
  ok(/^4\d\d$/.test(String(span.attributes["error.type"])));
});

test("records the delivery of a lost request", async () => {
  await using fixture = await connected(
    { ...hooks(), reconnect: false },
    { faults: [{ when: { direction: "in", method: "job.enqueue" }, do: "cut" }] },
  );
  takeSpans();
  await rejects(fixture.client.enqueue("noop", {}));
  const [span] = takeSpans();
  equal(span?.attributes["error.type"], "connection_lost");
  equal(span.attributes["dispatch.delivery"], "unknown");
});

test("records the reason of an aborted request", async () => {
  await using fixture = await connected(hooks());
  takeSpans();
  await rejects(fixture.client.stats({ signal: AbortSignal.abort(new RangeError("changed")) }));
  await rejects(fixture.client.stats({ signal: AbortSignal.abort("words") }));
  deepEqual(
    takeSpans().map(({ attributes, status }) => [attributes["error.type"], status.message]),
    [["RangeError", "changed"], ["string", "words"]],
  );
});

test("makes the active span the parent", async () => {
  await using fixture = await connected(hooks());
  takeSpans();
  await api.trace.getTracer("test").startActiveSpan("outside", async (outside) => {
    await Promise.all([fixture.client.stats(), fixture.client.enqueue("noop", {})]);
    outside.end();
  });
  const spans = takeSpans();
  const outside = spans.find(({ name }) => name === "outside")!.spanContext();
  const children = spans.filter(({ name }) => name !== "outside");
  equal(children.length, 2);
  for (const child of children) {
    equal(child.parentSpanContext?.spanId, outside.spanId);
    equal(child.spanContext().traceId, outside.traceId);
  }
});

test("applies `filter` and `attributes`", async () => {
  await using fixture = await connected(hooks({
    attributes: { "server.address": "localhost" },
    filter: ({ method }) => method !== "stats",
  }));
  takeSpans();
  await fixture.client.stats();
  await fixture.client.enqueue("noop", {});
  const [span, ...others] = takeSpans();
  deepEqual(others, []);
  equal(span?.attributes["server.address"], "localhost");
  equal(span.attributes["dispatch.method"], "job.enqueue");
});

test("creates spans for requests over HTTP", async () => {
  await using server = await startServer();
  using client = new DispatchRpc({ url: server.url, token: "demo-token", ...hooks() });
  takeSpans();
  await client.enqueue("noop", {});
  deepEqual(takeSpans().map(({ name }) => name), ["dispatch job.enqueue"]);
});

test("records no payload, no answer and no token", async () => {
  await using fixture = await connected(hooks());
  const { client, server } = fixture;
  takeSpans();
  const job = await client.enqueue("send-email", { to: "secret-to", subject: "secret-subject" });
  await job.wait();
  const run = await client.startWorkflow("order-payment", { order_id: "secret-order" });
  await client.publishEvent("payment-received", { order_id: "secret-order" });
  await run.wait();
  await rejects(
    Dispatch.connect({ url: server.url, token: "secret-token", ...hooks() }),
    AuthError,
  );
  const spans = takeSpans();
  ok(spans.length >= 5);
  for (const { name, attributes, events, status } of spans) {
    const text = JSON.stringify({ name, attributes, events, status });
    ok(!text.includes("secret") && !text.includes("demo-token"), text);
  }
});

test("creates no spans without a tracer provider", async () => {
  api.trace.disable();
  try {
    await using fixture = await connected(hooks());
    takeSpans();
    await fixture.client.stats();
    await rejects(fixture.client.getJob("x"));
    deepEqual(takeSpans(), []);
  } finally {
    api.trace.setGlobalTracerProvider(provider);
  }
});
