// Small files that expand to a huge recipe, and files that never end.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { platform } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkRecipe } from "../../runner/mod.ts";
import { readRecipe } from "../../runner/recipe/read_recipe.ts";
import { runnerCli } from "./_cli.ts";
import { runRecipe, withFiles } from "./_recipe.ts";

const STEPS = "steps:\n  - assert: 1 == 1\n";

const TOO_MANY = "the file has too many values";

function repeat(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join("");
}

for (
  const [title, text, message] of [
    [
      "40,000 aliases of a long text",
      `vars:\n  a: &a ${"x".repeat(20_000)}\n  l: [${"*a,".repeat(20_000)}]\n${STEPS}`,
      "more than 4 MiB once its aliases are expanded",
    ],
    [
      "aliases of a map with long keys",
      `vars:\n  a: &a { ${"x".repeat(20_000)}: 1 }\n  l: [${"*a,".repeat(1000)}]\n${STEPS}`,
      "more than 4 MiB once its aliases are expanded",
    ],
    [
      "aliases of aliases of a long text",
      `vars:\n  a: &a ${"x".repeat(1000)}\n${
        repeat(10, (i) => `  a${i}: &a${i} [${`*a${i === 0 ? "" : i - 1},`.repeat(3)}]\n`)
      }${STEPS}`,
      "more than 4 MiB once its aliases are expanded",
    ],
    ["40,000 variables", `vars:\n${repeat(40_000, (i) => `  v${i}: ${i}\n`)}${STEPS}`, TOO_MANY],
    ["40,000 steps", `steps:\n${repeat(40_000, (i) => `  - log: ${i}\n`)}`, TOO_MANY],
    ["200,000 commas", `a: [${",".repeat(200_000)}]\n${STEPS}`, TOO_MANY],
    ["100,000 levels of maps", `${"a: ".repeat(100_000)}\n`, TOO_MANY],
    ["100,000 levels of lists", `steps: ${"- ".repeat(100_000)}\n`, "nested too deep"],
    ["lists with wide indentation", `steps:\n${"-    ".repeat(100_000)}x\n`, TOO_MANY],
    ["100,000 brackets", `steps: ${"[".repeat(100_000)}\n`, "nested too deep"],
    ["brackets that quotes hide", `steps: ${'["]",'.repeat(9000)}\n`, "nested too deep"],
    ["100,000 tags", `steps: ${"!!x ".repeat(100_000)}\n`, TOO_MANY],
    ["2,000 variables", `vars:\n${repeat(2000, (i) => `  v${i}: ${i}\n`)}${STEPS}`, names("vars")],
    ["2,000 inputs", `inputs:\n${repeat(2000, (i) => `  v${i}:\n`)}${STEPS}`, names("inputs")],
    ["2,000 names of env", `env:\n${repeat(2000, (i) => `  V${i}: ""\n`)}${STEPS}`, names("env")],
    ["a list of 2,000 names", `env: [${repeat(2000, (i) => `V${i},`)}]\n${STEPS}`, names("env")],
    [
      "2,000 secrets",
      `secrets: [${repeat(2000, (i) => `V${i},`)}]\n${STEPS}`,
      names("secrets"),
    ],
    ["2,000 outputs", `outputs:\n${repeat(2000, (i) => `  v${i}: 1\n`)}${STEPS}`, names("outputs")],
    ["2,000 tags", `tags: [${repeat(2000, (i) => `t${i},`)}]\n${STEPS}`, names("tags")],
    [
      "a matrix of 2,000 keys",
      `matrix:\n${repeat(2000, (i) => `  m${i}: [1]\n`)}${STEPS}`,
      "`matrix` has more than 100 keys",
    ],
  ] as const
) {
  test(`refuses ${title}`, async () => {
    const [first, ...rest] = await checkRecipe("r.yaml", text);
    assert.deepEqual(rest, []);
    assert.deepEqual([first?.code, first?.message], ["too-large", message]);
  });
}

function names(key: string): string {
  return `\`${key}\` has more than 1,000 entries`;
}

