import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import * as api from "@opentelemetry/api";
import type { RecipeEvent } from "../../runner/mod.ts";
import { ExportQueue } from "../../runner/report/otel/export_queue.ts";
import { openReporter } from "../../runner/report/otel/otel.ts";
import { eventually } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { runRecipe } from "../runner/_recipe.ts";
import { encodeBase64 } from "../../protocol/base64.ts";
import { Collector } from "./_collector.ts";
import { HOSTILE, manyCases, RUN_START, sampleRun } from "./_events.ts";

/** Exports a run to a collector. */
async function exportRun(
  collector: Collector,
  events: Iterable<RecipeEvent>,
  env: Record<string, string> = {},
): Promise<void> {
  const all: Record<string, string> = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env };
  const reporter = await openReporter({
    clock: new FakeClock(),
    env: (name) => all[name],
  });
  for (const event of events) reporter.report(event);
  await reporter.finish!();
}

/** The hostile text as it arrives: UTF-8 has no lone surrogates. */
const SENT = HOSTILE.toWellFormed();

test("exports the run, its cases and steps as one tree of spans, with the times of the events", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun());
  const root = collector.span("dispatch run");
  deepEqual([root.start, root.end], [RUN_START, RUN_START + 5102]);
  equal(root.parentSpanId, undefined);
  const spans = collector.spans();
  equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  const tree = (parent: string): unknown[] =>
    spans.filter(({ parentSpanId }) => parentSpanId === parent)
      .map((
        { name, start, end, spanId },
      ) => [name, start - RUN_START, end - RUN_START, ...tree(spanId)])
      .sort((a, b) => Number(a[1]) - Number(b[1]));
  deepEqual(tree(root.spanId), [
    [
      "Order smoke",
      0,
      910,
      ["start order-payment", 1, 200],
      ["wait for order", 205, 900],
      ["cancel email", 900, 900],
    ],
    ["Flaky [region=eu]", 1000, 1400, ["get email", 1001, 1400]],
    [
      `Payment ${SENT}`,
      1100,
      2410,
      [`wait for ${SENT}`, 1101, 2400],
      ["assert stats.jobs == 3", 2401, 2402],
    ],
    ["Refused", 3000, 3020, ["enqueue send-email", 3001, 3020]],
    ["Checks nothing", 4000, 4010],
    ["Quiet", 5000, 5100, ["stats", 5001, 5010]],
  ]);
});

test("sets the attributes and status of each span", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun());
  const { attributes, status, events } = collector.span("dispatch run");
  equal(attributes["dispatch.server"], "embedded");
  equal(attributes["dispatch.run.exit_code"], 1);
  equal(attributes["dispatch.run.interrupted"], false);
  equal(attributes["dispatch.count.passed"], 3);
  deepEqual(status, { code: 2, message: "exit code 1" });
  deepEqual(events.map(({ name, attributes }) => [name, attributes["dispatch.case.reason"]]), [
    ["dispatch.case.skipped", "bail"],
  ]);
  deepEqual(collector.span("Order smoke").attributes, {
    "dispatch.case.number": 0,
    "dispatch.case.name": "Order smoke",
    "dispatch.recipe.file": "recipes/order.yaml",
    "dispatch.recipe.tags": ["smoke", "orders"],
    "dispatch.case.status": "passed",
    "dispatch.case.flaky": false,
  });
  equal(collector.span("Order smoke").status.code, 1);
  const flaky = collector.span("Flaky [region=eu]").attributes;
  equal(flaky["dispatch.matrix.region"], "eu");
  equal(flaky["dispatch.case.flaky"], true);
  deepEqual(collector.span("start order-payment").attributes, {
    "dispatch.step.number": "1",
    "dispatch.step.kind": "start",
    "dispatch.step.phase": "steps",
    "dispatch.step.id": "order",
    "code.file.path": "recipes/order.yaml",
    "code.line.number": 9,
    "dispatch.step.status": "passed",
    "dispatch.step.attempts": 1,
    "dispatch.step.soft": false,
    "dispatch.step.detail": "wfrun_1",
    "dispatch.workflow.run_id": "wfrun_1",
  });
  const skipped = collector.span("cancel email");
  equal(skipped.attributes["dispatch.step.status"], "skipped");
  equal(skipped.status.code, 0);
});

