import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunSummary } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { at, HOSTILE, manyCases, sampleRun } from "./_events.ts";
import { reporterContext, reportOf } from "./_report.ts";

async function summaryOf(events: Parameters<typeof reportOf>[1]): Promise<RunSummary> {
  return JSON.parse(await reportOf("json", events));
}

test("jsonl writes the events as they are", async () => {
  const lines = (await reportOf("jsonl", sampleRun())).trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => JSON.parse(line)), sampleRun());
});

test("jsonl writes each event at once", async () => {
  const written: string[] = [];
  const { openReporter } = await REPORTERS.jsonl!.load();
  const reporter = await openReporter(reporterContext((text) => void written.push(text)));
  for (const [i, event] of sampleRun().entries()) {
    reporter.report(event);
    assert.deepEqual(JSON.parse(written[i]!), event);
  }
});

test("json writes the cases with their steps, attempts, logs, warnings and states", async () => {
  const run = await summaryOf(sampleRun());
  assert.equal(run.exit_code, 1);
  assert.equal(run.interrupted, false);
  assert.deepEqual(run.cases.map(({ case: index, status }) => [index, status]), [
    [0, "passed"],
    [1, "passed"],
    [2, "failed"],
    [3, "errored"],
    [4, "unchecked"],
    [5, "passed"],
    [6, "skipped"],
  ]);
  const [order, flaky, failed] = run.cases;
  assert.deepEqual(order!.tags, ["smoke", "orders"]);
  assert.deepEqual(order!.logs, [{ at: at(400), step: "2", text: "half way" }]);
  assert.deepEqual(order!.steps.map(({ step, status }) => `${step} ${status}`), [
    "1 passed",
    "2 passed",
    "3 skipped",
  ]);
  assert.equal(order!.steps[1]!.observed!.timeline.length, 3);
  assert.equal(order!.steps[1]!.started_at, at(205));
  assert.deepEqual(flaky!.matrix, { region: "eu" });
  assert.deepEqual(flaky!.steps[0]!.retries.map(({ attempt, at }) => [attempt, at]), [
    [1, at(1100)],
  ]);
  assert.ok(failed!.name.includes(HOSTILE));
  assert.equal(failed!.failure!.code, "step_failed");
  assert.equal(failed!.warnings.length, 1);
  assert.equal(run.cases[6]!.reason, "bail");
});

test("marks an interrupted run", async () => {
  const run = await summaryOf(sampleRun({ interrupted: true }));
  assert.equal(run.interrupted, true);
  assert.equal(run.exit_code, 130);
  assert.equal(run.cases[5]!.status, "interrupted");
  assert.equal(run.cases[6]!.reason, "interrupted");
});

test("marks the run as interrupted wherever the events stop", async () => {
  const events = sampleRun();
  for (let count = 0; count < events.length; count++) {
    const run = await summaryOf(events.slice(0, count));
    assert.equal(run.interrupted, true);
    assert.equal(run.exit_code, undefined);
    const started = events.slice(0, count).filter(({ type }) => type === "case.started").length;
    const ended = events.slice(0, count).filter(({ type }) => type === "case.finished").length;
    const open = run.cases.filter(({ status }) => status === "interrupted");
    assert.equal(open.length, started - ended, `after ${count} events`);
    for (const { failure } of open) assert.equal(failure!.kind, "interrupted");
    const { passed, failed, errored, unchecked, interrupted, skipped } = run.counts;
    const sum = passed + failed + errored + unchecked + interrupted + skipped;
    assert.equal(sum, count === 0 ? 0 : 7);
  }
});

test("ends an unfinished step at the last event", async () => {
  const events = sampleRun();
  const cut = events.findIndex(({ type }) => type === "log") + 1;
  const { cases: [one] } = await summaryOf(events.slice(0, cut));
  const step = one!.steps.at(-1)!;
  assert.equal(step.status, "interrupted");
  assert.equal(step.duration_ms, 195);
  assert.deepEqual(step.failure!.place, step.place);
});

test("keeps the inner steps of each attempt of an outer step", async () => {
  const [runStarted, caseStarted, stepStarted, stepFinished] = sampleRun();
  const { cases: [one] } = await summaryOf([
    ...[runStarted!, caseStarted!],
    ...[stepStarted!, stepFinished!],
    ...[stepStarted!, stepFinished!],
  ]);
  assert.equal(one!.steps.length, 2);
});

test("writes ten thousand cases", async () => {
  const run = await summaryOf(manyCases(10_000));
  assert.equal(run.cases.length, 10_000);
  assert.equal(run.counts.failed, 1_000);
});
