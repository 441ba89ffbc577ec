import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { expectWorkflow } from "../helpers/github_files.ts";
import { ROOT } from "../project/sources.ts";
import { readAction, startJob, type Step } from "./_runner.ts";

const skip = process.platform === "win32" ? "the programs of these tests are shell scripts" : false;
const bin = (name: string) => join(ROOT, "node_modules", ".bin", name);

/** A program that notes how it was called. */
const NOTING = `#!/bin/sh
[ "$1" = --version ] && { echo 9.9.9; exit; }
printf '%s\\0' "$@" >"$RUNNER_TEMP/arguments"
env >"$RUNNER_TEMP/environment"
`;

/** What users can write into an input, and what shells and GitHub could take it for. */
const HOSTILE = [
  "a b.yaml",
  `"; touch injected; "`,
  "'; touch injected; '",
  "$(touch injected)",
  "`touch injected`",
  "${{ secrets.TOKEN }}",
  "$HOME/*.yaml",
  "::error::x",
  "reports<<dispatch",
  "-x",
  "--watch",
  "\\n",
  "ümläut 日本",
];

/** What the program of {@linkcode NOTING} has noted. */
async function notes(workspace: string): Promise<{ args: string[]; env: string }> {
  const read = (name: string) => readFile(join(workspace, "..", "temp", name), "utf8");
  return {
    args: (await read("arguments")).split("\0").slice(0, -1),
    env: await read("environment"),
  };
}

test("action.yml matches the schema of GitHub", async () => {
  // Node runs the program of the package, whatever runs this test.
  await promisify(execFile)(bin("node"), [bin("action-validator"), join(ROOT, "action.yml")]);
});

test("no input is part of a script, and other actions are pinned to a commit", async () => {
  const { runs, inputs } = await readAction();
  for (const { run, uses } of runs.steps) {
    if (run !== undefined) ok(!run.includes("${{"), run);
    if (uses !== undefined) match(uses, /^[\w/-]+@[0-9a-f]{40}$/);
  }
  const text = await readFile(join(ROOT, "action.yml"), "utf8");
  for (const name of Object.keys(inputs)) ok(text.includes(`\${{ inputs.${name} }}`), name);
});

test("lines of inputs are arguments, whatever is in them", { skip }, async () => {
  await using job = await startJob();
  const { code, log, outputs } = await job.use({
    executable: await job.writeProgram("dispatch", NOTING),
    recipes: `\n  ${HOSTILE.join("\n  \n")}\r\n`,
    reporters: HOSTILE.map((text) => `junit=${text}`).join("\n") + "\nconsole\ngithub\n",
    args: "--var=note=a b\n--tag\nsmoke",
    shard: "1/2; touch injected",
    history: "$(touch injected).db",
  });
  equal(code, 0, log);
  deepEqual((await notes(job.workspace)).args, [
    ...["run", "--reporter", "console", "--reporter", "github"],
    ...HOSTILE.flatMap((text) => ["--reporter", `junit=${text}`]),
    ...["--history", "$(touch injected).db", "--shard", "1/2; touch injected"],
    ...["--var=note=a b", "--tag", "smoke", "--", ...HOSTILE],
  ]);
  // The program has printed its version only.
  equal(log, "9.9.9\n");
  equal(outputs["exit-code"], "0");
  equal(await job.file("GITHUB_ENV"), "");
});

test("the server and its token reach the command by the environment", { skip }, async () => {
  await using job = await startJob();
  const executable = await job.writeProgram("dispatch", NOTING);
  await job.use({ executable, url: "wss://x.invalid/dwp", token: "s3cret" });
  const given = await notes(job.workspace);
  ok(!given.args.join().includes("s3cret"));
  match(given.env, /^DISPATCH_URL=wss:\/\/x\.invalid\/dwp$/m);
  match(given.env, /^DISPATCH_TOKEN=s3cret$/m);
  ok(!given.env.includes("INPUT_TOKEN"));
  // A job can also set them for all of its steps.
  await job.use({ executable }, { env: { DISPATCH_URL: "wss://y.invalid/dwp" } });
  const { env } = await notes(job.workspace);
  match(env, /^DISPATCH_URL=wss:\/\/y\.invalid\/dwp$/m);
  ok(!env.includes("DISPATCH_TOKEN"));
});

