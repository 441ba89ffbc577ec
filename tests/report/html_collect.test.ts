import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { decodeCases, decodeSteps } from "../../runner/report/html/page/decode.ts";
import { at, sampleRun } from "./_events.ts";
import { dataOf, htmlOf } from "./_html.ts";

/** Makes a report and decodes its data like the page. */
function pageOf(events: Iterable<RecipeEvent>) {
  const { run, cases } = dataOf(htmlOf(events));
  return {
    run,
    cases: decodeCases(run),
    details: cases,
    steps: (position: number) => decodeSteps(cases[position]!, run),
  };
}

const place = { file: "r.yaml", line: 1, column: 3, text: "- wait: a", length: 4 };

function stepEvents(step: string, from: number, to: number, attempt = 1): RecipeEvent[] {
  const about = {
    case: 0,
    step,
    phase: "steps",
    kind: "get",
    label: `get ${step}`,
    place,
  } as const;
  return [
    { type: "step.started", ts: at(from), ...about, attempt },
    {
      type: "step.finished",
      ts: at(to),
      ...about,
      status: "passed",
      duration_ms: to - from,
      attempts: attempt,
      soft: false,
    },
  ];
}

function runOf(...events: RecipeEvent[]): RecipeEvent[] {
  const name = { name: "One", file: "r.yaml" };
  return [
    { type: "run.started", ts: at(0), version: 1, cases: 1, server: "embedded" },
    { type: "case.started", ts: at(0), case: 0, ...name, tags: [], vars: {} },
    ...events,
    {
      type: "case.finished",
      ts: at(900),
      case: 0,
      ...name,
      status: "passed",
      flaky: false,
      duration_ms: 900,
    },
  ];
}

test("decodes the fields of each case in the list", () => {
  const { cases } = pageOf(sampleRun());
  deepEqual(
    cases.map((
      { number, status, flaky, notStarted, duration },
    ) => [number, status, flaky, notStarted, duration]),
    [
      [0, "passed", false, false, 910],
      [1, "passed", true, false, 400],
      [2, "failed", false, false, 410],
      [3, "errored", false, false, 20],
      [4, "unchecked", false, false, 10],
      [5, "passed", false, false, 100],
      [6, "skipped", false, true, 0],
    ],
  );
  deepEqual(cases[0]!.tags, ["smoke", "orders"]);
});

test("keeps the steps in the order they started, with their times", () => {
  const { steps } = pageOf(sampleRun());
  deepEqual(
    steps(0).map((
      { number, always, status, startedAt, endedAt },
    ) => [number, always, status, startedAt, endedAt]),
    [
      ["1", false, "passed", 1, 200],
      ["2", false, "passed", 205, 900],
      ["3", true, "skipped", 900, 900],
    ],
  );
  const { states, checkpoints, logs, entity } = steps(0)[1]!.more;
  deepEqual(states, [["running", 210], ["completed", 900]]);
  deepEqual(checkpoints, [["reserve", 300, 290], ["wait:payment-received", 650, 640], [
    "ship",
    880,
    870,
  ]]);
  deepEqual(logs, [[400, "half way"]]);
  equal(entity?.id, "wfrun_1");
});

test("keeps the times and failures of attempts", () => {
  const [step] = pageOf(sampleRun()).steps(1);
  deepEqual(
    step!.more.attempts!.map((
      { startedAt, endedAt, failure },
    ) => [startedAt, endedAt, failure?.message]),
    [[1001, 1100, '`email.state == "completed"` is false'], [1300, 1400, undefined]],
  );
});

test("refers to the step with the failure of the case, and makes all failures searchable", () => {
  const { details, cases, run } = pageOf(sampleRun());
  equal(details[2]!.failure, 0);
  deepEqual(details[2]!.warnings, [
    "event `payment-received` (evt_1) was not consumed by this recipe's runs",
  ]);
  equal(cases[2]!.searched.includes("`stats.jobs == 3` is false"), true);
  equal(run.cases[2]![9].startsWith("run `order-payment` (wfrun_2) is failed"), true);
});

test("stores the shape of a step once for many cases", () => {
  const events = [0, 1, 2].flatMap((number) =>
    runOf(...stepEvents("1", 1, 2)).slice(1).map((event) =>
      ({ ...event, case: number }) as RecipeEvent
    )
  );
  const { run, steps } = pageOf(events);
  equal(run.shapes.length, 1);
  deepEqual(steps(2)[0]!.label, "get 1");
});

test("keeps the inner steps of each attempt of an outer step", () => {
  const { steps } = pageOf(runOf(...stepEvents("1.1", 10, 20), ...stepEvents("1.1", 30, 50)));
  deepEqual(steps(0).map(({ number, startedAt, depth }) => [number, startedAt, depth]), [
    ["1.1", 10, 1],
    ["1.1", 30, 1],
  ]);
});

test("computes the start of a step without a `step.started` event", () => {
  const [, finished] = stepEvents("1", 10, 60);
  const [step] = pageOf(runOf(finished!)).steps(0);
  deepEqual([step!.startedAt, step!.endedAt, step!.more], [10, 60, {}]);
});

test("keeps the last progress of a step that did not end", () => {
  const [started] = stepEvents("1", 10, 60);
  const progress: RecipeEvent = {
    type: "step.progress",
    ts: at(400),
    case: 0,
    step: "1",
    phase: "steps",
    text: "running, reserve done",
    since: at(300),
  };
  const { steps, cases } = pageOf(runOf(started!, progress).slice(0, -1));
  const [step] = steps(0);
  deepEqual([step!.status, step!.endedAt, step!.more.unfinished], [
    "interrupted",
    400,
    "running, reserve done",
  ]);
  deepEqual([cases[0]!.status, cases[0]!.unfinished], ["interrupted", true]);
});

test("keeps a log line of an unknown step with the case", () => {
  const log: RecipeEvent = {
    type: "log",
    ts: at(5),
    case: 0,
    step: "9",
    phase: "steps",
    text: "hello",
  };
  deepEqual(pageOf(runOf(log)).details[0]!.logs, [[5, "hello"]]);
});

test("keeps the history, and flags a slow case", () => {
  const usual = { runs: 20, failed: 1, flaky: 2, median_ms: 90, slower: true };
  const events = runOf(...stepEvents("1", 1, 2)).map((event): RecipeEvent =>
    event.type === "case.finished" || event.type === "step.finished" ? { ...event, usual } : event
  );
  const { cases, details, steps } = pageOf(events);
  equal(cases[0]!.slow, true);
  deepEqual(details[0]!.usual, usual);
  deepEqual(steps(0)[0]!.more.usual, usual);
});
