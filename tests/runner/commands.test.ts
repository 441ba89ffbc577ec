import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { parseArgs } from "../../runner/cli/args.ts";
import { COMMANDS, optionsOf } from "../../runner/cli/commands.ts";
import { DIAGNOSTIC_CODES } from "../../runner/mod.ts";
import { runtimeName } from "../../runtime/process.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const PASS = "name: Pass\ntags: [quick, smoke]\nsteps:\n  - assert: true\n";
const FAIL = "name: Fail\ntags: [slow]\nsteps:\n  - assert: false\n";
const two = { "a-pass.yaml": PASS, "b-fail.yaml": FAIL };

test("--help lists the commands, the options and the exit codes", async () => {
  const { code, out } = await runnerCli(["--help"]);
  assert.equal(code, 0);
  for (const word of ["check", "schema", "--bail", "Exit codes: 0 passed"]) {
    assert.ok(out.includes(word), word);
  }
  assert.match(out, /^ {2}dev \[file.ts\] {23}Start the embedded/m);
  assert.match(out, /^ {6}--bail {18}Start no more/m);
  assert.match(out, /^ {2}-q, --quiet {17}Print only/m);
  assert.match((await runnerCli(["check", "--help"])).out, /^Check recipes without running them/);
});

test("no line of a help text is longer than 80 columns, and no word is broken", async () => {
  for (const name of ["", ...Object.keys(COMMANDS)]) {
    const { out } = await runnerCli(name === "" ? ["--help"] : [name, "--help"]);
    assert.deepEqual(out.split("\n").filter((line) => line.length > 80), []);
  }
  const { out } = await runnerCli(["--help"]);
  assert.match(
    out,
    /Keep results in FILE and compare with earlier\s+runs\. Default: DISPATCH_HISTORY/,
  );
  assert.match(out, /^Examples:\n {2}dispatch init/m);
});

test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(await readFile("deno.json", "utf8"));
  for (const option of ["--version", "-V"]) {
    const { code, out } = await runnerCli([option]);
    assert.deepEqual([code, out], [0, `dispatch ${version}\n`]);
  }
});

test("help COMMAND prints the help of the command", async () => {
  const { code, out } = await runnerCli(["help", "check"]);
  assert.equal(code, 0);
  assert.match(out, /^Usage: dispatch check/m);
});

