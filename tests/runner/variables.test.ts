import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const PASS = "steps:\n  - assert: true\n";

const TYPED = `
vars: { numbers: [1, 2], n: 3 }
secrets: [API]
steps:
  - log: \${{ vars.numbers }}
  - assert: vars.n > 0
`;

test("a variable keeps the type of its default, and errors mask secrets", async () => {
  const files = {
    "r.yaml": TYPED,
    "text.yaml": 'n: "5"',
    "a.yaml": "n: 7",
    "b.yaml": "numbers: [4]",
  };
  await withFiles(files, async (directory) => {
    const run = (...args: string[]) =>
      runnerCli([join(directory, "r.yaml"), ...args], { env: { API: "top-s3cr3t" } });
    const file = (name: string) => ["--vars", join(directory, name)];
    const wrong = await run("--var", 'numbers=["a"]');
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /Variable numbers must be a list as JSON, with items of the same type/);
    const text = await run(...file("text.yaml"));
    assert.equal(text.code, 2);
    assert.match(text.err, /Variable n must be a whole number, not "5"/);
    const secret = await run("--var", "n=top-s3cr3t");
    assert.match(secret.err, /Variable n must be a whole number, not '\*\*\*'/);
    const both = await run(...file("a.yaml"), ...file("b.yaml"), "--dry-run");
    assert.match(both.out, /numbers = \[4\]\n {2}n = 7/);
  });
});

const VARIABLES = `
vars: { text: a, whole: 1, number: 1.5, flag: true, list: [1], map: { a: 1 }, any: }
steps:
  - assert: true
`;

test("--var converts text to the type of the variable", async () => {
  await withFiles({ "r.yaml": VARIABLES }, async (directory) => {
    const dryRun = (...pairs: string[]) =>
      runnerCli([
        ...["run", join(directory, "r.yaml"), "--dry-run", "--var", "any=x"],
        ...pairs.flatMap((pair) => ["--var", pair]),
      ]);
    for (
      const [pair, printed] of [
        ["text=7", 'text = "7"'],
        ["whole=-3", "whole = -3"],
        ["number=2", "number = 2"],
        ["flag=false", "flag = false"],
        ["list=[2, 3]", "list = [2,3]"],
        ['map={"b": 2}', 'map = {"b":2}'],
        ["any=soon", 'any = "soon"'],
        ["any=[1]", "any = [1]"],
      ] as const
    ) {
      const { code, out, err } = await dryRun(pair);
      assert.equal(code, 0, err);
      assert.ok(out.split("\n").includes(`  ${printed}`), out);
    }
    for (
      const [pair, message] of [
        ["whole=1.5", "whole must be a whole number, not '1.5'"],
        ["whole=9007199254740993", "whole must be a whole number, not '9007199254740993'"],
        ["number= ", "number must be a number, not ' '"],
        ["number=x", "number must be a number, not 'x'"],
        ["flag=yes", "flag must be true or false, not 'yes'"],
        ["list=1", "list must be a list as JSON, with items of the same type, not '1'"],
        ["list=[1", "list must be a list as JSON, with items of the same type, not '[1'"],
        ["map=[1]", "map must be a map as JSON, not '[1]'"],
        ["map=null", "map must be a map as JSON, not 'null'"],
      ] as const
    ) {
      const { code, err } = await dryRun(pair);
      assert.equal(code, 2, pair);
      assert.equal(err.split("\n")[0], `error: Variable ${message}`);
    }
  });
});

test("--vars takes values that have the type of the variable", async () => {
  const run = (vars: string) =>
    withFiles({ "r.yaml": VARIABLES, "vars.yaml": `any: x\n${vars}` }, (directory) =>
      runnerCli([
        ...["run", join(directory, "r.yaml"), "--dry-run"],
        ...["--vars", join(directory, "vars.yaml")],
      ]));
  for (
    const [vars, printed] of [
      ["text: 7", 'text = "7"'],
      ["text: true", 'text = "true"'],
      ["number: 2", "number = 2"],
      ["list: [2]", "list = [2]"],
      ["map: { b: [] }", 'map = {"b":[]}'],
    ] as const
  ) {
    const { code, out, err } = await run(vars);
    assert.equal(code, 0, err);
    assert.ok(out.split("\n").includes(`  ${printed}`), out);
  }
  for (
    const [vars, message] of [
      ["text: [1]", "text must be text, not [1]"],
      ["whole: 1.5", "whole must be a whole number, not 1.5"],
      ['number: "2"', 'number must be a number, not "2"'],
      ['flag: "true"', 'flag must be true or false, not "true"'],
      ["list: { a: 1 }", 'list must be a list, not {"a":1}'],
      ["map: null", "map must be a map, not null"],
      ["map: [1]", "map must be a map, not [1]"],
      // As in a recipe.
      ["number: .inf", "number has a number that JSON cannot represent"],
      ["map: { b: [1, .nan] }", "map has a number that JSON cannot represent"],
    ] as const
  ) {
    const { code, err } = await run(vars);
    assert.equal(code, 2, vars);
    assert.equal(err.split("\n")[0], `error: Variable ${message}`);
  }
});

test("an unknown variable gets a suggestion, if the recipe has variables", async () => {
  await withFiles({ "none.yaml": PASS, "r.yaml": VARIABLES }, async (directory) => {
    const error = async (file: string, pair: string) => {
      const { code, err } = await runnerCli([join(directory, file), "--var", pair]);
      assert.equal(code, 2);
      return err.split("\n")[0];
    };
    assert.equal(
      await error("none.yaml", "x=1"),
      "error: Unknown variable x; the recipe declares no variables",
    );
    assert.equal(
      await error("r.yaml", "nubmer=1"),
      "error: Unknown variable nubmer; did you mean `number`?",
    );
  });
});
