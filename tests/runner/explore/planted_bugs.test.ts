// Each folder here has a recipe, a workload with a planted bug, and the same workload without it.
// Both pass without faults. `explore` finds the bug, and nothing in the other one.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../runtime/clock.ts";
import { type CliResult, runnerCli } from "../_cli.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const entries = await readdir(FOLDER, { withFileTypes: true });
const workloads = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).toSorted();

/** What is read of a failure that `explore --json` prints. */
interface Failure {
  seed: number;
  only: string[];
  command: string;
  repeatable: boolean;
}

function explore(
  workload: string,
  version: "bug" | "fixed",
  ...args: string[]
): Promise<CliResult> {
  const recipe = join(FOLDER, workload, "recipe.yaml");
  const dev = join(FOLDER, workload, `${version}.ts`);
  return runnerCli(["explore", recipe, "--dev", dev, ...args], { clock: systemClock });
}

/** Lets faults happen with a seed, and returns the exit code. */
async function repeat(workload: string, seed: number, only: readonly string[]): Promise<number> {
  const keys = only.length > 0 ? only : ["none"];
  const chosen = keys.flatMap((key) => ["--only", key]);
  return (await explore(workload, "bug", "--seed", String(seed), ...chosen)).code;
}

for (const workload of workloads) {
  test(`finds the bug of ${workload}, with faults of which none can be left out`, async () => {
    const { code, out, err } = await explore(workload, "bug", "--bail", "--json");
    assert.equal(code, 1, out + err);
    const { seed, only, command, repeatable } = JSON.parse(out.split("\n")[0]!) as Failure;
    assert.ok(repeatable, out);
    for (const key of only) assert.ok(command.includes(`--only ${key}`), command);
    assert.ok(only.length > 0, out);
    assert.equal(await repeat(workload, seed, only), 1, command);
    for (const key of only) {
      const rest = only.filter((other) => other !== key);
      assert.equal(await repeat(workload, seed, rest), 0, `${command} without ${key}`);
    }
  });
}

for (const workload of workloads) {
  test(`finds nothing in ${workload} once it is mended`, async () => {
    const { code, out, err } = await explore(workload, "fixed", "--seeds", "10");
    assert.equal(code, 0, out + err);
  });
}

test("a step that crashed after its effect does not fail for good, which nothing could undo", async () => {
  const only = ["crash:step:order:reserve", "fail:step:order:reserve#2"];
  const chosen = only.flatMap((key) => ["--only", key]);
  const { code, err } = await explore("no_compensation", "fixed", "--seed", "36", ...chosen);
  assert.equal(code, 0);
  assert.match(err, /the fault fail:step:order:reserve#2 did not happen/);
});