test("adds states, checkpoints, attempts, log lines and warnings as span events", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun());
  const wait = collector.span("wait for order");
  equal(wait.attributes["dispatch.workflow.run_id"], "wfrun_1");
  equal(wait.attributes["dispatch.workflow.name"], "order-payment");
  const state = (name: string, at: number) => ["dispatch.state", at, { "dispatch.state": name }];
  const step = (name: string, at: number) => ["dispatch.workflow.step", at, {
    "dispatch.workflow.step.name": name,
    "dispatch.workflow.step.created_at": new Date(RUN_START + at - 10).toISOString(),
  }];
  deepEqual(wait.events.map(({ name, at, attributes }) => [name, at - RUN_START, attributes]), [
    ["log", 400, { "log.message": "half way" }],
    state("running", 210),
    state("completed", 900),
    step("reserve", 300),
    step("wait:payment-received", 650),
    step("ship", 880),
  ]);
  const flaky = collector.span("get email");
  deepEqual(flaky.events.map(({ name, at }) => [name, at - RUN_START]), [
    ["dispatch.step.retried", 1100],
    ["dispatch.step.attempt", 1300],
  ]);
  equal(flaky.events[0]?.attributes["dispatch.step.attempt"], 1);
  match(String(flaky.events[0]?.attributes["exception.message"]), /email\.state/);
  const failed = collector.span(`Payment ${SENT}`);
  deepEqual(failed.events.map(({ name, at }) => [name, at - RUN_START]), [
    ["warning", 2405],
    ["exception", 2410],
  ]);
});

test("exports a failure as an exception event and as the status of the span", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun());
  const { status, attributes, events } = collector.span(`wait for ${SENT}`);
  const message = `run \`order-payment\` (wfrun_2) is failed, not completed: ${SENT}`;
  deepEqual(status, { code: 2, message });
  equal(attributes["error.type"], "step_failed");
  deepEqual(events.at(-1), {
    name: "exception",
    at: RUN_START + 2400,
    attributes: {
      "exception.type": "wait",
      "exception.message": message,
      "dispatch.failure.code": "step_failed",
      "dispatch.failure.lines": [
        "seen: running at 0 ms, failed at 1.2 s",
        "- expected",
        "+ actual",
        SENT,
      ],
    },
  });
  const refused = collector.span("enqueue send-email");
  equal(refused.attributes["error.type"], "403");
  const soft = collector.span("assert stats.jobs == 3");
  deepEqual([soft.status.code, soft.attributes["dispatch.step.soft"]], [2, true]);
  equal(collector.span("Checks nothing").status.code, 2);
});

test("marks an interrupted run", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun({ interrupted: true }));
  const root = collector.span("dispatch run");
  equal(root.attributes["dispatch.run.interrupted"], true);
  equal(root.attributes["dispatch.run.exit_code"], 130);
  const cut = collector.span("sleep 1h");
  equal(cut.attributes["dispatch.interrupted"], true);
  equal(cut.attributes["dispatch.step.status"], "interrupted");
  equal(collector.span("Long").attributes["dispatch.case.status"], "interrupted");
  const durations = collector.points().filter(({ metric }) => metric === "dispatch.case.duration");
  equal(durations.length, 5);
  ok(durations.every(({ attributes }) => attributes["dispatch.case.status"] !== "interrupted"));
});

test("ends every span if the events stop early", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun().slice(0, 6));
  deepEqual(collector.spans().map(({ name, end }) => [name, end - RUN_START]), [
    ["start order-payment", 200],
    ["wait for order", 210],
    ["Order smoke", 210],
    ["dispatch run", 210],
  ]);
  equal(collector.span("dispatch run").status.message, "the run stopped early");
});

