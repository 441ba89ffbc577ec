import assert from "node:assert/strict";
import { test } from "node:test";
import { type FinalResults, Parser, type Result } from "tap-parser";
import type { RunEvent } from "../../runner/mod.ts";
import { HOSTILE, manyCases, sampleRun } from "./_events.ts";
import { reportOf } from "./_report.ts";

/** What a parser of TAP 14 makes of a report. */
interface Read {
  version: number | undefined;
  results: FinalResults;
  points: Result[];
  /** The test points of each subtest, by its name. */
  children: Map<string, Result[]>;
  /** Lines that are no TAP. */
  extra: string[];
}

function read(tap: string): Read {
  const out: Read = {
    version: undefined,
    results: undefined as unknown as FinalResults,
    points: [],
    children: new Map(),
    extra: [],
  };
  // Strict: what is no TAP is a failure.
  const parser = new Parser({ strict: true }, (results) => void (out.results = results));
  parser.on("version", (version) => void (out.version = version));
  parser.on("assert", (point) => void out.points.push(point));
  parser.on("extra", (text) => void out.extra.push(text));
  parser.on("child", (child: Parser) => {
    const points: Result[] = [];
    out.children.set(child.name, points);
    child.on("assert", (point) => void points.push(point));
    child.on("extra", (text) => void out.extra.push(text));
  });
  parser.end(tap);
  return out;
}

/** What the parser makes of a run. */
function readRun(events: Iterable<RunEvent>): Promise<Read> {
  return reportOf("tap", events).then(read);
}

test("a run is TAP 14: a point for each case, its steps as a subtest", async () => {
  const tap = await reportOf("tap", sampleRun());
  assert.ok(tap.startsWith("TAP version 14\n1..7\n"));
  const { version, results, points, children, extra } = read(tap);
  assert.equal(version, 14);
  assert.deepEqual(extra, []);
  assert.equal(results.ok, false);
  assert.equal(results.plan.end, 7);
  assert.equal(results.bailout, false);
  assert.deepEqual(points.map(({ id, ok, skip }) => [id, ok, skip]), [
    [1, true, false],
    [2, true, false],
    [3, false, false],
    [4, false, false],
    [5, false, false],
    [6, true, false],
    [7, true, "not started: another case did not pass"],
  ]);
  assert.equal(points[4]!.diag.message, "nothing was asserted or waited for");
  assert.deepEqual(
    children.get("Order smoke")!.map(({ name, ok, skip }) => [name, ok, skip]),
    [
      ["start order-payment", true, false],
      ["wait for order", true, false],
      ["always: cancel email", true, "`email` did not run"],
    ],
  );
});

test("a failure is told in full beside its point", async () => {
  const { points } = await readRun(sampleRun());
  const { diag, time } = points[2]!;
  assert.equal(diag.kind, "wait");
  assert.equal(diag.code, "step_failed");
  assert.deepEqual(diag.at, { file: "recipes/2.yaml", line: 12, column: 5 });
  assert.equal(diag.source, "  - wait: order");
  assert.equal(diag.lines.length, 4);
  assert.equal(time, 410);
});

test("what may fail is TODO, and fails nothing", async () => {
  const { children } = await readRun(sampleRun());
  const [waited, soft] = [...children.values()][2]!;
  assert.equal(waited!.todo, false);
  assert.equal(soft!.ok, false);
  assert.equal(soft!.todo, "may fail");
  const softOnly = sampleRun().filter((event) =>
    !("case" in event) || event.case === 2 && !("step" in event && event.step === "2")
  ).map((event): RunEvent => {
    if (event.type === "run.started") return { ...event, cases: 1 };
    if (event.type !== "case.finished") return event;
    const { failure: _, ...rest } = event;
    return { ...rest, status: "passed" };
  });
  const { results } = await readRun(softOnly);
  assert.equal(results.ok, true, JSON.stringify(results));
});

test("a flaky case tells what failed first", async () => {
  const { points, children } = await readRun(sampleRun());
  assert.equal(points[1]!.diag.flaky, true);
  assert.deepEqual(children.get("Flaky [region=eu]")![0]!.diag.retried, [
    'attempt 1: `email.state == "completed"` is false',
  ]);
});

test("hostile names and messages stay text", async () => {
  const tap = await reportOf("tap", sampleRun());
  const { points, extra } = read(tap);
  const seen = HOSTILE.replace("\u0000\u0008\u001b", "␀␈␛")
    .replace("\ud800", "\\u{d800}").replace("\uffff", "\\u{ffff}");
  assert.equal(points[2]!.fullname, `Payment ${seen}`);
  assert.ok(points[2]!.diag.message.endsWith(seen));
  assert.deepEqual(extra, []);
});

test("no name becomes a directive, a subtest, a plan or the end of a block", async () => {
  for (
    const name of [
      ...[
        "a # SKIP x",
        "a # TODO",
        "a #skip",
        "a \\# b",
        "a\\",
        "1..0",
        "ok 1",
        "a {",
        "{",
        "#",
        "",
      ],
      ...["a\nnot ok 9 - b", "a\n  ...\nBail out!", "  ---", "a\rBail out! b", " Bail out!", "- a"],
    ]
  ) {
    const events = sampleRun().map((event): RunEvent =>
      "name" in event && event.case === 0
        ? { ...event, name }
        : "label" in event && event.case === 0
        ? { ...event, label: name, place: { ...event.place, text: name } }
        : event
    );
    const { results, points, children, extra } = await readRun(events);
    assert.deepEqual(extra, [], JSON.stringify(name));
    assert.equal(results.count, 7, JSON.stringify(name));
    assert.equal(results.bailout, false);
    assert.equal(results.fail, 3, JSON.stringify(name));
    assert.deepEqual([points[0]!.skip, points[0]!.todo], [false, false], JSON.stringify(name));
    assert.equal([...children.values()][0]!.length, 3, JSON.stringify(name));
    const plain = name.replaceAll("\n", " ⏎ ").replaceAll("\r", "␍").replace(/ +/g, " ").trim();
    const got = points[0]!.name.replace("\u200b", "").replace(/ +/g, " ").trim();
    assert.equal(got, plain, JSON.stringify(name));
  }
});

test("an interrupted run bails out", async () => {
  const { results, points } = await readRun(sampleRun({ interrupted: true }));
  assert.equal(results.ok, false);
  assert.equal(results.bailout, "The run was interrupted");
  assert.equal(points.length, 7);
  assert.equal(points[5]!.diag.status, "interrupted");
});

test("events that stop leave valid TAP that bails out, wherever they stop", async () => {
  const events = sampleRun();
  for (let count = 0; count < events.length; count++) {
    const { version, results, extra } = await readRun(events.slice(0, count));
    assert.equal(version, 14);
    assert.equal(results.bailout, "The run was interrupted", `after ${count} events`);
    assert.deepEqual(extra, [], `after ${count} events`);
    assert.deepEqual(results.failures.filter(({ tapError }) => tapError), []);
  }
});

test("points come when their case ends", async () => {
  const events = sampleRun();
  const cut = events.findIndex(({ type }) => type === "case.finished") + 1;
  const { points } = await readRun(events.slice(0, cut));
  assert.equal(points[0]!.name, "Order smoke");
});

test("ten thousand cases can be read", async () => {
  const { results } = await readRun(manyCases(10_000));
  assert.equal(results.count, 10_000);
  assert.equal(results.fail, 1_000);
});
