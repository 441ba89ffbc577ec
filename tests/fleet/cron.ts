/**
 * Runs the package of `docs/cron.md` with the real library: `node tests/fleet/cron.ts DIRECTORY`,
 * where the directory is a clone of github.com/xraph/dispatch. It needs Go, and takes some minutes to
 * build the program the first time.
 *
 * @module
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";

const [library] = process.argv.slice(2);
if (library === undefined) throw new Error("Name a clone of github.com/xraph/dispatch");
const root = join(import.meta.dirname!, "../..");
const folder = join(tmpdir(), "dispatch-cron");
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "checks"), { recursive: true });

const page = readFileSync(join(root, "docs/cron.md"), "utf8");
const FILES: Record<string, string> = {
  "checks/checks.go": /```go\n(.*?)```/s.exec(page)![1]!,
  "go.mod": `module example.com/fleet

go 1.25.7

require github.com/xraph/dispatch v1.5.3

replace github.com/xraph/dispatch => ${resolve(library)}
`,
  dispatch: `#!/bin/sh\nexec '${process.execPath}' '${join(root, "runner.mjs")}' "$@"\n`,
  "0.yaml": "steps: [{ assert: true }]\n",
  "1.yaml": "steps: [{ assert: 1 == 2 }]\n",
  "2.yaml": "steps: [{ asert: true }]\n",
  "3.yaml": "steps: [{ call: no.such.method }, { assert: true }]\n",
  "4.yaml": "steps: [{ stats: {} }]\n",
  "130.yaml": "steps: [{ assert: true }, { sleep: 1h }]\nalways: [{ log: cleaned up }]\n",
};
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
chmodSync(join(folder, "dispatch"), 0o755);
cpSync(join(import.meta.dirname!, "cron/main.go"), join(folder, "main.go"));

/** Runs a program that must succeed, and returns what it printed. */
function run(command: string, ...args: string[]): string {
  const { DISPATCH_URL: _, ...env } = process.env;
  const { status, stdout } = spawnSync(command, args, {
    cwd: folder,
    env: { ...env, PATH: `${folder}${delimiter}${env["PATH"]}` },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  assert.equal(status, 0, `${command} ${args.join(" ")}`);
  return stdout;
}

run("go", "mod", "tidy");
run("go", "build", "-o", "program", ".");
const recipes = Object.keys(FILES).filter((name) => name.endsWith(".yaml"));
const lines = run("./program", ...recipes).split("\n");
const ends = lines.filter((line) => /^\d+\.yaml /.test(line));

assert.ok(lines.includes("check-orders 00:00"), "nine in Tokyo is midnight in UTC");
assert.deepEqual(ends.map((line) => line.split(" ").slice(0, 3).join(" ")), [
  "0.yaml completed 0",
  "1.yaml failed 1",
  "2.yaml failed 1",
  "3.yaml failed 4",
  "4.yaml failed 1",
  "130.yaml failed 4",
]);
assert.match(ends[1]!, /exit status 1.*`1 == 2` is false/);
assert.match(ends[5]!, /exit status 130.*interrupted/);
process.stdout.write("The package of docs/cron.md does what the page says.\n");
