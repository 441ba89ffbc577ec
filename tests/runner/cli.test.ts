import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../runner/cli/commands.ts";
import { DIAGNOSTIC_CODES } from "../../runner/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { type CliResult, runnerCli } from "./_cli.ts";
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
    [["recipes", "--shard", "3/2"], "--shard must be I/N, such as 1/3, not '3/2'"],
    [["recipes", "--shard", "0/2"], "--shard must be I/N, such as 1/3, not '0/2'"],
    [["recipes", "--shard", "0/0"], "--shard must be I/N, such as 1/3, not '0/0'"],
    [["recipes", "--shard", "1"], "--shard must be I/N, such as 1/3, not '1'"],
    [["recipes", "--var", "x"], "--var must be name=value, not 'x'"],
    [["recipes", "--reporter", "jsn"], "Unknown reporter jsn; did you mean `json`?"],
    [["recipes", "--vars", "nope.yaml"], "Cannot read variables 'nope.yaml': no such file"],
    [["recipes", "--only", "emial"], "No step emial; did you mean `email`?"],
    [["check", "recipes", "--format", "xml"], "--format must be text, json or github, not 'xml'"],
    [["explain", "unkown-key"], "Unknown code unkown-key; did you mean `unknown-key`?"],
    [["dev", "nope.yaml", "more.ts"], "dev takes one file"],
    [["dev", "--quirk", "zero-stats"], "--quirk must be NAME=on or NAME=off, not 'zero-stats'"],
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

test("--help lists the commands, the options and the exit codes", async () => {
  const { code, out } = await runnerCli(["--help"]);
  assert.equal(code, 0);
  for (const word of ["check", "schema", "--bail", "Exit codes: 0 passed"]) {
    assert.ok(out.includes(word), word);
  }
  assert.match(out, /^ {6}--bail {18}Start no more/m);
  assert.match(out, /^ {2}-q, --quiet {17}Print only/m);
  assert.match((await runnerCli(["check", "--help"])).out, /^Check recipes without running them/);
});

