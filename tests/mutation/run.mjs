// Changes the sources in many small ways, and reports the changes that no test notices:
// `deno task mutate client/start runner/engine/case.ts`. Without an argument, all rooms below.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { installTools, ROOT, toolsEnv } from "../run_tools.mjs";

const ROOMS = ["protocol", "client", "runner/engine", "runner/expression"];

const args = process.argv.slice(2);
const paths = args.filter((arg) => !arg.startsWith("-"));
const options = args.filter((arg) => arg.startsWith("-"));

installTools();
const { status } = spawnSync("stryker", ["run", "tests/mutation/config.mjs", ...options], {
  cwd: ROOT,
  env: { ...toolsEnv(), MUTATE: (paths.length > 0 ? paths : ROOMS).join(",") },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
