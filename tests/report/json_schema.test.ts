import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv, type ValidateFunction } from "ajv";
import type { EventFailure, RecipeEvent, Usual } from "../../runner/mod.ts";
import { eventSchema } from "../../runner/report/json/event_schema.ts";
import { summarySchema } from "../../runner/report/json/summary_schema.ts";
import { flag, integer, optional, record, text } from "../../runner/report/json/typed_schema.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { manyCases, retriedRun, sampleRun } from "./_events.ts";
import { reportOf } from "./_report.ts";

const event = new Ajv().compile(eventSchema());
const summary = new Ajv().compile(summarySchema());

function assertValid(validate: ValidateFunction, value: unknown): void {
  if (validate(value)) return;
  const errors = validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
  assert.fail(`${errors.join("\n")}\n${JSON.stringify(value)}`);
}

function assertLines(lines: string): void {
  assert.ok(lines.endsWith("\n"));
  for (const line of lines.trimEnd().split("\n")) assertValid(event, JSON.parse(line));
}

// The compiler checks each schema against its type: the names, types and optionality of properties.
// Without a check its `ts-expect-error` would be unused, which is an error too.
const description: Usual = { runs: 1, failed: 0, flaky: 0, slower: false };
void description;
const counted = { runs: integer("1"), failed: integer("2"), flaky: integer("3") };
// @ts-expect-error A property is missing.
void (() => record<Usual>("", { ...counted, slower: flag("") }));
// @ts-expect-error The type has no such property.
void (() => record<{ a: string }>("", { a: text(""), b: text("") }));
// @ts-expect-error The property is required.
void (() => record<{ a: string }>("", { a: optional(text("")) }));
// @ts-expect-error The property is optional.
void (() => record<{ a?: string }>("", { a: text("") }));
// @ts-expect-error The property has another type.
void (() => record<{ a: string }>("", { a: integer("") }));

for (
  const [file, of, make] of [
    ["run_event", "events", eventSchema],
    ["run_summary", "summary", summarySchema],
  ] as const
) {
  const path = `runner/report/json/${file}.schema.json`;

  test(`${path} is generated from the types`, async () => {
    const kept = JSON.parse(await readFile(path, "utf8"));
    assert.deepEqual(kept, make(), "run `deno task update schemas`");
  });

  test(`\`schema --of ${of}\` prints the schema`, async () => {
    const { code, out } = await runnerCli(["schema", "--of", of]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out), make());
  });

  test(`describes every property of ${of} and allows no others`, () => {
    let objects = 0;
    const walk = (schema: unknown, path: string): void => {
      if (typeof schema !== "object" || schema === null) return;
      const { properties, additionalProperties } = schema as Record<string, unknown>;
      if (properties) {
        objects++;
        assert.equal(additionalProperties, false, path);
        for (const [name, one] of Object.entries(properties)) {
          assert.ok((one as { description?: string }).description, `${path}/${name}`);
        }
      }
      for (const [key, value] of Object.entries(schema)) walk(value, `${path}/${key}`);
    };
    walk(make(), "#");
    assert.ok(objects > 5);
  });
}

test("schema rejects an unknown name for --of", async () => {
  const { code, err } = await runnerCli(["schema", "--of", "cases"]);
  assert.equal(code, 2);
  assert.match(err, /^error: --of must be one of recipe, events, summary, not 'cases'\n/);
});

test("the sample runs match both schemas", async () => {
  for (const events of [sampleRun(), sampleRun({ interrupted: true }), [...manyCases(30)]]) {
    assertLines(await reportOf("jsonl", events));
    assertValid(summary, JSON.parse(await reportOf("json", events)));
  }
});

test("the sample runs contain every type of event", () => {
  const runs = [sampleRun(), sampleRun({ interrupted: true }), retriedRun()].flat();
  const present = runs.map(({ type }) => type);
  const types = Object.keys(eventSchema().definitions as object).filter((name) =>
    name.includes(".") || name === "log" || name === "warning"
  );
  assert.deepEqual([...new Set(present)].toSorted(), types.toSorted());
});

test("the schema refuses invalid events", () => {
  const [started] = sampleRun();
  for (const one of sampleRun()) {
    assert.ok(!event({ ...one, more: 1 }), `${one.type} with an unknown property`);
    const { ts: _, ...untimed } = one;
    assert.ok(!event(untimed), `${one.type} without a time`);
  }
  assert.ok(!event({ ...started, type: "run.unknown" }));
  assert.ok(!event({ ...started, version: 2 }));
  const failed = sampleRun().find((one) => one.type === "case.finished" && one.failure)!;
  const { failure } = failed as RecipeEvent & { failure: EventFailure };
  assert.ok(!event({ ...failed, failure: { ...failure, kind: "other" } }));
  assert.ok(event({ ...failed, failure: { ...failure, code: "word" } }));
});

const FAILING = `
name: Failing
tags: [a, b]
matrix: { region: [eu, us] }
vars: { n: 1 }
steps:
  - id: job
    enqueue: send-email
    payload: { to: "a", subject: "b", body: "c" }
  - wait: job
    soft: true
  - log: \${{ job }}
  - assert: vars.n == 2
    retry: { attempts: 2, backoff: 1ms }
  - wait: job
always:
  - assert: 1 == 2
    soft: true
`;

const RUNS: [string, string[], Record<string, string>][] = [
  ["the recipes", ["recipes"], {}],
  ["a failing recipe", ["FILE"], { "failing.yaml": FAILING }],
  ["a failing recipe with --bail", ["FILE", "--bail"], { "failing.yaml": FAILING }],
  ["a refused call", ["FILE"], { "refused.yaml": "steps: [{ call: nope }, { assert: true }]" }],
  ["nothing checked", ["FILE"], { "unchecked.yaml": "steps: [{ log: a }]" }],
];

for (const [name, args, files] of RUNS) {
  test(`a real run matches both schemas: ${name}`, async () => {
    await withFiles(files, async (directory) => {
      const [lines, document] = [join(directory, "out.jsonl"), join(directory, "out.json")];
      const file = Object.keys(files)[0];
      const { code, err } = await runnerCli([
        ...args.map((arg) => arg === "FILE" ? join(directory, file!) : arg),
        ...["--reporter", `jsonl=${lines}`, "--reporter", `json=${document}`],
      ]);
      assertLines(await readFile(lines, "utf8"));
      const run = JSON.parse(await readFile(document, "utf8"));
      assertValid(summary, run);
      assert.equal(run.exit_code, code, err);
      assert.ok(run.cases.length > 0);
    });
  });
}
