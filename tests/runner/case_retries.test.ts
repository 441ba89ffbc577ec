// `--retries` and `--fail-on-flaky`: cases that are run anew.
import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { CaseStarted, RecipeEvent } from "../../runner/mod.ts";
import { exitCodeOf } from "../../runner/engine/verdict.ts";
import { noCounts } from "../../runner/events/counts.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { junitProblems } from "../report/_junit.ts";
import { reportOf } from "../report/_report.ts";
import { runnerCli } from "./_cli.ts";
import { runRecipe, withFiles } from "./_recipe.ts";

/** A recipe whose assertion holds from the n-th time on. */
const passesAtLast = (n: number) => `
import { recipe } from "${new URL("../../runner/mod.ts", import.meta.url)}";
let runs = 0;
export default recipe("Order", async (t) => {
  t.always(() => t.log("cleaned up"));
  await t.stats();
  t.assert(++runs >= ${n}, "run " + runs);
});
`;

async function run(files: Record<string, string>, ...args: string[]) {
  return await withFiles(files, async (directory) => {
    const result = await runnerCli([directory, "--reporter", "jsonl", ...args]);
    const events = result.out.split("\n").filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as RecipeEvent);
    return { ...result, events };
  });
}

/** The events of cases, each in a few words. */
const cases = (events: readonly RecipeEvent[]) =>
  events.flatMap((event) => {
    switch (event.type) {
      case "case.started":
        return `started ${event.attempt ?? 1}`;
      case "case.retried":
        return `${event.attempt} ${event.status}: ${event.failure?.message}`;
      case "case.finished":
        return `${event.status}${event.flaky ? " flaky" : ""} of ${event.attempts ?? 1}`;
      default:
        return [];
    }
  });

test("a case that passes on a later attempt is flaky, and each attempt cleans up", async () => {
  const { code, events } = await run({ "a.recipe.ts": passesAtLast(3) }, "--retries", "3");
  equal(code, 0);
  deepEqual(cases(events), [
    ...[
      "started 1",
      "1 failed: the assertion failed: run 1",
      "started 2",
      "2 failed: the assertion failed: run 2",
      "started 3",
    ],
    "passed flaky of 3",
  ]);
  equal(events.filter(({ type }) => type === "log").length, 3);
  const end = events.at(-1)!;
  equal(end.type === "run.finished" && end.counts.flaky, 1);
  equal(end.type === "run.finished" && end.counts.failed, 0);
});

test("a case that fails in every attempt fails with its last failure", async () => {
  const { code, events } = await run({ "a.recipe.ts": passesAtLast(9) }, "--retries", "1");
  equal(code, 1);
  deepEqual(cases(events), [
    "started 1",
    "1 failed: the assertion failed: run 1",
    "started 2",
    "failed of 2",
  ]);
  const last = events.find((event) => event.type === "case.finished");
  equal(last?.type === "case.finished" && last.failure?.message, "the assertion failed: run 2");
});

test("without --retries, and after a pass, a case runs once", async () => {
  const files = { "a.recipe.ts": passesAtLast(1) };
  deepEqual(cases((await run(files, "--retries", "5")).events), ["started 1", "passed of 1"]);
  const failing = { "a.recipe.ts": passesAtLast(2) };
  deepEqual(cases((await run(failing)).events), ["started 1", "failed of 1"]);
});

test("a case that checks nothing is not run anew, one that could not run is", async () => {
  const nothing = await runRecipe("steps: [{ stats: {} }]", ["--retries", "2"]);
  deepEqual(cases(nothing.events), ["started 1", "unchecked of 1"]);
  const refused = await runRecipe("steps: [{ call: job.nope }]", ["--retries", "1"]);
  deepEqual(cases(refused.events).length, 4);
  equal(refused.code, 3);
});

test("a recipe that ends the process is not run anew", async () => {
  const source = passesAtLast(1).replace("await t.stats();", "process.exit(7);");
  const { code, events } = await run({ "a.recipe.ts": source }, "--retries", "2");
  deepEqual([code, cases(events)], [3, ["started 1", "errored of 1"]]);
});

test("each attempt computes its variables anew, and --seed repeats all of them", async () => {
  const recipe = "vars: { n: '${{ random(1000000) }}' }\nsteps: [{ assert: vars.n < 0 }]\n";
  const numbers = async () => {
    const { events } = await runRecipe(recipe, ["--retries", "2", "--seed", "7"]);
    return events.filter((event): event is CaseStarted => event.type === "case.started")
      .map(({ vars }) => vars.n);
  };
  const first = await numbers();
  equal(new Set(first).size, 3);
  deepEqual(await numbers(), first);
});

test("--bail waits for the last attempt", async () => {
  const files = { "a.recipe.ts": passesAtLast(2), "b.yaml": "steps: [{ assert: true }]" };
  const { code, events } = await run(files, "--bail", "--retries", "1");
  equal(code, 0);
  equal(cases(events).at(-1), "passed of 1");
});

