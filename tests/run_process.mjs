// Runs the commands of `run.mjs`.
import { spawn } from "node:child_process";
import process from "node:process";
import { ROOT } from "./run_tools.mjs";

const children = new Set();

/**
 * Runs a command until it exits or `limit` milliseconds have passed.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 * @param {number} limit
 * @returns {Promise<{output: string, problem: string | undefined}>}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export function run(command, args, env, limit) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    children.add(child);
    let output = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill(child);
    }, limit);
    const append = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", append);
    child.stderr.setEncoding("utf8").on("data", append);
    const end = (problem) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ output, problem });
    };
    child.on("error", (error) => end(`did not start: ${error.message}`));
    child.on("close", (code, signal) => {
      // Processes that a test started and left running would disturb the next test.
      kill(child);
      if (timedOut) end(`did not end within ${limit / 1000} s`);
      else end(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/**
 * Ends all commands that are running.
 * @returns {void}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export function killAll() {
  for (const child of children) kill(child);
}

function kill(child) {
  try {
    if (process.platform === "win32") child.kill();
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // The process has ended already.
  }
}
