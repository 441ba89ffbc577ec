import { runCli } from "../../runner/cli/main.ts";
import type { Output } from "../../runner/report/reporter.ts";

/** What a command printed and exited with. */
export interface CliResult {
  code: number;
  out: string;
  err: string;
}

/** Settings of {@linkcode runnerCli}. */
export interface CliOptions {
  env?: Record<string, string>;
  signal?: AbortSignal;
  /** Called with each piece of standard output. */
  onOut?: (text: string) => void;
  /** Called with each piece of standard error. */
  onErr?: (text: string) => void;
  terminal?: boolean;
}

/** Runs a command line in this process, with streams and an environment of its own. */
export async function runnerCli(
  args: readonly string[],
  { env = {}, signal = new AbortController().signal, onOut, onErr, terminal = false }: CliOptions =
    {},
): Promise<CliResult> {
  const result = { code: -1, out: "", err: "" };
  const output = (write: (text: string) => void): Output => ({
    write,
    isTerminal: terminal,
    color: false,
    columns: 80,
  });
  result.code = await runCli(args, {
    out: output((text) => {
      result.out += text;
      onOut?.(text);
    }),
    err: output((text) => {
      result.err += text;
      onErr?.(text);
    }),
    env: (name) => env[name],
    signal,
  });
  return result;
}
