import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const MOD = pathToFileURL(join(process.cwd(), "dev/mod.ts")).href;

/** A file of definitions. */
function definitions(text: string): string {
  return `import { defineJob, defineWorkflow } from ${JSON.stringify(MOD)};\n${text}\n`;
}

const CHARGE = definitions(
  `export const charge = defineJob("charge", (_, { log }) => log("paid"));`,
);
const RECIPE = "steps:\n  - id: c\n    enqueue: charge\n  - wait: c\n    within: 5s\n";

test("--dev runs recipes against the definitions of a file", async () => {
  await withFiles({ "jobs.ts": CHARGE, "r.yaml": RECIPE }, async (directory) => {
    const file = join(directory, "jobs.ts");
    const { code, out, err } = await runnerCli(["run", directory, "--dev", file]);
    assert.equal(code, 0, out + err);
    assert.ok(out.startsWith(`Using ${file} on the embedded server\n`), out);
    assert.match(out, /✓ wait for c .* completed/);
    assert.doesNotMatch(out + err, /paid/);
  });
});

test("--dev with --verbose prints what handlers log, on standard error", async () => {
  await withFiles({ "jobs.ts": CHARGE, "r.yaml": RECIPE }, async (directory) => {
    const args = ["run", directory, "--verbose", "--dev", join(directory, "jobs.ts")];
    assert.match((await runnerCli(args)).err, /^charge job_\w+: paid$/m);
  });
});

test("--dev uses the first token that the file exports", async () => {
  const tokens = `${CHARGE}export const tokens = { mine: { scopes: ["*"] } };\n`;
  await withFiles({ "jobs.ts": tokens, "r.yaml": RECIPE }, async (directory) => {
    const { code, out, err } = await runnerCli([directory, "--dev", join(directory, "jobs.ts")]);
    assert.equal(code, 0, out + err);
  });
});

test("--dev wins over DISPATCH_URL, and is refused with --url", async () => {
  await withFiles({ "jobs.ts": CHARGE, "r.yaml": RECIPE }, async (directory) => {
    const args = [directory, "--dev", join(directory, "jobs.ts")];
    const env = { DISPATCH_URL: "ws://127.0.0.1:1/dwp" };
    assert.equal((await runnerCli(["run", ...args], { env })).code, 0);
    for (const command of ["run", "check"]) {
      const { code, err } = await runnerCli([command, ...args, "--url", "ws://127.0.0.1:1/dwp"]);
      assert.equal(code, 2);
      assert.match(err, /^error: --dev runs a server inside the runner, so it cannot be used with/);
    }
  });
});

test("run, check, list and dev say what is wrong with the file of definitions", async () => {
  const files = {
    "r.yaml": "steps:\n  - assert: true\n",
    "syntax.ts": `export const a = 1;\n\nexport const b = ) 2;\n`,
    "throws.ts": `\nthrow new Error("not today");\n`,
    "none.ts": `export const a = 1;\n`,
    "queues.ts": `${CHARGE}export const queues = 3;\n`,
  };
  const expected: [string, RegExp][] = [
    [
      "missing.ts",
      /the import failed: (?:Module not found|Cannot find module) .*missing\.ts["'.]*$/m,
    ],
    ["syntax.ts", /the import failed: .*\(\S*syntax\.ts:3:18\)$/m],
    ["throws.ts", /the import failed: not today \(\S*throws\.ts:2:\d+\)$/m],
    ["none.ts", /it exports no job, workflow or cron entry$/m],
  ];
  await withFiles(files, async (directory) => {
    for (const [name, message] of expected) {
      const file = join(directory, name);
      const commands = [
        ["run", directory, "--dev", file],
        ["run", directory, "--dev", file, "--dry-run"],
        ["check", directory, "--dev", file],
        ["list", directory, "--dev", file],
        ["dev", file, "--port", "0"],
      ];
      for (const args of commands) {
        const { code, out, err } = await runnerCli(args);
        assert.equal(code, 2, args.join(" "));
        assert.ok(err.startsWith(`error: Cannot load workload '${file}': `), err);
        assert.match(err, message);
        assert.equal(out, "");
      }
    }
    const wrong = await runnerCli(["run", directory, "--dev", join(directory, "queues.ts")]);
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.err,
      /^error: Cannot use workload '.*queues\.ts': .*option 'queues' must be/,
    );
  });
});

test("--watch loads a changed file of definitions anew, even after it was broken", async () => {
  const fails = definitions(`export const charge = defineJob("charge", { maxRetries: 0 }, () => {
    throw new Error("no money");
  });`);
  await withFiles({ "jobs.ts": fails, "r.yaml": RECIPE }, async (directory) => {
    const file = join(directory, "jobs.ts");
    const next = ["export const = ;\n", CHARGE];
    const stop = new AbortController();
    const onOut = (printed: string) => {
      if (!printed.startsWith("Waiting for file changes")) return;
      const text = next.shift();
      if (text === undefined) stop.abort();
      else void writeFile(file, text);
    };
    const args = ["run", directory, "--dev", file, "--watch"];
    const { code, out, err } = await runnerCli(args, { signal: stop.signal, onOut });
    assert.equal(code, 130);
    assert.match(out, /1 failed in [^]*1 passed in /);
    assert.match(err, /^error: Cannot load workload '.*jobs\.ts': the import failed: /m);
  });
});
