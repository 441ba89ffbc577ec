// Node, Bun and Deno in the versions that the project is tested with, and all other packages that
// its tools need. `npm install` puts them into node_modules.
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

const BIN = join(ROOT, "node_modules", ".bin");
/** The directory of Node. In `BIN` another one of its versions could stand for it. */
const NODE = join(ROOT, "node_modules", "node", "bin");

/**
 * Runs `npm install` where the tools are missing, as in a new clone.
 * @throws {Error} When it fails.
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, it has no types to write.
export function installTools() {
  if (["deno", "bun", "node", "tsc"].every((name) => existsSync(join(BIN, name)))) {
    return linkNode();
  }
  process.stdout.write("node_modules is missing or incomplete: running `npm install`\n");
  // `shell`, since npm is a script on Windows.
  const { status } = spawnSync("npm install", { cwd: ROOT, stdio: "inherit", shell: true });
  if (status !== 0) throw new Error("Cannot run the tests: `npm install` failed");
}

/** Makes `.bin/node` the newest Node: npm links the one that it has installed last. */
function linkNode() {
  const path = join(BIN, "node");
  if (process.platform === "win32" || realpathSync(path) === realpathSync(join(NODE, "node"))) {
    return;
  }
  spawnSync("npm rebuild node", { cwd: ROOT, stdio: "inherit", shell: true });
}

/**
 * Environment variables with which a child process finds the tools, and writes no colours.
 * @returns {Record<string, string | undefined>}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export function toolsEnv() {
  const env = {
    ...process.env,
    PATH: [NODE, BIN, process.env.PATH].join(delimiter),
    NO_COLOR: "1",
    DENO_NO_UPDATE_CHECK: "1",
  };
  // Some tools prefer FORCE_COLOR to NO_COLOR.
  delete env.FORCE_COLOR;
  return env;
}
