// Tests what the hidden command `__complete` offers, and the scripts of `completion` in real shells.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { COMMANDS } from "../../runner/cli/commands.ts";
import { DIAGNOSTIC_CODES } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { systemClock } from "../../runtime/clock.ts";
import { runtimeName } from "../../runtime/process.ts";
import { QUIRKS } from "../../dev/quirks.ts";
import { ROOT } from "../project/sources.ts";
import { type CliOptions, runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

/**
 * Returns what can stand at the end of a line, each with its description. A fake clock would reach
 * the time limit of completion while modules load.
 */
async function offered(words: string[], options?: CliOptions): Promise<Map<string, string>> {
  const args = ["__complete", "fish", "--", ...words];
  const { code, out, err } = await runnerCli(args, { clock: systemClock, ...options });
  assert.deepEqual([code, err], [0, ""]);
  return new Map(
    out.split("\n").slice(0, -1).map((line) => line.split("\t") as [string, string]),
  );
}

async function values(words: string[], options?: CliOptions): Promise<string[]> {
  return [...(await offered(words, options)).keys()];
}

/** Returns the lines for bash. */
async function bashLines(line: string): Promise<string[]> {
  const args = ["__complete", "bash", " \t\n\"'@><=;|&(:", line];
  const { out } = await runnerCli(args, { clock: systemClock });
  return out.split("\n").slice(0, -1);
}

const RECIPES = {
  "smoke.yaml": `name: Smoke
tags: [smoke, "two words"]   # comment
vars:
  order_id: { type: string }
  region: eu
steps:
  - id: order
    start: own-workflow
  - publish: own-event
`,
  "broken.yaml": "tags:\n  - slow # comment\nsteps: [ {{{\n  - enqueue: own-job\n",
  "shop.recipe.ts": `throw new Error("not run");\nrecipe({ tags: ["typed"] });\n` +
    `await t.enqueue("typed-job");\n`,
  "notes.txt": "tags: [no]",
};

test("the first word is a command with its description, or a recipe", async () => {
  await withFiles(RECIPES, async (directory) => {
    await mkdir(join(directory, "sub"));
    const all = await offered([""]);
    for (const [name, load] of Object.entries(COMMANDS)) {
      assert.equal(all.get(name), (await load()).description);
    }
    assert.deepEqual(await values(["expla"]), ["explain"]);
    assert.deepEqual(await values(["help", "expla"]), ["explain"]);
    const recipes = ["broken.yaml", "shop.recipe.ts", "smoke.yaml", "sub/"];
    for (const words of [[], ["check"], ["list"], ["schedule"], ["--bail"]]) {
      assert.deepEqual(
        await values([...words, `${directory}/`]),
        recipes.map((name) => `${directory}/${name}`),
      );
    }
    assert.deepEqual(await values([`${directory}/none/`]), []);
  });
});

test("options are those of the command that are not set yet", async () => {
  for (const [name, load] of Object.entries(COMMANDS)) {
    const { options } = await load();
    const found = await offered([name, "--"]);
    for (const [option, { description, isHidden }] of Object.entries(options)) {
      if (isHidden) continue;
      assert.equal(found.get(`--${option}`), description, `${name} --${option}`);
    }
  }
  assert.ok((await values(["--b"])).includes("--bail"));
  const left = await values(["run", "--bail", "--seed=1", "--timeout", "1s", "--tag", "a", "--"]);
  assert.deepEqual(
    ["--bail", "--seed", "--timeout", "--tag"].filter((name) => left.includes(name)),
    ["--tag"],
  );
  assert.deepEqual(await values(["run", "--", "--b"]), []);
});

test("codes, quirks, reporters, choices and fixed words are offered", async () => {
  const codes = await offered(["explain", "unguarded", ""]);
  assert.deepEqual([...codes.keys()], Object.keys(DIAGNOSTIC_CODES));
  assert.equal(codes.get("unguarded"), DIAGNOSTIC_CODES.unguarded.title);
  assert.deepEqual(
    await values(["dev", "--quirk", ""]),
    [...Object.keys(QUIRKS).map((name) => `${name}=`), "default", "none"],
  );
  assert.deepEqual(
    await values(["dev", "--quirk", "admin-open="]),
    ["admin-open=off", "admin-open=on"],
  );
  assert.deepEqual(await values(["--reporter", ""]), Object.keys(REPORTERS));
  assert.deepEqual(await values(["run", "--reporter=js"]), ["--reporter=json", "--reporter=jsonl"]);
  assert.deepEqual(await values(["dev", "--clock", ""]), ["real", "virtual"]);
  assert.deepEqual(await values(["dev", "--fault", "cu"]), ["cut"]);
  assert.deepEqual(await values(["completion", ""]), ["bash", "fish", "zsh"]);
  assert.deepEqual(await values(["completion", "bash", ""]), []);
  assert.deepEqual(await values(["call", "job.e"]), ["job.enqueue"]);
  assert.deepEqual(
    await values(["tail", ""]),
    [
      ...["firehose", "jobs", "workflows"],
      ...["default", "email", "images", "slow"].map((name) => `queue:${name}`),
    ],
  );
  assert.ok((await values(["admin", "dead"])).includes("dead-letters"));
  assert.ok((await values(["admin", "dead-letters", "replay"])).includes("replay-all"));
  assert.deepEqual(await values(["manifest", ""]), ["kubernetes", "github"]);
  assert.deepEqual(await values(["manifest", "github", "recip"]), ["recipes/"]);
});

test("tags, steps and variables come from the texts of the recipes, also of broken ones", async () => {
  await withFiles(RECIPES, async (directory) => {
    const tags = ["slow", "smoke", "two words", "typed"];
    assert.deepEqual(await values(["run", directory, "--tag", ""]), tags);
    assert.deepEqual(
      await values(["list", directory, "--tag", "!s"]),
      ["!slow", "!smoke"],
    );
    const file = join(directory, "smoke.yaml");
    assert.deepEqual(await values(["run", file, "--tag="]), ["--tag=smoke", "--tag=two words"]);
    assert.deepEqual(await values(["run", file, "--only", ""]), ["order"]);
    assert.deepEqual(await values(["run", file, "--from", ""]), ["order"]);
    assert.deepEqual(await values(["run", file, "--var", ""]), ["order_id=", "region="]);
  });
});

test("calls know the names of the reference workload, unless the server is elsewhere", async () => {
  assert.ok((await values(["enqueue", ""])).includes("send-email"));
  assert.ok((await values(["start", "order-p"])).includes("order-payment"));
  assert.ok((await values(["publish", "pay"])).includes("payment-received"));
  assert.ok((await values(["enqueue", "x", "--queue", ""])).includes("email"));
  const local = { env: { DISPATCH_URL: "ws://127.0.0.1:8787/dwp" } };
  assert.ok((await values(["enqueue", ""], local)).includes("send-email"));
  const elsewhere = { env: { DISPATCH_URL: "wss://example.com/dwp" } };
  assert.deepEqual(await values(["enqueue", "x", "--queue", ""], elsewhere), []);
  assert.ok((await values(["start", "order-p"], elsewhere)).includes("order-payment"));
  assert.deepEqual(await values(["get", ""]), []);
});

test("record knows the names of the file of --dev; a broken file is silent", async () => {
  const dev = pathToFileURL(join(ROOT, "dev/mod.ts")).href;
  const source = `import { defineWorkflow } from ${JSON.stringify(dev)};
export const order = defineWorkflow("own-order", async (context) => {
  await context.waitForEvent("own-paid", 1000);
});
`;
  await withFiles({ "own.ts": source, "broken.ts": "export default {" }, async (directory) => {
    const own = ["--dev", join(directory, "own.ts")];
    assert.deepEqual(await values(["record", ...own, ""]), ["own-order"]);
    assert.deepEqual(await values(["record", ...own, "--publish", ""]), ["own-paid="]);
    const broken = ["--dev", join(directory, "broken.ts")];
    assert.deepEqual(await values(["record", ...broken, ""]), []);
    assert.deepEqual(await values(["record", "--dev", `${directory}/o`]), [own[1]]);
  });
});

test("a file that takes too long to load is given up", async () => {
  const slow = "await new Promise((resolve) => globalThis.loadSlowFile = resolve);\n";
  await withFiles({ "slow.ts": slow }, async (directory) => {
    assert.deepEqual(await values(["record", "--dev", join(directory, "slow.ts"), ""]), []);
    (globalThis as unknown as { loadSlowFile(): void }).loadSlowFile();
  });
});

test("files are those that the argument can be", async () => {
  const names = ["a.json", "b.csv", "c.ts", "d.yaml", "e.jsonl", ".hidden.json"];
  const files = Object.fromEntries(names.map((name) => [name, ""]));
  await withFiles(files, async (directory) => {
    const at = async (words: string[], prefix = "") =>
      (await values([...words, `${prefix}${directory}/`]))
        .map((value) => value.slice(prefix.length + directory.length + 1));
    assert.deepEqual(await at(["dev"]), ["c.ts"]);
    assert.deepEqual(await at(["run", "--vars"]), ["a.json", "d.yaml"]);
    assert.deepEqual(await at(["enqueue", "noop", "--from"]), ["b.csv", "e.jsonl"]);
    assert.deepEqual(await at(["enqueue", "noop"], "@"), ["a.json"]);
    assert.deepEqual(await at(["report"]), ["a.json", "e.jsonl"]);
    assert.deepEqual(await at(["init"]), []);
    assert.equal((await at(["run"], "--reporter=html=")).length, 5);
    const hidden = `${directory}/.hidden.json`;
    assert.deepEqual(await values(["run", "--history", hidden.slice(0, -8)]), [hidden]);
  });
});

test("bash gets the part after the last word break, quoted as it is written", async () => {
  await withFiles(RECIPES, async (directory) => {
    assert.deepEqual(await bashLines("dispatch run --reporter=js"), ["json\t", "jsonl\t"]);
    assert.deepEqual(await bashLines("A=1 dispatch explain ungu"), ["unguarded\t"]);
    const tag = `dispatch run ${directory} --tag `;
    assert.deepEqual(await bashLines(`${tag}tw`), ["two\\ words\t"]);
    assert.deepEqual(await bashLines(`${tag}'tw`), ["two words\t"]);
    assert.deepEqual(await bashLines(`${tag}two\\ w`), ["two\\ words\t"]);
    assert.deepEqual(await bashLines("dispatch run --reporter='js"), ["json\t", "jsonl\t"]);
    assert.deepEqual(await bashLines("dispatch run --reporter='html'=/no"), ["\tpaths"]);
    // Readline quotes paths, and marks directories.
    assert.deepEqual(
      await bashLines(`dispatch run ${directory}/sm`),
      ["\tpaths", `${directory}/smoke.yaml\t`],
    );
  });
});

test("the scripts are for the name that was called, if it is one word", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    for (const program of ["dsp", "./dsp", "C:\\tools\\dsp"]) {
      const own = await runnerCli(["completion", shell], { program });
      assert.match(own.out, /[ _]dsp\b/);
      assert.doesNotMatch(own.out, /dispatch|tools/);
    }
    const { out } = await runnerCli(["completion", shell], { program: "deno run -A runner.ts" });
    assert.match(out, /\bdispatch\b/);
    assert.doesNotMatch(out, /runner\.ts/);
  }
  assert.equal((await runnerCli(["completion", "csh"])).code, 2);
});

