import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { ReportStatus } from "../../runner/report/html/report_data.ts";
import type { ReportCase } from "../../runner/report/html/page/decode.ts";
import { collapse, excerpt, lineKind } from "../../runner/report/html/page/shorten.ts";
import { filterCases } from "../../runner/report/html/page/filter.ts";
import { caseAt, layoutLanes, stackLanes } from "../../runner/report/html/page/lanes.ts";
import { readHash, type ViewState, writeHash } from "../../runner/report/html/page/state.ts";
import { escapeInvisible } from "../../runner/report/safe_text.ts";
import { durationText } from "../../runner/report/html/labels.ts";

function makeCase(position: number, more: Partial<ReportCase> = {}): ReportCase {
  const name = more.name ?? `Case ${position}`;
  return {
    position,
    number: position,
    name,
    file: "r.yaml",
    status: "passed",
    startedAt: position * 10,
    endedAt: position * 10 + 10,
    duration: 10,
    flaky: false,
    slow: false,
    notStarted: false,
    unfinished: false,
    quarantined: false,
    tags: [],
    searched: name.toLowerCase(),
    ...more,
  };
}

const NOTHING: ViewState = { query: "", filters: [], sort: "run", open: undefined };

test("writes a view to the address and reads it back", () => {
  const state: ViewState = {
    query: "a&b=c #名前 %",
    filters: ["failed", "flaky"],
    sort: "slow",
    open: 12,
  };
  deepEqual(readHash(writeHash(state)), state);
  equal(writeHash(NOTHING), "");
  deepEqual(readHash(""), NOTHING);
  deepEqual(readHash("#q=\ud800").query, "\ufffd");
  equal(writeHash({ ...NOTHING, query: "\ud800" }), "#q=%EF%BF%BD");
});

test("ignores invalid parts of an address", () => {
  deepEqual(readHash("#status=great,failed&case=-1&sort=up&constructor=1"), {
    ...NOTHING,
    filters: ["failed"],
  });
  equal(readHash("#case=1e3").open, undefined);
});

test("finds cases that contain all words of the search, in upper or lower case", () => {
  const cases = [
    makeCase(0, { searched: "order smoke\nrecipes/a.yaml" }),
    makeCase(1),
    makeCase(2),
  ];
  const found = (query: string) =>
    filterCases(cases, { ...NOTHING, query }).shown.map((c) => c.number);
  deepEqual(found(" SMOKE  a.yaml "), [0]);
  deepEqual(found("case"), [1, 2]);
  deepEqual(found("smoke case"), []);
});

test('combines filters with "or", and counts within the matches of the search', () => {
  const cases = [
    makeCase(0, { status: "failed" }),
    makeCase(1, { flaky: true, duration: 30 }),
    makeCase(2, { slow: true, duration: 99 }),
    makeCase(3, { name: "Other", status: "failed" }),
  ];
  const { shown, counts, found } = filterCases(cases, {
    query: "case",
    filters: ["failed", "flaky"],
    sort: "slow",
  });
  deepEqual(shown.map(({ number }) => number), [1, 0]);
  deepEqual([found, counts.failed, counts.passed, counts.flaky, counts.slow], [3, 1, 2, 1, 1]);
});

test("puts overlapping cases into separate lanes, up to a maximum", () => {
  const cases = [
    makeCase(0, { startedAt: 0, endedAt: 100 }),
    makeCase(1, { startedAt: 10, endedAt: 50 }),
    makeCase(2, { startedAt: 50, endedAt: 90 }),
    makeCase(3, { startedAt: 100, endedAt: 110 }),
    makeCase(4, { notStarted: true }),
  ];
  const lanes = layoutLanes(cases);
  deepEqual(lanes.bars.map(({ reportCase, lane }) => [reportCase.number, lane]), [[0, 0], [1, 1], [
    2,
    1,
  ], [
    3,
    0,
  ]]);
  equal(lanes.count, 2);
  equal(layoutLanes(cases, 1).count, 1);
  equal(caseAt(lanes, { time: 60, lane: 1, reach: 0 })?.number, 2);
  equal(caseAt(lanes, { time: 95, lane: 1, reach: 0 }), undefined);
});

test("finds the case with the worst status at a point", () => {
  const cases = ["passed", "failed", "errored"].map((status, i) =>
    makeCase(i, { status: status as ReportStatus })
  );
  equal(caseAt(layoutLanes(cases), { time: 15, lane: 0, reach: 20 })?.status, "failed");
});

test("stacks thousands of cases, with a minimum height for a failure", () => {
  const cases = Array.from(
    { length: 10_000 },
    (_, i) => makeCase(i, { status: i === 5000 ? "failed" : "passed" }),
  );
  const stacks = stackLanes(layoutLanes(cases), { total: 100_000, columns: 300, least: 0.1 });
  const failed = stacks.filter(({ status }) => status === "failed");
  equal(failed.length, 1);
  equal(failed[0]!.column, 150);
  equal(failed[0]!.to, 1);
  ok(failed[0]!.to - failed[0]!.from > 0.08);
  ok(stacks.length <= 301);
  for (const { from, to } of stacks) ok(from >= 0 && to <= 1 && from < to);
});

test("splits a source line by characters, and shortens a long one", () => {
  deepEqual(excerpt("  - wait: order", 5, 4), { before: "  - ", marked: "wait", after: ": order" });
  deepEqual(excerpt("👩a名b", 2, 2), { before: "👩", marked: "a名", after: "b" });
  deepEqual(excerpt("ab", 9, 3), { before: "ab", marked: "", after: "" });
  const long = excerpt("x".repeat(5000), 4000, 300);
  equal(long.before, `…${"x".repeat(40)}`);
  equal(long.before.length + long.marked.length + long.after.length <= 170, true);
});

test("recognises the lines of a difference", () => {
  deepEqual(["- a", "+ a", "-", "-5 is less", "+1", " - a", ""].map(lineKind), [
    "expected",
    "actual",
    "expected",
    "plain",
    "plain",
    "plain",
    "plain",
  ]);
});

test("shows the first items of a long list and the important ones after them", () => {
  const items = [1, 2, 3, 4, 5, -6, 7];
  deepEqual(collapse(items, 2, (n) => n < 0), [{ shown: [1, 2] }, { hidden: 3 }, { shown: [-6] }, {
    hidden: 1,
  }]);
  deepEqual(collapse(items, Infinity, () => false), [{ shown: items }]);
});

test("escapes invisible characters, and keeps combined emoji", () => {
  equal(
    escapeInvisible("a\u0000\u001b[1m\u007f\u0085\ud800\uffff\u202e\u2028b"),
    "a␀␛[1m␡\\u{85}\\u{d800}\\u{ffff}\\u{202e}\\u{2028}b",
  );
  const kept = "tab\tline\n名前 👩‍👩‍👧 é \ufffd";
  equal(escapeInvisible(kept), kept);
});

test("formats durations from milliseconds to hours", () => {
  deepEqual([0, 999, 1200, 61_000, 3_600_000, 7_860_000].map(durationText), [
    "0 ms",
    "999 ms",
    "1.20 s",
    "1 m 1 s",
    "1 h",
    "2 h 11 m",
  ]);
});
