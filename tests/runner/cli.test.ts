import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { runRecipe, withFiles } from "./_recipe.ts";

const PASS = "name: Pass\ntags: [quick, smoke]\nsteps:\n  - assert: true\n";
const FAIL = "name: Fail\ntags: [slow]\nsteps:\n  - assert: false\n";
const two = { "a-pass.yaml": PASS, "b-fail.yaml": FAIL };

test("`run` without a recipe is a usage error", async () => {
  const { code, err } = await runnerCli(["run"]);
  assert.equal(code, 2);
  assert.match(err, /Nothing to run/);
});

for (
  const [args, message] of [
    [["recipes", "--tags", "x"], "Unknown option --tags; did you mean `--tag`?"],
    [["recipes", "-x"], "Unknown option -x"],
    [["recipes", "-qx"], "Unknown option -x"],
    [["recipes", "--tag"], "Option --tag needs a value: TAG"],
    [["recipes", "--bail=yes"], "Option --bail takes no value"],
    [["recipes", "--parallel", "0"], "--parallel must be a whole number of at least 1, not '0'"],
    [["recipes", "--timeout", "5"], "--timeout must be a duration such as 30s or 5m, not '5'"],
    [["recipes", "--shard", "3/2"], "--shard must be I/N, such as 1/3, or auto, not '3/2'"],
    [["recipes", "--shard", "0/2"], "--shard must be I/N, such as 1/3, or auto, not '0/2'"],
    [["recipes", "--shard", "0/0"], "--shard must be I/N, such as 1/3, or auto, not '0/0'"],
    [["recipes", "--shard", "1"], "--shard must be I/N, such as 1/3, or auto, not '1'"],
    [["recipes", "--var", "x"], "--var must be name=value, not 'x'"],
    [["recipes", "--reporter", "jsn"], "Unknown reporter jsn; did you mean `json`?"],
    [["recipes", "--vars", "nope.yaml"], "Cannot read variables 'nope.yaml': no such file"],
    [["recipes", "--only", "emial"], "No step emial; did you mean `email`?"],
    [["check", "recipes", "--format", "xml"], "--format must be text, json or github, not 'xml'"],
    [["explain", "unkown-key"], "Unknown code unkown-key; did you mean `unknown-key`?"],
    [["dev", "nope.yaml", "more.ts"], "dev takes one file"],
    [
      ["dev", "--quirk", "zero-stats"],
      "--quirk must be NAME=on or NAME=off, or none or default alone, not 'zero-stats'",
    ],
    [["dev", "--port", "x"], "--port must be a number from 0 to 65535, not 'x'"],
  ] as const
) {
  test(`rejects the command line: ${args.join(" ")}`, async () => {
    const { code, out, err } = await runnerCli(args);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.equal(err.split("\n")[0], `error: ${message}`);
  });
}

test("a missing file is reported with exit code 2", async () => {
  const { code, err } = await runnerCli(["nope.yaml"]);
  assert.equal(code, 2);
  assert.match(err, /^error: Cannot read recipe 'nope\.yaml': no such file\n/);
});

test("--tag and --grep filter the recipes of a directory", async () => {
  await withFiles(two, async (directory) => {
    assert.equal((await runnerCli([directory])).code, 1);
    assert.equal((await runnerCli([directory, "--tag", "smoke"])).code, 0);
    assert.equal((await runnerCli([directory, "--tag", "!slow"])).code, 0);
    assert.equal((await runnerCli([directory, "--tag", "slow", "--tag", "smoke"])).code, 1);
    assert.equal((await runnerCli([directory, "--tag", "!slow", "--tag", "!smoke"])).code, 4);
    assert.equal((await runnerCli([directory, "--grep", "Pass"])).code, 0);
    assert.equal((await runnerCli([directory, "--grep", "/^f/i"])).code, 1);
    const lookaround = await runnerCli([directory, "--grep", "/(?=P)(a+)+$/"]);
    assert.equal(lookaround.code, 2);
    assert.match(lookaround.err, /^error: --grep takes the regular expressions of RE2: /);
    const none = await runnerCli([directory, "--tag", "nope"]);
    assert.equal(none.code, 4);
    assert.match(none.err, /no recipe matches the options/);
  });
});

test("finds recipes in subdirectories, but not in hidden ones and in node_modules", async () => {
  await withFiles({ "a.yaml": PASS, ".hidden.yaml": FAIL, "notes.md": "" }, async (directory) => {
    for (const [folder, text] of Object.entries({ sub: PASS, ".git": FAIL, node_modules: FAIL })) {
      await mkdir(join(directory, folder));
      await writeFile(join(directory, folder, "b.yml"), text);
    }
    // The same file twice is one recipe.
    const { out } = await runnerCli([`${directory}/`, join(directory, "sub", "b.yml")]);
    assert.match(out, /\n2 passed in /);
  });
});

test("a missing directory is reported as one error, besides the recipes that exist", async () => {
  await withFiles(two, async (directory) => {
    const { code, err } = await runnerCli(["check", directory, join(directory, "no")]);
    assert.equal(code, 2);
    assert.match(err, /^error: Cannot read recipe '.*no': no such file\n/);
  });
});

test("the path of a used recipe is relative to the file that names it", async () => {
  const inner = "steps: [{ assert: true }]\n";
  await withFiles({ "inner.yaml": inner }, async (directory) => {
    await mkdir(join(directory, "sub"));
    const outer = "steps: [{ use: .././inner.yaml }, { use: ../sub/../inner.yaml }]\n";
    await writeFile(join(directory, "sub", "outer.yaml"), outer);
    assert.equal((await runnerCli([join(directory, "sub", "outer.yaml")])).code, 0);
  });
});