/**
 * A script for each shell that completes `$LINE` and prints what it becomes, or can become. Zsh needs
 * `bindkey -e`: with an `EDITOR` such as `vi`, which npm sets, its keys are others.
 */
const SHELLS = {
  bash: `source <(dispatch completion bash)
COMP_LINE=$LINE COMP_POINT=\${#LINE} COMP_WORDS=(dispatch)
_dispatch_complete
printf '%s\\n' "\${COMPREPLY[@]}"`,
  fish: `dispatch completion fish | source
complete -C "$LINE" | string replace -r '\\t.*' ''`,
  zsh: `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'bindkey -e; PS1= RPS1=; source <(dispatch completion zsh); print -r -- rea""dy'
zpty -r shell got '*ready*'
zpty -w shell "$LINE"$'\\t\\C-aprint -r -- res""ult: '
zpty -r shell got '*result: *'$'\\n'
print -r -- "$got"`,
};

for (const [shell, script] of Object.entries(SHELLS)) {
  const has = spawnSync(shell, ["-c", "exit"]).status === 0;
  test(`${shell} completes commands, codes, recipes and values of options`, {
    skip: has ? false : `there is no ${shell}`,
  }, async () => {
    await withFiles({ "my-recipe.yaml": RECIPES["smoke.yaml"] }, async (directory) => {
      const runner = [
        `'${process.execPath}'`,
        ...(runtimeName() === "deno" ? ["run", "-A", "--no-check", "--config"] : []),
        ...(runtimeName() === "deno" ? [`'${join(ROOT, "deno.json")}'`] : []),
        `'${join(ROOT, "runner.ts")}'`,
      ];
      const program = join(directory, "dispatch");
      await writeFile(program, `#!/bin/sh\nexec ${runner.join(" ")} "$@"\n`);
      await chmod(program, 0o755);
      const lines = [
        ["expla", "explain"],
        ["explain ungu", "unguarded"],
        ["run my-", "my-recipe.yaml"],
        ["run --tag smo", "smoke"],
        ["run --reporter=juni", shell === "fish" ? "--reporter=junit" : "junit"],
        ["start order-pay", "order-payment"],
      ];
      for (const [line, expected] of lines) {
        const { stdout, stderr } = spawnSync(shell, ["-c", script], {
          cwd: directory,
          encoding: "utf8",
          timeout: 60_000,
          stdio: ["ignore", "pipe", "pipe"],
          env: {
            ...process.env,
            PATH: `${directory}:${process.env.PATH}`,
            LINE: `dispatch ${line}`,
          },
        });
        // Zsh shows the whole line, between what moves the cursor.
        const completed = shell === "zsh" ? /.*[ =](\S+)\s*$/s.exec(stdout)?.[1] : stdout.trim();
        assert.equal(completed, expected, `${line}: ${stdout} ${stderr}`);
      }
    });
  });
}

test("a script of completion runs in a shell without this program, and says nothing", {
  skip: spawnSync("bash", ["-c", "exit"]).status === 0 ? false : "there is no bash",
}, async () => {
  const { out } = await runnerCli(["completion", "bash"]);
  const { stdout, stderr } = spawnSync("bash", ["-c", `${out}\n${SHELLS.bash.slice(36)}`], {
    encoding: "utf8",
    // With a socket as its input bash takes itself for a remote shell, and runs `.bashrc`.
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/bin:/bin", LINE: "dispatch x" },
  });
  assert.deepEqual([stdout, stderr], ["\n", ""]);
});