test("docs/recipes.md lists every command, in the order of the help text", async () => {
  const page = await readFile("docs/recipes.md", "utf8");
  const table = page.slice(page.indexOf("| command "), page.indexOf("| exit code "));
  const listed = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  assert.deepEqual(listed, Object.keys(COMMANDS));
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
    const none = await runnerCli([directory, "--tag", "nope"]);
    assert.equal(none.code, 4);
    assert.match(none.err, /no recipe matches the options/);
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

test("--dry-run prints the steps and needs no server", async () => {
  const { code, out } = await runnerCli(
    ["recipes/order-smoke.yaml", "--dry-run", "--var", "order_id=ORD-1"],
    { env: { DISPATCH_URL: "ws://127.0.0.1:1/dwp" } },
  );
  assert.equal(code, 0);
  assert.match(out, /\n {2}order_id = "ORD-1"\n {2}1\. enqueue send-email → email\n/);
  assert.match(out, /input: {"order_id":"ORD-1"}/);
});

test("list prints tags, or one object per recipe with --format json", async () => {
  await withFiles(two, async (directory) => {
    const { code, out } = await runnerCli(["list", directory]);
    assert.equal(code, 0);
    assert.match(out, /a-pass\.yaml {2}Pass {2}\[quick, smoke\]\n/);
    const json = await runnerCli(["list", directory, "--tag", "slow", "--format", "json"]);
    assert.deepEqual(JSON.parse(json.out).tags, ["slow"]);
  });
});

test("list shows the number of cases, and lists valid recipes besides invalid ones", async () => {
  const files = {
    "a.yaml": "name: A\nmatrix: { n: [1, 2] }\nsteps: [{ assert: true }]\n",
    "longer.yaml": "name: B\nsteps: [{ assert: true }]\n",
    "wrong.yaml": "nmae: C\n",
  };
  await withFiles(files, async (directory) => {
    const { code, out, err } = await runnerCli(["list", directory]);
    assert.equal(code, 2);
    assert.equal(
      out,
      `${directory}/a.yaml       A (2 cases)\n${directory}/longer.yaml  B\n`,
    );
    assert.match(err, /unknown key `nmae`/);
  });
  await withFiles({}, async (directory) => {
    assert.equal((await runnerCli(["list", directory])).code, 4);
  });
});

test("check counts valid recipes, and rejects a directory without any", async () => {
  await withFiles(two, async (directory) => {
    const { code, out } = await runnerCli(["check", directory]);
    assert.deepEqual([code, out], [0, "2 recipes are valid\n"]);
    const file = await runnerCli(["check", join(directory, "a-pass.yaml")]);
    assert.deepEqual([file.code, file.out], [0, "1 recipe is valid\n"]);
    assert.equal((await runnerCli(["check", directory, "--format", "json"])).out, "");
  });
  await withFiles({}, async (directory) => {
    const { code, err } = await runnerCli(["check", directory]);
    assert.equal(code, 2);
    assert.match(err, /^error: No recipes in /);
    assert.match((await runnerCli([directory])).err, /^Nothing to run: no recipes were found\n$/);
  });
});

test("check prints annotations in GitHub Actions", async () => {
  const file = "tests/golden/unknown-key.yaml";
  const { code, out } = await runnerCli(["check", file], { env: { GITHUB_ACTIONS: "true" } });
  assert.equal(code, 2);
  assert.equal(
    out.split("\n")[0],
    `::error file=${file},line=2,col=1,title=unknown-key::unknown key \`tagz\` in a recipe; did you mean \`tags\`?`,
  );
});

test("explain explains every code", async () => {
  const { out } = await runnerCli(["explain"]);
  for (const [code, { title }] of Object.entries(DIAGNOSTIC_CODES)) {
    assert.ok(out.includes(`${code} `) && out.includes(title), code);
    assert.equal((await runnerCli(["explain", code])).code, 0);
  }
});

test("init creates a recipe that passes, and overwrites nothing", async () => {
  await withFiles({}, async (directory) => {
    assert.equal((await runnerCli(["init", directory])).code, 0);
    assert.equal((await runnerCli([join(directory, "recipes")])).code, 0);
    await writeFile(join(directory, "recipes/first.yaml"), "mine");
    assert.equal((await runnerCli(["init", directory])).code, 2);
    assert.equal(await readFile(join(directory, "recipes/first.yaml"), "utf8"), "mine");
  });
});

test("completion covers every command and option", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await runnerCli(["completion", shell]);
    assert.equal(code, 0);
    assert.match(out, /explain/);
    assert.match(out, /dry-run/);
  }
  assert.equal((await runnerCli(["completion", "csh"])).code, 2);
});

test("completion offers the values of options with a fixed list", async () => {
  const bash = (await runnerCli(["completion", "bash"])).out;
  assert.match(bash, /^ {4}run\\ --reporter\) words="console .*\bjunit\b.*" ;;$/m);
  assert.match(bash, /^ {4}\*\\ --reporter\) words="console /m);
  assert.match(bash, /^ {4}schema\\ --of\) words="recipe events summary" ;;$/m);
  assert.match(bash, /^ {4}history\\ --format\) words="text json" ;;$/m);
  const fish = (await runnerCli(["completion", "fish"])).out;
  assert.match(fish, /^complete -c dispatch -l reporter -r -a "console /m);
});

/** Runs a recipe with --watch, and changes a file when the first run is over. */
function runWatched(recipe: string, changed: string, text: string): Promise<CliResult> {
  const stop = new AbortController();
  let runs = 0;
  const onOut = (printed: string) => {
    if (!printed.startsWith("Waiting for file changes")) return;
    if (++runs === 1) void writeFile(changed, text);
    else stop.abort();
  };
  return runnerCli([recipe, "--watch"], { signal: stop.signal, onOut });
}