test("--bail starts no more cases after a failure", async () => {
  await withFiles({ "a.yaml": FAIL, "b.yaml": PASS }, async (directory) => {
    const { code, out } = await runnerCli([directory, "--bail"]);
    assert.equal(code, 1);
    assert.match(out, /\n1 failed, 1 skipped in /);
  });
});

test("--shard runs a part of the cases, --repeat runs them several times", async () => {
  await withFiles(two, async (directory) => {
    assert.match((await runnerCli([directory, "--shard", "1/1"])).out, /\n1 passed, 1 failed in /);
    assert.match((await runnerCli([directory, "--shard", "1/2"])).out, /\n1 passed in /);
    assert.match((await runnerCli([directory, "--shard", "2/2"])).out, /\n1 failed in /);
    const { out } = await runnerCli([directory, "--repeat", "3", "--parallel", "1", "-q"]);
    assert.match(out, /\n3 passed, 3 failed in /);
  });
});

test("--only and --from filter steps", async () => {
  const recipe = "steps:\n  - log: one\n  - id: two\n    stats:\n  - assert: true\n";
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const file = join(directory, "r.yaml");
    const from = await runnerCli([file, "--from", "two"]);
    assert.equal(from.code, 0);
    assert.match(from.out, /- log one {2}not selected\n {2}✓ stats/);
    const only = await runnerCli([file, "--only", "3"]);
    assert.equal(only.code, 0);
    assert.match(only.out, /- stats {2}not selected/);
  });
});

test("--timeout limits the time of a recipe's steps", async () => {
  await withFiles({ "r.yaml": "steps:\n  - sleep: 1h\n  - assert: true\n" }, async (directory) => {
    const { code, out } = await runnerCli([join(directory, "r.yaml"), "--timeout", "20ms"]);
    assert.equal(code, 1);
    assert.match(out, /not done when the recipe's time was over/);
  });
});

test("on a terminal, a live line shows the last state that a wait saw", async () => {
  const recipe = "steps:\n  - id: j\n    enqueue: sleep\n    payload: { ms: 300 }\n  - wait: j\n";
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const { out } = await runnerCli([join(directory, "r.yaml")], { terminal: true });
    assert.match(out, / wait for j +0\.\d s {2}running 0\.\d s ago/);
    // deno-lint-ignore no-control-regex
    assert.match(out, /\r\x1b\[1A\x1b\[J {2}✓ wait for j .*completed\n/);
  });
});

test("an invalid server URL is a usage error", async () => {
  const { code, err } = await runnerCli(["recipes/order-smoke.yaml", "--url", "nonsense"]);
  assert.equal(code, 2);
  assert.match(err, /^error: .*'nonsense'/);
});

test("a file in place of a directory is reported without a stack trace", async () => {
  const { code, err } = await runnerCli(["init", "deno.json"]);
  assert.equal(code, 2);
  assert.match(err, /^error: Cannot .* 'deno\.json\/recipes\/first\.yaml': a part of the path/);
  assert.ok(!err.includes("    at "));
});

test("--only rejects a step that is nested in another", async () => {
  const recipe = "steps:\n  - parallel:\n      - id: inner\n        log: x\n";
  const { code, err } = await runRecipe(recipe, ["--only", "inner"]);
  assert.equal(code, 2);
  assert.match(err, /Step inner is inside step 1; select that one/);
});

test("--seed gives each case the same values, also with --parallel", async () => {
  // In parallel, the last case is the first to ask for a value.
  const recipe = `matrix: { n: [1, 2, 3] }
steps:
  - sleep: \${{ 4 - matrix.n }}s
  - log: id \${{ matrix.n }} \${{ uuid() }}
  - assert: true
`;
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const ids = async (...args: string[]) => {
      const { out } = await runnerCli([join(directory, "r.yaml"), ...args]);
      return [...out.matchAll(/id \d [0-9a-f-]{36}/g)].map(([id]) => id).sort();
    };
    const sequential = await ids("--seed", "5");
    assert.equal(new Set(sequential).size, 3);
    assert.deepEqual(await ids("--seed", "5", "--parallel", "3"), sequential);
    assert.notDeepEqual(await ids("--seed", "6"), sequential);
    assert.notDeepEqual(await ids(), await ids());
  });
});

test("an error about the server URL does not print its password or query", async () => {
  await withFiles({ "r.yaml": PASS }, async (directory) => {
    for (
      const url of ["ws://me:pass-s3cr3t@127.0.0.1:99999/dwp?key=s3cr3t", "ftp://me:s3cr3t@h/"]
    ) {
      for (const command of ["run", "schedule"]) {
        const { code, out, err } = await runnerCli([command, directory, "--url", url]);
        assert.ok([2, 4].includes(code), err);
        assert.ok(!(out + err).includes("s3cr3t"), err);
      }
    }
  });
});

test("--only and --from reject a step when a result that it needs is left out", async () => {
  const recipe = `steps:
  - { id: j, enqueue: noop }
  - wait: j
  - log: \${{ j.state }}
  - { id: k, enqueue: noop }
  - { wait: k }
`;
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const run = (...args: string[]) => runnerCli([join(directory, "r.yaml"), ...args]);
    for (
      const [number, ...args] of [
        [2, "--from", "2"],
        [3, "--only", "3"],
        [3, "--only", "3", "--only", "k"],
      ] as const
    ) {
      const { code, err } = await run(...args);
      assert.equal(code, 2);
      assert.match(err, new RegExp(`Step ${number} needs the result \`j\`; select step 1 as well`));
    }
    assert.equal((await run("--from", "4")).code, 0);
    assert.equal((await run("--only", "1", "--only", "2")).code, 0);
  });
});
