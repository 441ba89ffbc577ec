// `quarantine`: recipes that may fail until a day.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { CaseFinished, RecipeEvent, RecipeRunFinished } from "../../runner/mod.ts";
import { parseEnd } from "../../runner/language/time.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { reportOf } from "../report/_report.ts";
import { junitProblems } from "../report/_junit.ts";
import { runnerCli } from "./_cli.ts";
import { runRecipe, withFiles } from "./_recipe.ts";
import { runScript } from "./_script.ts";

const recipe = (until: string, steps = "[{ assert: 1 == 2 }]") =>
  `name: Late\nquarantine: { until: ${until}, reason: SHOP-7 is slow }\nsteps: ${steps}\n`;
const TODAY = Date.parse("2026-12-01T12:00:00Z");
const clock = () => new FakeClock(TODAY);

const end = (events: readonly RecipeEvent[]) => events.at(-1) as RecipeRunFinished;
const finished = (events: readonly RecipeEvent[]) =>
  events.find((event): event is CaseFinished => event.type === "case.finished")!;
const warnings = (events: readonly RecipeEvent[]) =>
  events.flatMap((event) => event.type === "warning" ? event.text : []);

test("a failure in quarantine is reported and fails nothing", async () => {
  const { code, events } = await runRecipe(recipe("2026-12-24"), [], { clock: clock() });
  equal(code, 0);
  const { status, quarantine, failure } = finished(events);
  deepEqual([status, quarantine], [
    ...["failed", { until: "2026-12-24", reason: "SHOP-7 is slow" }],
  ]);
  equal(failure!.message, "`1 == 2` is false");
  const { counts } = end(events);
  deepEqual([counts.failed, counts.passed, counts.quarantined], [0, 0, 1]);
});

test("the last day counts as a whole, in UTC, and then failures count again", async () => {
  const codes: [until: string, code: number][] = [
    ["2026-12-01", 0],
    ["2026-11-30", 1],
    ["2026-12-01T12:00:01Z", 0],
    ["2026-12-01T12:00:00Z", 1],
    ["2026-12-01T13:30:00+01:00", 0],
  ];
  for (const [until, code] of codes) {
    const run = await runRecipe(recipe(until), [], { clock: clock() });
    deepEqual([until, run.code], [until, code]);
    const text = `its quarantine ended (\`until: ${until}\`), so it counts again`;
    deepEqual(warnings(run.events), code === 0 ? [] : [text]);
  }
});

test("reads days and times, and nothing else", () => {
  equal(parseEnd("2026-12-01"), Date.parse("2026-12-02T00:00:00Z"));
  equal(parseEnd("2026-12-01T10:00Z"), Date.parse("2026-12-01T10:00:00Z"));
  const wrong = [
    "",
    "soon",
    "2026-2-1",
    "2026-02-30",
    "2026-13-01",
    "2026-12-01T10:00",
    "12/01/2026",
  ];
  for (const text of wrong) equal(parseEnd(text), undefined, text);
});

test("virtual time does not end a quarantine during the run", async () => {
  const steps = "[{ advance: 30d }, { assert: false }]";
  const files = { "a.yaml": recipe("2026-12-02", steps), "b.yaml": recipe("2026-12-02", steps) };
  await withFiles(files, async (directory) => {
    equal((await runnerCli([directory, "--clock", "virtual"], { clock: clock() })).code, 0);
  });
});

test("a pass in quarantine is a pass, and one that checks nothing is not excused", async () => {
  const passed = await runRecipe(recipe("2027-01-01", "[{ assert: true }]"));
  deepEqual([passed.code, end(passed.events).counts.passed], [0, 1]);
  equal((await runRecipe(recipe("2027-01-01", "[{ stats: {} }]"))).code, 4);
});

test("a quarantine does not excuse that there is no connection", async () => {
  const { code, events } = await runRecipe(recipe("2027-01-01"), ["--url", "ws://127.0.0.1:1/dwp"]);
  deepEqual([code, finished(events).quarantine], [3, undefined]);
});