test("an interruption ends the attempts", async () => {
  const interrupt = new AbortController();
  const recipe = "steps: [{ sleep: 1h }, { assert: false }]";
  const { code, events } = await runRecipe(recipe, ["--retries", "3"], {
    signal: interrupt.signal,
    onOut: (text) =>
      void (text.includes('"step.started"') && interrupt.abort(new InterruptedError("SIGINT"))),
  });
  equal(code, 130);
  deepEqual(cases(events), ["started 1", "interrupted of 1"]);
});

test("--fail-on-flaky fails a run of flaky cases, and every report says why", async () => {
  const files = { "a.recipe.ts": passesAtLast(2), "b.yaml": "steps: [{ assert: true }]" };
  const { code, events } = await run(files, "--retries", "1", "--fail-on-flaky");
  equal(code, 1);
  const end = events.at(-1)!;
  equal(end.type === "run.finished" && end.failed_by, "flaky");
  for (const name of ["console", "markdown", "tap", "ctrf", "github", "junit"]) {
    match(await reportOf(name, events), /flaky, which fails the run/, name);
  }
  match(await reportOf("html", events), /<h1>Failed<[^]*1 flaky, which fails the run/);
  equal(JSON.parse(await reportOf("json", events)).failed_by, "flaky");
});

test("--fail-on-flaky changes nothing else", () => {
  const end = { isInterrupted: false, wasCalledToExit: false, isPart: false };
  const table: [Partial<ReturnType<typeof noCounts>>, number, number][] = [
    [{ passed: 2 }, 0, 0],
    [{ passed: 2, flaky: 1 }, 0, 1],
    [{ passed: 2, flaky: 1, failed: 1 }, 1, 1],
    [{ passed: 2, flaky: 1, errored: 1 }, 3, 1],
    [{ errored: 1 }, 3, 3],
    [{}, 4, 4],
  ];
  for (const [some, without, code] of table) {
    const counts = { ...noCounts(), ...some };
    deepEqual([
      exitCodeOf(counts, end),
      exitCodeOf(counts, { ...end, isFailedByFlaky: counts.flaky > 0 }),
    ], [
      ...[without, code],
    ]);
  }
  const flaky = { ...noCounts(), passed: 1, flaky: 1 };
  equal(exitCodeOf(flaky, { ...end, isFailedByFlaky: true, isInterrupted: true }), 130);
});

test("refuses a number of retries that is none, before anything is sent", async () => {
  for (const value of ["-1", "1.5", "many", ""]) {
    const { code, err } = await runRecipe("steps: [{ assert: true }]", [`--retries=${value}`]);
    equal(code, 2);
    match(err, /--retries must be a whole number of at least 0/);
  }
});

test("every report tells the attempts of a flaky case and of a failed one", async () => {
  const files = {
    "a.recipe.ts": passesAtLast(2).replace("Order", "Flaky").replaceAll('"run "', '"flaky run "'),
    "b.recipe.ts": passesAtLast(9).replace("Order", "Broken").replaceAll('"run "', '"broken run "'),
  };
  const { events } = await run(files, "--retries", "1");
  for (const name of ["console", "ctrf", "github", "html", "json", "junit", "markdown", "tap"]) {
    const report = await reportOf(name, events);
    match(report, /flaky run 1/, name);
    match(report, /broken run 2/, name);
    if (name !== "github") match(report, /broken run 1/, name);
  }
  const { cases } = JSON.parse(await reportOf("json", events));
  deepEqual(
    cases.map(({ attempts, retries, steps }: never) => [attempts, retries, steps].map(sizeOf)),
    [[2, 1, 2], [2, 1, 2]],
  );
  const tests = JSON.parse(await reportOf("ctrf", events)).results.tests;
  deepEqual(
    tests.map(({ status, flaky, retries }: Record<string, unknown>) => [status, flaky, retries]),
    [["passed", true, 1], ["failed", undefined, 1]],
  );
  const junit = await reportOf("junit", events);
  deepEqual(junitProblems(junit), []);
  match(junit, /<flakyFailure message="the assertion failed: flaky run 1"/);
  match(
    junit,
    /<failure message="the assertion failed: broken run 2"[^]*<rerunFailure message="the assertion failed: broken run 1"/,
  );
});

const sizeOf = (value: unknown) => Array.isArray(value) ? value.length : value;

test("the history keeps the last attempt, and that the case was flaky", async () => {
  await withFiles({ "a.recipe.ts": passesAtLast(2) }, async (directory) => {
    const history = `--history=${join(directory, "h.db")}`;
    await runnerCli([directory, "--retries=1", history]);
    const { out } = await runnerCli(["history", history, "--format", "json"]);
    const { runs, passed, flaky } = JSON.parse(out);
    deepEqual({ runs, passed, flaky }, { runs: 1, passed: 1, flaky: 1 });
  });
});
