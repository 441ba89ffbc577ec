// Recipes whose code ends the process, or tries to: the run still reaches its verdict.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { RunSummary } from "../../runner/mod.ts";
import { loadScript } from "../../runner/script/load_script.ts";
import { runtimeName } from "../../runtime/process.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

const PASSING = { "z.yaml": "name: After\nsteps: [{ assert: true }]" };

/** Runs the command line in a process and returns its exit code and output. */
async function runIn(
  directory: string,
  args: readonly string[],
): Promise<{ code: number | string; output: string }> {
  const runner = new RunnerProcess(["runner.ts", ...args]);
  try {
    const code = await runner.exit();
    return { code, output: runner.output.replaceAll(`${directory}/`, "") };
  } finally {
    runner.signal("SIGKILL");
  }
}

/** Runs all recipes of a directory, and reads the report. */
async function runAll(
  directory: string,
): Promise<{ code: number | string; output: string; run: RunSummary }> {
  const report = join(directory, "run.json");
  const reporters = ["--reporter", "console", "--reporter", `json=${report}`];
  const result = await runIn(directory, [directory, ...reporters]);
  return { ...result, run: JSON.parse(await readFile(report, "utf8")) };
}

/** Runs a recipe that tries to end the process, and another one after it. */
async function runExiting(
  body: string,
  imports = "",
): Promise<{ code: number | string; output: string; run: RunSummary }> {
  const files = { "a.recipe.ts": exiting("Exits", body, imports), ...PASSING };
  return await withFiles(files, runAll);
}

const PROCESS = `import process from "node:process";\n`;
const BODIES: Record<string, [body: string, imports: string, call: string]> = {
  "process.exit in its function": ["process.exit(0);", PROCESS, "process.exit(0)"],
  "process.exit that it has imported by name": [
    "exit(0);",
    `import { exit } from "node:process";\n`,
    "process.exit(0)",
  ],
  "process.exit in a timer": [
    `setTimeout(() => { process.exit(0); }, 1);\n  await t.sleep("1h");`,
    PROCESS,
    "process.exit(0)",
  ],
  "process.exit after its last step, in a promise it does not await": [
    "Promise.resolve().then(() => { process.exit(); });\n  await 0; await 0; await 0;",
    PROCESS,
    "process.exit()",
  ],
  "process.exit in a clean-up": [
    "t.always(() => { process.exit(0); });",
    PROCESS,
    "process.exit(0)",
  ],
  "process.exit whose error it catches": [
    "try { process.exit(0); } catch { /* it goes on */ }",
    PROCESS,
    "process.exit(0)",
  ],
  "process.reallyExit": ["process.reallyExit(0);", PROCESS, "process.reallyExit(0)"],
  "process.abort": ["process.abort();", PROCESS, "process.abort()"],
};
if (runtimeName() === "deno") BODIES["Deno.exit"] = ["Deno.exit(0);", "", "Deno.exit(0)"];

/** A recipe that tries to end the process. */
function exiting(name: string, body: string, imports: string): string {
  return `${imports}${
    scriptModule(`recipe(${JSON.stringify(name)}, async (t) => {
  t.assert(true, "one");
  ${body}
})`)
  }`;
}

test("recipes that end the process could not be run; the others run, and the run exits with 3", async () => {
  const recipes = Object.entries(BODIES);
  const files = recipes.map(([name, [body, imports]], i) => [
    `${String.fromCharCode(97 + i)}.recipe.ts`,
    exiting(name, body, imports),
  ]);
  await withFiles({ ...Object.fromEntries(files), ...PASSING }, async (directory) => {
    const { code, output, run } = await runAll(directory);
    assert.equal(code, 3, output);
    assert.equal(run.exit_code, 3);
    assert.equal(run.interrupted, false);
    assert.deepEqual(run.cases.map(({ name, status }) => `${name} ${status}`), [
      ...recipes.map(([name]) => `${name} errored`),
      "After passed",
    ]);
    for (const [i, [name, [, , call]]] of recipes.entries()) {
      const { message, code } = run.cases[i]!.failure!;
      assert.equal(code, "exit_call", name);
      assert.ok(message.startsWith(`\`${call}\` was called: `), `${name}: ${message}`);
    }
    assert.ok(output.includes(`1 passed, ${recipes.length} could not run`), output);
  });
});

test("an exit after the recipe's own failure does not hide the failure", async () => {
  const { code, run } = await runExiting(
    "t.always(() => { process.exit(0); });\n  t.assert(false);",
    PROCESS,
  );
  assert.equal(code, 3);
  assert.equal(run.cases[0]!.status, "failed");
  assert.match(run.cases[0]!.warnings.join(), /process\.exit\(0\)/);
});

