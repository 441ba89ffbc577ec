import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { recipeSchema } from "../../runner/recipe/json_schema.ts";
import { BEYOND_A_SCHEMA } from "./_beyond_a_schema.ts";
import { listDirectory, readTextFile } from "../../runtime/file.ts";

const schema = JSON.parse(JSON.stringify(recipeSchema()));
const compiled = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** The errors of a widely used validator. */
function validate(value: unknown): string[] {
  if (compiled(value)) return [];
  return compiled.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test("runner/recipe.schema.json is up to date", async () => {
  const kept = JSON.parse(await readTextFile("runner/recipe.schema.json"));
  assert.deepEqual(kept, schema, "deno task update schemas");
});

/** Files that other parsers cannot read, or only with a lot of memory. */
const UNREADABLE = new Set(["too-large.yaml", "yaml.yaml"]);

async function yamlFiles(directory: string): Promise<[string, unknown][]> {
  const names = (await listDirectory(directory))
    .filter((name) => name.endsWith(".yaml") && !UNREADABLE.has(name));
  return await Promise.all(names.map(async (name): Promise<[string, unknown]> => {
    const text = await readTextFile(`${directory}/${name}`);
    return [
      name.slice(0, -5),
      parse(text, { uniqueKeys: false, logLevel: "silent", merge: false }),
    ];
  }));
}

test("accepts the recipes of this project", async () => {
  for (const [name, value] of await yamlFiles("recipes")) {
    assert.deepEqual(validate(value), [], name);
  }
});

test("rejects the golden recipes, except those with errors that a schema cannot express", async () => {
  const seen = new Set<string>();
  for (const [name, value] of await yamlFiles("tests/golden")) {
    seen.add(name);
    const valid = validate(value).length === 0;
    if (BEYOND_A_SCHEMA.has(name)) continue;
    const advice = "if a schema cannot find its error, add it to tests/runner/_beyond_a_schema.ts";
    assert.ok(!valid, `the schema accepts ${name}.yaml: ${advice}`);
  }
  for (const name of BEYOND_A_SCHEMA) assert.ok(seen.has(name), `tests/golden has no ${name}.yaml`);
});

test("accepts and rejects values as the fields do", () => {
  const ok = { steps: [{ wait: "a", within: "1s" }, { expect: { "a.state": "completed" } }] };
  assert.deepEqual(validate(ok), []);
  for (
    const step of [
      { sleep: "${{ vars.n }}ms" },
      { sleep: '10${{ "s" }}' },
      { wait: { job: "x" } },
      { expect: { a: { exists: true, type: null, length: { gt: 3 }, one_of: ["x"], lt: 3 } } },
      { expect: { a: { type: "${{ vars.t }}", contains: 3 }, b: [1], c: { d: { e: 3 } } } },
    ]
  ) assert.deepEqual(validate({ steps: [step] }), [], JSON.stringify(step));
  for (
    const steps of [
      [{ wait: "a", untill: "completed" }],
      [{ wait: "a", within: 10 }],
      [{ wait: "a", enqueue: "b" }],
      [{ wait: { channel: "jobs", wher: "x" } }],
      [{ enqueue: "a", priority: "high" }],
      [{ id: "x" }],
      [{ sleep: "10" }],
      [{ wait: {} }],
      [{ get: {} }],
      [{ cancel: {} }],
      [{ set: {} }],
      [{ expect: { "a.b": { exists: "yes" } } }],
      [{ expect: { "a.b": { type: "string" } } }],
      [{ expect: { "a.b": { length: -1 } } }],
      [{ expect: { "a.b": { length: {} } } }],
      [],
    ]
  ) {
    assert.notDeepEqual(validate({ steps }), [], JSON.stringify(steps));
  }
});
