import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { StepMore } from "../../runner/report/html/report_data.ts";
import type { ReportStep } from "../../runner/report/html/page/decode.ts";
import { makeTicks } from "../../runner/report/html/page/ticks.ts";
import {
  axisOf,
  layoutTimeline,
  MIN_BAR_WIDTH,
} from "../../runner/report/html/page/timeline_layout.ts";

const CHARACTER = 6;
const measure = (text: string) => text.length * CHARACTER;

function step(startedAt: number, endedAt: number, more: StepMore = {}): ReportStep {
  return {
    position: 0,
    number: "1",
    always: false,
    kind: "wait",
    label: "wait for order",
    id: "",
    file: "r.yaml",
    line: 1,
    column: 1,
    length: 1,
    text: "",
    status: "passed",
    startedAt,
    endedAt,
    duration: endedAt - startedAt,
    depth: 0,
    isGroup: false,
    more,
  };
}

/** Lays out one step, by default on an axis of 1,000 ms that is 1,000 pixels wide. */
function rowOf(one: ReportStep, axis = { from: 0, to: 1000, width: 1000 }) {
  return layoutTimeline([one], axis, measure).rows[0]!;
}

test("makes bars as long as their steps, wherever the axis starts", () => {
  const rows = layoutTimeline(
    [step(5000, 5500), step(5500, 7000)],
    { from: 5000, to: 7000, width: 400 },
    measure,
  ).rows;
  deepEqual(rows.map(({ bars: [bar] }) => [bar!.x, bar!.width]), [[0, 100], [100, 300]]);
});

test("gives the shortest bar a minimum width, within the axis", () => {
  const [start] = rowOf(step(0, 0)).bars;
  const [end] = rowOf(step(1000, 1000)).bars;
  deepEqual([start!.x, start!.width], [0, MIN_BAR_WIDTH]);
  deepEqual([end!.x, end!.width], [1000 - MIN_BAR_WIDTH, MIN_BAR_WIDTH]);
});

test("gives a skipped step no bar", () => {
  deepEqual(rowOf({ ...step(10, 10), status: "skipped" }).bars, []);
});

test("makes a bar for each attempt and each pause between attempts", () => {
  const attempts = [{ startedAt: 0, endedAt: 100 }, { startedAt: 300, endedAt: 400 }];
  const { bars } = rowOf(step(0, 400, { attempts }));
  deepEqual(bars.map(({ part, status, x, width }) => [part, status, x, width]), [
    ["attempt", "failed", 0, 100],
    ["pause", undefined, 100, 200],
    ["attempt", "passed", 300, 100],
  ]);
});

test("makes each state last until the next one, and the last one until the end of the wait", () => {
  const { bars, caption } = rowOf(
    step(100, 900, { states: [["pending", 100], ["running", 300], ["completed", 900]] }),
  );
  deepEqual(
    bars.filter(({ part }) => part === "state").map((
      { name, x, width, nameFits },
    ) => [name, x, width, nameFits]),
    [["pending", 100, 200, true], ["running", 300, 600, true], [
      "completed",
      900,
      MIN_BAR_WIDTH,
      false,
    ]],
  );
  equal(caption?.text, "completed");
  equal(caption!.x > 900, true);
});

test("moves states that were seen outside of the step into it", () => {
  const { bars } = rowOf(step(100, 200, { states: [["running", 50], ["completed", 250]] }));
  deepEqual(bars.map(({ from, to }) => [from, to]), [[100, 200], [100, 200], [200, 200]]);
});

test("puts a name that does not fit after the bar, into a wider bar, or before the bar", () => {
  const states: StepMore["states"] = [["running", 0], ["completed", 1000]];
  const wide = rowOf(step(0, 1000, { states })).caption!;
  deepEqual([wide.text, wide.inside], ["completed", true]);
  const late = rowOf(step(990, 1000, { states: [["running", 990], ["completed", 999]] })).caption!;
  deepEqual([late.text, late.inside], ["running → completed", false]);
  ok(late.x + measure(late.text) < 990);
});

test("places checkpoints at the server's time if it is within the wait, else when they were seen", () => {
  const { marks } = rowOf(step(100, 900, {
    checkpoints: [["a", 300, 290], ["b", 500, 50], ["c", 600, 901], ["d", 700, null], [
      "e",
      950,
      null,
    ]],
  }));
  deepEqual(marks.map(({ name, at, exact, x }) => [name, at, exact, x]), [
    ["a", 290, true, 290],
    ["b", 500, false, 500],
    ["c", 600, false, 600],
    ["d", 700, false, 700],
    ["e", 900, false, 900],
  ]);
});

test("places the labels of checkpoints within the axis and without overlap", () => {
  const checkpoints = Array.from(
    { length: 60 },
    (_, i): [string, number, number] => [`checkpoint ${i}`, i * i / 3.6, i * i / 3.6],
  );
  const { marks, markLines } = rowOf(step(0, 1000, { checkpoints }));
  equal(marks.length, 60);
  const labels = marks.flatMap(({ name, x, label }) => label ? [{ ...label, at: x, name }] : []);
  ok(labels.length > 8, String(labels.length));
  equal(markLines, 4);
  for (const [i, one] of labels.entries()) {
    ok(one.x >= 0 && one.x + measure(one.name) <= 1000, one.name);
    for (const other of labels.slice(i + 1)) {
      if (other.line !== one.line) continue;
      const end = Math.max(one.x + measure(one.name), one.at);
      ok(end <= Math.min(other.x, other.at), `${one.name} and ${other.name}`);
    }
  }
});

test("makes the axis cover the case and all of its steps", () => {
  deepEqual(axisOf([step(10, 50), step(40, 120)], { startedAt: 20, endedAt: 100 }), {
    from: 10,
    to: 120,
  });
  deepEqual(axisOf([], { startedAt: 7, endedAt: 7 }), { from: 7, to: 8 });
});

test("makes ticks at round times, as many as fit", () => {
  const labels = (length: number, most: number) =>
    makeTicks(length, most).map(({ label }) => label);
  deepEqual(labels(910, 5), ["0", "200 ms", "400 ms", "600 ms", "800 ms"]);
  deepEqual(labels(5100, 6), ["0", "1 s", "2 s", "3 s", "4 s", "5 s"]);
  deepEqual(labels(150_000, 6), ["0", "30 s", "1 m", "1 m 30 s", "2 m", "2 m 30 s"]);
  deepEqual(labels(3 * 3_600_000, 4), ["0", "1 h", "2 h", "3 h"]);
  deepEqual(labels(1, 4), ["0", "1 ms"]);
  for (const length of [1, 17, 999, 60_001, 1e7, 1e9, 1e12]) {
    ok(makeTicks(length, 8).length <= 9, String(length));
  }
});

test("lays out a run of a week", () => {
  const week = 7 * 24 * 3_600_000;
  const { ticks, rows } = layoutTimeline(
    [step(0, 5), step(5, week)],
    { from: 0, to: week, width: 600 },
    measure,
  );
  equal(rows[0]!.bars[0]!.width, MIN_BAR_WIDTH);
  ok(ticks.length >= 3 && ticks.length <= 8, String(ticks.length));
});