test("exports durations and failures as metrics", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun());
  const points = collector.points();
  const of = (metric: string) =>
    points.filter((point) => point.metric === metric)
      .map(({ attributes, count, sum, value }) => [attributes, value ?? [count, sum]]);
  deepEqual(of("dispatch.case.duration").slice(0, 3), [
    [{ "dispatch.recipe.file": "recipes/order.yaml", "dispatch.case.status": "passed" }, [1, 0.91]],
    [{ "dispatch.recipe.file": "recipes/1.yaml", "dispatch.case.status": "passed" }, [1, 0.4]],
    [{ "dispatch.recipe.file": "recipes/2.yaml", "dispatch.case.status": "failed" }, [1, 0.41]],
  ]);
  deepEqual(of("dispatch.wait.duration"), [
    [{ "dispatch.step.status": "passed", "dispatch.workflow.name": "order-payment" }, [1, 0.695]],
    [{ "dispatch.step.status": "failed", "dispatch.workflow.name": "order-payment" }, [1, 1.299]],
  ]);
  deepEqual(of("dispatch.case.failures"), [
    [{ "dispatch.recipe.file": "recipes/2.yaml", "dispatch.failure.kind": "wait" }, 1],
    [{ "dispatch.recipe.file": "recipes/3.yaml", "dispatch.failure.kind": "server" }, 1],
  ]);
  for (const { start, end } of points) deepEqual([start, end], [RUN_START, RUN_START + 5102]);
});

test("exports many spans in batches, each span once", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, manyCases(1000));
  const spans = collector.spans();
  equal(spans.length, 2001);
  equal(new Set(spans.map(({ spanId }) => spanId)).size, 2001);
  ok(collector.requests.filter(({ path }) => path === "/v1/traces").length >= 4);
  const failures = collector.points().filter(({ metric }) => metric === "dispatch.case.failures");
  equal(failures.reduce((total, { value }) => total + value!, 0), 100);
  ok(failures.length <= 50);
});

test("a queue with many batches says what to wait for, and one that has failed does not", async () => {
  const answers: (() => void)[] = [];
  const target = { url: "http://127.0.0.1:1", headers: {}, timeout: 1_000, gzip: false, tls: {} };
  const queue = new ExportQueue<number>("traces", target, () => ({
    export: (batch, done) => {
      answers.push(() => done(batch === 10 ? { code: 1, error: new Error("full") } : { code: 0 }));
    },
  }));
  for (let batch = 0; batch < 8; batch++) queue.push(batch);
  equal(queue.backlog(), undefined);
  for (let batch = 8; batch < 20; batch++) queue.push(batch);
  let isDone = false;
  const waiting = queue.backlog()!.then(() => isDone = true);
  for (let batch = 0; batch <= 10; batch++) {
    equal(isDone, false);
    await eventually(() => answers.length > batch);
    answers[batch]!();
  }
  // The batches after a failure are not exported.
  await waiting;
  equal(answers.length, 11);
  equal(queue.backlog(), undefined);
  await rejects(queue.finish(new FakeClock()), /full/);
});

test("reads the parent, resource, headers and compression from the environment", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun(), {
    TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    OTEL_SERVICE_NAME: "checkout-smoke",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=other,deployment.environment.name=pre%20prod",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc,x-a=1",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-a=2",
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
  });
  const root = collector.span("dispatch run");
  equal(root.traceId, "0af7651916cd43dd8448eb211c80319c");
  equal(root.parentSpanId, "b7ad6b7169203331");
  equal(collector.resource()["service.name"], "checkout-smoke");
  equal(collector.resource()["deployment.environment.name"], "pre prod");
  for (const { path, headers } of collector.requests) {
    equal(headers.authorization, "Bearer abc");
    equal(headers["x-a"], path === "/v1/traces" ? "2" : "1");
    equal(headers["content-encoding"], "gzip");
  }
});