test("each command has examples in its help, which are valid command lines", async () => {
  for (const [name, load] of Object.entries(COMMANDS)) {
    const examples = (await load()).examples("dispatch");
    assert.ok(examples.length > 0, name);
    const { out } = await runnerCli([name, "--help"]);
    for (const example of examples) {
      for (const line of example.split("\n")) assert.ok(out.includes(`\n  ${line}\n`), line);
      const [, command] = /(?:^|\| |<\()(dispatch .*)/s.exec(example)!;
      const { words, rest } = shellWords(command!.replace("\\\n", " "));
      assert.match(rest, /^(?:$|[|)#>])/, example);
      const called = Object.hasOwn(COMMANDS, words[1]!) ? words[1]! : "run";
      // `record` shows how to run what it writes.
      assert.ok(called === name || name === "record", example);
      const args = words.slice(called === words[1] ? 2 : 1);
      parseArgs(args, optionsOf(await COMMANDS[called]!()));
    }
  }
});

/** Reads the words of a command up to a pipe, a redirection or a comment. */
function shellWords(command: string): { words: string[]; rest: string } {
  const words: string[] = [];
  let rest = command;
  for (let found; (found = /^(?:'[^']*'|"[^"]*"|[^\s'"|#>)])+/.exec(rest));) {
    words.push(found[0].replaceAll(/['"]/g, ""));
    rest = rest.slice(found[0].length).trimStart();
  }
  return { words, rest };
}

test("docs/recipes.md lists every command, in the order of the help text", async () => {
  const page = await readFile("docs/recipes.md", "utf8");
  const table = page.slice(page.indexOf("| command "), page.indexOf("| exit code "));
  const listed = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  assert.deepEqual(listed, Object.keys(COMMANDS));
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

test("annotations name a file from the root of the checkout", async () => {
  const file = "tests/golden/unknown-key.yaml";
  const env = { GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: dirname(process.cwd()) };
  for (const command of ["check", "run", "list"]) {
    const { out } = await runnerCli([command, file], { env });
    assert.ok(out.startsWith(`::error file=${basename(process.cwd())}/${file},line=2`), out);
  }
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
    const { code, out } = await runnerCli(["init", directory]);
    assert.equal(code, 0);
    assert.match(out, /\nNext, run the recipe: .*recipes\/first\.yaml\n$/);
    const workflow = await readFile(join(directory, ".github/workflows/recipes.yml"), "utf8");
    assert.match(workflow, /uses: actions\/upload-artifact@/);
    assert.equal((await runnerCli([join(directory, "recipes")])).code, 0);
    await writeFile(join(directory, "recipes/first.yaml"), "mine");
    assert.equal((await runnerCli(["init", directory])).code, 2);
    assert.equal(await readFile(join(directory, "recipes/first.yaml"), "utf8"), "mine");
  });
});

test("a misspelt command gets a suggestion", async () => {
  const { code, err, out } = await runnerCli(["chekc", "recipes"]);
  assert.equal(code, 2);
  assert.match(out + err, /'chekc' is not a command; did you mean `check`\?/);
});

test("on an older Node, one line says which version is needed", {
  skip: runtimeName() === "node" ? false : "it is about Node",
}, () => {
  // Before 22.18 Node loads no TypeScript, so it cannot load `runner.ts`.
  for (const [entry, version] of [["runner.ts", "22.18.0"], ["runner.mjs", "20.20.2"]] as const) {
    const older = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(older)}`, entry, "--help"],
      { encoding: "utf8" },
    );
    assert.equal(stderr, `error: dispatch needs Node 24 or newer; this is Node ${version}\n`);
    assert.deepEqual([status, stdout], [2, ""]);
  }
});

test("Node says in one line that it runs no TypeScript in node_modules", {
  skip: runtimeName() === "node" ? false : "it is about Node",
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "dispatch-package-"));
  try {
    const copy = join(directory, "node_modules/@dispatch/sdk");
    for (const file of ["runner.mjs", "runner.ts", "package.json"]) {
      await cp(file, join(copy, file));
    }
    const { status, stderr } = spawnSync(process.execPath, [join(copy, "runner.mjs"), "--help"], {
      encoding: "utf8",
      env: { ...process.env, XDG_CACHE_HOME: directory },
    });
    assert.match(stderr, /^error: Node runs no TypeScript in node_modules: .*\n$/);
    assert.equal(status, 2);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("runner.mjs does what runner.ts does, and has no syntax that an old Node lacks", async () => {
  const deno = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const { status, stdout } = spawnSync(
    process.execPath,
    [...deno, "runner.mjs", "list", "recipes"],
    {
      encoding: "utf8",
    },
  );
  const { out } = await runnerCli(["list", "recipes"]);
  assert.deepEqual([status, stdout], [0, out]);
  const source = await readFile("runner.mjs", "utf8");
  assert.doesNotMatch(source, /^import |\?\.|\?\?|\bawait\b/m);
});

test("runner.mjs keeps compiled modules in the user's cache, unless that is switched off", {
  skip: runtimeName() === "node" ? false : "it is about Node",
}, async () => {
  const cache = await mkdtemp(join(tmpdir(), "dispatch-cache-"));
  // Set by `npm test`.
  const { NODE_COMPILE_CACHE: _, ...outer } = process.env;
  try {
    const run = (env: Record<string, string>) =>
      spawnSync(process.execPath, ["runner.mjs", "--version"], {
        env: { ...outer, XDG_CACHE_HOME: cache, ...env },
      });
    assert.equal(run({ NODE_DISABLE_COMPILE_CACHE: "1" }).status, 0);
    assert.deepEqual(await readdir(cache), []);
    assert.equal(run({}).status, 0);
    assert.deepEqual(await readdir(cache), ["dispatch"]);
    await rm(join(cache, "dispatch"), { recursive: true });
    await writeFile(join(cache, "dispatch"), "a file where the directory would be");
    assert.equal(run({}).status, 0);
  } finally {
    await rm(cache, { recursive: true });
  }
});
