import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toolsEnv } from "../run_tools.mjs";

/** Whether this is Node, on which the traces of all runtimes are compared. */
export const isNode: boolean = !("Bun" in globalThis || "Deno" in globalThis);

const OTHERS = [["deno", "run", "-A", "--no-check"], ["bun"]];

/** Runs a file of this folder on Deno and on Bun, and returns the hashes that each prints. */
export function tracesElsewhere(name: string): Promise<string[]>[] {
  const file = fileURLToPath(new URL(name, import.meta.url));
  return OTHERS.map(async ([command, ...args]) => {
    const { stdout } = await promisify(execFile)(command!, [...args, file], { env: toolsEnv() });
    return JSON.parse(stdout) as string[];
  });
}
