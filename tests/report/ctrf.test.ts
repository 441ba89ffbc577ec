import { type CTRFReport, isTestFlaky, validate } from "ctrf";
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { at, manyCases, RUN_START, sampleRun } from "./_events.ts";
import { reportOf } from "./_report.ts";

/** Returns the document about these events, which must follow the schema of the format. */
async function documentOf(events: Iterable<RecipeEvent>): Promise<CTRFReport> {
  const document = JSON.parse(await reportOf("ctrf", events)) as CTRFReport;
  deepEqual(validate(document).errors, []);
  return document;
}

test("counts each case under one status of the format, and keeps its own", async () => {
  const { results: { summary, tests } } = await documentOf(sampleRun({ interrupted: true }));
  deepEqual(tests.map(({ status, rawStatus }) => [status, rawStatus]), [
    ["passed", "passed"],
    ["passed", "passed"],
    ["failed", "failed"],
    ["failed", "errored"],
    ["failed", "unchecked"],
    ["other", "interrupted"],
    ["skipped", "skipped"],
  ]);
  const { passed, failed, skipped, pending, other, flaky, suites } = summary;
  deepEqual({ tests: summary.tests, passed, failed, skipped, pending, other, flaky, suites }, {
    ...{ tests: 7, passed: 2, failed: 3, skipped: 1, pending: 0, other: 1, flaky: 1, suites: 7 },
  });
  equal(summary.extra!.interrupted, true);
  equal(summary.extra!.exit_code, 130);
});

test("has the times of the run and of each case in milliseconds since 1970", async () => {
  const { results: { summary, tests } } = await documentOf(sampleRun());
  deepEqual([summary.start, summary.stop, summary.duration], [
    ...[RUN_START, RUN_START + 5102, 5102],
  ]);
  deepEqual([tests[2]!.start, tests[2]!.duration, tests[2]!.stop], [
    ...[RUN_START + 1100, 410, RUN_START + 1510],
  ]);
  equal("start" in tests[6]!, false, "a case that was not started has no start");
});

test("a failed case has its message, the difference, and the line of the recipe", async () => {
  const { results: { tests } } = await documentOf(sampleRun());
  const failed = tests[2]!;
  match(failed.message!, /^run `order-payment` \(wfrun_2\) is failed, not completed: /);
  match(failed.trace!, /\n {2}- expected\n {2}\+ actual\n/);
  deepEqual([failed.filePath, failed.line, failed.snippet], [
    ...["recipes/2.yaml", 12, "  - wait: order"],
  ]);
  deepEqual(
    failed.stderr,
    [
      "warning: event `payment-received` (evt_1) was not consumed by this recipe's runs",
    ].map((text) => text.replace("warning: ", "")),
  );
  deepEqual(
    failed.steps!.map(({ name, status, extra }) => [name.slice(0, 12), status, extra!.soft]),
    [
      ["wait for <sc", "failed", undefined],
      ["assert stats", "failed", true],
    ],
  );
});

test("a passed case has no message, and its tags, matrix and steps", async () => {
  const { results: { tests } } = await documentOf(sampleRun());
  const [order, flaky] = tests;
  equal("message" in order!, false);
  deepEqual(order!.tags, ["smoke", "orders"]);
  deepEqual(order!.steps!.map(({ status }) => status), ["passed", "passed", "skipped"]);
  deepEqual(flaky!.parameters, { region: "eu" });
  deepEqual([isTestFlaky(order!), isTestFlaky(flaky!)], [false, true]);
});

test("fractions of a millisecond are rounded, and a case without a name has that of its file", async () => {
  const [first, ...rest] = manyCases(1);
  const run = [first!, ...rest].map((event): RecipeEvent =>
    "name" in event
      ? {
        ...event,
        name: "",
        ...(event.type === "case.finished" ? { duration_ms: 1.6, ts: at(2) } : {}),
      }
      : event
  );
  const { results: { tests } } = await documentOf(run);
  deepEqual([tests[0]!.name, tests[0]!.duration], ["recipes/0.yaml", 2]);
});

test("a name has visible characters for invisible ones", async () => {
  const { results: { tests } } = await documentOf(sampleRun());
  match(tests[2]!.name, /<script>alert\(1\)<\/script>/);
  equal(tests[2]!.name.includes("\u0000"), false);
});
