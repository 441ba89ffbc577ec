import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { runtimeName } from "../../runtime/process.ts";

/** A child process on the runtime that runs the test. */
export class RunnerProcess {
  #child: ChildProcess;
  #running = true;
  #waiting = new Set<() => void>();
  #ended: Promise<number | string>;
  /** What it has printed so far, on both streams. */
  output = "";

  /** Starts the runtime with arguments, or another command. */
  constructor(
    args: readonly string[],
    env: Record<string, string> = {},
    [program, ...first]: readonly string[] = [
      process.execPath,
      ...(runtimeName() === "deno" ? ["run", "-A"] : []),
    ],
  ) {
    const { DISPATCH_URL: _, DISPATCH_TOKEN: __, FORCE_COLOR: ___, ...outer } = process.env;
    this.#child = spawn(program!, [...first, ...args], {
      env: { ...outer, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const take = (chunk: Uint8Array) => {
      this.output += new TextDecoder().decode(chunk);
      for (const wake of this.#waiting) wake();
    };
    this.#child.stdout!.on("data", take);
    this.#child.stderr!.on("data", take);
    this.#ended = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => {
        this.#running = false;
        resolve(code ?? signal ?? "unknown");
        for (const wake of this.#waiting) wake();
      });
    });
  }

  /**
   * Resolves when it has printed a text.
   * @throws {Error} When it exits first.
   */
  async printed(text: string): Promise<void> {
    const ended = this.#ended.then(() => "ended");
    while (!this.output.includes(text)) {
      const more = new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
      if (await Promise.race([more, ended]) === "ended" && !this.output.includes(text)) {
        throw new Error(`the process exited without printing '${text}':\n${this.output}`);
      }
    }
  }

  /** Sends it a signal. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL"): void {
    // Not `child.kill`: Deno then reports the signal instead of the exit code.
    if (this.#running) process.kill(this.#child.pid!, name);
  }

  /** Resolves to its exit code, or to `SIGKILL` when it had to be killed after `limit` ms. */
  async exit(limit = 20_000): Promise<number | string> {
    const timer = setTimeout(() => this.signal("SIGKILL"), limit);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Returns the command that runs the runner on this runtime, for a shell. */
export function runtimeCommand(): string {
  const run = runtimeName() === "deno" ? " run -A --no-check" : "";
  return `'${process.execPath}'${run} runner.ts`;
}