test("the failure shows where the process was ended", async () => {
  const { run } = await runExiting("process.exit(0);", PROCESS);
  const { place } = run.cases[0]!.failure!;
  assert.deepEqual([place?.line, place?.text], [5, "  process.exit(0);"]);
});

const EXITING_MODULE = {
  "helper.ts": `${PROCESS}process.exit(0);\nexport const one = 1;\n`,
  "a.recipe.ts": `import { one } from "./helper.ts";\n${
    scriptModule("recipe(String(one), () => {})")
  }`,
  ...PASSING,
};

for (const command of ["run", "check", "list"]) {
  test(`${command} exits with 3 when a module that a recipe loads ends the process`, async () => {
    await withFiles(EXITING_MODULE, async (directory) => {
      const { code, output } = await runIn(directory, [command, directory]);
      assert.equal(code, 3, output);
      assert.match(
        output,
        /error: cannot load the recipe's module: `process\.exit\(0\)` was called/,
      );
      assert.match(output, /helper\.ts:2:/);
    });
  });

  test(`${command} exits with 3 when a timer of a module ends the process`, async () => {
    const module = `${PROCESS}setTimeout(() => { process.exit(0); }, 1);
await new Promise((resolve) => setTimeout(resolve, 20));
${scriptModule('recipe("Timer", (t) => t.assert(true))')}`;
    await withFiles({ "a.recipe.ts": module, ...PASSING }, async (directory) => {
      const { code, output } = await runIn(directory, [command, directory]);
      assert.equal(code, 3, output);
      assert.match(output, /error: `process\.exit\(0\)` was called: .*\(a\.recipe\.ts:2:/);
    });
  });
}

test("check exits with its own code although a module has left a timer that ends the process", async () => {
  const module = `${PROCESS}setTimeout(() => { process.exit(0); }, 500);\nexport default 1;`;
  await withFiles({ "a.recipe.ts": module }, async (directory) => {
    const { code, output } = await runIn(directory, ["check", directory]);
    assert.equal(code, 2, output);
  });
});

test("a listener for the end of the process cannot change the exit code", async () => {
  const { code } = await runExiting(
    `process.on("exit", () => { process.exitCode = 0; process.exit(0); });\n  t.assert(false);`,
    PROCESS,
  );
  assert.equal(code, 1);
});

test("an unhandled error while modules load is reported, and the command exits with 3", async () => {
  const module = `setTimeout(() => { throw new Error("too early"); }, 1);
await new Promise((resolve) => setTimeout(resolve, 20));
${scriptModule('recipe("Timer", (t) => t.assert(true))')}`;
  await withFiles({ "a.recipe.ts": module }, async (directory) => {
    for (const command of ["check", "run"]) {
      const { code, output } = await runIn(directory, [command, directory]);
      assert.equal(code, 3, output);
      assert.match(output, /error: too early \(a\.recipe\.ts:1:/);
    }
  });
});

test("a recipe that is a program exits with 3 when its module ends the process", async () => {
  const module = `${PROCESS}${scriptModule('recipe("Program", (t) => t.assert(true))')}
function end() { process.exit(0); }
end();
`;
  await withFiles({ "a.recipe.ts": module }, async (directory) => {
    const runner = new RunnerProcess([join(directory, "a.recipe.ts")]);
    assert.equal(await runner.exit(), 3, runner.output);
    assert.match(
      runner.output,
      /error: the run did not reach its end: the code at .*a\.recipe\.ts:/,
    );
  });
});

test("a module that does not load within 30 seconds is an error", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const globals = globalThis as { loadsLater?: Promise<void> };
  globals.loadsLater = promise;
  const module = "await globalThis.loadsLater;\nexport default 1;\n";
  await withFiles({ "a.recipe.ts": module }, async (directory) => {
    const clock = new FakeClock();
    const loading = loadScript(join(directory, "a.recipe.ts"), { clock });
    const { diagnostics } = await clock.runUntil(loading, 1000);
    assert.deepEqual(diagnostics.map(({ code, message }) => [code, message]), [[
      "module",
      "cannot load the recipe's module: it has not loaded within 30 s: check what it awaits",
    ]]);
  });
  resolve();
  delete globals.loadsLater;
});

test("a signal ends a command whose modules do not load", async () => {
  const module = `console.log("loading");\nawait new Promise(() => {});\nexport default 1;\n`;
  await withFiles({ "a.recipe.ts": module }, async (directory) => {
    const runner = new RunnerProcess(["runner.ts", "check", directory]);
    await runner.printed("loading");
    runner.signal("SIGTERM");
    assert.equal(await runner.exit(), 130, runner.output);
    assert.match(runner.output, /Interrupted by SIGTERM/);
  });
});
