// Readers of reports know a case by its file and name, and merge those that share both.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { RunSummary } from "../../runner/mod.ts";
import { uniqueCaseNames } from "../../runner/engine/case_names.ts";
import { UniqueNames } from "../../runner/report/plain_text.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { scriptModule } from "../runner/_script.ts";
import { reportOf } from "./_report.ts";
import { manyCases } from "./_events.ts";

type Cases = Parameters<typeof uniqueCaseNames>[0];

/** Runs files, and returns the names in the json, junit and tap reports. */
function namesOf(files: Record<string, string>, args: readonly string[] = []) {
  return withFiles(files, async (directory) => {
    const report = async (name: string) =>
      (await runnerCli([directory, "--reporter", name, ...args])).out;
    const { cases }: RunSummary = JSON.parse(await report("json"));
    const junit = (await report("junit")).matchAll(/<testcase name="([^"]*)" classname="([^"]*)"/g);
    const tap = (await report("tap")).matchAll(/^(?:not )?ok \d+ - (.*)$/gm);
    return {
      json: cases.map(({ name }) => name),
      junit: [...junit].map(([, name, file]) => `${file!.slice(directory.length + 1)} ${name}`),
      tap: [...tap].map(([, name]) => name!),
    };
  });
}

const RECIPE = "name: Order\nsteps: [{ assert: true }]\n";

test("the repetitions of a case are numbered", async () => {
  const { json, junit, tap } = await namesOf({ "a.yaml": RECIPE }, ["--repeat", "3"]);
  assert.deepEqual(json, ["Order (1)", "Order (2)", "Order (3)"]);
  assert.deepEqual(junit, json.map((name) => `a.yaml ${name}`));
  assert.deepEqual(tap, json);
});

test("text in a matrix differs from a number, and equal combinations are numbered", async () => {
  const matrix = 'matrix: { v: ["1", 1, true, "true", null, "null", eu, eu] }\n';
  const { json, junit, tap } = await namesOf({ "a.yaml": matrix + RECIPE });
  assert.deepEqual(json, [
    'Order [v="1"]',
    "Order [v=1]",
    "Order [v=true]",
    'Order [v="true"]',
    "Order [v=null]",
    'Order [v="null"]',
    "Order [v=eu] (1)",
    "Order [v=eu] (2)",
  ]);
  for (const names of [json, junit, tap]) assert.equal(new Set(names).size, 8);
});

test("`recipe.each` with equal objects has numbered cases", async () => {
  const made = 'recipe.each([{ a: 1 }, { a: 1 }])("Each", (t) => t.assert(true))';
  const { json } = await namesOf({ "a.recipe.ts": scriptModule(made) });
  assert.deepEqual(json, ["Each [a=1] (1)", "Each [a=1] (2)"]);
});

test("recipes of two files can share a name, which TAP tells apart by the file", async () => {
  const { json, junit, tap } = await namesOf({ "a.yaml": RECIPE, "b.yaml": RECIPE });
  assert.deepEqual(json, ["Order", "Order"]);
  assert.deepEqual(junit, ["a.yaml Order", "b.yaml Order"]);
  assert.equal(tap[0], "Order");
  assert.match(tap[1]!, /^Order \(.*b\.yaml\)$/);
});

test("names stay different when a format cuts them", async () => {
  const events = [...manyCases(2)].map((event) => {
    if (!("name" in event)) return event;
    return { ...event, file: "a.yaml", name: `${"x".repeat(600)}${event.case}` };
  });
  const junit = await reportOf("junit", events);
  const names = [...junit.matchAll(/<testcase name="([^"]*)"/g)].map(([, name]) => name);
  assert.equal(new Set(names).size, 2);
  const tap = await reportOf("tap", events);
  const points = [...tap.matchAll(/^(?:not )?ok \d+ - (.*)$/gm)].map(([, name]) => name);
  assert.equal(new Set(points).size, 2);
});

test("numbers skip names that exist already", () => {
  const named = (name: string, matrix?: Record<string, unknown>) => ({
    recipe: { name, source: { name: "a.yaml" } },
    ...(matrix ? { matrix } : {}),
  });
  const cases = [named("A"), named("A"), named("A (1)")] as unknown as Cases;
  assert.deepEqual(uniqueCaseNames(cases), ["A (2)", "A (3)", "A (1)"]);
  const names = new UniqueNames();
  assert.deepEqual(["a", "a (2)", "a", "a"].map((name) => names.next(name)), [
    "a",
    "a (2)",
    "a (3)",
    "a (4)",
  ]);
});

test("a history records the repetitions of a case under one name", async () => {
  await withFiles({ "a.yaml": RECIPE }, async (directory) => {
    const file = join(directory, "history.db");
    await runnerCli([join(directory, "a.yaml"), "--repeat", "3", "--history", file]);
    const { out } = await runnerCli(["history", "--history", file, "--format", "json"]);
    const lines = out.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ name, passed }) => [name, passed]), [["Order", 3]]);
  });
});
