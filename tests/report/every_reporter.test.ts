// What every reporter must do, whatever its format.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { at, HOSTILE, retriedRun, sampleRun } from "./_events.ts";
import { READERS } from "./_readers.ts";
import { reportOf } from "./_report.ts";

/** Names with the syntax of many formats. GitHub shows ten failures at most. */
const NAMES = [
  'a,b;c "d"',
  "it's 100% %0A %2C",
  "two\nlines",
  "<b>&amp;</b> ]]> <!--",
  "| a \\| b | \\",
  "`code` ```",
  "::error::x",
  "# TODO x",
  "- a: {b} ...",
];

/** A run in which one case after the other fails. */
function failedCases(names: readonly string[]): RecipeEvent[] {
  const times = { ts: at(0), duration_ms: 10 };
  const counts = { passed: 0, failed: names.length, errored: 0, unchecked: 0, interrupted: 0 };
  const failure = {
    kind: "assertion" as const,
    message: "`1 == 2` is false",
    lines: [],
    step: "1",
  };
  return [
    { type: "run.started", ts: at(0), version: 1, cases: names.length, server: "embedded" },
    ...names.flatMap((name, index): RecipeEvent[] => {
      const shared = { case: index, name, file: "r.yaml" };
      const place = { file: "r.yaml", line: 2, column: 5, text: "  - assert: 1 == 2", length: 6 };
      const step = { case: index, step: "1", phase: "steps" as const, kind: "assert", place };
      const label = "assert 1 == 2";
      const end = { status: "failed" as const, failure };
      return [
        { type: "case.started", ts: at(0), ...shared, tags: [], vars: {} },
        { type: "step.started", ts: at(0), ...step, label, attempt: 1 },
        { type: "step.finished", ...times, ...step, label, ...end, attempts: 1, soft: false },
        { type: "case.finished", ...times, ...shared, ...end, flaky: false },
      ];
    }),
    {
      type: "run.finished",
      ...times,
      exit_code: 1,
      interrupted: false,
      counts: { ...counts, skipped: 0, flaky: 0, warnings: 0 },
    },
  ];
}

/** A name without what reports may change: white space, and a space that breaks up a CI command. */
function visible(name: string): string {
  return name.replace(/[\s⏎�]+/g, " ").replace(/: :/g, "::").trim();
}

for (const [reporter, read] of Object.entries(READERS)) {
  const namesIn = async (events: readonly RecipeEvent[]) =>
    read(await reportOf(reporter, events)).map(visible);

  test(`${reporter}: no case name is mistaken for syntax`, async () => {
    deepEqual(await namesIn(failedCases(NAMES)), NAMES.map(visible));
  });

  test(`${reporter}: the report is complete wherever the events stop`, async () => {
    const events = failedCases(["one", "two", "three"]);
    for (let count = 1; count < events.length; count++) {
      const names = await namesIn(events.slice(0, count));
      const ended = ["one", "two", "three"].slice(0, Math.floor((count - 1) / 4));
      deepEqual(ended.filter((name) => !names.includes(name)), [], `after ${count} events`);
    }
  });

  test(`${reporter}: a case that is run anew is one case, wherever the events stop`, async () => {
    const events = retriedRun();
    for (let count = 2; count <= events.length; count++) {
      const report = await reportOf(reporter, events.slice(0, count));
      const names = reporter === "console" || reporter === "github" ? [] : read(report);
      equal(names.length <= 1, true, `after ${count} events: ${names}`);
    }
  });

  test(`${reporter}: control characters of a text do not reach the report`, async () => {
    const run = sampleRun().map((event): RecipeEvent =>
      "text" in event ? { ...event, text: HOSTILE } : event
    );
    const report = await reportOf(reporter, run);
    // deno-lint-ignore no-control-regex -- The pattern is about control characters.
    deepEqual(report.match(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g), null);
  });
}

test("every reporter that writes text has a reader", () => {
  const withText = Object.keys(REPORTERS).filter((name) => REPORTERS[name]!.writes !== "network");
  deepEqual(Object.keys(READERS).toSorted(), withText.toSorted());
  equal(REPORTERS.otel!.writes, "network");
});