test("reads a matrix of 10,000 cases, and its combinations in order", async () => {
  const list = `[${repeat(100, (i) => `${i},`)}]`;
  const { recipe } = await readRecipe("r.yaml", `matrix: { a: ${list}, b: ${list} }\n${STEPS}`);
  assert.equal(recipe?.matrix.length, 10_000);
  assert.deepEqual(recipe?.matrix.slice(99, 102), [{ a: 0, b: 99 }, { a: 1, b: 0 }, {
    a: 1,
    b: 1,
  }]);
  assert.deepEqual(Object.keys(recipe!.matrix[0]!), ["a", "b"]);
});

test("reads a thousand variables that use each other", async () => {
  const vars = repeat(999, (i) => `  v${i + 1}: \${{ vars.v${i} + 1 }}\n`);
  const { code } = await runRecipe(
    `vars:\n  v0: 0\n${vars}steps:\n  - assert: vars.v999 == 999\n`,
  );
  assert.equal(code, 0);
});

test("reports a thousand operators in a row as an error in the expression", async () => {
  for (const operator of ["-", "!", "-!"]) {
    const [first] = await checkRecipe(
      "r.yaml",
      `steps:\n  - assert: '${operator.repeat(1000)}true'\n`,
    );
    assert.deepEqual(
      [first?.code, first?.label],
      ["bad-expression", "the expression is too long: split it"],
    );
  }
});

/** Recipes of which each uses the next one twice. */
function chain(length: number, last: string, use = (i: number) => `r${i}.yaml`) {
  return Object.fromEntries(
    Array.from({ length }, (_, i) => [
      `r${i}.yaml`,
      i === length - 1 ? last : `steps:\n  - use: ${use(i + 1)}\n  - use: r${i + 1}.yaml\n`,
    ]),
  );
}

test("refuses recipes that use each other twice, again and again", async () => {
  for (
    const files of [
      chain(24, "steps:\n  - log: hello\n"),
      chain(24, "steps:\n  - log: hello\n", (i) => `./r${i}.yaml`),
    ]
  ) {
    await withFiles(files, async (directory) => {
      for (const command of ["check", "run", "list"]) {
        const file = join(directory, "r0.yaml");
        const { code, out, err } = await runnerCli([command, file]);
        assert.equal(code, 2);
        assert.match(out + err, /error: more than 20,000 steps\n +--> .*r10\.yaml:1:1/);
      }
    });
  }
});

test("reads a recipe once that several others use, and runs it for each", async () => {
  await withFiles(chain(6, STEPS), async (directory) => {
    const { code } = await runnerCli([join(directory, "r0.yaml")]);
    assert.equal(code, 0);
  });
});

test("refuses a chain of more than 200 recipes", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`r${i}.yaml`, `steps:\n  - use: r${i + 1}.yaml\n`]),
  );
  await withFiles(files, async (directory) => {
    const { code, err } = await runnerCli(["check", join(directory, "r0.yaml")]);
    assert.equal(code, 2);
    assert.match(err, /more than 200 recipes use each other/);
  });
});

test("reports a device without an end as too large", { skip: platform() === "win32" }, async () => {
  for (const command of ["check", "run", "list"]) {
    const { code, out, err } = await runnerCli([command, "/dev/zero"]);
    assert.equal(code, 2);
    assert.match(out + err, /Cannot read recipe '\/dev\/zero': it is larger than 1 MiB/);
  }
  const { code, err } = await runnerCli([
    "run",
    "recipes/order-smoke.yaml",
    "--vars",
    "/dev/zero",
  ]);
  assert.equal(code, 2);
  assert.match(err, /Cannot read variables '\/dev\/zero': it is larger than 1 MiB/);
});

test("reports a file over 1 MiB as too large", async () => {
  await withFiles({ "big.yaml": `# ${"x".repeat(1 << 20)}\n${STEPS}` }, async (directory) => {
    const { code, err } = await runnerCli(["check", join(directory, "big.yaml")]);
    assert.equal(code, 2);
    assert.match(err, /big\.yaml': it is larger than 1 MiB/);
    assert.match(err, /explain too-large/);
  });
});

test("refuses a named pipe, which blocks until something writes to it", {
  skip: platform() === "win32",
}, async () => {
  await withFiles({}, async (directory) => {
    const pipe = join(directory, "pipe.yaml");
    execFileSync("mkfifo", [pipe]);
    for (const command of ["check", "run"]) {
      const { code, err } = await runnerCli([command, pipe]);
      assert.equal(code, 2, err);
      assert.match(err, /^error: Cannot read recipe '.*pipe\.yaml': it is a named pipe\n/);
    }
  });
});
