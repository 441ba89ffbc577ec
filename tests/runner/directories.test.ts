// The commands agree on whether the recipes of a directory can run.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

const PAY = `
name: Pay
inputs: { order_id: { type: text }, amount: { type: number, default: 1 } }
steps: [{ assert: 'inputs.order_id != ""' }]
`;
const USES = "name: Uses\nsteps: [{ use: pay.yaml, inputs: { order_id: ORD-7 } }]\n";
const PASSES = "name: Passes\nsteps: [{ assert: true }]\n";

/** Directories, and the exit codes of `run` and `check`, with further arguments for both. */
const DIRECTORIES: Record<string, [files: Record<string, string>, code: number, args?: string[]]> =
  {
    "a recipe that another one uses": [{ "pay.yaml": PAY, "a.yaml": USES }, 0],
    "a recipe that needs inputs and that none uses": [{ "pay.yaml": PAY, "a.yaml": PASSES }, 0],
    "recipes that use each other in a row": [{
      "pay.yaml": PAY,
      "b.yaml": "inputs: { id: { type: text } }\nsteps: [{ use: pay.yaml, inputs: " +
        '{ order_id: "${{ inputs.id }}" } }]\n',
      "a.yaml": "steps: [{ use: b.yaml, inputs: { id: ORD-7 } }]\n",
    }, 0],
    "a used recipe whose inputs have defaults": [{
      "pay.yaml":
        "inputs: { n: { type: integer, default: 1 } }\nsteps: [{ assert: inputs.n == 1 }]",
      "a.yaml": "steps: [{ use: pay.yaml }]",
    }, 0],
    "a recipe in TypeScript": [
      { "a.recipe.ts": scriptModule('recipe("A", (t) => t.assert(1))') },
      0,
    ],
    "an input that is not passed": [{
      "pay.yaml": PAY,
      "a.yaml": "steps: [{ use: pay.yaml }]",
    }, 2],
    "a variable without a value": [{ "a.yaml": "vars: { id: }\nsteps: [{ assert: true }]" }, 2],
    "a variable that the command line sets": [
      { "a.yaml": 'vars: { id: }\nsteps: [{ assert: vars.id == "x" }]' },
      0,
      ["--var", "id=x"],
    ],
    "a variable of the wrong type": [
      { "a.yaml": "vars: { n: 1 }\nsteps: [{ assert: vars.n > 0 }]" },
      2,
      ["--var", "n=many"],
    ],
    "an unknown variable": [{ "a.yaml": PASSES }, 2, ["--var", "n=1"]],
    "a secret that is not set": [
      { "a.yaml": "secrets: [NO_SUCH_KEY]\nsteps: [{ assert: true }]" },
      2,
    ],
    "a secret of a recipe that a tag excludes": [
      {
        "a.yaml": "secrets: [NO_SUCH_KEY]\nsteps: [{ assert: true }]",
        "b.yaml": `tags: [smoke]\n${PASSES}`,
      },
      0,
      ["--tag", "smoke"],
    ],
    "an error": [{ "a.yaml": "stepz: []" }, 2],
  };

for (const [what, [files, expected, args = []]] of Object.entries(DIRECTORIES)) {
  test(`run, check and --dry-run agree on ${what}`, async () => {
    await withFiles(files, async (directory) => {
      for (const command of [["run"], ["check"], ["run", "--dry-run"]]) {
        const { code, err } = await runnerCli([...command, directory, ...args]);
        assert.equal(code, expected, `${command.join(" ")}: ${err}`);
      }
    });
  });
}

test("every command leaves out a recipe that needs inputs, and says so", async () => {
  const schedule = "schedule: { cron: '0 * * * *' }\n";
  await withFiles({ "pay.yaml": PAY, "a.yaml": schedule + USES }, async (directory) => {
    const note = `'${join(directory, "pay.yaml")}' is left out: it needs the input \`order_id\`, ` +
      "which only a recipe that uses it can pass\n";
    for (
      const command of [["run"], ["run", "--dry-run"], ["check"], ["list"], [
        "schedule",
        "--dry-run",
      ]]
    ) {
      const { code, out, err } = await runnerCli([...command, directory]);
      assert.equal(code, 0, err);
      assert.equal(err, note);
      assert.doesNotMatch(out, /\bPay\b/);
    }
    const listed = await runnerCli(["list", directory, "--format", "json"]);
    assert.equal(listed.out.trim().split("\n").length, 1);
  });
});

test("a recipe that needs inputs is refused when named alone, but not beside one that uses it", async () => {
  await withFiles({ "pay.yaml": PAY, "a.yaml": USES }, async (directory) => {
    const [pay, user] = [join(directory, "pay.yaml"), join(directory, "a.yaml")];
    const alone = await runnerCli([pay]);
    assert.equal(alone.code, 2);
    assert.match(alone.err, /input `order_id` has no value/);
    assert.equal((await runnerCli([pay, user])).code, 0);
    const checked = await runnerCli(["check", pay]);
    assert.deepEqual([checked.code, checked.err], [0, ""]);
  });
});

test("a directory that holds only recipes that need inputs is valid, but runs nothing", async () => {
  await withFiles({ "pay.yaml": PAY }, async (directory) => {
    const { code, err } = await runnerCli([directory]);
    assert.equal(code, 4);
    assert.match(err, /is left out: .*\nNothing to run: no other recipe matches the options\n$/);
    assert.equal((await runnerCli(["check", directory])).code, 0);
  });
});

test("check refuses an invalid address", async () => {
  await withFiles({ "a.yaml": PASSES }, async (directory) => {
    const { code, err } = await runnerCli(["check", directory, "--url", "nowhere"]);
    assert.equal(code, 2);
    assert.match(err, /^error: 'nowhere' is not a URL\n/);
    const url = ["--url", "ws://127.0.0.1:9/dwp", "--token", "x"];
    assert.equal((await runnerCli(["check", directory, ...url])).code, 0);
  });
});