test("other failures still fail the run, --bail goes on, flaky ones are allowed", async () => {
  const files = {
    "a.yaml": recipe("2027-01-01"),
    "b.yaml": "steps: [{ assert: true }]",
    "c.yaml": "steps: [{ assert: false }]",
  };
  await withFiles(files, async (directory) => {
    const { code, out } = await runnerCli([directory, "--bail"]);
    equal(code, 1);
    match(out, /1 passed, 1 failed, 1 failed in quarantine in/);
  });
  const flaky = "[{ id: n, assert: true }]";
  const { code } = await runRecipe(recipe("2027-01-01", flaky), ["--fail-on-flaky"]);
  equal(code, 0);
});

test("a flaky case in quarantine does not fail a run with --fail-on-flaky", async () => {
  const script = (options: string) =>
    `recipe("Flaky", { ${options} }, (t) => t.assert(++globalThis.flakyRuns > 1))`;
  const args = ["--retries", "1", "--fail-on-flaky"];
  const quarantine = 'quarantine: { until: "2027-01-01", reason: "x" }';
  for (const [options, code] of [[quarantine, 0], ["", 1]] as const) {
    Object.assign(globalThis, { flakyRuns: 0 });
    const run = await runScript(script(options), args);
    deepEqual([run.code, end(run.events).counts.flaky], [code, 1]);
  }
});

test("every report tells the quarantine, and none for machines fails because of it", async () => {
  const { events } = await runRecipe(recipe("2027-01-01"));
  const names = ["console", "ctrf", "github", "html", "json", "junit", "markdown", "tap"];
  for (const name of names) {
    const report = await reportOf(name, events);
    match(report, /2027-01-01/, name);
    match(report, /SHOP-7 is slow/, name);
    match(report, /`1 == 2` is false/, name);
  }
  const junit = await reportOf("junit", events);
  deepEqual(junitProblems(junit), []);
  match(junit, /failures="0" errors="0" skipped="1"/);
  const tap = await reportOf("tap", events);
  match(tap, /^not ok 1 - Late # TODO in quarantine until 2027-01-01/m);
  // A reader fails a build for a subtest that failed, too.
  match(tap, /^ {4}not ok 1 - .* # TODO may fail$/m);
  match(await reportOf("github", events), /^::warning [^\n]*in quarantine/m);
  equal(/^::error/m.test(await reportOf("github", events)), false);
  const { summary, tests } = JSON.parse(await reportOf("ctrf", events)).results;
  deepEqual([summary.failed, summary.other, tests[0].rawStatus], [0, 1, "failed"]);
  match(await reportOf("html", events), /<h1>Passed</);
});

test("wherever the events stop, a failure in quarantine is counted once", async () => {
  const { events } = await runRecipe(recipe("2027-01-01"));
  const { counts } = JSON.parse(await reportOf("json", events.slice(0, -1)));
  deepEqual([counts.failed, counts.quarantined], [0, 1]);
});

test("refuses a quarantine without an end or a reason", async () => {
  const wrong: [string, RegExp][] = [
    ["{ reason: x }", /`until`/],
    ["{ until: 2026-12-01 }", /reason/],
    ["{ until: soon, reason: x }", /`until` must be a day or a time, not `soon`/],
    ["2026-12-01", /`quarantine` must be a map with `until` and `reason`/],
  ];
  for (const [value, message] of wrong) {
    const { code, out, err } = await runRecipe(`quarantine: ${value}\nsteps: [{ assert: true }]\n`);
    equal(code, 2);
    match(out + err, message);
  }
  const options = [
    ['{ until: "soon", reason: "x" }', /`quarantine.until` must be a day or a time/],
    ['{ until: "2026-12-01" }', /`quarantine` needs a `reason`/],
    ['{ until: "2026-12-01", reason: "x", by: "me" }', /unknown option `by` of `quarantine`/],
  ] as const;
  for (const [value, message] of options) {
    const { code, out, err } = await runScript(
      `recipe("X", { quarantine: ${value} }, (t) => t.assert(true))`,
    );
    equal(code, 2);
    match(out + err, message);
  }
});

test("list says which recipes are in quarantine", async () => {
  await withFiles({ "a.yaml": recipe("2027-01-01") }, async (directory) => {
    match((await runnerCli(["list", directory])).out, /Late {2}quarantined until 2027-01-01\n/);
    const { out } = await runnerCli(["list", directory, "--format", "json"]);
    equal(JSON.parse(out).quarantined_until, "2027-01-01");
  });
});