test(
  "recipes fail the step, and its outputs, summary and annotations say why",
  { skip },
  async () => {
    await using job = await startJob();
    const runner = join(ROOT, "runner.ts");
    const executable = await job.writeProgram(
      "dispatch",
      `#!/bin/sh\nexec '${bin("bun")}' '${runner}' "$@"\n`,
    );
    await mkdir(join(job.workspace, "checks", "recipes"), { recursive: true });
    const write = (name: string, text: string) =>
      writeFile(join(job.workspace, "checks", "recipes", name), text);
    await write("a.yaml", "name: Passes\nsteps: [{ assert: true }]\n");
    await write("b.yaml", "name: Fails\nsteps:\n  - assert: 1 == 2\n");
    const { code, log, outputs } = await job.use({
      executable,
      "working-directory": "checks",
      reporters: "junit=reports/all of them.xml\nhtml=reports/all.html\n",
    });
    deepEqual([code, outputs], [1, {
      "exit-code": "1",
      passed: "1",
      failed: "1",
      errored: "0",
      unchecked: "0",
      skipped: "0",
      flaky: "0",
      reports: "checks/reports/all of them.xml\nchecks/reports/all.html",
    }], log);
    match(log, /^::error file=checks\/recipes\/b\.yaml,line=3,/m);
    match(await job.file("GITHUB_STEP_SUMMARY"), /^## 1 passed, 1 failed/);
  },
);

test("a mistake in the inputs ends the step with 2", { skip }, async () => {
  await using job = await startJob();
  const executable = await job.writeProgram("dispatch", NOTING);
  const steps = async (inputs: Record<string, string>) => {
    const { code, log } = await job.use(inputs);
    return [code, log.split("\n").filter((line) => line.startsWith("::"))];
  };
  deepEqual(await steps({ executable, command: "dev\n::error::x" }), [2, [
    "::error title=dispatch::The input command must be run or merge, not 'dev%0A::error::x'",
  ]]);
  deepEqual(await steps({ executable: "none" }), [2, [
    "::error title=dispatch::Cannot run the input executable 'none'",
  ]]);
});

test("a cancelled job ends the command, which says that it was interrupted", { skip }, async () => {
  const program = `#!/bin/sh
[ "$1" = --version ] && { echo 1.0.0; exit; }
trap 'echo stopped; exit 130' TERM
echo ready
for _ in $(seq 500); do sleep 0.02; done
`;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await using job = await startJob();
    const { code, log, outputs } = await job.use(
      { executable: await job.writeProgram("dispatch", program) },
      { signal },
    );
    deepEqual([code, log, outputs["exit-code"]], [130, "1.0.0\nready\nstopped\n", "130"]);
  }
});

test(
  "the history has a key that the cache accepts, and is where the command runs",
  { skip },
  async () => {
    await using job = await startJob();
    const { runs: { steps } } = await readAction();
    const executable = await job.writeProgram("dispatch", NOTING);
    const keys = new Set<string>();
    const found: string[] = [];
    for (const [directory, history] of [[".", "a,b.db"], ["sub", "a,b.db"], [".", "/x.db"]]) {
      const { steps: outputs } = await job.use(
        { executable, history: history!, "working-directory": directory! },
        { steps: ["install"] },
      );
      found.push(outputs["install.history"]!);
      const key = outputs["install.history-key"]!;
      match(key, /^dispatch-history-[0-9a-f]{16}$/);
      keys.add(key);
    }
    equal(keys.size, 3);
    deepEqual(found, ["./a,b.db", "sub/a,b.db", "/x.db"]);
    // All shards have to read the same history.
    const save = steps.find(({ uses }) => uses?.startsWith("actions/cache/save@"));
    match(save!.if!, /^always\(\) && .*inputs\.shard == ''/);
  },
);

test("the documentation has every input and output, and a workflow that uses them", async () => {
  const text = await readFile(join(ROOT, "docs", "install.md"), "utf8");
  const page = /^## On GitHub\n.*?(?=^## )/ms.exec(text)![0];
  const { inputs, outputs } = await readAction();
  const workflow = /^```yaml\n(.*?)^```$/ms.exec(page)![1]!;
  expectWorkflow(workflow);
  const { jobs } = parse(workflow) as { jobs: { recipes: { steps: Step[] } } };
  const step = jobs.recipes.steps.find(({ id }) => id === "recipes")!;
  deepEqual(Object.keys(step.with!).filter((name) => !(name in inputs)), []);
  const rows = [...page.matchAll(/^\| (`.*?`) +\|/gm)]
    .flatMap(([, cell]) => cell!.replaceAll("`", "").split(", "));
  deepEqual(rows.sort(), Object.keys(inputs).sort());
  for (const name of Object.keys(outputs)) ok(page.includes(`\`${name}\``), name);
});
