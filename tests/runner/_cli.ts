// Loaded now: a fake clock would move on while a step loads them.
import "node:async_hooks";
import "../../runner/expression/value_tree.ts";
import "../../runner/script/running_script.ts";
import { runCli } from "../../runner/cli/main.ts";
import type { Output } from "../../runner/report/reporter.ts";
import type { Clock } from "../../runtime/clock.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** What a command printed, and its exit code. */
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
  color?: boolean;
  /** Called when the process must not wait for what is left open. */
  onStuck?: () => void;
  /** How the program was called; `dispatch` by default. */
  program?: string;
  /** What standard input has; without it there is none. */
  input?: string;
  /**
   * The clock of the runner, its client and the embedded server. A fake one is advanced until the
   * command ends, so that a recipe that sleeps for a minute ends within milliseconds.
   * @default {new FakeClock()}
   */
  clock?: Clock;
}

/** How far a fake clock moves in each turn of the event loop, in milliseconds. */
const STEP = 20;

/** Runs a command line in this process, with its own streams, environment and clock. */
export async function runnerCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const {
    env = {},
    signal = new AbortController().signal,
    onOut,
    onErr,
    input,
    terminal = false,
    color = false,
  } = options;
  const { clock = new FakeClock() } = options;
  const result = { code: -1, out: "", err: "" };
  const output = (write: (text: string) => void): Output => ({
    write,
    isTerminal: terminal,
    color,
    columns: 80,
  });
  const running = runCli(args, {
    out: output((text) => {
      result.out += text;
      onOut?.(text);
    }),
    err: output((text) => {
      result.err += text;
      onErr?.(text);
    }),
    env: (name) => env[name],
    clock,
    random: Math.random,
    signal,
    ...(options.onStuck ? { onStuck: options.onStuck } : {}),
    program: () => Promise.resolve(options.program ?? "dispatch"),
    ...(input === undefined ? {} : { readInput: () => Promise.resolve(input) }),
  });
  result.code = clock instanceof FakeClock ? await clock.runUntil(running, STEP) : await running;
  return result;
}