test("--watch runs again when a recipe changes, until interrupted", async () => {
  await withFiles({ "r.yaml": FAIL }, async (directory) => {
    const file = join(directory, "r.yaml");
    const { code, out } = await runWatched(file, file, PASS);
    assert.equal(code, 130);
    assert.match(out, /1 failed in [^]*1 passed in /);
  });
});

test("--watch runs again when a recipe is added", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const { out } = await runWatched(directory, join(directory, "b.yaml"), PASS);
    assert.match(out, /\n1 passed in [^]*\n2 passed in /);
  });
});

test("--watch does not run again without a change", async () => {
  await withFiles({ "r.yaml": PASS }, async (directory) => {
    const stop = new AbortController();
    const clock = new FakeClock();
    clock.setTimeout(() => stop.abort(), 5_000);
    const args = [join(directory, "r.yaml"), "--watch"];
    const { code, out } = await runnerCli(args, { signal: stop.signal, clock });
    assert.equal(code, 130);
    assert.equal(out.match(/1 passed/g)?.length, 1);
  });
});

test("--watch runs again when a used recipe changes", async () => {
  const inner = "steps:\n  - assert: 1 == 2\n";
  const files = { "inner.yaml": inner, "r.yaml": "steps:\n  - use: inner.yaml\n" };
  await withFiles(files, async (directory) => {
    const used = join(directory, "inner.yaml");
    const { out } = await runWatched(join(directory, "r.yaml"), used, inner.replace("2", "1"));
    assert.match(out, /1 failed in [^]*1 passed in /);
  });
});

test("warns about a reporter that cannot write its file, and keeps the exit code", async () => {
  await withFiles({ "r.yaml": PASS }, async (directory) => {
    const { code, err } = await runnerCli([
      join(directory, "r.yaml"),
      "--reporter",
      "console",
      "--reporter",
      `jsonl=${join(directory, "no/such/directory.json")}`,
    ]);
    assert.equal(code, 0);
    assert.match(err, /^warning: reporter jsonl failed: Cannot write file/);
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

test("a misspelt command gets a suggestion", async () => {
  const { code, err, out } = await runnerCli(["chekc", "recipes"]);
  assert.equal(code, 2);
  assert.match(out + err, /'chekc' is not a command; did you mean `check`\?/);
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

test("help COMMAND prints the help of the command", async () => {
  const { code, out } = await runnerCli(["help", "check"]);
  assert.equal(code, 0);
  assert.match(out, /^Usage: dispatch check/m);
});

const PLANNED = `
name: Planned
vars: { n: 3, job: noop }
steps:
  - id: j
    enqueue: \${{ vars.job }}
    queue: q-\${{ vars.n }}
    within: \${{ vars.n }}s
  - set: { n: 4 }
  - enqueue: noop
    payload: { n: "\${{ vars.n }}", id: "\${{ j.job_id }}" }
  - set: { n: "\${{ j.priority }}" }
  - log: \${{ vars.n }}
  - get: { job: "job_\${{ vars.job }}" }
  - use: used.yaml
    inputs: { who: "\${{ vars.job }}" }
  - assert: vars.n == 3
`;
const USED = "inputs: { who: { type: text } }\nsteps:\n  - log: hi \${{ inputs.who }}\n";

test("--dry-run evaluates what is known at each step", async () => {
  await withFiles({ "r.yaml": PLANNED, "used.yaml": USED }, async (directory) => {
    const { code, out, err } = await runnerCli([join(directory, "r.yaml"), "--dry-run"]);
    assert.equal(code, 0, err);
    assert.equal(
      out.slice(out.indexOf("  1.")),
      `  1. enqueue noop → j
       queue: "q-3"
       within: 3s
  2. set n
       set: {"n":4}
  3. enqueue noop
       payload: {"n":4,"id":"\${{ j.job_id }}"}
  4. set n
       set: {"n":"\${{ j.priority }}"}
  5. log \${{ vars.n }}
  6. get job_noop
  7. use used.yaml
       inputs: {"who":"noop"}
       1. log hi noop
  8. assert vars.n == 3
`,
    );
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
