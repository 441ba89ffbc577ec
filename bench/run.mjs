// Runs all benchmarks, one after another: `deno task bench`.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { installTools, ROOT, toolsEnv } from "../tests/run_tools.mjs";

const PROGRAMS = [
  "deno run -A bench/client.ts",
  "deno run -A bench/starts.ts",
  "node bench/size.ts",
  "node bench/cold_start.ts",
  "deno run -A bench/recipes.ts",
  "node bench/executable.ts",
  "bun bench/merge.ts",
  "deno run -A bench/dev_load.ts",
];

installTools();
for (const program of PROGRAMS) {
  process.stdout.write(`\n${program}\n\n`);
  const [command, ...args] = program.split(" ");
  const { status } = spawnSync(command, args, { cwd: ROOT, env: toolsEnv(), stdio: "inherit" });
  if (status !== 0) {
    process.stdout.write(`${program} failed\n`);
    process.exit(1);
  }
}
