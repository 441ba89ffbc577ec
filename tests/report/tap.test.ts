import assert from "node:assert/strict";
import { test } from "node:test";
import { type FinalResults, Parser, type Result } from "tap-parser";
import type { RecipeEvent } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { HOSTILE, manyCases, sampleRun } from "./_events.ts";
import { reporterContext, reportOf } from "./_report.ts";

/** The result of parsing a report as TAP 14. */
interface Parsed {
  version: number | undefined;
  results: FinalResults;
  points: Result[];
  /** The test points of each subtest, by its name. */
  children: Map<string, Result[]>;
  /** Lines that are not TAP. */
  extra: string[];
}

function parse(tap: string): Parsed {
  const out: Parsed = {
    version: undefined,
    results: undefined as unknown as FinalResults,
    points: [],
    children: new Map(),
    extra: [],
  };
  // In strict mode a line that is not TAP is a failure.
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

/** Reports a run and parses the report. */
function parseRun(events: Iterable<RecipeEvent>): Promise<Parsed> {
  return reportOf("tap", events).then(parse);
}

test("writes a test point for each case, with its steps as a subtest", async () => {
  const tap = await reportOf("tap", sampleRun());
  assert.ok(tap.startsWith("TAP version 14\n1..7\n"));
  const { version, results, points, children, extra } = parse(tap);
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

test("writes a failure in full below its test point", async () => {
  const { points } = await parseRun(sampleRun());
  const { diag, time } = points[2]!;
  assert.equal(diag.kind, "wait");
  assert.equal(diag.code, "step_failed");
  assert.deepEqual(diag.at, { file: "recipes/2.yaml", line: 12, column: 5 });
  assert.equal(diag.source, "  - wait: order");
  assert.equal(diag.lines.length, 4);
  assert.equal(time, 410);
});

test("marks a soft failure as TODO, so that it does not fail the report", async () => {
  const { children } = await parseRun(sampleRun());
  const [waited, soft] = [...children.values()][2]!;
  assert.equal(waited!.todo, false);
  assert.equal(soft!.ok, false);
  assert.equal(soft!.todo, "may fail");
  const softOnly = sampleRun().filter((event) =>
    !("case" in event) || event.case === 2 && !("step" in event && event.step === "2")
  ).map((event): RecipeEvent => {
    if (event.type === "run.started") return { ...event, cases: 1 };
    if (event.type !== "case.finished") return event;
    const { failure: _, ...rest } = event;
    return { ...rest, status: "passed" };
  });
  const { results } = await parseRun(softOnly);
  assert.equal(results.ok, true, JSON.stringify(results));
});

test("writes the failed attempts of a flaky case", async () => {
  const { points, children } = await parseRun(sampleRun());
  assert.equal(points[1]!.diag.flaky, true);
  assert.deepEqual(children.get("Flaky [region=eu]")![0]!.diag.retried, [
    'attempt 1: `email.state == "completed"` is false',
  ]);
});

test("escapes hostile names and messages", async () => {
  const tap = await reportOf("tap", sampleRun());
  const { points, extra } = parse(tap);
  const seen = HOSTILE.replace("\u0000\u0008\u001b", "␀␈␛")
    .replace("\ud800", "\\u{d800}").replace("\uffff", "\\u{ffff}");
  assert.equal(points[2]!.fullname, `Payment ${seen}`);
  assert.ok(points[2]!.diag.message.endsWith(seen));
  assert.deepEqual(extra, []);
});

test("escapes names that look like directives, subtests, plans or the end of a block", async () => {
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
    const events = sampleRun().map((event): RecipeEvent =>
      "name" in event && event.case === 0
        ? { ...event, name }
        : "label" in event && event.case === 0
        ? { ...event, label: name, place: { ...event.place, text: name } }
        : event
    );
    const { results, points, children, extra } = await parseRun(events);
    assert.deepEqual(extra, [], JSON.stringify(name));
    assert.equal(results.count, 7, JSON.stringify(name));
    assert.equal(results.bailout, false);
    assert.equal(results.fail, 3, JSON.stringify(name));
    assert.deepEqual([points[0]!.skip, points[0]!.todo], [false, false], JSON.stringify(name));
    assert.equal([...children.values()][0]!.length, 3, JSON.stringify(name));
    const plain = name.replaceAll("\n", " ⏎ ").replaceAll("\r", "␍").replace(/ +/g, " ").trim();
    const got = points[0]!.name.replace("❴", "{").replace(/ +/g, " ").trim();
    assert.equal(got, plain, JSON.stringify(name));
  }
});

test("bails out of an interrupted run", async () => {
  const { results, points } = await parseRun(sampleRun({ interrupted: true }));
  assert.equal(results.ok, false);
  assert.equal(results.bailout, "The run was interrupted");
  assert.equal(points.length, 7);
  assert.equal(points[5]!.diag.status, "interrupted");
});

test("writes valid TAP that bails out wherever the events stop", async () => {
  const events = sampleRun();
  for (let count = 0; count < events.length; count++) {
    const { version, results, extra } = await parseRun(events.slice(0, count));
    assert.equal(version, 14);
    assert.equal(results.bailout, "The run was interrupted", `after ${count} events`);
    assert.deepEqual(extra, [], `after ${count} events`);
    assert.deepEqual(results.failures.filter(({ tapError }) => tapError), []);
  }
});

test("writes a test point when its case ends", async () => {
  let text = "";
  const { openReporter } = await REPORTERS.tap!.load();
  const reporter = await openReporter(reporterContext((piece) => text += piece));
  for (const event of sampleRun()) {
    const before = text;
    reporter.report(event);
    const wrote = text.slice(before.length);
    if (event.type === "case.finished" || event.type === "case.skipped") {
      assert.match(wrote, new RegExp(`^(not )?ok ${event.case + 1} - `, "m"));
    } else if (event.type !== "run.started") assert.equal(wrote, "");
  }
});

test("writes three thousand cases", async () => {
  const { results } = await parseRun(manyCases(3_000));
  assert.equal(results.count, 3_000);
  assert.equal(results.fail, 300);
});
