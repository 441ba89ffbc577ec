// Whole numbers beyond 2^53, of which JSON keeps not all digits: never equal to a neighbour.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCel } from "../../runner/expression/cel.ts";
import { hasInexact, toCel } from "../../runner/expression/convert.ts";
import { checkRecipe } from "../../runner/mod.ts";
import { runnerCli } from "./_cli.ts";
import { firstFailure, runRecipe, withFiles } from "./_recipe.ts";

const INEXACT = /^a whole number beyond 2\^53 loses digits in JSON/;

for (
  const expression of [
    "a.id == 9007199254740992",
    "a.id == 9007199254740993",
    "a.id != 9007199254740993",
    "9007199254740993 in [a.id]",
    "a.id in [9007199254740992]",
    "a.id > 1",
    "a == a",
    'a == {"id": 9007199254740992}',
    "string(a.id) == ''",
    "[a].exists(x, x.id == 9007199254740992)",
  ]
) {
  test(`cannot evaluate ${expression} for a number that has lost digits`, async () => {
    const cel = await loadCel();
    const values = { a: toCel(JSON.parse('{"id": 9007199254740993}')) };
    assert.throws(() => cel.parse(expression).evaluate(values));
  });
}

test("a value that contains a number that has lost digits can be measured and compared with null", async () => {
  const cel = await loadCel();
  const values = { a: toCel(JSON.parse('{"id": 9007199254740993, "l": [9007199254740993]}')) };
  const parsed = cel.parse("a != null && !(a == null) && size(a) == 2 && a.l.size() == 1");
  assert.equal(parsed.evaluate(values), true);
  assert.equal(cel.parse("has(a.id) && type(a.l) == list").evaluate(values), true);
});

test("compares whole numbers up to 2^53, and numbers with a fraction", async () => {
  const cel = await loadCel();
  const values = { a: toCel(JSON.parse('{"id": 9007199254740991, "f": 1.5}')) };
  const parsed = cel.parse("a.id == 9007199254740991 && a.id != 9007199254740990 && a.f == 1.5");
  assert.equal(parsed.evaluate(values), true);
  assert.deepEqual([hasInexact(values.a), hasInexact([{ a: 2n ** 53n }])], [false, true]);
});

test("a step that uses a number that has lost digits fails and says why", async () => {
  for (
    const step of [
      "assert: job.payload.id == 10000000000000000",
      "expect: { job.payload.id: 1e16 }",
      "expect: { job.payload: { id: 1e16, s: text } }",
      "enqueue: noop\n    payload: ${{ job.payload }}",
      "log: ${{ 9007199254740993 }}",
      "log: number ${{ 9007199254740993 }}",
    ]
  ) {
    const { code, events } = await runRecipe(
      `steps:\n  - id: job\n    enqueue: noop\n    payload: { id: 1e16, s: text }\n  - ${step}\n`,
    );
    assert.match(firstFailure(events).message, INEXACT, step);
    assert.equal(code, 1);
  }
  const { code } = await runRecipe(
    `steps:\n  - id: job\n    enqueue: noop\n    payload: { id: 1e16, s: text }
  - expect: { job.payload.s: text }
  - expect: { job.payload.id: { exists: true, type: number }, job.payload: { length: 2 } }
  - assert: has(job.payload.id) && job.state != "failed"\n`,
  );
  assert.equal(code, 0);
});

test("a failure shows a number that has lost digits as a whole number, and as inexact", async () => {
  const { out } = await runRecipe(
    "steps:\n  - id: job\n    enqueue: noop\n    payload: { id: 1e16 }\n  - assert: job.payload.id > 5\n",
  );
  assert.ok(out.includes("job.payload.id  is about 10000000000000000 (whole number)"), out);
});

test("a recipe cannot contain a whole number that would lose digits", async () => {
  for (
    const text of [
      "steps:\n  - enqueue: noop\n    payload: { id: 9007199254740993 }\n",
      "vars: { id: 9007199254740993 }\nsteps:\n  - assert: 1 == 1\n",
      "matrix: { id: [9007199254740993] }\nsteps:\n  - assert: 1 == 1\n",
      "inputs: { id: { type: integer, default: 9007199254740993 } }\nsteps:\n  - assert: 1 == 1\n",
      "vars: { id: 1 }\nsteps:\n  - expect: { vars.id: 9007199254740993 }\n",
      "vars: { id: 1 }\nsteps:\n  - expect: { vars.id: { gt: -9007199254740993 } }\n",
    ]
  ) {
    const [first] = (await checkRecipe("r.yaml", text)).filter((d) => d.severity === "error");
    assert.equal(first?.code, "ambiguous-scalar", text);
    assert.match(first.label!, /^write "-?9007199254740993" for text$/);
  }
});

test("--var and --vars refuse numbers that would lose digits, and values nested too deep", async () => {
  const files = {
    "r.yaml": "vars: { m: { a: 1 } }\nsteps:\n  - assert: size(vars.m) > 0\n",
    "vars.yaml": "m: { a: 9007199254740993 }\n",
  };
  await withFiles(files, async (directory) => {
    const run = (...args: string[]) => runnerCli([`${directory}/r.yaml`, ...args]);
    const inexact = await run("--var", 'm={"a":9007199254740993}');
    assert.equal(inexact.code, 2);
    assert.match(inexact.err, /Variable m has a whole number beyond 2\^53/);
    const file = await run("--vars", `${directory}/vars.yaml`);
    assert.equal(file.code, 2);
    assert.match(file.err, /Variable m has a whole number beyond 2\^53/);
    const deep = await run("--var", `m=${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`);
    assert.equal(deep.code, 2);
    assert.match(deep.err, /Variable m is nested too deep/);
  });
});
