import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The result of a child process. */
export interface ChildResult {
  /** The exit code; `null` if the process did not exit and was killed. */
  code: number | null;
  output: string;
}

/** Runs a script from this folder with the test's runtime. */
export function runScript(
  name: string,
  args: string[],
  limit: number = 15_000,
  onOutput: () => void = () => {},
): Promise<ChildResult> {
  const path = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const isDeno = "Deno" in globalThis;
  const isBun = "Bun" in globalThis;
  const flags = isDeno ? ["run", "-A", "--no-check"] : isBun ? ["run"] : [];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, path, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      onOutput();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => output += text);
    const timer = setTimeout(() => child.kill("SIGKILL"), limit);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}
