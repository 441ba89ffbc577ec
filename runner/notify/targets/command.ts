import { spawn } from "node:child_process";
import { basename } from "node:path";
import { oneOrMore, required } from "../../language/field.ts";
import { text } from "../../language/value_fields.ts";
import { noticeBody } from "../message.ts";
import type { Problem, TargetKind } from "../target.ts";

/** How many characters of what the command printed are told. */
const MAX_OUTPUT = 300;

/** A program on this machine, which gets the notice as JSON on its standard input. */
export const command: TargetKind = {
  name: "command",
  description: "A program, which gets the notice as JSON on its standard input.",
  fields: { run: required(oneOrMore(text("The program and its arguments; no shell reads them."))) },
  open: (settings) => {
    const [program, ...args] = settings.run as string[];
    return {
      label: basename(program!),
      deliver: ({ notice, text, link }, { signal }) =>
        runProgram(program!, args, JSON.stringify(noticeBody(notice, text, link)) + "\n", signal),
    };
  },
};

/** Runs a program. It has failed if it did not start or did not end with exit code 0. */
function runProgram(
  program: string,
  args: readonly string[],
  input: string,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...{ stdio: ["pipe", "ignore", "pipe"], signal },
      // One that ignores a signal would be left behind, and so would be that of each attempt.
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT);
    });
    // A program may end without reading its input.
    child.stdin.on("error", () => {}).end(input);
    child.on("error", ({ message }) => {
      const text = signal.aborted ? "it took too long" : `it did not start: ${message}`;
      resolve({ text, final: false });
    });
    // What it leaves in the background may keep its output open.
    child.on("exit", (code) => {
      if (code !== 0) return;
      child.stderr.destroy();
      resolve(undefined);
    });
    child.on("close", (code, killed) => {
      const said = output.trim() === "" ? "" : `: ${output.trim()}`;
      resolve({ text: `it ended with ${killed ?? `exit code ${code}`}${said}`, final: false });
    });
  });
}