test("ignores an invalid parent, and exports no spans for a parent that is not sampled", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun(), { TRACEPARENT: "00-xyz-1-01" });
  equal(collector.span("dispatch run").parentSpanId, undefined);
  await using other = await Collector.start();
  await exportRun(other, sampleRun(), {
    TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
  });
  deepEqual(other.requests.map(({ path }) => path), ["/v1/metrics"]);
});

test("exports no signal that the environment switches off", async () => {
  const paths = async (env: Record<string, string>) => {
    await using collector = await Collector.start();
    await exportRun(collector, sampleRun(), env);
    return collector.requests.map(({ path }) => path).sort();
  };
  deepEqual(await paths({}), ["/v1/metrics", "/v1/traces"]);
  deepEqual(await paths({ OTEL_TRACES_EXPORTER: "none" }), ["/v1/metrics"]);
  deepEqual(await paths({ OTEL_METRICS_EXPORTER: "none" }), ["/v1/traces"]);
  deepEqual(await paths({ OTEL_SDK_DISABLED: "true" }), []);
});

test("uses the address for traces unchanged, and exports nothing else", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun(), {
    OTEL_EXPORTER_OTLP_ENDPOINT: "",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/in/here?tenant=a`,
  });
  deepEqual(collector.requests.map(({ path }) => path), ["/in/here?tenant=a"]);
});

test("registers no global provider", async () => {
  await using collector = await Collector.start();
  await exportRun(collector, sampleRun());
  const span = api.trace.getTracer("test").startSpan("x");
  equal(span.isRecording(), false);
  equal(api.context.active(), api.ROOT_CONTEXT);
});

test("exports without `--reporter` if the environment names a collector, and nests the spans of steps", async () => {
  await using collector = await Collector.start();
  const { code, out } = await runRecipe(
    `
name: Nested
steps:
  - name: both
    parallel:
      - id: a
        enqueue: send-email
        payload: { to: a@example.com, subject: Hi }
      - sleep: 1ms
  - name: each
    for_each: [1, 2]
    parallel:
      - name: inner \${{ item }}
        sleep: 1ms
  - name: used
    use: ./used.yaml
  - wait: a
  - assert: a.state == "completed"
`,
    [],
    {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
      files: {
        "used.yaml":
          "name: Used\nsteps: [{ parallel: [{ name: deep, sleep: 1ms }], name: pair }]\n",
      },
    },
  );
  equal(code, 0, out);
  const name = (id: string | undefined) =>
    collector.spans().find(({ spanId }) => spanId === id)?.name;
  const parents = Object.fromEntries(
    collector.spans().map((span) => [span.name, name(span.parentSpanId)]),
  );
  equal(parents["enqueue send-email"], "both");
  equal(parents["both"], "Nested");
  equal(parents["inner 1"], "each");
  equal(parents["inner 2"], "each");
  equal(parents["deep"], "pair");
  equal(parents["pair"], "used");
  equal(parents["wait for a"], "Nested");
  equal(parents["Nested"], "dispatch run");
  const made = collector.span("enqueue send-email").attributes["dispatch.job.id"];
  match(String(made), /^job_/);
  equal(collector.span("wait for a").attributes["dispatch.job.id"], made);
});

test("exports no secret", async () => {
  await using collector = await Collector.start();
  const secret = 's3cr3t/"<pa ss>&wörd';
  const { code } = await runRecipe(
    `
name: Secret
secrets: [API]
vars: { v: "\${{ secrets.API }}" }
steps:
  - name: step \${{ secrets.API }}
    id: job
    enqueue: send-email
    payload: { to: "\${{ secrets.API }}", subject: "\${{ vars.v }}" }
  - log: line \${{ secrets.API }}
  - start: \${{ secrets.API }}
    soft: true
  - wait: job
  - assert: vars.v == "x"
`,
    [],
    { env: { API: secret, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } },
  );
  equal(code, 1);
  const sent = collector.requests.map(({ body }) => body).join("\n");
  ok(sent.includes("step ***") && sent.includes("line ***"));
  for (
    const form of [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      encodeBase64(secret).replace(/=+$/, "").slice(0, -1),
    ]
  ) ok(!sent.includes(form), form);
});
